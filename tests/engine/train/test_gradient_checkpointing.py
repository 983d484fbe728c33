"""Gradient checkpointing over time: the same gradients, and memory that grows as √T."""

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from engine.config import ModelConfig
from engine.frame_spec import FrameSpec
from engine.model.network import Network
from engine.model.window import Window
from engine.train import gradient_checkpointing

T, L = 13, 3
CHARACTERS, KEYS = FrameSpec("characters", 11), FrameSpec("keys", 176)


def build(spec: FrameSpec, **settings: object) -> Network:
    torch.manual_seed(0)
    values = {
        "hidden_size": 6,
        "embedding_size": 5,
        "condition_size": 3,
        "dropout": 0.0,
        **settings,
    }
    return Network(ModelConfig(**values), spec, 4).double()  # type: ignore[arg-type]


def random_window(
    spec: FrameSpec, memory: bool = False, steps: int = T, streams: int = L
) -> Window:
    """Return a window of random songs, some of which begin within it."""
    generator = torch.Generator().manual_seed(1)
    if spec.kind == "keys":
        frames = (torch.rand(steps + 1, streams, spec.size, generator=generator) < 0.1).byte()
    else:
        frames = torch.randint(0, spec.size, (steps + 1, streams), generator=generator)
    reset = torch.zeros(steps, streams, dtype=torch.bool)
    reset[0] = True
    reset[steps // 3, 0] = reset[steps // 2, -1] = True
    condition = torch.randint(0, 5, (steps, streams), generator=generator)
    window = Window(frames[:-1], frames[1:], reset, condition)
    if not memory:
        return window
    match = torch.randint(0, spec.match_kinds(False), (steps, streams), generator=generator)
    return window._replace(matched=frames[:-1].roll(3, 0), match_kind=match)


Nats = Callable[[Network, Window], Tensor]


def checkpointed(size: int) -> Nats:
    return lambda network, window: gradient_checkpointing.nats(
        network, window, network.zero_state(window.reset.shape[1]), size
    )[0]


def in_parts(size: int) -> Nats:
    """Run the segments without checkpointing, so that dropout is drawn in the same order."""

    def nats(network: Network, window: Window) -> Tensor:
        state, parts = network.zero_state(L), []
        for start in range(0, T, size):
            part, state = network.nats(window.part(start, start + size), state)
            parts.append(part)
        return torch.cat(parts)

    return nats


def gradients(network: Network, window: Window, nats: Nats) -> dict[str, Tensor]:
    """Return the gradients of a loss in which each frame has another weight, and the loss."""
    torch.manual_seed(5)
    network.zero_grad()
    losses = nats(network, window)
    loss = (losses * torch.arange(losses.numel()).view_as(losses).cos()).sum()
    loss.backward()
    found = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    return {"loss": loss.detach(), **{name: grad.clone() for name, grad in found.items()}}


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("head", ["softmax", "tied", "independent", "joint"])
@pytest.mark.parametrize("memory", [False, True])
def test_gradients_equal_those_of_the_whole_window(cell: str, head: str, memory: bool) -> None:
    spec = CHARACTERS if head in ("softmax", "tied") else KEYS
    choice = {"tied": head == "tied", "head": "independent" if head == "independent" else "joint"}
    network = build(spec, cell=cell, match_memory=memory, **choice)
    window = random_window(spec, memory)
    whole = gradients(network, window, checkpointed(0))
    for size in (1, 5, T, T + 9):  # T and more: one segment
        some = gradients(network, window, checkpointed(size))
        assert some.keys() == whole.keys()
        for name, gradient in whole.items():
            torch.testing.assert_close(some[name], gradient, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_dropout_is_the_same_when_a_segment_is_run_again(cell: str) -> None:
    network = build(CHARACTERS, cell=cell, dropout=0.4, input_dropout=0.3, hidden_size=16)
    window = random_window(CHARACTERS)
    once, twice = (gradients(network, window, nats(5)) for nats in (in_parts, checkpointed))
    for name, gradient in once.items():
        torch.testing.assert_close(twice[name], gradient, rtol=1e-10, atol=1e-12)
    network.eval()
    assert gradients(network, window, checkpointed(5))["loss"] != once["loss"]


@pytest.mark.parametrize("head", ["softmax", "independent", "joint"])
def test_a_segment_is_run_again_in_the_same_precision(head: str) -> None:
    """The backward pass is outside autocast, unlike the forward pass of the whole window."""
    spec = CHARACTERS if head == "softmax" else KEYS
    network = build(spec, hidden_size=16, head="independent" if head == "independent" else "joint")
    network, window = network.float(), random_window(spec)

    def half(nats: Nats) -> Nats:
        def inside(network: Network, window: Window) -> Tensor:
            with torch.autocast("cpu", torch.bfloat16):
                return nats(network, window)

        return inside

    once, twice = (gradients(network, window, half(nats(5))) for nats in (in_parts, checkpointed))
    assert once["loss"] == twice["loss"]
    exact = gradients(network, window, in_parts(5))
    assert exact["loss"] != once["loss"]
    for name, gradient in once.items():  # autocast sums those over the segments in bfloat16
        assert twice[name].dtype == torch.float32
        assert (twice[name] - gradient).norm() <= 0.05 * gradient.norm() + 1e-6, name


def test_the_initial_state_gets_its_gradient() -> None:
    network, window = build(CHARACTERS), random_window(CHARACTERS)
    window.reset[0, 1] = False  # a song that continues from the window before
    found = []
    for size in (0, 4):
        state = network.zero_state(L)
        leaves = [torch.zeros_like(tensor).requires_grad_() for layer in state for tensor in layer]
        pairs = [(leaves[0], leaves[1]), (leaves[2], leaves[3])]
        nats, last = gradient_checkpointing.nats(network, window, list(pairs), size)
        (nats.sum() + sum(tensor.sum() for layer in last for tensor in layer)).backward()
        found.append([leaf.grad for leaf in leaves])
    for some, whole in zip(found[1], found[0], strict=True):
        assert some is not None
        assert some.any()
        torch.testing.assert_close(some, whole, rtol=1e-10, atol=1e-12)


def test_the_last_state_equals_that_of_the_whole_window() -> None:
    network, window = build(CHARACTERS), random_window(CHARACTERS)
    _, whole = gradient_checkpointing.nats(network, window, network.zero_state(L))
    _, parts = gradient_checkpointing.nats(network, window, network.zero_state(L), 4)
    for ours, theirs in zip(parts, whole, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("segment", "frames", "expected"),
    [
        (0, 100, 100),
        (7, 100, 7),
        (200, 100, 100),
        ("auto", 1, 1),
        ("auto", 50, 50),
        ("auto", 4096, 64),
        ("auto", 4097, 65),
        ("auto", 65536, 256),
    ],
)
def test_segment_length(segment: int, frames: int, expected: int) -> None:
    assert gradient_checkpointing.segment_length(segment, frames) == expected


def allocations(work: Callable[[], object]) -> list[int]:
    """Return the sizes of torch's allocations in order, in bytes; negative: freed."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        work()
    assert profiled.profiler is not None
    results = profiled.profiler.kineto_results
    assert results is not None
    found = [event for event in results.events() if event.name() == "[memory]"]
    return [event.nbytes() for event in sorted(found, key=lambda event: event.start_ns())]


def peak_bytes(work: Callable[[], object]) -> int:
    """Return the peak of allocated bytes."""
    return max(itertools.accumulate(allocations(work)))


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_memory_grows_as_the_square_root_of_the_window(cell: str) -> None:
    """For four times the window: four times the bytes without checkpointing, twice with it."""
    network = build(CHARACTERS, cell=cell, hidden_size=48, embedding_size=8).float()

    def peak(steps: int, segment: int) -> int:
        window = random_window(CHARACTERS, steps=steps, streams=2)
        nats = checkpointed(segment)
        return peak_bytes(lambda: nats(network, window).mean().backward())

    nn.Module.zero_grad(network)
    peak(64, 0)  # allocates the gradients
    plain = [peak(steps, 0) for steps in (121, 484)]
    root = [peak(steps, math.isqrt(steps)) for steps in (121, 484)]
    assert plain[1] > 3.5 * plain[0]
    assert root[1] < 2.5 * root[0]
    assert root[1] < plain[1] / 4


def test_no_small_allocation_remains_between_the_buffers_of_segments() -> None:
    """Else the next segment could not reuse the buffers, and the heap would grow with T."""
    network = build(CHARACTERS).float()

    def left(steps: int) -> int:
        window, kept = random_window(CHARACTERS, steps=steps), []
        found = allocations(lambda: kept.append(checkpointed(8)(network, window)))
        return sum(1 if size > 0 else -1 for size in found)

    left(16)
    assert left(32) == left(320)


def test_logits_of_the_whole_window_never_exist() -> None:
    """With a large vocabulary they would take nearly all the memory."""
    spec = FrameSpec("characters", 2000)
    network = build(spec, hidden_size=8, layers=1).float()
    window = random_window(spec, steps=512)
    logits = 512 * L * spec.size * 4
    assert peak_bytes(lambda: checkpointed(16)(network, window).mean().backward()) < logits / 4
