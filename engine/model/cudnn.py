"""The recurrent layers computed by cuDNN, whose kernels cannot reset a state within a sequence.

Each stream of a window is cut into pieces where songs begin. A piece is a sequence of its own: it
starts from the carried state if it continues a song, and from zeros if it begins one. All pieces
are packed into one call, the longest first, as in torch's `PackedSequence`. The result equals that
of `engine.model.cells`, without launching kernels for each step.

Shapes: T steps, L streams (the batch size), I inputs, H hidden units, G gates, P pieces.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from engine.model.window import to_device

BFLOAT16_SINCE = 91_300  # the first version of cuDNN with recurrent layers in bfloat16


class Packing(NamedTuple):
    """The pieces of a window and the order in which their frames are packed."""

    order: Tensor  # (T·L,): the frame, t·L + stream, at each packed position
    inverse: Tensor  # (T·L,): the packed position of each frame
    batch_sizes: Tensor  # (longest piece,), on the CPU: the number of pieces that have each step
    stream: Tensor  # (P,): the stream of each piece, the longest piece first
    keep: Tensor  # (P, 1): 0 if the piece begins a song, else 1
    last: Tensor  # (L,): the index of the last piece of each stream


def pack(reset: Tensor, device: torch.device, dtype: torch.dtype) -> Packing:
    """Cut a window into pieces where `reset` (T, L) is true; return the packing on a device.

    `reset` is on the CPU; dtype is the type of `keep`.
    """
    T, L = reset.shape
    begins = reset.numpy().T.copy()  # (L, T)
    begins[:, 0] = True
    stream, start = begins.nonzero()  # (P,) each, in order of stream
    length = np.diff(stream * T + start, append=L * T)
    ranked = np.argsort(-length, kind="stable")
    rank = np.empty_like(ranked)
    rank[ranked] = np.arange(len(ranked))
    sizes = np.searchsorted(-length[ranked], -np.arange(length.max()), side="left")
    offsets = np.cumsum(sizes) - sizes  # the packed position of each step's first frame
    step = np.arange(L * T) - np.repeat(stream * T + start, length)  # of each frame in its piece
    inverse = (offsets[step] + np.repeat(rank, length)).reshape(L, T).T.ravel()
    order = np.empty_like(inverse)
    order[inverse] = np.arange(L * T)
    continues = ~reset.numpy()[start, stream]  # (P,)
    last = rank[np.cumsum(begins.sum(1)) - 1]  # (L,)

    return Packing(
        to_device(order, device),
        to_device(inverse, device),
        torch.from_numpy(sizes),
        to_device(stream[ranked], device),
        to_device(continues[ranked, None], device).to(dtype),
        to_device(last, device),
    )


class _Permute(Function):
    """x[order]; its gradient is permuted by `inverse`, as the gradient of indexing is slow."""

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
    """PyTorch's function (cuDNN on a GPU) that computes the same as one of our cells."""

    run: Callable[..., tuple[Tensor, ...]]
    gates: tuple[int, ...]  # for each gate in PyTorch's order, its index in ours


_permute: Callable[[Tensor, Tensor, Tensor], Tensor] = _Permute.apply

# A cell without a row is computed by `engine.model.cells`, step by step, on a GPU too.
KERNELS: dict[str, Kernel] = {
    "rnn": Kernel(torch.rnn_tanh, (0,)),
    "gru": Kernel(torch.gru, (0, 1, 2)),
    "lstm": Kernel(torch.lstm, (0, 1, 3, 2)),  # ours: i f o g, torch's: i f g o
}


def is_used(kind: str, device: torch.device) -> bool:
    """Return whether the layers of a cell are computed here on a device, and not by `cells`."""
    return device.type == "cuda" and kind in KERNELS


def _compute_type(x: Tensor, weight: Tensor) -> torch.dtype:
    """Return the type of a layer's products: autocast's if cuDNN supports it, else the weight's."""
    if not torch.is_autocast_enabled(x.device.type):
        return weight.dtype
    supported = x.device.type == "cpu" or (torch.backends.cudnn.version() or 0) >= BFLOAT16_SINCE
    return torch.get_autocast_dtype(x.device.type) if supported else weight.dtype


def scan(
    kind: str, x: Tensor, weights: Sequence[Tensor], packing: Packing, state: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """Run one layer on x (T, L, I), from a state of tensors (L, H).

    kind: the cell, a key of `KERNELS`. weights: as in `engine.model.cells.SCANS`, input (I, G·H),
    bias (G·H), hidden (H, G·H) and, for a GRU, hidden_bias (H). Returns the outputs (T, L, H), then
    the tensors of the state after the last step.
    """
    kernel, (w_in, bias, w, *inner) = KERNELS[kind], weights
    size, dtype = w.shape[0], _compute_type(x, w)

    def arrange(weight: Tensor) -> Tensor:
        parts = weight.chunk(len(kernel.gates), -1)
        return torch.cat([parts[gate] for gate in kernel.gates], -1).to(dtype)

    hidden_bias = torch.zeros_like(bias)
    if inner:
        hidden_bias = torch.cat((hidden_bias[: 2 * size], inner[0]))
    # Autocast would run cuDNN in half precision, whatever autocast's type is.
    with torch.autocast(x.device.type, enabled=False):
        arranged = [arrange(w_in).t(), arrange(w).t(), arrange(bias), hidden_bias.to(dtype)]
        # In one buffer, as cuDNN needs them: otherwise it would copy them at every call, and warn.
        flat = torch.cat([weight.reshape(-1) for weight in arranged])
        parts = flat.split([weight.numel() for weight in arranged])
        packed = _permute(x.flatten(0, 1).to(dtype), packing.order, packing.inverse)
        first = [
            (s.index_select(0, packing.stream) * packing.keep).to(dtype).unsqueeze(0) for s in state
        ]
        outputs, *last = kernel.run(
            packed,
            packing.batch_sizes,
            first if len(first) > 1 else first[0],
            [part.view(weight.shape) for part, weight in zip(parts, arranged, strict=True)],
            True,  # biases
            1,  # layer
            0.0,  # dropout
            torch.is_grad_enabled(),
            False,  # bidirectional
        )
        outputs = _permute(outputs, packing.inverse, packing.order).view(*x.shape[:2], size)
        carried = [s[0].index_select(0, packing.last).to(state[0].dtype) for s in last]
    return outputs, *carried
