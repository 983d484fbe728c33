"""Weights as they are multiplied when sampling: in full precision, or as 8-bit integers.

A product of one row is over when its weights have come from the memory, so fewer bits a weight are
so many times faster. Rows are independent of each other: one gives the same result to the last bit
alone and among others, in fast products always, in full ones among up to `TOGETHER` rows.
"""

from collections.abc import Callable

import numkong
import numpy as np

from engine.sample.cells import Array, Product

TOGETHER = 16  # up to so many rows one product each is faster, beyond it one for all
_LEVELS = np.float32(127)


def full(weights: Array) -> Product:
    """x @ weights in float32, from weights (I, J)."""

    def product(x: Array) -> Array:
        if len(x) == 1 or len(x) > TOGETHER:
            return x @ weights
        return np.concatenate([x[row : row + 1] @ weights for row in range(len(x))])

    return product


def fast(weights: Array) -> Product:
    """x @ weights with both in 8-bit integers, from weights (I, J), for x within −1 … 1.

    Each column of the weights has a scale of its own, x the scale 1 / 127 (symmetric quantisation,
    as in Jacob et al. 2018); sums are exact. Adds an error of about 1/400 of a column's norm.
    """
    scales = np.abs(weights).max(0, initial=0.0) / _LEVELS  # (J)
    scales[scales == 0] = 1.0
    packed = numkong.dots_pack(
        np.ascontiguousarray(np.rint(weights / scales).astype(np.int8).T), dtype="int8"
    )
    scales /= _LEVELS

    def product(x: Array) -> Array:
        levels = np.rint(x * _LEVELS).astype(np.int8)
        sums = np.asarray(numkong.dots_packed(levels, packed))  # (N, J) int32
        result: Array = sums.astype(np.float32) * scales
        return result

    return product


PRECISIONS: dict[str, Callable[[Array], Product]] = {"fast": fast, "full": full}
