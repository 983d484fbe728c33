"""The cells against their equations, written out unit by unit in double precision."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.inference.cells import CELLS

H, N = 5, 3


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


Tensors = dict[str, NDArray[np.float32]]


def gate(
    tensors: Tensors, x: NDArray[Any], h: NDArray[Any], index: int, unit: int
) -> tuple[float, float]:
    """Return the input's and the state's part of one gate of one unit, for one row."""
    column = index * H + unit
    weights, bias = tensors["cells.0.hidden"][:, column], tensors["cells.0.bias"][column]
    return float(x[column] + bias), sum(float(h[j]) * float(weights[j]) for j in range(H))


def rnn(tensors: Tensors, x: NDArray[Any], state: list[NDArray[Any]]) -> list[list[float]]:
    return [[math.tanh(sum(gate(tensors, x, state[0], 0, u))) for u in range(H)]]


def gru(tensors: Tensors, x: NDArray[Any], state: list[NDArray[Any]]) -> list[list[float]]:
    h = state[0]
    new = []
    for u in range(H):
        r, z = (sigmoid(sum(gate(tensors, x, h, index, u))) for index in (0, 1))
        x_n, h_n = gate(tensors, x, h, 2, u)
        n = math.tanh(x_n + r * (h_n + float(tensors["cells.0.hidden_bias"][u])))
        new.append((1 - z) * n + z * float(h[u]))
    return [new]


def lstm(tensors: Tensors, x: NDArray[Any], state: list[NDArray[Any]]) -> list[list[float]]:
    h, c = state
    outputs, cells = [], []
    for u in range(H):
        i, f, o = (sigmoid(sum(gate(tensors, x, h, index, u))) for index in (0, 1, 2))
        g = math.tanh(sum(gate(tensors, x, h, 3, u)))
        cells.append(f * float(c[u]) + i * g)
        outputs.append(o * math.tanh(cells[-1]))
    return [outputs, cells]


@pytest.mark.parametrize(("kind", "reference"), [("rnn", rnn), ("gru", gru), ("lstm", lstm)])
def test_equals_its_equations(kind: str, reference: Callable[..., list[list[float]]]) -> None:
    cell = CELLS[kind]
    gates, states = cell.spec.gates, cell.spec.states
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> NDArray[np.float32]:
        return rng.standard_normal(shape).astype(np.float32)

    tensors = {"cells.0.hidden": draw(H, gates * H), "cells.0.bias": draw(gates * H)}
    if cell.spec.hidden_bias:
        tensors["cells.0.hidden_bias"] = draw(H)
    state = [draw(N, H) for _ in range(states)]
    for _ in range(4):  # steps, so that errors in the state add up
        x = draw(N, gates * H)
        expected = [reference(tensors, x[row], [s[row] for s in state]) for row in range(N)]
        packed = cell.pack_gates({**tensors, "cells.0.input": x})
        sums = packed["cells.0.input"] + packed["cells.0.bias"]
        sums += state[0] @ packed["cells.0.hidden"]
        new = cell.step(sums, *state)
        for index in range(states):
            wanted = [rows[index] for rows in expected]
            np.testing.assert_allclose(new[index], wanted, rtol=1e-4, atol=1e-6)
            assert new[index].dtype == np.float32
        state = list(new)


@pytest.mark.parametrize("kind", CELLS)
def test_huge_inputs_saturate_without_a_warning(kind: str) -> None:
    cell = CELLS[kind]
    state = [np.ones((1, H), np.float32)] * cell.spec.states
    size = len(cell.input_blocks) * H
    with np.errstate(all="raise", under="ignore"):
        for sign in (1e30, -1e30):
            new = cell.step(np.full((1, size), sign, np.float32), *state)
            assert all(np.isfinite(array).all() for array in new)
