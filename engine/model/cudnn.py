"""The recurrent layers by the kernels of the device's vendor (cuDNN), which know no resets.

A window is cut where songs begin: each piece of a lane is a sequence of its own, with the carried
state if it goes on with a song and zeros if it begins one. All pieces of all lanes are packed into
one call, the longest first, as torch packs sequences of different lengths. So the result is that of
`engine.model.cells`, without a kernel a step.

Shapes: T steps, L lanes, I inputs, H hidden units, G gates, P pieces.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from engine.model.window import to_device

BFLOAT16_SINCE = 91_300  # the version of cuDNN whose recurrent layers have bfloat16


class Packing(NamedTuple):
    """The pieces of a window and where their frames are packed."""

    order: Tensor  # (T·L,) the frame, t·L + lane, at each packed place
    place: Tensor  # (T·L,) the packed place of each frame: its inverse
    sizes: Tensor  # (longest piece,) on the CPU: how many pieces have so many frames
    lane: Tensor  # (P,) of each piece, the longest first
    keep: Tensor  # (P, 1) 0 where a song begins, else 1
    last: Tensor  # (L,) the piece with which each lane ends


def pack(fresh: Tensor, device: torch.device, dtype: torch.dtype) -> Packing:
    """Cut a window where `fresh` (T, L), on the CPU, has songs begin; move the rest to a device."""
    T, L = fresh.shape
    begins = fresh.numpy().T.copy()  # (L, T)
    begins[:, 0] = True
    lane, start = begins.nonzero()  # (P,) each, lane by lane
    length = np.diff(lane * T + start, append=L * T)
    ranked = np.argsort(-length, kind="stable")
    rank = np.empty_like(ranked)
    rank[ranked] = np.arange(len(ranked))
    sizes = np.searchsorted(-length[ranked], -np.arange(length.max()), side="left")
    offsets = np.cumsum(sizes) - sizes  # where the frames of each step are packed
    within = np.arange(L * T) - np.repeat(lane * T + start, length)  # frames of their piece before
    place = (offsets[within] + np.repeat(rank, length)).reshape(L, T).T.ravel()  # t·L + lane
    order = np.empty_like(place)
    order[place] = np.arange(L * T)
    goes_on = ~fresh.numpy()[start, lane]  # (P,)
    last = rank[np.cumsum(begins.sum(1)) - 1]  # (L,)

    return Packing(
        to_device(order, device),
        to_device(place, device),
        torch.from_numpy(sizes),
        to_device(lane[ranked], device),
        to_device(goes_on[ranked, None], device).to(dtype),
        to_device(last, device),
    )


class _Permute(Function):
    """x[order]; going back by the inverse, for an index's own gradient is a slow sum."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, order: Tensor, inverse: Tensor) -> Tensor:
        ctx.save_for_backward(inverse)
        return x.index_select(0, order)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (inverse,) = ctx.saved_tensors
        return gradients[0].index_select(0, inverse), None, None


@dataclass(frozen=True)
class Kernel:
    """How torch calls a cell: its function, and the order of its gates among ours."""

    run: Callable[..., tuple[Tensor, ...]]
    gates: tuple[int, ...]


_permute: Callable[[Tensor, Tensor, Tensor], Tensor] = _Permute.apply

KERNELS: dict[str, Kernel] = {
    "rnn": Kernel(torch.rnn_tanh, (0,)),
    "gru": Kernel(torch.gru, (0, 1, 2)),
    "lstm": Kernel(torch.lstm, (0, 1, 3, 2)),  # ours: i f o g, torch's: i f g o
}


def _compute_type(x: Tensor, weight: Tensor) -> torch.dtype:
    """The type of the layer's products: that of autocast where the kernels have it."""
    if not torch.is_autocast_enabled(x.device.type):
        return weight.dtype
    known = x.device.type == "cpu" or (torch.backends.cudnn.version() or 0) >= BFLOAT16_SINCE
    return torch.get_autocast_dtype(x.device.type) if known else weight.dtype


def scan(
    kind: str, x: Tensor, weights: Sequence[Tensor], cut: Packing, state: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """A layer's outputs (T, L, H) and the tensors (L, H) of the state after the last step.

    x (T, L, I); weights as of `SCANS`: input (I, G·H), bias (G·H), hidden (H, G·H) and for a
    GRU hidden_bias (H).
    """
    kernel, (w_in, bias, w, *inner) = KERNELS[kind], weights
    size, dtype = w.shape[0], _compute_type(x, w)

    def theirs(weight: Tensor) -> Tensor:
        parts = weight.chunk(len(kernel.gates), -1)
        return torch.cat([parts[gate] for gate in kernel.gates], -1).to(dtype)

    hidden_bias = torch.zeros_like(bias)
    if inner:
        hidden_bias = torch.cat((hidden_bias[: 2 * size], inner[0]))
    # autocast would make cuDNN's half precision of it, whatever its own type
    with torch.autocast(x.device.type, enabled=False):
        given = [theirs(w_in).t(), theirs(w).t(), theirs(bias), hidden_bias.to(dtype)]
        packed = _permute(x.flatten(0, 1).to(dtype), cut.order, cut.place)
        first = [(s.index_select(0, cut.lane) * cut.keep).to(dtype).unsqueeze(0) for s in state]
        outputs, *last = kernel.run(
            packed,
            cut.sizes,
            first if len(first) > 1 else first[0],
            [weight.contiguous() for weight in given],
            True,  # biases
            1,  # layer
            0.0,  # dropout
            torch.is_grad_enabled(),
            False,  # bidirectional
        )
        outputs = _permute(outputs, cut.place, cut.order).view(*x.shape[:2], size)
        carried = [s[0].index_select(0, cut.last).to(state[0].dtype) for s in last]
    return outputs, *carried
