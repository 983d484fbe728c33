"""Recurrent cells, one step at a time in NumPy: the streaming side of `engine.model.cells`.

A batch has N rows, a layer H units and G gates, H columns of a weight each. A cell's step begins
with the sums of what reaches it, from below, from its own last output, and its bias: S blocks of H
columns, made by weights whose gates were laid out once by `Cell.of_input` and `Cell.of_hidden`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Blocks = tuple[tuple[int, float], ...]  # of the sums, each a gate of the weights times a factor

_HALF = np.array(0.5, np.float32)  # an array: NumPy takes longer to convert a scalar


def _sigmoid(half: Array) -> None:
    """1 / (1 + exp(−x)) in place of x / 2, through tanh: it cannot overflow."""
    np.tanh(half, out=half)
    half *= _HALF
    half += _HALF


def rnn(sums: Array, h: Array) -> tuple[Array, ...]:  # noqa: ARG001
    """h' = tanh(x + h W)  (Elman 1990). sums: (N, H), overwritten; h: (N, H)."""
    return (np.tanh(sums, out=sums),)


def gru(sums: Array, h: Array) -> tuple[Array, ...]:
    """The GRU of Cho et al. 2014, its reset gate behind the product.

    sums: (N, 4·H), overwritten: r / 2, z / 2, what reaches n from below, and from h; h: (N, H).
    """
    size = h.shape[1]
    _sigmoid(sums[:, : 2 * size])
    r, z, below, own = (sums[:, place * size : (place + 1) * size] for place in range(4))
    own *= r
    own += below
    n = np.tanh(own)
    return (n + z * (h - n),)


def lstm(sums: Array, h: Array, c: Array) -> tuple[Array, ...]:
    """The LSTM of Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000.

    sums: (N, 4·H), overwritten: i / 2, f / 2, o / 2, g; h and c: (N, H).
    """
    size = c.shape[1]
    np.tanh(sums, out=sums)  # of all at once; the gates go on as in _sigmoid
    gates = sums[:, : 3 * size]
    gates *= _HALF
    gates += _HALF
    i, f = sums[:, :size], sums[:, size : 2 * size]
    o, g = sums[:, 2 * size : 3 * size], sums[:, 3 * size :]
    c = f * c
    i *= g
    c += i
    h = np.tanh(c)
    h *= o
    return h, c


def _hidden(h: Array) -> Array:
    """What a unit of a cell without gates to its memory holds: its output."""
    return h


def _memory(h: Array, c: Array) -> Array:  # noqa: ARG001
    """What a unit of an LSTM holds, whether or not its output gate lets it be seen."""
    return np.tanh(c)


@dataclass(frozen=True)
class Cell:
    """One kind of cell: step(sums (N, S·H), *state) gives the new state, its output first."""

    gates: int  # G
    states: int  # how many arrays (N, H) make its state
    hidden_bias: bool  # whether it has a bias (H) inside its reset gate: of the last block
    of_input: Blocks  # (S of them) as what comes from below enters them
    of_hidden: Blocks  # and the own output
    step: Callable[..., tuple[Array, ...]]
    holds: Callable[..., Array]  # *state → (N, H): what each unit holds, within −1 … 1

    def lay(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
        """A network's tensors, those of its cells (…, G·H) laid out for the sums, (…, S·H)."""
        result = dict(tensors)
        for name, tensor in tensors.items():
            if name.startswith("cells.") and not name.endswith(".hidden_bias"):
                blocks = self.of_hidden if name.endswith(".hidden") else self.of_input
                gates = np.split(tensor, self.gates, -1)
                result[name] = np.concatenate(
                    [gates[gate] * np.float32(factor) for gate, factor in blocks], -1
                )
                if name.endswith(".bias") and self.hidden_bias:
                    own = tensors[name.replace(".bias", ".hidden_bias")]
                    result[name][-len(own) :] = own
        return result


_LSTM: Blocks = ((0, 0.5), (1, 0.5), (2, 0.5), (3, 1.0))
CELLS: dict[str, Cell] = {
    "rnn": Cell(1, 1, False, ((0, 1.0),), ((0, 1.0),), rnn, _hidden),
    "gru": Cell(
        gates=3,
        states=1,
        hidden_bias=True,
        of_input=((0, 0.5), (1, 0.5), (2, 1.0), (2, 0.0)),
        of_hidden=((0, 0.5), (1, 0.5), (2, 0.0), (2, 1.0)),
        step=gru,
        holds=_hidden,
    ),
    "lstm": Cell(4, 2, False, _LSTM, _LSTM, lstm, _memory),
}
