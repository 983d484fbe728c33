"""Dynamic evaluation: never a frame that is learned from before it is scored."""

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
from tests.engine.train.conftest import Small


@pytest.fixture(autouse=True)
def _few_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamic_evaluation, "RMS_WINDOWS", 3)


def built(config: RunConfig) -> tuple[Network, Corpus]:
    torch.manual_seed(0)
    corpus = prepare_corpus(config.data, kind=config.kind)
    return training.build_train_state(config, corpus).network, corpus


@pytest.mark.parametrize("memory", [False, True])
def test_a_network_that_does_not_move_scores_as_ever(
    small: Small, monkeypatch: pytest.MonkeyPatch, memory: bool
) -> None:
    network, corpus = built(small("data.valid_fraction=0.3", f"model.match_memory={memory}"))
    monkeypatch.setattr(dynamic_evaluation, "LEARNING_RATE", 0.0)
    moving = dynamic_evaluation.score_songs(network, corpus, "valid")
    still = evaluate.score_songs(network, corpus, "valid")
    np.testing.assert_allclose(moving.nats, still.nats, rtol=1e-5)
    np.testing.assert_allclose(moving.first, still.first, rtol=1e-5)
    assert np.array_equal(moving.frames, still.frames)


def test_every_song_is_scored_from_where_the_network_was(small: Small) -> None:
    network, corpus = built(small("data.valid_fraction=0.3"))
    before = [weight.detach().clone() for weight in network.parameters()]
    network.train()
    moving, still = (
        module.score_songs(network, corpus, "valid") for module in (dynamic_evaluation, evaluate)
    )
    np.testing.assert_allclose(moving.first, still.first, rtol=1e-5)
    assert (moving.nats < still.nats).all()  # as it had learned nothing, it has all to learn
    for weight, was in zip(network.parameters(), before, strict=True):
        assert torch.equal(weight, was)
    assert network.training


def test_a_window_is_scored_before_it_is_learned_from(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, corpus = built(small("data.valid_fraction=0.3"))
    monkeypatch.setattr(dynamic_evaluation, "WINDOW", 300)  # longer than any song
    moving, still = (
        module.score_songs(network, corpus, "valid") for module in (dynamic_evaluation, evaluate)
    )
    np.testing.assert_allclose(moving.nats, still.nats, rtol=1e-5)


def test_its_steps_are_those_of_the_paper(small: Small) -> None:
    """Against the same written out, weight by weight, in float64."""
    network, corpus = built(small("data.valid_fraction=0.3"))
    network.double().eval()
    names = dict(network.named_parameters())
    length = dynamic_evaluation.WINDOW
    batches = dynamic_evaluation._single_stream(network, corpus, "train", length, seed=0)
    gathered, state = [], network.zero_state(1)
    for _ in range(dynamic_evaluation.RMS_WINDOWS):
        window = evaluate.to_window(batches.next_batch(), torch.device("cpu"))  # type: ignore[arg-type]
        nats, state = network.nats(window, [tuple(t.detach() for t in layer) for layer in state])
        gathered.append(torch.autograd.grad(nats.mean(), list(names.values())))
    roots = [torch.stack(each).square().mean(0).sqrt() for each in zip(*gathered, strict=True)]
    least = dynamic_evaluation._RMS_FLOOR * torch.cat([root.flatten() for root in roots]).mean()

    first = {name: weight.detach().clone() for name, weight in names.items()}
    batch = dynamic_evaluation._single_stream(network, corpus, "valid", 0).next_batch()
    assert batch is not None
    song, total = evaluate.to_window(batch, torch.device("cpu")), 0.0
    state = network.zero_state(1)
    for begin in range(0, len(song.inputs), dynamic_evaluation.WINDOW):
        window = song.part(begin, begin + dynamic_evaluation.WINDOW)
        nats, state = network.nats(window, [tuple(t.detach() for t in layer) for layer in state])
        total += nats.sum().item()
        gradients = torch.autograd.grad(nats.mean(), list(names.values()))
        for (name, weight), gradient, root in zip(names.items(), gradients, roots, strict=True):
            moved = weight.data - dynamic_evaluation.LEARNING_RATE * gradient / (root + least)
            weight.data = moved + dynamic_evaluation.DECAY * (first[name] - moved)
    for name, weight in names.items():
        weight.data = first[name]
    assert dynamic_evaluation.score_songs(network, corpus, "valid").nats[0] == pytest.approx(
        total, rel=1e-9
    )


def test_eval_learns_only_with_networks(small: Small, home: Path) -> None:
    worker.train_run(launch.new_run(small("train.steps=3", "data.test_fraction=0.2"), "net"))
    worker.train_run(launch.new_run(small("model.kind=frequencies"), "freq"))
    net = models.load("net")
    assert (
        evaluate_model.score_model(net, "", "test", dynamic=True).loss
        < evaluate_model.score_model(net, "", "test").loss
    )
    with pytest.raises(InputError, match="leave --dynamic out"):
        evaluate_model.score_model(models.load("freq"), "", "test", dynamic=True)
