"""The schedule of the learning rate, weight decay, scaled output weights, the moving average."""

import copy

import pytest
import torch
from torch import nn
from torch.func import functional_call

from engine.config import ModelConfig, TrainConfig
from engine.frame_spec import FrameSpec
from engine.model.network import Network
from engine.model.window import Window
from engine.train.optimizer import (
    build_optimizer,
    learning_rate,
    scale_output_weights,
    set_learning_rate,
    update_ema,
)

CONFIG = TrainConfig(lr=0.01, warmup=10, steps=110, min_lr_ratio=0.1)


def test_the_learning_rate_rises_linearly_then_falls_as_a_cosine() -> None:
    assert learning_rate(CONFIG, 1) == pytest.approx(0.001)
    assert learning_rate(CONFIG, 10) == pytest.approx(0.01)
    assert learning_rate(CONFIG, 60) == pytest.approx(0.0055)  # half way between top and bottom
    assert learning_rate(CONFIG, 110) == pytest.approx(0.001)
    rates = [learning_rate(CONFIG, step) for step in range(10, 111)]
    assert rates == sorted(rates, reverse=True)


def test_without_warmup_or_decay_the_learning_rate_is_constant() -> None:
    flat = TrainConfig(lr=0.01, warmup=0, steps=50, min_lr_ratio=1.0)
    assert {learning_rate(flat, step) for step in range(1, 51)} == {0.01}


class _Nats(nn.Module):
    """The loss of a network as a module, for `functional_call`."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, window: Window) -> torch.Tensor:
        nats, _ = self.network.nats(window, self.network.zero_state(2))
        return nats.sum()


def _network(tied: bool = False) -> Network:
    model = ModelConfig(layers=2, hidden_size=6, embedding_size=4, dropout=0.0, tied=tied)
    return Network(model, FrameSpec("characters", 9), 0)


def test_all_matrices_decay_equally_and_biases_do_not() -> None:
    network = _network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    adam = build_optimizer(network, TrainConfig(lr=0.1, weight_decay=0.5, output_scale=4.0))
    set_learning_rate(adam, TrainConfig(lr=0.1, warmup=0, min_lr_ratio=1.0), 1)
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    adam.step()
    for name, parameter in network.named_parameters():
        kept = 1 - 0.1 * 0.5 if parameter.ndim > 1 else 1.0
        torch.testing.assert_close(parameter.data, before[name] * kept)


@pytest.mark.parametrize("tied", [False, True])
def test_scaled_output_weights_equal_scaled_hidden_states(tied: bool) -> None:
    """Compare with the same network whose hidden states are multiplied by 4."""
    scale, config = 4.0, TrainConfig(lr=0.01, warmup=0, weight_decay=0.3, output_scale=4.0)
    torch.manual_seed(1)
    network = _network(tied).double()
    plain = copy.deepcopy(network)  # whose forward pass below multiplies by the scale
    scale_output_weights(network, config)
    adam = build_optimizer(network, config)
    other = torch.optim.AdamW(
        [
            {"params": [p for p in plain.parameters() if p.ndim > 1], "weight_decay": 0.3},
            {"params": [p for p in plain.parameters() if p.ndim == 1], "weight_decay": 0.0},
        ],
        lr=0.01,
    )
    for group in (*adam.param_groups, *other.param_groups):
        group["eps"] = 1e-18  # small beside gradients that differ by the scale
    names = {id(p): name for name, p in network.named_parameters()}
    output_weights = [names[id(p)] for p in network.output_weights()]
    assert output_weights == ["cells.1.input", "head.project" if tied else "head.weight"]
    song = torch.randint(1, 9, (7, 2))
    window = Window(song[:-1], song[1:], torch.zeros(6, 2, dtype=torch.bool), song[1:] * 0)
    for _ in range(3):
        for one, times in ((network, 1.0), (plain, scale)):
            scaled = {
                f"network.{name}": p * (times if name in output_weights else 1.0)
                for name, p in one.named_parameters()
            }
            one.zero_grad()
            functional_call(_Nats(one), scaled, (window,)).backward()
        adam.step()
        other.step()
    for (name, ours), theirs in zip(network.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs * (scale if name in output_weights else 1.0))


def test_the_average_follows_its_formula() -> None:
    layer = nn.Linear(2, 2)
    ema = copy.deepcopy(layer)
    expected = layer.weight.detach().clone()
    for step in range(1, 201):
        with torch.no_grad():
            layer.weight.add_(torch.randn(2, 2))
        update_ema(ema, layer, TrainConfig(ema_decay=0.9), step)
        keep = 0.0 if step == 1 else min(0.9, step / (9 + step))  # the first is a copy
        expected = keep * expected + (1 - keep) * layer.weight.detach()
    torch.testing.assert_close(ema.weight.data, expected)


def test_without_averaging_it_equals_the_network() -> None:
    layer = nn.Linear(2, 2)
    ema = copy.deepcopy(layer)
    for step in range(1, 4):
        with torch.no_grad():
            layer.weight.add_(1)
        update_ema(ema, layer, TrainConfig(ema_decay=0.0), step)
    torch.testing.assert_close(ema.weight.data, layer.weight.data)
