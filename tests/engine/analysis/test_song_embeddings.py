"""Song vectors, against reading each song alone, frame by frame."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.analysis import song_embeddings
from engine.data.codecs import KeysCodec
from engine.errors import InputError
from engine.inference import models
from engine.inference.models import Model
from engine.inference.network import Network

Write = Callable[..., Path]


def alone(model: Model, song: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean hidden state of a song that is read alone."""
    network = model.stepper
    assert isinstance(network, Network)
    state = network.initial_state(None, 1)
    network.feed(state, np.zeros_like(song[:1]))
    states = [network.feed(state, frame[None]).hidden[0] for frame in song]
    mean: NDArray[np.float32] = np.mean(states, axis=0)
    return mean


@pytest.mark.parametrize(
    "settings", [{}, {"cell": "gru", "match_memory": True, "layers": 1}], ids=str
)
def test_vectors_are_the_mean_states_of_songs_read_alone(
    write_trained: Write, settings: dict[str, object]
) -> None:
    model = models.load(str(write_trained(**settings)), "full")
    corpus = models.training_corpus(model)
    progress: list[tuple[int, int]] = []
    songs = song_embeddings.embed_songs(model, lambda read, total: progress.append((read, total)))
    assert songs.rows.tolist() == list(range(len(corpus.songs)))
    for row, vector in zip(songs.rows, songs.vectors, strict=True):
        np.testing.assert_allclose(vector, alone(model, corpus.song(row)), rtol=1e-4, atol=1e-5)
    assert progress[-1] == (len(songs.rows), len(songs.rows))
    assert progress == sorted(progress)


def test_fast_precision_has_almost_the_same_vectors(write_trained: Write) -> None:
    folder = str(write_trained(hidden_size=48))
    corpus = models.training_corpus(models.load(folder))
    song = corpus.song(0)
    fast, full = (
        next(song_embeddings.embed(models.load(folder, precision), [song]))[1]
        for precision in ("fast", "full")
    )
    assert np.abs(full).max() > 0.1
    np.testing.assert_allclose(fast, full, atol=0.02)


def test_vectors_of_music(write_music: Write, tmp_path: Path) -> None:
    model = models.load(str(write_music(tmp_path / "music", match_memory=True)))
    assert isinstance(model.codec, KeysCodec)
    chance = np.random.default_rng(1)
    pieces = [(chance.random((length, 88)) < 0.05).astype(np.uint8) for length in (30, 7, 150)]
    found = {
        index: vector
        for indices, some in song_embeddings.embed(model, pieces)
        for index, vector in zip(indices, some, strict=True)
    }
    for index, piece in enumerate(pieces):
        np.testing.assert_allclose(found[index], alone(model, piece), rtol=1e-4, atol=1e-5)


def test_vectors_are_cached_for_each_model(write_trained: Write) -> None:
    def read(model: Model) -> tuple[song_embeddings.EmbeddedSongs, int]:
        calls: list[int] = []
        return song_embeddings.embed_songs(model, lambda done, _: calls.append(done)), len(calls)

    folder = write_trained()
    first, calls = read(models.load(str(folder)))
    assert calls
    again, calls = read(models.load(str(folder)))
    assert calls == 0
    np.testing.assert_array_equal(first.vectors, again.vectors)
    other, calls = read(models.load(str(write_trained("other", seed=1))))
    assert calls
    assert not np.allclose(other.vectors, first.vectors)
    files = list(first.corpus.path.glob("hidden-*.npy"))
    assert len(files) == 2
    for file in files:
        file.write_bytes(file.read_bytes()[:100])
    again, calls = read(models.load(str(folder)))
    assert calls
    np.testing.assert_array_equal(first.vectors, again.vectors)


def test_old_vectors_are_deleted(write_trained: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(song_embeddings, "_MAX_FILES", 2)
    for seed in range(4):
        songs = song_embeddings.embed_songs(
            models.load(str(write_trained(f"model{seed}", seed=seed)))
        )
    assert len(list(songs.corpus.path.glob("hidden-*.npy"))) == 2


def test_a_stop_leaves_no_file(write_trained: Write) -> None:
    model = models.load(str(write_trained()))
    answers = iter([False] * 3)
    with pytest.raises(InputError, match="stopped after"):
        song_embeddings.embed_songs(model, stopped=lambda: next(answers, True))
    assert not list(models.training_corpus(model).path.glob("hidden-*"))


def test_of_many_songs_the_first_are_read(
    write_trained: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models.load(str(write_trained()))
    lengths = models.training_corpus(model).songs["length"]
    monkeypatch.setattr(song_embeddings, "MAX_FRAMES", int(lengths[:7].sum()))
    songs = song_embeddings.embed_songs(model)
    assert songs.rows.tolist() == list(range(7))
    assert songs.vectors.shape == (7, model.config.hidden_size)


def test_an_ngram_model_has_no_hidden_state(write_trained: Write) -> None:
    model = models.load(str(write_trained(kind="markov", order=2)))
    with pytest.raises(InputError, match="markov 2 and has no hidden state"):
        song_embeddings.embed_songs(model)
