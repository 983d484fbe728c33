"""Recurrent cells, one step at a time in NumPy: the streaming side of `engine.model.cells`.

Products are written x @ W; a batch has N rows, a layer H units and G gates. The input's part of the
gates, bias included, comes from outside, because in the first layer it is a row of a table.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Product = Callable[[Array], Array]  # x (N, I) → x @ weights (N, J)


@dataclass(frozen=True)
class Layer:
    """The weights of one layer, those of products as the product itself."""

    input: Product | None  # (N, H) → (N, G·H); None in the first: a table stands for it
    bias: Array  # (G·H)
    hidden: Product  # (N, H) → (N, G·H)
    hidden_bias: Array  # (H), or (0) in a cell without


_HALF = np.float32(0.5)


def _sigmoid(x: Array) -> Array:
    """1 / (1 + exp(−x)), through tanh: it cannot overflow."""
    result: Array = np.tanh(x * _HALF)
    result *= _HALF
    result += _HALF
    return result


def rnn(layer: Layer, x: Array, h: Array) -> tuple[Array, ...]:
    """h' = tanh(x + h W)  (Elman 1990). x: (N, H), h: (N, H)."""
    return (np.tanh(x + layer.hidden(h)),)


def gru(layer: Layer, x: Array, h: Array) -> tuple[Array, ...]:
    """The GRU of Cho et al. 2014, its reset gate behind the product. x: (N, 3·H), h: (N, H)."""
    size = h.shape[1]
    product = layer.hidden(h)
    gates = _sigmoid(x[:, : 2 * size] + product[:, : 2 * size])
    r, z = gates[:, :size], gates[:, size:]
    n = np.tanh(x[:, 2 * size :] + r * (product[:, 2 * size :] + layer.hidden_bias))
    return (n + z * (h - n),)


def lstm(layer: Layer, x: Array, h: Array, c: Array) -> tuple[Array, ...]:
    """The LSTM of Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000.

    x: (N, 4·H), h and c: (N, H).
    """
    size = h.shape[1]
    x = x + layer.hidden(h)
    gates = x[:, : 3 * size]
    gates *= _HALF  # sigmoid(x) = (1 + tanh(x / 2)) / 2, as in _sigmoid, and tanh of all at once
    np.tanh(x, out=x)
    gates *= _HALF
    gates += _HALF
    i, f, o, g = (x[:, place * size : (place + 1) * size] for place in range(4))
    c = f * c
    c += i * g
    return o * np.tanh(c), c


def _hidden(h: Array) -> Array:
    """What a unit of a cell without gates to its memory holds: its output."""
    return h


def _memory(h: Array, c: Array) -> Array:  # noqa: ARG001
    """What a unit of an LSTM holds, whether or not its output gate lets it be seen."""
    return np.tanh(c)


@dataclass(frozen=True)
class Cell:
    """One kind of cell: step(layer, x (N, G·H), *state) gives the new state, its output first."""

    gates: int  # G
    states: int  # how many arrays (N, H) make its state
    hidden_bias: bool  # whether it has a bias (H) inside its reset gate
    step: Callable[..., tuple[Array, ...]]
    holds: Callable[..., Array]  # *state → (N, H): what each unit holds, within −1 … 1


CELLS: dict[str, Cell] = {
    "rnn": Cell(gates=1, states=1, hidden_bias=False, step=rnn, holds=_hidden),
    "gru": Cell(gates=3, states=1, hidden_bias=True, step=gru, holds=_hidden),
    "lstm": Cell(gates=4, states=2, hidden_bias=False, step=lstm, holds=_memory),
}
