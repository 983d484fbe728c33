"""Networks stepped in NumPy against the same networks in torch, over a thousand frames."""

import functools
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import engine.inference.heads
import engine.model.heads
from engine.config import ModelConfig
from engine.data.codecs import CharacterCodec
from engine.data.match_memory import find_matches
from engine.frame_spec import FrameSpec
from engine.inference import models
from engine.inference import network as numpy_side
from engine.inference.heads import HeadInput
from engine.inference.models import ModelMeta
from engine.model import network as torch_side
from engine.model.window import Window

STEPS, BATCH_SIZE, ARTISTS = 1000, 2, 3
CODEC = CharacterCodec("\n abcdefghijklmnop")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Use one thread: with more, a network this small only waits for them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def network(config: ModelConfig, spec: FrameSpec, conditions: int) -> torch_side.Network:
    """Return a network in which every weight differs from its initial value."""
    torch.manual_seed(0)
    network = torch_side.Network(config, spec, conditions).eval()
    for name, parameter in network.named_parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
        if name == "head.gain":  # of no match: stays zero
            parameter.data[0] = 0
    return network


@functools.lru_cache
def songs(spec: FrameSpec) -> NDArray[Any]:
    """Return BATCH_SIZE songs of STEPS frames that repeat with a few changes, (T, N, *frame)."""
    rng = np.random.default_rng(0)
    if spec.kind == "characters":
        tune = rng.integers(3, spec.size, (50, BATCH_SIZE))
        noise = rng.integers(3, spec.size, (STEPS, BATCH_SIZE))
    else:
        tune = (rng.random((50, BATCH_SIZE, spec.size)) < 0.1).astype(np.uint8)
        noise = (rng.random((STEPS, BATCH_SIZE, spec.size)) < 0.1).astype(np.uint8)
    frames = np.tile(tune, (STEPS // 50, *[1] * (tune.ndim - 1)))
    changed = rng.random(STEPS) < 0.03
    frames[changed] = noise[changed]
    if spec.size == 176:  # an onset is of a key that sounds, and a key that was silent has one
        sounds, begins = frames[..., :88], frames[..., 88:]
        begins &= sounds
        begins[1:] |= sounds[1:] & ~sounds[:-1] & 1
        begins[0] = sounds[0]
    return frames


@functools.lru_cache
def matches(spec: FrameSpec, recovery: bool) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the matched frames of the songs, (T, N, *frame), and the kinds of match, (T, N)."""
    pairs = [find_matches(songs(spec)[:, n], spec, recovery) for n in range(BATCH_SIZE)]
    matched, kinds = (np.stack(arrays, 1) for arrays in zip(*pairs, strict=True))
    assert kinds.max() == spec.match_kinds(recovery) - 1
    return matched, kinds.astype(np.int64)


def window(spec: FrameSpec, config: ModelConfig, conditions: NDArray[np.int64]) -> Window:
    """Return the songs, by one artist (N,) each, as a batch."""
    frames = songs(spec)
    reset = np.zeros((STEPS, BATCH_SIZE), np.bool_)
    reset[0] = True
    inputs = np.concatenate([np.zeros_like(frames[:1]), frames[:-1]])
    arrays = [inputs, frames, reset, np.tile(conditions, (STEPS, 1))]
    if config.match_memory:
        arrays += matches(spec, config.match_recovery)
    position = torch.arange(STEPS).unsqueeze(1).expand(STEPS, BATCH_SIZE)
    return Window(*map(torch.from_numpy, arrays))._replace(position=position)


# The largest and the root mean square error of logits, by precision and cell. In full precision it
# is rounding: at most 3e-6 was measured. 8-bit weights are off by up to 1/254 of their column's
# largest: at most 0.033 and 0.005 were measured with gates, 0.22 and 0.02 without (rnn). What that
# does to the bits per character of a trained model is tested with the bundled one, in
# tests/assets/test_models.py.
TOLERANCE = {
    "full": {"rnn": (2e-5, 5e-6), "gru": (2e-5, 5e-6), "lstm": (2e-5, 5e-6)},
    "fast": {"rnn": (0.3, 0.03), "gru": (0.05, 0.008), "lstm": (0.05, 0.008)},
}


@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize("condition", [0, 4])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_logits_agree_over_a_thousand_steps(
    cell: str, tied: bool, condition: int, memory: bool
) -> None:
    config = ModelConfig(
        cell=cell,
        layers=2,
        hidden_size=24,
        embedding_size=8,
        condition_size=condition,
        tied=tied,
        match_memory=memory,
    )
    artists = ("A", "B", "C")[: ARTISTS if condition else 0]
    trained = network(config, CODEC.spec, len(artists))
    tensors = {name: tensor.numpy() for name, tensor in trained.state_dict().items()}
    meta = ModelMeta("lyrics", config, CODEC, artists)

    conditions = np.array([2, 0])  # of each song; 0: no artist
    batch = window(CODEC.spec, config, conditions)
    with torch.no_grad():
        hidden, _ = trained(batch, trained.zero_state(BATCH_SIZE))
        assert isinstance(trained.head, engine.model.heads.CharacterHead)
        expected = trained.head.logits(hidden, batch).numpy()  # (T, N, V)

    weights = np.eye(ARTISTS + 1, dtype=np.float32)[conditions] if condition else None
    for precision, tolerances in TOLERANCE.items():
        stepper = models.from_tensors(meta, tensors, precision=precision).stepper
        state = stepper.initial_state(weights, BATCH_SIZE)
        logits = np.array([stepper.step(state, row) for row in batch.inputs.numpy()])
        largest, mean = tolerances[cell]
        np.testing.assert_allclose(logits, expected, rtol=0, atol=largest, err_msg=precision)
        assert np.sqrt(np.square(logits - expected).mean()) < mean, precision


MATCHING: list[dict[str, bool]] = [
    {},
    {"match_memory": True},
    {"match_memory": True, "match_recovery": True},
]
# Every combination for the lstm; for the other cells, whose inputs are the same, none and all.
INPUTS = [
    *itertools.product(["lstm"], MATCHING, [False, True]),
    *(
        (cell, MATCHING[i], beats)
        for cell in ("rnn", "gru")
        for i, beats in ((0, False), (2, True))
    ),
]


@pytest.mark.parametrize(("cell", "matching", "beat_position"), INPUTS)
@pytest.mark.parametrize("size", [88, 176])  # without and with onsets
@pytest.mark.parametrize("head", ["independent", "joint"])
def test_likelihoods_of_keys_agree_over_a_thousand_steps(
    cell: str, head: str, size: int, matching: dict[str, Any], beat_position: bool
) -> None:
    spec = FrameSpec("keys", size)
    config = ModelConfig(
        cell=cell,
        head=head,
        beat_position=beat_position,
        layers=1,
        hidden_size=24,
        embedding_size=8,
        condition_size=0,
        **matching,
    )
    trained = network(config, spec, 0)
    tensors = {name: tensor.numpy() for name, tensor in trained.state_dict().items()}
    shapes = numpy_side.tensor_shapes(config, spec, 0)
    assert {name: tensor.shape for name, tensor in tensors.items()} == shapes
    stepper = numpy_side.Network.build(config, spec, tensors)

    batch = window(spec, config, np.zeros(BATCH_SIZE, np.int64))
    some = slice(None, None, 20)  # of the frames
    with torch.no_grad():
        hidden, _ = trained(batch, trained.zero_state(BATCH_SIZE))
        tensors_of_some: Any = [tensor if tensor is None else tensor[some] for tensor in batch]
        expected = trained.head.nats(hidden[some], Window(*tensors_of_some))
        assert not isinstance(trained.head, engine.model.heads.CharacterHead)
        window_of_some = Window(*tensors_of_some)._replace(end=torch.ones(len(hidden[some]), 2))
        ends = trained.head.end.nats(hidden[some], window_of_some)

    state = stepper.initial_state(None, BATCH_SIZE)
    assert not isinstance(stepper.head, engine.inference.heads.CharacterHead)
    inputs = [stepper.feed(state, row) for row in batch.inputs.numpy()]
    joined = HeadInput(*(np.concatenate(arrays) for arrays in zip(*inputs[some], strict=True)))
    nats = stepper.head.nats(joined, songs(spec)[some].reshape(-1, size)).reshape(-1, BATCH_SIZE)
    np.testing.assert_allclose(nats, expected, rtol=0, atol=5e-5)
    logits = stepper.head.end_logits(joined).reshape(-1, BATCH_SIZE)
    np.testing.assert_allclose(np.logaddexp(0, -logits), ends, rtol=0, atol=5e-5)
