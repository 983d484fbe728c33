"""The NumPy side of the network against the torch side it was trained on."""

import dataclasses
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
from engine.frames import FrameSpec
from engine.inference import models
from engine.inference import network as numpy_side
from engine.inference.heads import HeadInput
from engine.model import network as torch_side
from engine.model.window import Window

STEPS, LANES, ARTISTS = 1000, 2, 3
CODEC = CharacterCodec("\n abcdefghijklmnop")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads for so small a network only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def network(config: ModelConfig, spec: FrameSpec, conditions: int) -> torch_side.Network:
    """A network in which no weight is still at the value it began with."""
    torch.manual_seed(0)
    network = torch_side.Network(config, spec, conditions).eval()
    for name, parameter in network.named_parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
        if name == "head.gain":  # what follows no match stays as it is
            parameter.data[0] = 0
    return network


def songs(spec: FrameSpec) -> NDArray[Any]:
    """LANES songs of STEPS frames that go round and round with a few changes, (T, N, *frame)."""
    rng = np.random.default_rng(0)
    if spec.kind == "characters":
        tune = rng.integers(3, spec.size, (50, LANES))
        noise = rng.integers(3, spec.size, (STEPS, LANES))
    else:
        tune = (rng.random((50, LANES, spec.size)) < 0.1).astype(np.uint8)
        noise = (rng.random((STEPS, LANES, spec.size)) < 0.1).astype(np.uint8)
    frames = np.tile(tune, (STEPS // 50, *[1] * (tune.ndim - 1)))
    changed = rng.random(STEPS) < 0.03
    frames[changed] = noise[changed]
    if spec.size == 176:  # what begins sounds, and what sounds anew begins
        sounds, begins = frames[..., :88], frames[..., 88:]
        begins &= sounds
        begins[1:] |= sounds[1:] & ~sounds[:-1] & 1
        begins[0] = sounds[0]
    return frames


def window(
    frames: NDArray[Any],
    spec: FrameSpec,
    artists: NDArray[Any],
    memory: bool,
    lapses: bool = False,
) -> Window:
    inputs = np.concatenate([np.zeros_like(frames[:1]), frames[:-1]])
    fresh = np.zeros((STEPS, LANES), np.bool_)
    fresh[0] = True
    place = torch.arange(STEPS).unsqueeze(1).expand(STEPS, LANES)
    arrays = [inputs, frames, fresh, np.tile(artists, (STEPS, 1))]
    if not memory:
        return Window(*map(torch.from_numpy, arrays))._replace(position=place)
    pairs = [find_matches(frames[:, lane], spec, lapses) for lane in range(LANES)]
    recalled, match = (np.stack(arrays, 1) for arrays in zip(*pairs, strict=True))
    assert match.max() == spec.match_kinds(lapses) - 1
    arrays += [recalled, match.astype(np.int64)]
    return Window(*map(torch.from_numpy, arrays))._replace(position=place)


# How far logits may be off: rounding adds up to less than 1e-4 in full precision. 8-bit weights are
# off by up to 1/254 of their column's largest; what that does to a trained model's bits per
# character is tested with the model that comes along, in tests/assets/test_models.py.
TOLERANCE = {"full": 1e-4, "fast": 0.3}


@pytest.mark.parametrize("precision", TOLERANCE)
@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize("condition", [0, 4])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_logits_agree_over_a_thousand_steps(
    cell: str, tied: bool, condition: int, memory: bool, precision: str
) -> None:
    config = ModelConfig(
        cell=cell,
        layers=2,
        hidden_size=24,
        embedding_size=8,
        condition_size=condition,
        tied=tied,
        match_memory=memory,
        beat_position=tied,
    )
    trained = network(config, CODEC.spec, ARTISTS if condition else 0)
    meta = {
        "format": 2,
        "kind": "lyrics",
        "model": dataclasses.asdict(config),
        "codec": CODEC.to_json(),
        "conditions": ["A", "B", "C"][: ARTISTS if condition else 0],
        "data": {},
        "scores": {},
    }
    tensors = {name: tensor.numpy() for name, tensor in trained.state_dict().items()}
    stepper = models.from_tensors(meta, tensors, precision=precision).stepper

    frames = songs(CODEC.spec)
    artists = np.array([2, 0])  # one a lane; 0 is nobody
    seen = window(frames, CODEC.spec, artists, memory)
    with torch.no_grad():
        hidden, _ = trained(seen, trained.zero_state(LANES))
        assert isinstance(trained.head, engine.model.heads.CharacterHead)
        expected = trained.head.logits(hidden, seen).numpy()  # (STEPS, LANES, V)

    weights = np.eye(ARTISTS + 1, dtype=np.float32)[artists] if condition else None
    state = stepper.initial_state(weights, LANES)
    logits = [stepper.step(state, row) for row in seen.inputs.numpy()]
    np.testing.assert_allclose(np.array(logits), expected, rtol=0, atol=TOLERANCE[precision])


@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize("size", [88, 176])
@pytest.mark.parametrize("head", ["independent", "joint"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_likelihoods_of_keys_agree_over_a_thousand_steps(
    cell: str, head: str, size: int, memory: bool
) -> None:
    spec = FrameSpec("keys", size)
    config = ModelConfig(
        cell=cell,
        head=head,
        match_memory=memory,
        match_recovery=size == 88,
        beat_position=size == 88,
        layers=1,
        hidden_size=24,
        embedding_size=8,
        condition_size=0,
    )
    trained = network(config, spec, 0)
    tensors = {name: tensor.numpy() for name, tensor in trained.state_dict().items()}
    wanted = numpy_side.tensor_shapes(config, spec, 0)
    assert {name: tensor.shape for name, tensor in tensors.items()} == wanted
    stepper = numpy_side.Network.build(config, spec, tensors)

    frames = songs(spec)
    seen = window(frames, spec, np.zeros(LANES, np.int64), memory, config.match_recovery)
    with torch.no_grad():
        expected, _ = trained.nats(seen, trained.zero_state(LANES))

    state = stepper.initial_state(None, LANES)
    assert not isinstance(stepper.head, engine.inference.heads.CharacterHead)
    moments = [stepper.feed(state, row) for row in seen.inputs.numpy()]
    some = slice(None, None, 5)  # of the moments
    seen_by_it = HeadInput(*(np.concatenate(arrays) for arrays in zip(*moments[some], strict=True)))
    nats = stepper.head.nats(seen_by_it, frames[some].reshape(-1, size)).reshape(-1, LANES)
    np.testing.assert_allclose(nats, expected[some], rtol=0, atol=1e-4)
