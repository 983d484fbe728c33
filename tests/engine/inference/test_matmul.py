"""Products in both precisions against their definitions, and rows against each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.inference.matmul import FULL, MAX_SINGLE_ROWS, PRECISIONS

FAST = PRECISIONS["fast"]

sizes = st.integers(1, 70)


def draw(seed: int, rows: int, inputs: int, outputs: int) -> tuple[NDArray[np.float32], ...]:
    rng = np.random.default_rng(seed)
    x = np.tanh(rng.standard_normal((rows, inputs))).astype(np.float32)
    return x, rng.standard_normal((inputs, outputs)).astype(np.float32)


@settings(deadline=None)
@given(st.integers(0, 99), st.integers(1, 40), sizes, sizes)
def test_full_products_are_the_products(seed: int, rows: int, inputs: int, outputs: int) -> None:
    x, weights = draw(seed, rows, inputs, outputs)
    np.testing.assert_allclose(
        FULL.product(weights)(x), x.astype(float) @ weights, rtol=0, atol=1e-4
    )


@settings(deadline=None)
@given(st.integers(0, 99), st.integers(1, 40), sizes, sizes)
def test_fast_products_are_those_of_rounded_numbers(
    seed: int, rows: int, inputs: int, outputs: int
) -> None:
    x, weights = draw(seed, rows, inputs, outputs)
    scale = np.abs(weights).max(0) / 127
    rounded = np.rint(weights / scale).astype(int)
    expected = (np.rint(x * np.float32(127)).astype(int) @ rounded) * (scale / 127)
    np.testing.assert_allclose(
        FAST.product(weights)(FAST.quantize(x)), expected, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("rows", [2, 3, MAX_SINGLE_ROWS])
def test_a_row_gives_the_same_to_the_last_bit_alone_and_among_others(
    precision: str, rows: int
) -> None:
    x, weights = draw(1, rows, 384, 1536)
    arithmetic = PRECISIONS[precision]
    product, x = arithmetic.product(weights), arithmetic.quantize(x)
    together = product(x)
    for row in range(rows):
        np.testing.assert_array_equal(product(x[row : row + 1])[0], together[row])


def test_fast_rows_are_independent_however_many_there_are() -> None:
    x, weights = draw(2, 100, 300, 500)
    product, x = FAST.product(weights), FAST.quantize(x)
    np.testing.assert_array_equal(product(x)[77], product(x[77:78])[0])


def test_columns_of_zeros_give_zero() -> None:
    x, weights = draw(3, 2, 9, 4)
    weights[:, 1] = 0
    for arithmetic in PRECISIONS.values():
        assert (arithmetic.product(weights)(arithmetic.quantize(x))[:, 1] == 0).all()


@pytest.mark.parametrize(("precision", "tolerance"), [("full", 1e-5), ("fast", 0.3)])
@pytest.mark.parametrize("rows", [1, 3, MAX_SINGLE_ROWS + 1])
def test_sums_are_those_of_both_products_and_the_bias(
    precision: str, tolerance: float, rows: int
) -> None:
    x, input_weights = draw(4, rows, 30, 20)
    h, hidden_weights = draw(5, rows, 20, 20)
    bias = np.linspace(-1, 1, 20, dtype=np.float32)
    arithmetic = PRECISIONS[precision]
    layer = arithmetic.gate_sums(input_weights, hidden_weights, bias)
    quantized_x, quantized_h = arithmetic.quantize(x), arithmetic.quantize(h)
    got = layer.complete(layer.precompute(quantized_x), quantized_h)
    expected = x @ input_weights + h @ hidden_weights + bias
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)
    alone = layer.complete(layer.precompute(quantized_x[:1]), quantized_h[:1])
    np.testing.assert_allclose(got[:1], alone, rtol=0, atol=1e-5)
