"""Activations, against cells stepped one number at a time; and the units that are found."""

import csv
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.analysis import neurons, song_input
from engine.analysis.song_input import SongRequest
from engine.config import DataConfig, ModelConfig
from engine.data.codecs import CharacterCodec
from engine.data.corpus import prepare_corpus
from engine.errors import InputError
from engine.frame_spec import BEGIN
from engine.inference import models, network
from engine.inference.models import Model, ModelMeta
from engine.inference.network import Network
from engine.music import midi
from engine.music.score import Note, Score

Build = Callable[..., Model]
Make = Callable[..., tuple[ModelMeta, dict[str, Any]]]
Write = Callable[..., Path]
Numbers = list[float]
TEXT = "a bad cab,\nhigh jade é"


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def product(x: Numbers, matrix: Any) -> Numbers:
    return [sum(a * float(b) for a, b in zip(x, column, strict=True)) for column in matrix.T]


def stepped(cell: str, size: int, x: Numbers, h: Numbers, c: Numbers, weights: Any, bias: Any):  # type: ignore[no-untyped-def]
    """Step a cell unit by unit; returns its h and c."""
    past = product(h, weights)
    both = [a + b for a, b in zip(x, past, strict=True)]
    if cell == "rnn":
        return [math.tanh(value) for value in both], c
    new_h, new_c = [], []
    for j in range(size):
        if cell == "gru":
            r, z = sigmoid(both[j]), sigmoid(both[size + j])
            n = math.tanh(x[2 * size + j] + r * (past[2 * size + j] + float(bias[j])))
            new_h.append((1 - z) * n + z * h[j])
            continue
        i, f, o = (sigmoid(both[gate * size + j]) for gate in range(3))
        new_c.append(f * c[j] + i * math.tanh(both[3 * size + j]))
        new_h.append(o * math.tanh(new_c[j]))
    return new_h, new_c


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_activations_against_cells_stepped_unit_by_unit(make: Make, cell: str) -> None:
    meta, tensors = make(cell=cell, layers=2, condition_size=0, hidden_size=5)
    model = models.from_tensors(meta, tensors, precision="full")
    reading = neurons.read_song(model, SongRequest(text=TEXT))
    assert reading is not None
    assert isinstance(model.codec, CharacterCodec)
    h, c = [[0.0] * 5, [0.0] * 5], [[0.0] * 5, [0.0] * 5]
    wanted = []
    for index in [BEGIN, *model.codec.encode(TEXT)]:
        x = [float(value) for value in tensors["head.embedding"][index]]
        for layer in (0, 1):
            name = f"cells.{layer}."
            gates = product(x, tensors[name + "input"])
            gates = [a + float(b) for a, b in zip(gates, tensors[name + "bias"], strict=True)]
            bias = tensors.get(name + "hidden_bias")
            h[layer], c[layer] = stepped(
                cell, 5, gates, h[layer], c[layer], tensors[name + "hidden"], bias
            )
            x = h[layer]
        wanted.append(
            [[math.tanh(value) for value in row] for row in c] if cell == "lstm" else h[:]
        )
    np.testing.assert_allclose(reading.activations, np.array(wanted)[1:], atol=2e-5)
    unit = reading.unit(2, 3)
    np.testing.assert_allclose(unit.activations, np.array(wanted)[1:, 1, 2], atol=6e-4)


VALUES = arrays.arrays(
    np.float32, (12, 2, 3), elements=st.floats(-1, 1, width=16), fill=st.nothing()
)


@given(VALUES, arrays.arrays(np.float64, 12, elements=st.integers(-5, 40)))
def test_correlations_against_numpys(values: Any, feature: Any) -> None:
    values[:, 0, 0] = 0.3  # a unit that never changes
    found = neurons.correlations(values, {"x": feature, "still": np.ones(12)})
    assert found["still"] is None
    if feature.std() == 0:
        assert found["x"] is None
        return
    assert found["x"] is not None
    assert found["x"].shape == (2, 3)
    assert found["x"][0, 0] == 0
    for layer, unit in np.ndindex(2, 3):
        unit_values = values[:, layer, unit].astype(np.float64)
        if unit_values.std() > 1e-6:
            naive = np.corrcoef(unit_values, feature)[0, 1]
            assert found["x"][layer, unit] == pytest.approx(naive, abs=1e-9)


def test_a_unit_built_to_track_a_feature_is_found_first() -> None:
    """Among random units one remembers an open parenthesis until it is closed."""
    codec = CharacterCodec("\n ()ab")
    config = ModelConfig(
        cell="rnn", layers=1, hidden_size=16, embedding_size=codec.spec.size, condition_size=0
    )
    rng = np.random.default_rng(4)
    tensors = {
        name: (rng.standard_normal(shape) * 0.4).astype(np.float32)
        for name, shape in network.tensor_shapes(config, codec.spec, 0).items()
    }
    tensors["head.embedding"] = np.eye(codec.spec.size, dtype=np.float32)
    unit_index = 11
    tensors["cells.0.hidden"][:, unit_index] = 0
    tensors["cells.0.hidden"][unit_index, unit_index] = 3  # it keeps its value
    tensors["cells.0.input"][:, unit_index] = 0
    tensors["cells.0.bias"][unit_index] = 0
    for character, weight in (("(", 8), (")", -8)):
        tensors["cells.0.input"][codec.encode(character)[0], unit_index] = weight
    tensors["cells.0.input"][BEGIN, unit_index] = -8
    model = models.from_tensors(ModelMeta("lyrics", config, codec), tensors)
    reading = neurons.read_song(
        model, SongRequest(text="ab (abab ba a)\nb a ab\na (ab b) ba\n" * 3)
    )
    assert reading is not None
    layer, unit, correlation = reading.best("in parentheses")[0]
    assert (layer, unit) == (1, unit_index + 1)
    assert correlation > 0.85
    sizes = [abs(r) for *_, r in reading.best("in parentheses")]
    assert sizes == sorted(sizes, reverse=True)
    assert reading.best("in quotes") == []
    assert len(sizes) == neurons.MAX_UNITS


def test_only_the_beginning_of_a_long_text_is_read_and_a_note_says_so(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(song_input, "MAX_LENGTH", 30)
    reading = neurons.read_song(build(), SongRequest(text="a bad cab,\n" * 5))
    assert reading is not None
    assert len(reading.activations) == len(reading.song.text) == 30
    assert reading.song.note == "The song has 55 characters: only the first 30 were read."
    short = neurons.read_song(build(), SongRequest(text="a" * 30))
    assert short is not None
    assert short.song.note == ""


def test_without_training_songs_a_model_reads_a_song_it_writes(build: Build) -> None:
    first, again = (neurons.read_song(build(), SongRequest(song=3, artist="Zed")) for _ in range(2))
    other = neurons.read_song(build(), SongRequest(song=4))
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.song.text == again.song.text != other.song.text
    assert len(first.song.text) == song_input.GENERATED_CHARACTERS
    np.testing.assert_array_equal(first.activations, again.activations)
    assert (first.song.song, first.song.songs) == (3, 0)
    assert first.song.title == "written by the model in memory, seed 3"


def test_a_held_out_song_is_read_in_its_artists_style(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "songs.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["artist", "song", "link", "text"])
        for number in range(40):
            words = " ".join("abcdefghij"[(number * k + k) % 10] for k in range(1, 12))
            rows.writerow(["Zed", f"Song {number}", "", f"{words}\n{number % 4 * 'ab'} {number}"])
    data = DataConfig(source=str(path), min_count=1, valid_fraction=0.1)
    corpus = prepare_corpus(data)
    meta, tensors = make(condition_size=5)
    meta = dataclasses.replace(meta, data=data, corpus_hash=corpus.hash)
    model = models.from_tensors(meta, tensors)
    rows_held = corpus.select("valid")
    assert len(rows_held) == 4
    for song in (0, 3, 5):
        example = song_input.load_song(model, SongRequest(song=song))
        row = int(rows_held[song % 4])
        assert example.title == "Zed – " + corpus.titles[row][1]
        known = set(model.codec.characters) if isinstance(model.codec, CharacterCodec) else ()
        text = "".join(c if c in known else "\ufffd" for c in corpus.text(row))
        assert example.text == text
        assert (example.song, example.songs) == (song % 4, 4)
        assert example.condition is not None
        assert example.condition.tolist() == [0, 0, 0, 1]
        assert len(example.frames) == len(text)  # without the end mark


def test_a_midi_file_is_read_in_its_time_signature(write_music: Write, tmp_path: Path) -> None:
    model = models.load(str(write_music(tmp_path / "model", planes=2, beats=0.5)))
    notes = tuple(Note(0.3 * k, 0.3 * k + 0.3, 60 + k) for k in range(12))
    file = tmp_path / "tune.mid"
    midi.write(Score(notes, tempo=100.0, time_signature=(3, 4)), file)
    reading = neurons.read_song(model, SongRequest(file=file))
    assert reading is not None
    summary = reading.summary()
    assert summary.title == "tune.mid"
    assert summary.bar == 6  # of half a beat
    assert summary.frames == tuple((60 + k,) for k in range(12))
    network = model.stepper
    assert isinstance(network, Network)
    state = network.initial_state(None, 1)
    frames = [np.zeros((1, 176), np.uint8), *(frame[None] for frame in reading.song.frames)]
    for frame in frames:
        network.feed(state, frame)
    np.testing.assert_array_equal(reading.activations[-1], network.activations(state)[0])
    own = neurons.read_song(model, SongRequest(song=2))
    assert own is not None
    assert len(own.song.frames) == song_input.GENERATED_FRAMES


def test_a_stop_ends_the_reading(build: Build) -> None:
    calls: list[int] = []

    def stopped() -> bool:
        calls.append(1)
        return len(calls) > 3

    assert neurons.read_song(build(), SongRequest(text=TEXT), stopped) is None
    assert len(calls) == 4


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (
            SongRequest(text="q!"),
            "The text has characters that the model in memory was not trained on",
        ),
        (SongRequest(text=""), "The text is empty"),
        (SongRequest(text="a", file=Path("a.mid")), "name only one of them"),
        (SongRequest(file=Path("a.mid")), "reads lyrics, not music: use a text"),
        (SongRequest(song=-1), "The song number must be 0 or more, not -1"),
        (SongRequest(text="a", artist="Zedd"), "did you mean 'Zed'?"),
        (SongRequest(artist="Somebody Else"), "has no artist 'Somebody Else'"),
    ],
)
def test_refusals(build: Build, request_: SongRequest, words: str) -> None:
    with pytest.raises(InputError, match=words.replace("?", r"\?")):
        neurons.read_song(build(), request_)


def test_refusals_by_the_model(build: Build, write_music: Write, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no units: use a network"):
        neurons.read_song(build(kind="markov", order=2), SongRequest(text="a"))
    music = models.load(str(write_music(tmp_path / "model")))
    with pytest.raises(InputError, match="reads music, not lyrics: use a MIDI or MusicXML file"):
        neurons.read_song(music, SongRequest(text="a"))
    with pytest.raises(InputError, match="has no artist styles"):
        neurons.read_song(music, SongRequest(artist="Zed"))
    reading = neurons.read_song(build(hidden_size=12), SongRequest(text="ab"))
    assert reading is not None
    for layer, unit in ((0, 1), (3, 1), (1, 13), (1, 0)):
        with pytest.raises(InputError, match=f"no unit {unit} in layer {layer}"):
            reading.unit(layer, unit)
