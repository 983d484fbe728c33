"""Dynamic evaluation: frames are scored before they are trained on, with the paper's steps."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.config import RunConfig
from engine.data.corpus import Corpus, prepare_corpus
from engine.errors import InputError
from engine.inference import models
from engine.model.network import Network
from engine.train import (
    dynamic_evaluation,
    evaluate,
    evaluate_model,
    launch,
    worker,
)
from engine.train import (
    state as training,
)
from tests.engine.train.conftest import MakeConfig


@pytest.fixture(autouse=True)
def _few_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamic_evaluation, "RMS_WINDOWS", 3)


def build(config: RunConfig) -> tuple[Network, Corpus]:
    torch.manual_seed(0)
    corpus = prepare_corpus(config.data, kind=config.kind)
    return training.build_train_state(config, corpus).network, corpus


@pytest.mark.parametrize("memory", [False, True])
def test_with_learning_rate_zero_the_score_is_the_static_one(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, memory: bool
) -> None:
    network, corpus = build(make_config("data.valid_fraction=0.3", f"model.match_memory={memory}"))
    monkeypatch.setattr(dynamic_evaluation, "LEARNING_RATE", 0.0)
    dynamic = dynamic_evaluation.score_songs(network, corpus, "valid")
    static = evaluate.score_songs(network, corpus, "valid")
    np.testing.assert_allclose(dynamic.nats, static.nats, rtol=1e-5)
    np.testing.assert_allclose(dynamic.first, static.first, rtol=1e-5)
    assert np.array_equal(dynamic.frames, static.frames)


def test_every_song_starts_from_the_original_weights(make_config: MakeConfig) -> None:
    network, corpus = build(make_config("data.valid_fraction=0.3"))
    before = [weight.detach().clone() for weight in network.parameters()]
    network.train()
    dynamic, static = (
        module.score_songs(network, corpus, "valid") for module in (dynamic_evaluation, evaluate)
    )
    np.testing.assert_allclose(dynamic.first, static.first, rtol=1e-5)
    assert (dynamic.nats < static.nats).all()  # an untrained network improves on every song
    for weight, original in zip(network.parameters(), before, strict=True):
        assert torch.equal(weight, original)
    assert network.training


def test_a_window_is_scored_before_it_is_trained_on(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, corpus = build(make_config("data.valid_fraction=0.3"))
    monkeypatch.setattr(dynamic_evaluation, "WINDOW", 300)  # longer than any song
    dynamic, static = (
        module.score_songs(network, corpus, "valid") for module in (dynamic_evaluation, evaluate)
    )
    np.testing.assert_allclose(dynamic.nats, static.nats, rtol=1e-5)


def test_steps_are_those_of_the_paper(make_config: MakeConfig) -> None:
    """Compare with a naive implementation, weight by weight, in float64."""
    network, corpus = build(make_config("data.valid_fraction=0.3"))
    network.double().eval()
    names = dict(network.named_parameters())
    length = dynamic_evaluation.WINDOW
    batches = dynamic_evaluation._single_stream(network, corpus, "train", length, seed=0)
    per_window, state = [], network.zero_state(1)
    for _ in range(dynamic_evaluation.RMS_WINDOWS):
        window = evaluate.to_window(batches.next_batch(), torch.device("cpu"))  # type: ignore[arg-type]
        nats, state = network.nats(window, [tuple(t.detach() for t in layer) for layer in state])
        per_window.append(torch.autograd.grad(nats.mean(), list(names.values())))
    roots = [torch.stack(each).square().mean(0).sqrt() for each in zip(*per_window, strict=True)]
    floor = dynamic_evaluation._RMS_FLOOR * torch.cat([root.flatten() for root in roots]).mean()

    original = {name: weight.detach().clone() for name, weight in names.items()}
    batch = dynamic_evaluation._single_stream(network, corpus, "valid", 0).next_batch()
    assert batch is not None
    song, total = evaluate.to_window(batch, torch.device("cpu")), 0.0
    state = network.zero_state(1)
    for start in range(0, len(song.inputs), dynamic_evaluation.WINDOW):
        window = song.part(start, start + dynamic_evaluation.WINDOW)
        nats, state = network.nats(window, [tuple(t.detach() for t in layer) for layer in state])
        total += nats.sum().item()
        gradients = torch.autograd.grad(nats.mean(), list(names.values()))
        for (name, weight), gradient, root in zip(names.items(), gradients, roots, strict=True):
            moved = weight.data - dynamic_evaluation.LEARNING_RATE * gradient / (root + floor)
            weight.data = moved + dynamic_evaluation.DECAY * (original[name] - moved)
    for name, weight in names.items():
        weight.data = original[name]
    assert dynamic_evaluation.score_songs(network, corpus, "valid").nats[0] == pytest.approx(
        total, rel=1e-9
    )


def test_only_networks_are_evaluated_dynamically(make_config: MakeConfig, home: Path) -> None:
    worker.train_run(launch.new_run(make_config("train.steps=3", "data.test_fraction=0.2"), "net"))
    worker.train_run(launch.new_run(make_config("model.kind=frequencies"), "freq"))
    net = models.load("net")
    assert (
        evaluate_model.score_model(net, "", "test", dynamic=True).loss
        < evaluate_model.score_model(net, "", "test").loss
    )
    with pytest.raises(InputError, match="leave --dynamic out"):
        evaluate_model.score_model(models.load("freq"), "", "test", dynamic=True)
