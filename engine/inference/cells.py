"""Recurrent cells in NumPy, stepped one frame at a time; `engine.model.cells` trains them.

N: songs, stepped as a batch; H: hidden units; G: gates. A layer's weights in a model's file have H
columns for each gate, (…, G·H). A step takes the layer's pre-activations x W + h U + bias (x: its
input, h: its last output) in S blocks of H columns, (N, S·H). S is G, except for the GRU: its
candidate n needs two blocks. `Cell.pack_gates` arranges weights in blocks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.config import CELL_SPECS, CellSpec

Array = NDArray[np.float32]
Blocks = tuple[tuple[int, float], ...]  # for each block: a gate, and a factor for its weights

_HALF = np.array(0.5, np.float32)  # an array: NumPy takes longer to convert a scalar


def _sigmoid(half: Array) -> None:
    """Replace x / 2 by 1 / (1 + exp(−x)); computed by tanh, which cannot overflow."""
    np.tanh(half, out=half)
    half *= _HALF
    half += _HALF


def rnn(sums: Array, h: Array) -> tuple[Array, ...]:  # noqa: ARG001
    """Return the next h, tanh(sums) (Elman 1990). sums: (N, H), overwritten; h is not needed."""
    return (np.tanh(sums, out=sums),)


def gru(sums: Array, h: Array) -> tuple[Array, ...]:
    """Return the next h of a GRU (Cho et al. 2014), the reset gate applied after the product.

    sums: (N, 4·H), overwritten: half the pre-activations of the gates r and z, then the two terms
    of the candidate n, from the input and from h. h: (N, H).
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
    """Return the next h and c of an LSTM (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

    sums: (N, 4·H), overwritten: half the pre-activations of the gates i, f and o, then that of the
    candidate g. c: (N, H); h is not needed.
    """
    size = c.shape[1]
    np.tanh(sums, out=sums)  # all blocks at once; the next two lines complete the sigmoids
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
    """Return tanh(c), what an LSTM's units remember, even while their output gates are closed."""
    return np.tanh(c)


@dataclass(frozen=True)
class Cell:
    """A kind of cell: its step, and the blocks in which the step takes pre-activations."""

    spec: CellSpec
    input_blocks: Blocks  # S blocks: for the weights of the layer's input, and the bias
    hidden_blocks: Blocks  # S blocks: for the weights of the layer's last output
    step: Callable[..., tuple[Array, ...]]  # sums (N, S·H), *state → next state; first the output
    activation: Callable[..., Array]  # *state → each unit's value (N, H), −1 … 1

    def pack_gates(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
        """Return a network's tensors with its cells' weights (…, G·H) arranged as (…, S·H)."""
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


# The weights of sigmoid gates are halved (see `_sigmoid`). The two terms of the GRU's candidate n
# stay apart, since the reset gate multiplies only the one from h.
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
