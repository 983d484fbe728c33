"""Gradient checkpointing over time: back-propagation through a long window with little memory.

The forward pass keeps only the hidden state at the start of each segment of the window. The
backward pass runs each segment once more when it needs it, so that the activations of only one
segment exist at a time (Chen et al. 2016, "Training deep nets with sublinear memory cost"). With
segments of √T frames the memory grows as √T. The output layer and the loss are part of the segment
too: logits (T, L, V) would take more than all the rest.

The memory of the kept states is allocated before the first segment is run. A state allocated where
it arises would lie between the freed buffers of its segment; those of the next segment would not
fit there and take new memory. With T = 65,536 that came to several times all the rest.
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

Segment = int | Literal["auto"]  # frames; 0: the whole window, "auto": about √T

MIN_SEGMENT = 64  # frames, with "auto": in shorter ones the cost of a segment outweighs its savings


def segment_length(segment: Segment, frames: int) -> int:
    """Return the segment length for a window of `frames` frames, at most the window's."""
    length = max(MIN_SEGMENT, math.isqrt(frames - 1) + 1) if segment == "auto" else segment
    return min(length or frames, frames)


def nats(
    network: Network, window: Window, state: list[State], segment: Segment = 0
) -> tuple[Tensor, list[State]]:
    """Return the same as `Network.nats`: nats (T, L) and the new state.

    segment: frames between two kept states, 0 to keep the whole window, "auto" for about √T.
    Dropout is the same when a segment is run again.
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
    return (
        torch.default_generator
        if device.type == "cpu"
        else torch.cuda.default_generators[device.index]
    )


def _current_autocast(kind: str) -> torch.autocast:
    """Return the current precision on a type of device, as a context to enter later.

    Without autocast's cache: a weight that was cast where gradients are off must not be reused
    where they are on.
    """
    half = torch.is_autocast_enabled(kind)
    return torch.autocast(kind, torch.get_autocast_dtype(kind), half, cache_enabled=False)


class _CheckpointedNats(Function):
    """A window's nats and the tensors of its last state, from those of the first and the weights.

    The weights are the network's own; as arguments they get gradients from autograd.
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
            generator.set_state(ctx.generator_states[number].clone())  # set_state takes no view
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
