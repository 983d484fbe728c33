"""Frames of keys are drawn with the probabilities by which they are scored."""

import dataclasses
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.config import ModelConfig
from engine.frame_spec import KEYS, FrameSpec
from engine.inference import network
from engine.inference.heads import FixedKeys, HeadInput, IndependentHead, JointHead, KeyDecision
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


def repeated_input(net: Network, count: int, size: int) -> HeadInput:
    """Return the head's input after three frames, `count` times."""
    rng = np.random.default_rng(1)
    state = net.initial_state(None, 1)
    for _ in range(3):
        frame = (rng.random((1, size)) < 0.2).astype(np.uint8)
        frame[:, KEYS:] &= frame[:, : size - KEYS]
        inputs = net.feed(state, frame)
    return HeadInput(*(np.repeat(values, count, 0) for values in tuple(inputs)))


def keys_head(net: Network) -> Head:
    assert isinstance(net.head, Head)
    return net.head


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@dataclass(frozen=True)
class RecordedDecision(KeyDecision):
    """Records the probability of every decision."""

    probabilities: dict[int, NDArray[Any]] = field(default_factory=dict)

    def decide(self, logits: NDArray[Any], keys: int | slice) -> Any:
        columns = logits[:, None] if isinstance(keys, int) else logits
        first = keys if isinstance(keys, int) else 0
        for column in range(columns.shape[1]):
            self.probabilities[first + column] = 1 / (1 + np.exp(-columns[:, column]))
        return super().decide(logits, keys)


@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize("size", [88, 176])
@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_keys_are_drawn_as_often_as_they_are_scored(kind: str, size: int, memory: bool) -> None:
    net = stepper(kind, size, memory)
    head, count = keys_head(net), 2000
    inputs = repeated_input(net, count, size)
    drawn, likelihoods = head.draw(inputs, 1.0, generator())
    decision = RecordedDecision(given=drawn)
    _, nats = head.decide(inputs, decision)
    decided = np.ones_like(drawn, np.bool_)
    decided[:, KEYS:] = (drawn & inputs.previous)[:, : size - KEYS] > 0
    p = np.array([decision.probabilities.get(key, np.zeros(count)) for key in range(size)]).T
    surplus = np.where(decided, drawn - p, 0.0).sum(0)
    deviation = np.sqrt(np.where(decided, p * (1 - p), 0.0).sum(0))
    often = deviation > 3  # the surplus is then almost normally distributed
    assert often.sum() > 60
    off = surplus[often] / deviation[often]
    assert np.abs(off).max() < 4.5
    assert np.std(off) > 0.5  # they are random
    likely = np.where(decided, np.where(drawn > 0, p, 1 - p), 1.0)
    np.testing.assert_allclose(nats, -np.log(likely).sum(1), rtol=1e-4)
    np.testing.assert_allclose(nats, likelihoods)


@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_an_onset_needs_a_sounding_key_and_is_certain_if_it_was_silent(kind: str) -> None:
    net = stepper(kind, 176)
    inputs = repeated_input(net, 300, 176)
    drawn, _ = keys_head(net).draw(inputs, 1.0, generator())
    sounds, begins, before = drawn[:, :KEYS] > 0, drawn[:, KEYS:] > 0, inputs.previous[:, :KEYS] > 0
    assert not (begins & ~sounds).any()
    assert begins[sounds & ~before].all()
    held = begins[sounds & before]
    assert 0 < held.mean() < 1


@pytest.mark.parametrize("size", [88, 176])
@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_a_seed_draws_the_same_and_temperature_zero_needs_none(kind: str, size: int) -> None:
    net = stepper(kind, size)
    head, inputs = keys_head(net), repeated_input(net, 5, size)
    first, again, other = (head.draw(inputs, 1.0, generator(seed))[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    cold, colder = (head.draw(inputs, 0.0, generator(seed))[0] for seed in (1, 2))
    assert np.array_equal(cold, colder)
    if kind == "independent":
        assert head.nats(inputs, cold)[0] <= head.nats(inputs, first).min()


@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_an_infinite_temperature_makes_both_states_equally_probable(kind: str) -> None:
    net = stepper(kind, 88)
    drawn, _ = keys_head(net).draw(repeated_input(net, 400, 88), float("inf"), generator())
    assert 0.48 < drawn.mean() < 0.52


@pytest.mark.parametrize("size", [88, 176])
@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_known_keys_are_kept_and_the_others_drawn(kind: str, size: int) -> None:
    net = stepper(kind, size)
    head, inputs = keys_head(net), repeated_input(net, 300, size)
    rng = np.random.default_rng(2)
    fixed = FixedKeys(rng.random(size) < 0.5, rng.random(size) < 0.5)
    fixed.free[KEYS:] = True
    drawn, nats = head.draw(inputs, 1.0, generator(), fixed=fixed)
    assert (drawn[:, ~fixed.free] == fixed.bits[~fixed.free]).all()
    assert 0.2 < drawn[:, :KEYS][:, fixed.free[:KEYS]].mean() < 0.8
    np.testing.assert_allclose(nats, head.nats(inputs, drawn))


@pytest.mark.parametrize("sounding", [False, True])
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_another_frame_is_drawn_as_often_as_if_the_same_one_was_drawn_again(
    temperature: float, sounding: bool
) -> None:
    """All but three keys are silent with certainty, so that there are eight frames."""
    net = stepper("independent", 88)
    head = keys_head(net)
    assert isinstance(head, IndependentHead)
    bias = np.full(88, -1000.0, np.float32)
    bias[[10, 40, 70]] = 0.4, -0.3, 0.9
    head = dataclasses.replace(head, weight=lambda x: np.zeros((len(x), 88), np.float32), bias=bias)
    inputs = repeated_input(net, 1, 88)
    before = np.zeros((1, 88), np.uint8)
    before[0, [40]] = 1
    chance = generator()
    numbers: Counter[int] = Counter()
    for _ in range(2000):
        drawn, _ = head.draw_other(inputs, temperature, chance, before, sounding=sounding)
        numbers[int(drawn[0, [10, 40, 70]] @ [1, 2, 4])] += 1
    p = 1 / (1 + np.exp(-bias[[10, 40, 70]] / temperature))
    expected = {
        n: float(np.prod([q if n >> bit & 1 else 1 - q for bit, q in enumerate(p)]))
        for n in range(8)
        # Key 40 must not fall silent as the highest that changes.
        if n != 2 and not (sounding and n in (0, 1))
    }
    assert numbers.keys() == expected.keys()
    for n, share in expected.items():
        share /= sum(expected.values())
        assert abs(numbers[n] / 2000 - share) < 5 * (share * (1 - share) / 2000) ** 0.5


@pytest.mark.parametrize("size", [88, 176])
@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_another_frame_differs_at_any_temperature(kind: str, size: int) -> None:
    net = stepper(kind, size, memory=True)
    head, inputs = keys_head(net), repeated_input(net, 1, size)
    for temperature in (0.0, 0.3, 1.0, float("inf")):
        frame, _ = head.draw(inputs, temperature, generator(4))
        for silent in (False, True):
            before = frame * (not silent)
            drawn, nats = head.draw_other(
                inputs, temperature, generator(4), before, sounding=not silent
            )
            assert (drawn[0, :KEYS] != before[0, :KEYS]).any()
            assert drawn[0, :KEYS].any()
            np.testing.assert_allclose(nats, head.nats(inputs, drawn))


def test_a_match_weight_of_zero_turns_the_memory_off() -> None:
    net = stepper("joint", 88, memory=True)
    tune = (np.random.default_rng(4).random((4, 1, 88)) < 0.1).astype(np.uint8)
    full, off, quarter = (net.initial_state(None, 1) for _ in range(3))
    for step in range(12):
        frame = tune[step % 4]
        inputs = net.feed(full, frame)
        without = net.feed(off, frame, 0.0)
        some = net.feed(quarter, frame, 0.25)
    assert inputs.match_kind[0] > some.match_kind[0] == 2
    assert np.array_equal(inputs.matched, tune[0])
    assert not without.match_kind.any()
    assert not without.matched.any()


@pytest.mark.parametrize("size", [88, 176])
@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_fixed_keys_are_kept_and_the_others_drawn_and_scored(kind: str, size: int) -> None:
    net = stepper(kind, size)
    head, inputs = keys_head(net), repeated_input(net, 200, size)
    bits, free = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    bits[[50, 55]] = True
    free[30:50] = True  # below them
    if size > KEYS:
        bits[KEYS + 50], free[KEYS + 30 : KEYS + 50] = True, True
        inputs.previous[:, [50, 55]] = 1  # so that neither onset is certain
    drawn, nats = head.draw(inputs, 1.0, generator(), fixed=FixedKeys(bits, free))
    assert np.array_equal(drawn[:, ~free], np.tile(bits[~free], (200, 1)))
    assert (drawn[:, 30:50].mean(0) > 0).any()
    assert len(np.unique(drawn, axis=0)) > 1
    np.testing.assert_allclose(nats, head.nats(inputs, drawn), rtol=1e-5)
