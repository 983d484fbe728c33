"""Gradient checkpointing over time: back-propagation through a long window with little memory.

The forward pass keeps only the hidden state at the start of each segment of the window. The
backward pass runs each segment again, from the last to the first, so that the activations of only
one segment exist at a time (Chen et al. 2016, "Training deep nets with sublinear memory cost").
With segments of √T frames, the memory for a window of T frames grows as √T. The output layer and
the loss are computed in segments too: the logits (T, L, V) of a window with L streams and V
characters would take more memory than everything else.

The memory for the kept states is allocated before the first segment is run. States that were
allocated one by one would lie between the freed buffers of their segments, the buffers of later
segments would not fit into those gaps, and new memory would be taken each time: with T = 65,536,
several times the memory for everything else.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd import Function

from engine.model.cells import State
from engine.model.network import Network
from engine.model.window import Window

Segment = int | Literal["auto"]  # frames in a segment; 0: the whole window; "auto": about √T

MIN_SEGMENT = 64  # frames, for "auto": shorter segments cost time and save hardly any memory


def segment_length(segment: Segment, frames: int) -> int:
    """Return the number of frames in a segment of a window of `frames` frames, at most `frames`."""
    length = max(MIN_SEGMENT, math.isqrt(frames - 1) + 1) if segment == "auto" else segment
    return min(length or frames, frames)


def nats(
    network: Network, window: Window, state: list[State], segment: Segment = 0
) -> tuple[Tensor, list[State]]:
    """Return nats (T, L) and the new state, as `Network.nats` does, with gradient checkpointing.

    Dropout is the same when the backward pass runs a segment again.
    """
    frames = len(window.inputs)
    length = segment_length(segment, frames)
    if length == frames:
        return network.nats(window, state)
    result, *last = _apply(network, window, length, *_flatten(state), *network.parameters())
    return result, _unflatten(last, network)


def _flatten(state: Iterable[State]) -> list[Tensor]:
    return [tensor for layer in state for tensor in layer]


def _unflatten(tensors: Sequence[Tensor], network: Network) -> list[State]:
    size = len(tensors) // len(network.cells)
    return [tuple(tensors[start : start + size]) for start in range(0, len(tensors), size)]


def _dropout_generator(device: torch.device) -> torch.Generator:
    if device.type == "cuda":
        return torch.cuda.default_generators[device.index]
    return (
        torch.mps._get_default_mps_generator() if device.type == "mps" else torch.default_generator
    )


def _current_autocast(kind: str) -> torch.autocast:
    """Return the current autocast on "cpu" or "cuda" as a context manager to enter later.

    It has no cache of cast weights: the cast of a weight in the forward pass, where gradients are
    off, must not be used in the backward pass, where they are on.
    """
    half = torch.is_autocast_enabled(kind)
    return torch.autocast(kind, torch.get_autocast_dtype(kind), half, cache_enabled=False)


class _CheckpointedNats(Function):
    """Computes the nats (T, L) of a window and the tensors of the state after it.

    `inputs` are the tensors of the state before the window, followed by the network's parameters:
    autograd computes gradients only for arguments.
    """

    @staticmethod
    def forward(ctx: Any, network: Network, window: Window, length: int, *inputs: Tensor) -> Any:
        ctx.network, ctx.window, ctx.length = network, window, length
        state = inputs[: len(inputs) - len([*network.parameters()])]
        device, frames = state[0].device, len(window.inputs)
        ctx.autocast, generator = _current_autocast(device.type), _dropout_generator(device)
        starts = range(0, frames, length)
        ctx.states = [tensor.new_empty(len(starts), *tensor.shape) for tensor in state]
        generator_state = generator.get_state()
        ctx.generator_states = generator_state.new_empty(len(starts), len(generator_state))
        result = state[0].new_empty(frames, len(state[0]))
        for number, start in enumerate(starts):
            for kept, tensor in zip(ctx.states, state, strict=True):
                kept[number] = tensor
            ctx.generator_states[number] = generator.get_state()
            part = window.part(start, start + length)
            with ctx.autocast:
                part_nats, last = network.nats(part, _unflatten(state, network))
            result[start : start + length] = part_nats
            state = tuple(_flatten(last))
        return result, *state

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        d_nats, *d_state = gradients
        weights = [*ctx.network.parameters()]
        d_weights: list[Tensor | None] = [None] * len(weights)
        generator = _dropout_generator(d_nats.device)
        generator_state = generator.get_state()
        for number in reversed(range(len(ctx.generator_states))):
            start, stop = number * ctx.length, (number + 1) * ctx.length
            generator.set_state(ctx.generator_states[number].clone())  # views are refused
            state = [kept[number].requires_grad_() for kept in ctx.states]
            part = ctx.window.part(start, stop)
            with torch.enable_grad(), ctx.autocast:
                part_nats, last = ctx.network.nats(part, _unflatten(state, ctx.network))
            found = torch.autograd.grad(
                [part_nats, *_flatten(last)],
                [*state, *weights],
                [d_nats[start:stop], *d_state],
                allow_unused=True,
            )
            d_state = list(found[: len(state)])
            d_weights = [_add(*pair) for pair in zip(d_weights, found[len(state) :], strict=True)]
        generator.set_state(generator_state)
        return None, None, None, *d_state, *d_weights


_apply: Callable[..., tuple[Tensor, ...]] = _CheckpointedNats.apply


def _add(total: Tensor | None, more: Tensor | None) -> Tensor | None:
    """Return the sum, computed in place of `total`; None counts as zero."""
    if total is None or more is None:
        return more if total is None else total
    return total.add_(more)
