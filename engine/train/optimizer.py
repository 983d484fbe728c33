"""AdamW, the schedule of its learning rate, and the moving average of the weights."""

import math

import torch
from torch import nn

from engine.config import TrainConfig
from engine.model.network import Network


def learning_rate(config: TrainConfig, step: int) -> float:
    """Return the learning rate of a step, counted from 1.

    It rises linearly to `lr` in `warmup` steps, then falls along a cosine to `min_lr_ratio` · `lr`
    at the last step (Loshchilov & Hutter 2017, "SGDR", without restarts).
    """
    if step <= config.warmup:
        return config.lr * step / config.warmup
    progress = min(1.0, (step - config.warmup) / max(1, config.steps - config.warmup))
    lowest = config.lr * config.min_lr_ratio
    return lowest + (config.lr - lowest) * 0.5 * (1 + math.cos(math.pi * progress))


def set_learning_rate(optimizer: torch.optim.Optimizer, config: TrainConfig, step: int) -> float:
    """Set each group's learning rate to that of the step times the group's `scale`.

    Returns the learning rate of the step.
    """
    rate = learning_rate(config, step)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["scale"]
    return rate


@torch.no_grad()
def scale_output_weights(network: Network, config: TrainConfig) -> None:
    """Multiply the initial output weights by `output_scale`.

    Output weights are those that multiply hidden states (`Network.output_weights`). Hidden states
    are much smaller than 1 at first, so that at the common learning rate the products with these
    weights would change more slowly than those with other weights. This scale, and that of their
    learning rate in `build_optimizer`, has the effect of scaling the hidden states, at no cost.
    """
    for weight in network.output_weights():
        weight.mul_(config.output_scale)


def build_optimizer(network: Network, config: TrainConfig) -> torch.optim.AdamW:
    """Build AdamW (Loshchilov & Hutter 2019) with three groups of weights.

    1. Matrices except output weights: learning rate `lr`, weight decay `weight_decay`.
    2. Vectors, which are biases: learning rate `lr`, no weight decay.
    3. Output weights (see `scale_output_weights`): learning rate `lr` · `output_scale`, weight
       decay `weight_decay` / `output_scale`. In each step AdamW shrinks a weight by the product of
       its learning rate and its weight decay, which is thus the same as in group 1.

    The key `scale` of a group is the factor of its learning rate, for `set_learning_rate`.
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

    d is 0 at step 1 and then rises as step / (step + 9), which is common, until it reaches
    `ema_decay`, so that the weights of the first steps are soon forgotten. The caller counts the
    steps: to read a count from the device would mean to wait for CUDA.
    """
    decay = min(config.ema_decay, step / (step + 9)) if step > 1 else 0.0
    torch._foreach_lerp_(list(ema.parameters()), list(network.parameters()), 1 - decay)
