"""Training with products in bfloat16, which has 8 bits of precision."""

import pytest
import torch
from torch import Tensor

from engine.config import ModelConfig
from engine.frame_spec import FrameSpec
from engine.model.network import Network
from engine.model.window import Window

T, L = 40, 16
CHARACTERS, KEYS = FrameSpec("characters", 11), FrameSpec("keys", 176)


def songs(spec: FrameSpec) -> Window:
    """Return random songs, some of which begin within the window."""
    generator = torch.Generator().manual_seed(1)
    if spec.kind == "keys":
        frames = (torch.rand(T + 1, L, spec.size, generator=generator) < 0.1).byte()
    else:
        frames = torch.randint(0, spec.size, (T + 1, L), generator=generator)
    reset = torch.zeros(T, L, dtype=torch.bool)
    reset[0] = True
    reset[T // 3, 0] = reset[T // 2, -1] = True
    condition = torch.randint(0, 5, (T, L), generator=generator)
    match = torch.randint(0, spec.match_kinds(False), (T, L), generator=generator)
    return Window(frames[:-1], frames[1:], reset, condition, frames[:-1].roll(3, 0), match)


def nats_and_gradients(
    network: Network, window: Window, half: bool
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the nats (T, L) and the gradient of every weight."""
    network.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        nats, state = network.nats(window, network.zero_state(L))
    for tensors in state:
        assert all(tensor.dtype == torch.float32 for tensor in tensors)
    nats.mean().backward()
    gradients = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    return nats.detach(), {name: gradient.clone() for name, gradient in gradients.items()}


@pytest.mark.parametrize("matching", [False, True])
@pytest.mark.parametrize("head", ["softmax", "tied", "independent", "joint"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_gradients_are_close_to_those_of_float32(cell: str, head: str, matching: bool) -> None:
    torch.manual_seed(0)
    spec = CHARACTERS if head in ("softmax", "tied") else KEYS
    kind = "independent" if head == "independent" else "joint"
    network = Network(
        ModelConfig(
            cell=cell,
            head=kind,
            tied=head == "tied",
            match_memory=matching,
            hidden_size=32,
            embedding_size=16,
            condition_size=3,
            dropout=0.0,
        ),
        spec,
        4,
    )
    window = songs(spec)
    if not matching:
        window = window._replace(matched=None, match_kind=None)
    nats, whole = nats_and_gradients(network, window, half=False)
    rough, half = nats_and_gradients(network, window, half=True)
    assert rough.dtype == torch.float32
    torch.testing.assert_close(rough, nats, rtol=0.02, atol=0.02)
    assert half.keys() == whole.keys()
    for name, gradient in whole.items():
        assert half[name].dtype == torch.float32
        assert (half[name] - gradient).norm() <= 0.1 * gradient.norm() + 1e-6, name
