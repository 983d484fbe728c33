"""Weights as they are multiplied when sampling: in full precision, or as 8-bit integers.

A product of one row is over when its weights have come from the memory, so fewer bits a weight are
so many times faster. Rows are independent of each other: one gives the same result to the last bit
alone and among others, in fast products always, in full ones among up to `TOGETHER` rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numkong
import numpy as np
from numpy.typing import NDArray

from engine.inference.cells import Array

Quantized = NDArray[Any]  # x (N, I) as products take it
Product = Callable[[Quantized], Array]  # x → x @ weights (N, J), an array of its own

MAX_SINGLE_ROWS = 16  # up to so many rows one product each is faster, beyond it one for all
_LEVELS = np.array(127, np.float32)  # an array: NumPy takes longer to convert a scalar


@dataclass(frozen=True)
class GateSums:
    """below @ W + own @ U + bias, in two stages: sums(ahead(below), own).

    A song that is read has all that is below at once; as much is done ahead as is faster so.
    """

    ahead: Callable[[Quantized], Quantized]  # of any number of rows
    sums: Callable[[Quantized, Quantized], Array]  # (N, J), an array of its own


@dataclass(frozen=True)
class Precision:
    """One way to multiply: `product(weights)(ready(x))` is x @ weights.

    What several products multiply is made ready for them once.
    """

    ready: Callable[[Array], Quantized]
    product: Callable[[Array], Product]
    sums: Callable[[Array, Array, Array], GateSums]  # from W, U, bias (1, J)
    unit: float  # ready(x) · unit is x, but for rounding


def _full(weights: Array) -> Product:
    """x @ weights in float32, from weights (I, J)."""

    def product(x: Quantized) -> Array:
        if len(x) == 1 or len(x) > MAX_SINGLE_ROWS:
            result: Array = x @ weights
            return result
        return np.concatenate([x[row : row + 1] @ weights for row in range(len(x))])

    return product


def _full_sums(below: Array, own: Array, bias: Array) -> GateSums:
    """Two products: many rows at once are faster."""
    product = _full(below)

    def ahead(x: Quantized) -> Quantized:
        result = product(x)
        result += bias
        return result

    return GateSums(ahead, table_sums(_full(own)).sums)


def table_sums(own: Product) -> GateSums:
    """Those of a first layer: all but the product of its own output is known ahead, by tables."""

    def sums(ahead: Quantized, x: Quantized) -> Array:
        result = own(x)
        result += ahead
        return result

    return GateSums(_same, sums)


def _levels(x: Array) -> Quantized:
    """X within −1 … 1 in 8-bit integers, on the scale 1 / 127."""
    levels: Quantized = np.rint(x * _LEVELS).astype(np.int8)
    return levels


def _fast(weights: Array) -> Product:
    """x @ weights with both in 8-bit integers, from weights (I, J).

    Each column of the weights has a scale of its own (symmetric quantisation, as in Jacob et al.
    2018); sums are exact. Adds an error of about 1/400 of a column's norm.
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


def _fast_sums(below: Array, own: Array, bias: Array) -> GateSums:
    """One product for both: it has a fixed cost, and gains little by many rows."""
    both = _fast(np.concatenate([below, own]))

    def sums(x: Quantized, own: Quantized) -> Array:
        result = both(np.concatenate((x, own), 1))
        result += bias
        return result

    return GateSums(_same, sums)


def _same(x: Quantized) -> Quantized:
    return x


FULL = Precision(_same, _full, _full_sums, 1.0)
PRECISIONS = {"fast": Precision(_levels, _fast, _fast_sums, 1 / 127), "full": FULL}
