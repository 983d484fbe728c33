"""The layers, compared with a naive cell written gate by gate: values and gradients, in float64."""

import pytest
import torch
from torch import Tensor

from engine.config import CELL_SPECS
from engine.model.cells import SCANS, prepare_resets

T, L, INPUTS, H = 7, 3, 4, 5


def naive_step(
    kind: str, x: Tensor, state: list[Tensor], weights: dict[str, Tensor]
) -> list[Tensor]:
    """Run one step of one cell, each gate by its own formula."""
    h = state[0]
    size = h.shape[1]

    def gate(index: int) -> tuple[Tensor, Tensor]:
        part = slice(index * size, (index + 1) * size)
        from_input = x @ weights["input"][:, part] + weights["bias"][part]
        return from_input, h @ weights["hidden"][:, part]

    if kind == "rnn":
        a, b = gate(0)
        return [torch.tanh(a + b)]
    if kind == "gru":
        r = torch.sigmoid(sum(gate(0)))  # type: ignore[arg-type]
        z = torch.sigmoid(sum(gate(1)))  # type: ignore[arg-type]
        a, b = gate(2)
        n = torch.tanh(a + r * (b + weights["hidden_bias"]))
        return [(1 - z) * n + z * h]
    i = torch.sigmoid(sum(gate(0)))  # type: ignore[arg-type]
    f = torch.sigmoid(sum(gate(1)))  # type: ignore[arg-type]
    o = torch.sigmoid(sum(gate(2)))  # type: ignore[arg-type]
    g = torch.tanh(sum(gate(3)))  # type: ignore[arg-type]
    c = f * state[1] + i * g
    return [o * torch.tanh(c), c]


def naive_layer(
    kind: str, x: Tensor, state: list[Tensor], weights: dict[str, Tensor], reset: Tensor
) -> tuple[Tensor, list[Tensor]]:
    outputs = []
    for t in range(len(x)):
        state = [torch.where(reset[t][:, None], torch.zeros_like(s), s) for s in state]
        state = naive_step(kind, x[t], state, weights)
        outputs.append(state[0])
    return torch.stack(outputs), state


def make(kind: str) -> tuple[Tensor, dict[str, Tensor], list[Tensor]]:
    generator = torch.Generator().manual_seed(1)

    def random(*shape: int) -> Tensor:
        values = torch.randn(*shape, generator=generator, dtype=torch.float64) * 0.7
        return values.requires_grad_()

    cell = CELL_SPECS[kind]
    weights = {
        "input": random(INPUTS, cell.gates * H),
        "bias": random(cell.gates * H),
        "hidden": random(H, cell.gates * H),
    }
    if cell.hidden_bias:
        weights["hidden_bias"] = random(H)
    return random(T, L, INPUTS), weights, [random(L, H) for _ in range(cell.states)]


@pytest.mark.parametrize("kind", SCANS)
@pytest.mark.parametrize("resetting", [False, True])
def test_values_and_gradients_equal_those_of_the_naive_cell(kind: str, resetting: bool) -> None:
    x, weights, state = make(kind)
    reset = torch.zeros(T, L, dtype=torch.bool)
    if resetting:
        reset[0, 1] = reset[3, 0] = reset[3, 2] = reset[6, 1] = True
    outputs, *last = SCANS[kind](x, *weights.values(), prepare_resets(reset, x.dtype), *state)
    expected, expected_last = naive_layer(kind, x, state, weights, reset)
    torch.testing.assert_close(outputs, expected, rtol=1e-12, atol=1e-12)
    for state_ours, state_theirs in zip(last, expected_last, strict=True):
        torch.testing.assert_close(state_ours, state_theirs, rtol=1e-12, atol=1e-12)

    # A loss that reaches the outputs and the last state, with a different weight everywhere.
    def loss(out: Tensor, final: list[Tensor]) -> Tensor:
        parts = [out, *final]
        return sum((p * torch.arange(p.numel()).view_as(p).cos()).sum() for p in parts)  # type: ignore[return-value]

    leaves = [x, *weights.values(), *state]
    ours = torch.autograd.grad(loss(outputs, list(last)), leaves)
    theirs = torch.autograd.grad(loss(expected, expected_last), leaves)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_a_second_backward_pass_is_an_error(kind: str) -> None:
    x, weights, state = make(kind)
    resets = prepare_resets(torch.zeros(T, L, dtype=torch.bool), x.dtype)
    outputs = SCANS[kind](x, *weights.values(), resets, *state)[0]
    outputs.sum().backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        outputs.sum().backward()
