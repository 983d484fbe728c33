"""Matrix products for sampling, in two precisions: "full" (float32) and "fast" (8-bit integers).

N: rows, one for each song; I: inputs; J: outputs. With few rows a product takes about the time of
reading its weights from memory, so it is faster with smaller weights. A row's result does not
depend on the other rows, to the last bit: always in fast products, and with up to `MAX_SINGLE_ROWS`
rows in full ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numkong
import numpy as np
from numpy.typing import NDArray

from engine.inference.cells import Array

Quantized = NDArray[Any]  # the left factor of a product, (N, I): int8 (fast) or float32 (full)
Product = Callable[[Quantized], Array]  # multiplies by fixed weights: x → x @ weights (N, J), new

MAX_SINGLE_ROWS = 16  # up to this many rows are multiplied one by one, which is faster
_LEVELS = np.array(127, np.float32)  # an array: NumPy takes longer to convert a scalar


@dataclass(frozen=True)
class GateSums:
    """Computes a layer's pre-activations x @ W + h @ U + bias, as `complete(precompute(x), h)`.

    W, U: the input and hidden weights. When a prompt is read, the inputs x of all its frames are
    known at once, but each hidden state h only after the previous step: `precompute` does the part
    of the work that is faster for many rows at once.
    """

    precompute: Callable[[Quantized], Quantized]  # x (rows, I) → (rows, …), any number of rows
    complete: Callable[[Quantized, Quantized], Array]  # → (N, J), a new array


@dataclass(frozen=True)
class Precision:
    """The functions of one precision: `product(weights)(quantize(x))` is x @ weights.

    Quantizing is separate, so that x is quantized only once for several products with it.
    """

    quantize: Callable[[Array], Quantized]
    product: Callable[[Array], Product]  # from weights (I, J)
    gate_sums: Callable[[Array, Array, Array], GateSums]  # from W, U, bias (1, J)
    scale: float  # quantize(x) · scale is x, except for rounding


def _full(weights: Array) -> Product:
    """Return the function that multiplies by weights (I, J) in float32."""

    def product(x: Quantized) -> Array:
        if len(x) == 1 or len(x) > MAX_SINGLE_ROWS:
            result: Array = x @ weights
            return result
        return np.concatenate([x[row : row + 1] @ weights for row in range(len(x))])

    return product


def _full_sums(input_weights: Array, hidden_weights: Array, bias: Array) -> GateSums:
    """Return float32 `GateSums`; `precompute` multiplies x by W, faster for many rows at once."""
    product = _full(input_weights)

    def precompute(x: Quantized) -> Quantized:
        result = product(x)
        result += bias
        return result

    return GateSums(precompute, table_sums(_full(hidden_weights)).complete)


def table_sums(hidden_product: Product) -> GateSums:
    """Return the `GateSums` of the first layer, which take x @ W + bias, as the heads compute it.

    hidden_product: multiplies by U.
    """

    def complete(precomputed: Quantized, h: Quantized) -> Array:
        result = hidden_product(h)
        result += precomputed
        return result

    return GateSums(_identity, complete)


def _to_int8(x: Array) -> Quantized:
    """Quantize x within −1 … 1 to 8-bit integers, in steps of 1 / 127."""
    levels: Quantized = np.rint(x * _LEVELS).astype(np.int8)
    return levels


def _fast(weights: Array) -> Product:
    """Return the function that multiplies by weights (I, J), both rounded to 8-bit integers.

    Each column of the weights has its own scale (symmetric quantization, as in Jacob et al. 2018),
    and the integers are summed exactly. Rounding causes an error of about 1/400 of a column's norm.
    """
    scales = np.abs(weights).max(0, initial=0.0, keepdims=True) / _LEVELS  # (1, J)
    scales[scales == 0] = 1.0
    packed = numkong.dots_pack(
        np.ascontiguousarray(np.rint(weights / scales).astype(np.int8).T), dtype="int8"
    )
    scales /= _LEVELS

    def product(levels: Quantized) -> Array:
        sums = np.asarray(numkong.dots_packed(levels, packed))  # (N, J) int32
        result: Array = sums.astype(np.float32)
        result *= scales
        return result

    return product


def _fast_sums(input_weights: Array, hidden_weights: Array, bias: Array) -> GateSums:
    """Return 8-bit `GateSums` that multiply x and h in one product, which has a fixed cost.

    Multiplying the x of many rows in advance would gain little.
    """
    product = _fast(np.concatenate([input_weights, hidden_weights]))

    def complete(x: Quantized, h: Quantized) -> Array:
        result = product(np.concatenate((x, h), 1))
        result += bias
        return result

    return GateSums(_identity, complete)


def _identity(x: Quantized) -> Quantized:
    return x


FULL = Precision(_identity, _full, _full_sums, 1.0)
PRECISIONS = {"fast": Precision(_to_int8, _fast, _fast_sums, 1 / 127), "full": FULL}
