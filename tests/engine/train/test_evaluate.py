"""Scores: compared with a naive loop over songs, on other corpora, and without near copies."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.data.corpus import prepare_corpus
from engine.errors import InputError
from engine.inference import models
from engine.model.heads import CharacterHead
from engine.model.window import Window
from engine.music import midi
from engine.music.score import Note, Score
from engine.train import dynamic_evaluation, evaluate, evaluate_model, launch, state, worker
from engine.train.device import default_threads
from tests.engine.train.conftest import MakeConfig


def test_the_score_equals_a_naive_loop_over_songs(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config("data.valid_fraction=0.3")
    corpus = prepare_corpus(config.data)
    network = state.build_train_state(config, corpus).network
    totals, firsts, lengths = [], [], []
    network.eval()
    for row in corpus.select("valid"):
        targets = torch.from_numpy(corpus.song(row).astype("int64"))[:, None]
        inputs = torch.cat((torch.zeros(1, 1, dtype=torch.long), targets[:-1]))
        reset = torch.zeros(len(targets), 1, dtype=torch.bool)
        condition = torch.full((len(targets), 1), int(corpus.songs["condition"][row]))
        with torch.no_grad():
            window = Window(inputs, targets, reset, condition)
            nats, _ = network.nats(window, network.zero_state(1))
        totals.append(nats.double().sum().item())
        firsts.append(nats[0].item())
        lengths.append(len(targets))
    network.train()
    monkeypatch.setattr(evaluate, "WINDOW", 10)
    monkeypatch.setattr(evaluate, "BATCH_SIZE", 5)
    songs = evaluate.score_songs(network, corpus, "valid")
    assert songs.frames.tolist() == lengths
    assert songs.nats == pytest.approx(totals, rel=1e-6)
    assert songs.first == pytest.approx(firsts, rel=1e-5)
    score, frames = evaluate.score_network(network, corpus, "valid"), sum(lengths)
    assert score == songs.score()
    assert score.frames == frames
    assert score.loss == pytest.approx(sum(totals) / frames, rel=1e-6)
    later = (sum(totals) - sum(firsts)) / (frames - len(lengths))
    assert score.loss_after_first == pytest.approx(later, rel=1e-6)
    each = [total / length for total, length in zip(totals, lengths, strict=True)]
    assert score.loss_per_song == pytest.approx(sum(each) / len(each), rel=1e-6)
    assert network.training


def test_scores_of_music_are_of_its_keys_and_not_of_its_ends(
    make_music_config: MakeConfig, tmp_path: Path
) -> None:
    for number in range(8):
        pitches = np.random.default_rng(number).integers(50, 70, 9 + number).tolist()
        notes = tuple(Note(0.5 * i, 0.5 * i + 0.5, pitch) for i, pitch in enumerate(pitches))
        midi.write(Score(notes), tmp_path / f"{number}.mid")
    config = make_music_config(tmp_path, "data.valid_fraction=0.3")
    corpus = prepare_corpus(config.data, kind="music")
    network = state.build_train_state(config, corpus).network.eval()
    assert not isinstance(network.head, CharacterHead)
    first = evaluate.score_songs(network, corpus, "valid")
    totals = []
    for row in corpus.select("valid"):
        targets = torch.tensor(corpus.song(row))[:, None]
        inputs = torch.cat((torch.zeros_like(targets[:1]), targets[:-1]))
        none = torch.zeros(len(targets), 1, dtype=torch.long)
        with torch.no_grad():
            window = Window(inputs, targets, none > 0, none)
            hidden, _ = network(window, network.zero_state(1))
            totals.append(network.head.nats(hidden, window).double().sum().item())
    assert first.nats == pytest.approx(totals, rel=1e-6)
    assert first.frames.tolist() == [len(corpus.song(row)) for row in corpus.select("valid")]
    network.head.end.bias.data += 3
    assert np.array_equal(evaluate.score_songs(network, corpus, "valid").nats, first.nats)
    adapted = dynamic_evaluation.score_songs(network, corpus, "valid")
    assert adapted.frames.tolist() == first.frames.tolist()


def test_max_frames_takes_whole_songs(make_config: MakeConfig) -> None:
    config = make_config("data.valid_fraction=0.3")
    corpus = prepare_corpus(config.data)
    network = state.build_train_state(config, corpus).network
    lengths = [len(corpus.song(row)) for row in corpus.select("valid")]
    limit = lengths[0] + lengths[1] + 1
    assert evaluate.score_network(network, corpus, "valid", limit).frames == limit - 1


def test_songs_of_another_source_use_the_codec_of_the_model(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    run = launch.new_run(make_config("model.kind=frequencies"), "freq")
    worker.train_run(run)
    other = tmp_path / "other.csv"
    texts = [f"sun and moon {'ab' * number} ÿ on the river road" for number in range(8)]
    other.write_text("artist,text\n" + "".join(f"Zed,{text}\n" for text in texts))
    model = models.load("freq")
    score = evaluate_model.score_model(model, str(other), "test")
    assert score.frames in {len(text) + 1 for text in texts}
    assert score.loss > evaluate_model.score_model(model, "", "test").loss
    with pytest.raises(InputError, match="There is no file"):
        evaluate_model.score_model(model, str(tmp_path / "gone.csv"), "test")


def test_a_split_without_songs_is_refused(make_config: MakeConfig) -> None:
    run = launch.new_run(make_config("model.kind=uniform", "data.test_fraction=0"), "none")
    worker.train_run(run)
    with pytest.raises(InputError, match="has no test songs"):
        evaluate_model.score_model(models.load("none"), "", "test")


def test_music_is_also_scored_without_near_copies(
    make_music_config: MakeConfig, tmp_path: Path
) -> None:
    folder = tmp_path / "tunes"
    for split, numbers in {"train": range(6), "valid": [10], "test": [20, 3, 21]}.items():
        (folder / split).mkdir(parents=True)
        for number in numbers:  # tune 3 is in the test and the training split
            pitches = np.random.default_rng(number).integers(50, 70, 30 + number).tolist()
            notes = tuple(Note(0.3 * i, 0.3 * i + 0.3, pitch) for i, pitch in enumerate(pitches))
            midi.write(Score(notes), folder / split / f"{number}.mid")
    settings = "train.steps=2", "data.frame_seconds=0.3"
    worker.train_run(launch.new_run(make_music_config(folder, *settings), "tuned"))
    model = models.load("tuned")
    torch.set_num_threads(3)
    score = evaluate_model.score_model(model, "", "test")
    assert torch.get_num_threads() == default_threads()
    assert score.near_copies == 1
    assert score.frames == 50 + 33 + 51
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    (other / "test" / "3.mid").unlink()
    # Near copies of the model's training songs, whatever the source of the songs scored.
    others = evaluate_model.score_model(model, str(other), "test")
    assert (others.near_copies, others.loss_without_copies) == (0, others.loss)
    assert score.loss_without_copies == pytest.approx(others.loss, rel=1e-6)
    assert evaluate_model.score_model(model, "", "train").loss_without_copies is None
    assert evaluate_model.score_model(model, str(other), "valid").near_copies == 0
    (folder / "train" / "0.mid").unlink()
    changed = evaluate_model.score_model(model, str(other), "test")
    assert (changed.near_copies, changed.loss_without_copies) == (None, None)
    shutil.rmtree(folder)
    assert evaluate_model.score_model(model, str(other), "test").near_copies is None
