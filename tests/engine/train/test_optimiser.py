"""The learning rate's course, what decays, and what the average follows."""

import copy

import pytest
import torch
from torch import nn

from engine.config import TrainConfig
from engine.train.optimiser import follow, learning_rate, optimizer

CONFIG = TrainConfig(lr=0.01, warmup=10, steps=110, final_lr=0.1)


def test_the_rate_rises_in_a_line_then_falls_as_a_cosine() -> None:
    assert learning_rate(CONFIG, 1) == pytest.approx(0.001)
    assert learning_rate(CONFIG, 10) == pytest.approx(0.01)
    assert learning_rate(CONFIG, 60) == pytest.approx(0.0055)  # half way between top and bottom
    assert learning_rate(CONFIG, 110) == pytest.approx(0.001)
    rates = [learning_rate(CONFIG, step) for step in range(10, 111)]
    assert rates == sorted(rates, reverse=True)


def test_without_warmup_or_fall_the_rate_is_constant() -> None:
    flat = TrainConfig(lr=0.01, warmup=0, steps=50, final_lr=1.0)
    assert {learning_rate(flat, step) for step in range(1, 51)} == {0.01}


def test_only_matrices_decay() -> None:
    layer = nn.Linear(3, 2)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    adam = optimizer(layer, TrainConfig(lr=0.1, weight_decay=0.5))
    for parameter in layer.parameters():
        parameter.grad = torch.zeros_like(parameter)
    adam.step()
    torch.testing.assert_close(layer.weight.data, before["weight"] * (1 - 0.1 * 0.5))
    torch.testing.assert_close(layer.bias.data, before["bias"])


def test_the_average_follows_by_its_own_formula() -> None:
    layer = nn.Linear(2, 2)
    average = copy.deepcopy(layer)
    expected = layer.weight.detach().clone()
    for step in range(1, 201):
        with torch.no_grad():
            layer.weight.add_(torch.randn(2, 2))
        follow(average, layer, TrainConfig(average=0.9), step)
        keep = 0.0 if step == 1 else min(0.9, step / (9 + step))  # the first is a copy
        expected = keep * expected + (1 - keep) * layer.weight.detach()
    torch.testing.assert_close(average.weight.data, expected)


def test_without_average_it_is_the_network() -> None:
    layer = nn.Linear(2, 2)
    average = copy.deepcopy(layer)
    for step in range(1, 4):
        with torch.no_grad():
            layer.weight.add_(1)
        follow(average, layer, TrainConfig(average=0.0), step)
    torch.testing.assert_close(average.weight.data, layer.weight.data)
