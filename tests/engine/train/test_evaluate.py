"""Scores against a naive walk through each song, and on songs of another corpus."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from engine.config import RunConfig
from engine.data import corpus as corpora
from engine.errors import InputError
from engine.model.window import Window
from engine.sample import models
from engine.train import evaluate, scoring, start, training, worker

Small = Callable[..., RunConfig]


def test_a_score_is_that_of_the_songs_one_by_one(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small("data.valid=0.3")
    corpus = corpora.prepare(config.data)
    network = training.build(config, corpus).network
    total, frames = 0.0, 0
    network.eval()
    for row in corpus.select("valid"):
        targets = torch.from_numpy(corpus.song(row).astype("int64"))[:, None]
        inputs = torch.cat((torch.zeros(1, 1, dtype=torch.long), targets[:-1]))
        fresh = torch.zeros(len(targets), 1, dtype=torch.bool)
        condition = torch.full((len(targets), 1), int(corpus.songs["condition"][row]))
        with torch.no_grad():
            window = Window(inputs, targets, fresh, condition)
            nats, _ = network.nats(window, network.zero_state(1))
        total += nats.double().sum().item()
        frames += len(targets)
    network.train()
    monkeypatch.setattr(evaluate, "WINDOW", 10)
    monkeypatch.setattr(evaluate, "LANES", 5)
    score = evaluate.network(network, corpus, "valid")
    assert score.frames == frames
    assert score.loss == pytest.approx(total / frames, rel=1e-6)
    assert network.training


def test_a_limit_takes_whole_songs(small: Small) -> None:
    config = small("data.valid=0.3")
    corpus = corpora.prepare(config.data)
    network = training.build(config, corpus).network
    lengths = [len(corpus.song(row)) for row in corpus.select("valid")]
    limit = lengths[0] + lengths[1] + 1
    assert evaluate.network(network, corpus, "valid", limit).frames == limit - 1


def test_other_songs_are_read_in_the_models_own_letters(small: Small, tmp_path: Path) -> None:
    run = start.new_run(small("model.kind=frequencies"), "freq")
    worker.work(run)
    other = tmp_path / "other.csv"
    texts = [f"sun and moon {'ab' * number} ÿ on the river road" for number in range(8)]
    other.write_text("artist,text\n" + "".join(f"Zed,{text}\n" for text in texts))
    model = models.load("freq")
    score = scoring.score(model, str(other), "test")
    assert score.frames in {len(text) + 1 for text in texts}
    assert score.loss > scoring.score(model, "", "test").loss
    with pytest.raises(InputError, match="There is no file"):
        scoring.score(model, str(tmp_path / "gone.csv"), "test")


def test_a_split_without_songs_is_refused(small: Small) -> None:
    run = start.new_run(small("model.kind=uniform", "data.test=0"), "none")
    worker.work(run)
    with pytest.raises(InputError, match="has no test songs"):
        scoring.score(models.load("none"), "", "test")
