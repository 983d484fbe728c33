"""Matrix products for sampling: in float32 ("full"), or with 8-bit integers ("fast").

The time of a product of one row is that of reading its weights from memory, so it falls with the
bits of a weight. Rows are independent of each other: a row has the same result to the last bit
alone and among others, in fast products always, in full ones among up to `MAX_SINGLE_ROWS` rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numkong
import numpy as np
from numpy.typing import NDArray

from engine.inference.cells import Array

Quantized = NDArray[Any]  # x (N, I) as products take it: int8 in fast precision, float32 in full
Product = Callable[[Quantized], Array]  # x → x @ weights (N, J), a new array

MAX_SINGLE_ROWS = 16  # with up to this many rows, one product a row is faster than one for all
_LEVELS = np.array(127, np.float32)  # an array: NumPy takes longer to convert a scalar


@dataclass(frozen=True)
class GateSums:
    """The pre-activations of a layer, x @ W + h @ U + bias, in two stages.

    `complete(precompute(x), h)`: when a song is read, all x are known at once, and whatever is
    faster for many rows is computed in the first stage.
    """

    precompute: Callable[[Quantized], Quantized]  # x, any number of rows
    complete: Callable[[Quantized, Quantized], Array]  # (N, J), a new array


@dataclass(frozen=True)
class Precision:
    """A way to multiply: `product(weights)(quantize(x))` is x @ weights.

    What several products multiply is quantized once.
    """

    quantize: Callable[[Array], Quantized]
    product: Callable[[Array], Product]
    gate_sums: Callable[[Array, Array, Array], GateSums]  # from W, U, bias (1, J)
    scale: float  # quantize(x) · scale is x, except for rounding


def _full(weights: Array) -> Product:
    """Return the product with weights (I, J) in float32."""

    def product(x: Quantized) -> Array:
        if len(x) == 1 or len(x) > MAX_SINGLE_ROWS:
            result: Array = x @ weights
            return result
        return np.concatenate([x[row : row + 1] @ weights for row in range(len(x))])

    return product


def _full_sums(input_weights: Array, hidden_weights: Array, bias: Array) -> GateSums:
    """Two products: the input's is faster for many rows at once."""
    product = _full(input_weights)

    def precompute(x: Quantized) -> Quantized:
        result = product(x)
        result += bias
        return result

    return GateSums(precompute, table_sums(_full(hidden_weights)).complete)


def table_sums(hidden_product: Product) -> GateSums:
    """Return the sums of a first layer, whose input's part and bias are looked up in tables."""

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
    """Return the product with weights (I, J), both factors as 8-bit integers.

    Each column of the weights has its own scale (symmetric quantization, as in Jacob et al. 2018);
    sums are exact. Adds an error of about 1/400 of a column's norm.
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
    """One product for both: a product has a fixed cost, and gains little by many rows."""
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
