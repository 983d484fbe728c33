"""AdamW, its learning rate over the steps, and the moving average of the weights."""

import math

import torch
from torch import nn

from engine.config import TrainConfig
from engine.model.network import Network


def learning_rate(config: TrainConfig, step: int) -> float:
    """The rate of step 1, 2, …: a linear warm-up, then a cosine down to `final_lr` of the top.

    The cosine is that of Loshchilov & Hutter 2017, without restarts.
    """
    if step <= config.warmup:
        return config.lr * step / config.warmup
    share = min(1.0, (step - config.warmup) / max(1, config.steps - config.warmup))
    low = config.lr * config.min_lr_ratio
    return low + (config.lr - low) * 0.5 * (1 + math.cos(math.pi * share))


def set_learning_rate(optimizer: torch.optim.Optimizer, config: TrainConfig, step: int) -> float:
    """Give the optimiser the learning rate of a step, and return it."""
    rate = learning_rate(config, step)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["scale"]
    return rate


@torch.no_grad()
def scale_output_weights(network: Network, config: TrainConfig) -> None:
    """Make fresh weights that read the layers' outputs larger, by `config.reader_scale`.

    With `optimizer` this is as if the outputs were so much larger, and costs nothing: they are so
    much smaller than 1 at first that what reads them would lag behind the rest.
    """
    for weight in network.output_weights():
        weight.mul_(config.output_scale)


def build_optimizer(network: Network, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019); biases do not decay, and readers take larger steps.

    Their decay, which AdamW multiplies by the rate, is what that of the others is.
    """
    readers = network.output_weights()
    apart = {id(weight) for weight in readers}
    others = [weight for weight in network.parameters() if id(weight) not in apart]
    decay, scale = config.weight_decay, config.output_scale
    groups = [
        {"params": [p for p in others if p.ndim > 1], "weight_decay": decay, "scale": 1.0},
        {"params": [p for p in others if p.ndim == 1], "weight_decay": 0.0, "scale": 1.0},
        {"params": readers, "weight_decay": decay / scale, "scale": scale, "lr": config.lr * scale},
    ]
    return torch.optim.AdamW(groups, lr=config.lr, fused=True)


@torch.no_grad()
def update_ema(average: nn.Module, network: nn.Module, config: TrainConfig, step: int) -> None:
    """After a step let the average's weights ← d · weights + (1 − d) · network's, in place.

    d rises from 0 to `config.average`, so that the first steps are soon forgotten
    (Polyak & Juditsky 1992; the rise is that of the exponential average in common use). The step
    is counted by the caller: a count on the device would be waited for.
    """
    keep = min(config.ema_decay, step / (step + 9)) if step > 1 else 0.0
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - keep)
