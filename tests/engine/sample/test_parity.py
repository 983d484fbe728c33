"""The NumPy side of the network against the torch side it was trained on."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from engine.config import ModelConfig
from engine.data.characters import CharacterCodec
from engine.model.network import Network
from engine.sample import models

STEPS, LANES, ARTISTS = 1000, 2, 3
CODEC = CharacterCodec("\n abcdefghijklmnop")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads for so small a network only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("condition", [0, 4])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_logits_agree_over_a_thousand_steps(cell: str, tied: bool, condition: int) -> None:
    config = ModelConfig(
        cell=cell, tied=tied, condition=condition, layers=2, hidden=24, embedding=8
    )
    torch.manual_seed(0)
    network = Network(config, CODEC.spec, ARTISTS if condition else 0).eval()
    for parameter in network.parameters():  # away from zero biases
        parameter.data += 0.1 * torch.randn_like(parameter)
    meta = {
        "format": 1,
        "kind": "lyrics",
        "model": dataclasses.asdict(config),
        "codec": CODEC.to_json(),
        "conditions": ["A", "B", "C"][: ARTISTS if condition else 0],
    }
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    stepper = models.from_tensors(meta, tensors).stepper

    rng = np.random.default_rng(0)
    frames = rng.integers(0, CODEC.spec.size, (STEPS, LANES))
    artists = np.array([2, 0])  # one a lane; 0 is nobody
    fresh = torch.zeros(STEPS, LANES, dtype=torch.bool)
    fresh[0] = True
    with torch.no_grad():
        hidden, _ = network(
            torch.from_numpy(frames),
            fresh,
            torch.from_numpy(np.tile(artists, (STEPS, 1))),
            network.zero_state(LANES),
        )
        expected = network.head.logits(hidden).numpy()  # (STEPS, LANES, V)

    weights = np.eye(ARTISTS + 1, dtype=np.float32)[artists] if condition else None
    state = stepper.begin(weights, LANES)
    logits = [stepper.step(state, row) for row in frames]
    np.testing.assert_allclose(np.array(logits), expected, rtol=0, atol=1e-4)
