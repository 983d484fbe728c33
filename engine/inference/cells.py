"""Recurrent cells, one step at a time in NumPy: the streaming side of `engine.model.cells`.

Shapes: N rows of a batch, H hidden units, G gates; a weight has H columns for each gate. A step
starts from the pre-activations (N, S·H): S blocks of H columns, the sum of what the layer below,
the cell's own last output and the bias contribute. `Cell.pack_gates` arranges the weights so that
one product computes all blocks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.config import CELL_SPECS, CellSpec

Array = NDArray[np.float32]
Blocks = tuple[tuple[int, float], ...]  # of each block: the gate of the weights, and a factor

_HALF = np.array(0.5, np.float32)  # an array: NumPy takes longer to convert a scalar


def _sigmoid(half: Array) -> None:
    """Compute 1 / (1 + exp(−x)) in place from x / 2, through tanh, which cannot overflow."""
    np.tanh(half, out=half)
    half *= _HALF
    half += _HALF


def rnn(sums: Array, h: Array) -> tuple[Array, ...]:  # noqa: ARG001
    """Return h' = tanh(x + h W) (Elman 1990). sums: (N, H), overwritten; h: (N, H)."""
    return (np.tanh(sums, out=sums),)


def gru(sums: Array, h: Array) -> tuple[Array, ...]:
    """Step the GRU of Cho et al. 2014 with the reset gate after the product.

    sums: (N, 4·H), overwritten: r / 2, z / 2, the input's part of n, the hidden state's part of n;
    h: (N, H).
    """
    size = h.shape[1]
    _sigmoid(sums[:, : 2 * size])
    r, z, from_input, from_hidden = (
        sums[:, block * size : (block + 1) * size] for block in range(4)
    )
    from_hidden *= r
    from_hidden += from_input
    n = np.tanh(from_hidden)
    return (n + z * (h - n),)


def lstm(sums: Array, h: Array, c: Array) -> tuple[Array, ...]:
    """Step the LSTM of Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000.

    sums: (N, 4·H), overwritten: i / 2, f / 2, o / 2, g; h and c: (N, H).
    """
    size = c.shape[1]
    np.tanh(sums, out=sums)  # of all blocks at once; the gates are finished as in _sigmoid
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


def _output(h: Array) -> Array:
    return h


def _cell_state(h: Array, c: Array) -> Array:  # noqa: ARG001
    """Return tanh(c): what an LSTM unit remembers, even while its output gate is closed."""
    return np.tanh(c)


@dataclass(frozen=True)
class Cell:
    """A kind of cell: step(sums (N, S·H), *state) returns the new state, its output first."""

    spec: CellSpec
    input_blocks: Blocks  # (S) for the weights of the input, and the bias
    hidden_blocks: Blocks  # (S) for the weights of the cell's own output
    step: Callable[..., tuple[Array, ...]]
    activation: Callable[..., Array]  # *state → (N, H): what each unit holds, within −1 … 1

    def pack_gates(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
        """Return a network's tensors with those of its cells, (…, G·H), arranged as (…, S·H)."""
        result = dict(tensors)
        for name, tensor in tensors.items():
            if name.startswith("cells.") and not name.endswith(".hidden_bias"):
                blocks = self.hidden_blocks if name.endswith(".hidden") else self.input_blocks
                gates = np.split(tensor, self.spec.gates, -1)
                result[name] = np.concatenate(
                    [gates[gate] * np.float32(factor) for gate, factor in blocks], -1
                )
                if name.endswith(".bias") and self.spec.hidden_bias:
                    hidden_bias = tensors[name.replace(".bias", ".hidden_bias")]
                    result[name][-len(hidden_bias) :] = hidden_bias  # the last block
        return result


# Gates through a sigmoid are halved (see `_sigmoid`). In the GRU the parts of n stay apart, since
# the reset gate multiplies only the hidden state's.
_RNN: Blocks = ((0, 1.0),)
_LSTM: Blocks = ((0, 0.5), (1, 0.5), (2, 0.5), (3, 1.0))
CELLS: dict[str, Cell] = {
    "rnn": Cell(CELL_SPECS["rnn"], _RNN, _RNN, rnn, _output),
    "gru": Cell(
        CELL_SPECS["gru"],
        input_blocks=((0, 0.5), (1, 0.5), (2, 1.0), (2, 0.0)),
        hidden_blocks=((0, 0.5), (1, 0.5), (2, 0.0), (2, 1.0)),
        step=gru,
        activation=_output,
    ),
    "lstm": Cell(CELL_SPECS["lstm"], _LSTM, _LSTM, lstm, _cell_state),
}
