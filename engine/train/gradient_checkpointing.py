"""Back-propagation through a long window with little memory: gradient checkpointing over time.

Going forward, only the state between two segments of the window is kept; going back, each segment
is run once more when its turn comes, so that the activations of one segment at a time exist (Chen
et al. 2016, "Training deep nets with sublinear memory cost"). With segments of √T frames the memory
grows as √T. The output layer and the loss are within the segment too: logits (T, L, V) would take
more than all the rest.

What is kept has its room before the first segment is run. Were each state allocated where it
arises, it would lie among the freed buffers of its segment, and those of the next, which no longer
fit between, would take new memory: with T = 65,536 that came to several times all the rest.
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

Segment = int | Literal["auto"]  # frames, 0 for the whole window, "auto" for about √T

MIN_SEGMENT = 64  # frames: below, what each segment costs by itself outweighs what it saves


def segment_length(segment: Segment, frames: int) -> int:
    """The frames of a segment of a window of so many; the whole window where there is but one."""
    size = max(MIN_SEGMENT, math.isqrt(frames - 1) + 1) if segment == "auto" else segment
    return min(size or frames, frames)


def nats(
    network: Network, window: Window, state: list[State], segment: Segment = 0
) -> tuple[Tensor, list[State]]:
    """As `Network.nats`, (T, L) and the new state, keeping only what `segment` needs to go back.

    segment: frames, 0 for a window that is kept whole, "auto" for about √T. Dropout is the same
    when a segment is run again.
    """
    frames = len(window.inputs)
    step = segment_length(segment, frames)
    if step == frames:
        return network.nats(window, state)
    given = [*_flat(state), *network.parameters()]
    found, *last = _apply(network, window, step, *given)
    return found, _by_layer(last, network)


def _flat(state: Iterable[State]) -> list[Tensor]:
    return [tensor for layer in state for tensor in layer]


def _by_layer(tensors: Sequence[Tensor], network: Network) -> list[State]:
    each = len(tensors) // len(network.cells)
    return [tuple(tensors[at : at + each]) for at in range(0, len(tensors), each)]


def _generator(device: torch.device) -> torch.Generator:
    """What dropout on the device draws from."""
    return (
        torch.default_generator
        if device.type == "cpu"
        else torch.cuda.default_generators[device.index]
    )


def _precision(kind: str) -> torch.autocast:
    """The precision of now, to be used later on.

    Without a cache: a weight cast where no gradient is wanted is not to be found where one is.
    """
    half = torch.is_autocast_enabled(kind)
    return torch.autocast(kind, torch.get_autocast_dtype(kind), half, cache_enabled=False)


class _Segments(Function):
    """A window's nats and the tensors of its last state, from those of the first and the weights.

    The weights are the network's own; they are given so that autograd knows of them.
    """

    @staticmethod
    def forward(ctx: Any, network: Network, window: Window, step: int, *given: Tensor) -> Any:
        ctx.network, ctx.window, ctx.step = network, window, step
        state = given[: len(given) - len([*network.parameters()])]
        device, frames = state[0].device, len(window.inputs)
        ctx.precision, generator = _precision(device.type), _generator(device)
        starts = range(0, frames, step)
        ctx.states = [tensor.new_empty(len(starts), *tensor.shape) for tensor in state]
        chance = generator.get_state()
        ctx.chances = chance.new_empty(len(starts), len(chance))
        found = state[0].new_empty(frames, len(state[0]))
        for number, start in enumerate(starts):
            for kept, tensor in zip(ctx.states, state, strict=True):
                kept[number] = tensor
            ctx.chances[number] = generator.get_state()
            part = window.part(start, start + step)
            with ctx.precision:
                some, last = network.nats(part, _by_layer(state, network))
            found[start : start + step] = some
            state = tuple(_flat(last))
        return found, *state

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        d_found, *d_state = gradients
        weights = [*ctx.network.parameters()]
        sums: list[Tensor | None] = [None] * len(weights)
        generator = _generator(d_found.device)
        now = generator.get_state()
        for number in reversed(range(len(ctx.chances))):
            start, stop = number * ctx.step, (number + 1) * ctx.step
            generator.set_state(ctx.chances[number].clone())  # it takes no view
            state = [kept[number].requires_grad_() for kept in ctx.states]
            part = ctx.window.part(start, stop)
            with torch.enable_grad(), ctx.precision:
                some, last = ctx.network.nats(part, _by_layer(state, ctx.network))
            found = torch.autograd.grad(
                [some, *_flat(last)],
                [*state, *weights],
                [d_found[start:stop], *d_state],
                allow_unused=True,
            )
            d_state = list(found[: len(state)])
            sums = [_sum(*pair) for pair in zip(sums, found[len(state) :], strict=True)]
        generator.set_state(now)
        return None, None, None, *d_state, *sums


_apply: Callable[..., tuple[Tensor, ...]] = _Segments.apply


def _sum(total: Tensor | None, more: Tensor | None) -> Tensor | None:
    """The sum, in place of the first; None stands for nothing at all."""
    if total is None or more is None:
        return more if total is None else total
    return total.add_(more)
