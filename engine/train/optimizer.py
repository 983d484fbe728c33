"""AdamW, the schedule of its learning rate, and the moving average of the weights."""

import math

import torch
from torch import nn

from engine.config import TrainConfig
from engine.model.network import Network


def learning_rate(config: TrainConfig, step: int) -> float:
    """Return the learning rate of a step, counted from 1.

    It rises linearly to `lr` in `warmup` steps, then falls as a cosine to `min_lr_ratio` of it at
    the last step (Loshchilov & Hutter 2017, "SGDR", without restarts).
    """
    if step <= config.warmup:
        return config.lr * step / config.warmup
    progress = min(1.0, (step - config.warmup) / max(1, config.steps - config.warmup))
    lowest = config.lr * config.min_lr_ratio
    return lowest + (config.lr - lowest) * 0.5 * (1 + math.cos(math.pi * progress))


def set_learning_rate(optimizer: torch.optim.Optimizer, config: TrainConfig, step: int) -> float:
    """Set the optimizer's learning rate for a step, and return it."""
    rate = learning_rate(config, step)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["scale"]
    return rate


@torch.no_grad()
def scale_output_weights(network: Network, config: TrainConfig) -> None:
    """Multiply the initial weights of layers that read hidden states by `output_scale`.

    Together with `build_optimizer` this equals scaling the hidden states, at no cost. Initially
    they are much smaller than 1, and the weights that read them would lag behind the others.
    """
    for weight in network.output_weights():
        weight.mul_(config.output_scale)


def build_optimizer(network: Network, config: TrainConfig) -> torch.optim.AdamW:
    """Build AdamW (Loshchilov & Hutter 2019) with three groups of weights.

    Matrices decay and biases do not. Output weights have a learning rate `output_scale` times as
    large; as AdamW multiplies the decay by the rate, theirs is divided to equal that of the others.
    """
    output_weights = network.output_weights()
    ids = {id(weight) for weight in output_weights}
    others = [weight for weight in network.parameters() if id(weight) not in ids]
    decay, scale = config.weight_decay, config.output_scale
    groups = [
        {"params": [p for p in others if p.ndim > 1], "weight_decay": decay, "scale": 1.0},
        {"params": [p for p in others if p.ndim == 1], "weight_decay": 0.0, "scale": 1.0},
        {
            "params": output_weights,
            "weight_decay": decay / scale,
            "scale": scale,
            "lr": config.lr * scale,
        },
    ]
    return torch.optim.AdamW(groups, lr=config.lr, fused=True)


@torch.no_grad()
def update_ema(ema: nn.Module, network: nn.Module, config: TrainConfig, step: int) -> None:
    """Update the average in place: ema ← d · ema + (1 − d) · network (Polyak & Juditsky 1992).

    d rises from 0 to `ema_decay` as step / (step + 9), as in common use, so that the first steps
    soon lose their weight. The caller counts the steps: reading a count from the device would wait
    for it.
    """
    decay = min(config.ema_decay, step / (step + 9)) if step > 1 else 0.0
    torch._foreach_lerp_(list(ema.parameters()), list(network.parameters()), 1 - decay)
