"""Frames of keys being drawn: with the probabilities that they are scored by."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.config import ModelConfig
from engine.frames import KEYS, FrameSpec
from engine.inference import network
from engine.inference.heads import HeadInput, IndependentHead, JointHead, KeyDecision
from engine.inference.network import Network

Head = IndependentHead | JointHead


def stepper(head: str, size: int, memory: bool = False) -> Network:
    spec = FrameSpec("keys", size)
    config = ModelConfig(
        head=head, match_memory=memory, layers=1, hidden_size=8, embedding_size=5, condition_size=0
    )
    rng = np.random.default_rng(0)
    tensors = {
        name: (rng.standard_normal(shape) * 0.25).astype(np.float32)
        for name, shape in network.tensor_shapes(config, spec, 0).items()
    }
    return Network.build(config, spec, tensors)


def moments(made: Network, count: int, size: int) -> HeadInput:
    """The same moment, after three frames, `count` times."""
    rng = np.random.default_rng(1)
    state = made.initial_state(None, 1)
    for _ in range(3):
        frame = (rng.random((1, size)) < 0.2).astype(np.uint8)
        frame[:, KEYS:] &= frame[:, : size - KEYS]
        seen = made.feed(state, frame)
    return HeadInput(*(np.repeat(values, count, 0) for values in tuple(seen)))


def keys_head(made: Network) -> Head:
    assert isinstance(made.head, Head)
    return made.head


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@dataclass(frozen=True)
class Watching(KeyDecision):
    """Notes down the probability of every decision."""

    likely: dict[int, NDArray[Any]] = field(default_factory=dict)

    def decide(self, logits: NDArray[Any], keys: int | slice) -> Any:
        columns = logits[:, None] if isinstance(keys, int) else logits
        first = keys if isinstance(keys, int) else 0
        for column in range(columns.shape[1]):
            self.likely[first + column] = 1 / (1 + np.exp(-columns[:, column]))
        return super().decide(logits, keys)


@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize("size", [88, 176])
@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_keys_are_drawn_as_often_as_they_are_scored(kind: str, size: int, memory: bool) -> None:
    made = stepper(kind, size, memory)
    head, count = keys_head(made), 2000
    seen = moments(made, count, size)
    drawn = head.sample(seen, 1.0, generator())
    rule = Watching(given=drawn)
    _, nats = head.decide(seen, rule)
    asked = np.ones_like(drawn, np.bool_)
    asked[:, KEYS:] = (drawn & seen.previous)[:, : size - KEYS] > 0
    p = np.array([rule.likely.get(key, np.zeros(count)) for key in range(size)]).T
    surplus = np.where(asked, drawn - p, 0.0).sum(0)
    deviation = np.sqrt(np.where(asked, p * (1 - p), 0.0).sum(0))
    often = deviation > 3  # where the surplus is nearly normal
    assert often.sum() > 60
    off = surplus[often] / deviation[often]
    assert np.abs(off).max() < 4.5
    assert np.std(off) > 0.5  # they are drawn, not laid out
    likely = np.where(asked, np.where(drawn > 0, p, 1 - p), 1.0)
    np.testing.assert_allclose(nats, -np.log(likely).sum(1), rtol=1e-4)


@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_an_onset_is_of_a_key_that_sounds_and_certain_where_it_was_silent(kind: str) -> None:
    made = stepper(kind, 176)
    seen = moments(made, 300, 176)
    drawn = keys_head(made).sample(seen, 1.0, generator())
    sounds, begins, before = drawn[:, :KEYS] > 0, drawn[:, KEYS:] > 0, seen.previous[:, :KEYS] > 0
    assert not (begins & ~sounds).any()
    assert begins[sounds & ~before].all()
    held = begins[sounds & before]
    assert 0 < held.mean() < 1


@pytest.mark.parametrize("size", [88, 176])
@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_the_same_seed_draws_the_same_and_cold_ones_need_none(kind: str, size: int) -> None:
    made = stepper(kind, size)
    head, seen = keys_head(made), moments(made, 5, size)
    first, again, other = (head.sample(seen, 1.0, generator(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    cold, colder = (head.sample(seen, 0.0, generator(seed)) for seed in (1, 2))
    assert np.array_equal(cold, colder)
    if kind == "independent":
        assert head.nats(seen, cold)[0] <= head.nats(seen, first).min()


@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_at_an_infinite_temperature_coins_are_tossed(kind: str) -> None:
    made = stepper(kind, 88)
    drawn = keys_head(made).sample(moments(made, 400, 88), float("inf"), generator())
    assert 0.48 < drawn.mean() < 0.52


@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_a_frame_with_too_few_notes_is_drawn_again(kind: str) -> None:
    made = stepper(kind, 88)
    head, seen = keys_head(made), moments(made, 300, 88)
    free = head.sample(seen, 1.0, generator()).sum(1)
    least = int(np.median(free)) + 1
    held = head.sample(seen, 1.0, generator(), least).sum(1)
    assert held.min() >= least
    assert np.array_equal(held[free >= least], free[free >= least])
    assert (head.sample(seen, 0.0, generator(), 88).sum(1) < 88).all()  # it gives up


def test_a_memory_that_is_not_trusted_is_none() -> None:
    made = stepper("joint", 88, memory=True)
    tune = (np.random.default_rng(4).random((4, 1, 88)) < 0.1).astype(np.uint8)
    believing, doubting, between = (made.initial_state(None, 1) for _ in range(3))
    for place in range(12):
        frame = tune[place % 4]
        seen = made.feed(believing, frame)
        unseen = made.feed(doubting, frame, 0.0)
        some = made.feed(between, frame, 0.25)
    assert seen.match_kind[0] > some.match_kind[0] == 2
    assert np.array_equal(seen.matched, tune[0])
    assert not unseen.match_kind.any()
    assert not unseen.matched.any()
