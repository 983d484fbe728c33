"""AdamW, its learning rate over the steps, and the moving average of the weights."""

import math

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from engine.config import TrainConfig


def learning_rate(config: TrainConfig, step: int) -> float:
    """The rate of step 1, 2, …: a linear warm-up, then a cosine down to `final_lr` of the top.

    The cosine is that of Loshchilov & Hutter 2017, without restarts.
    """
    if step <= config.warmup:
        return config.lr * step / config.warmup
    share = min(1.0, (step - config.warmup) / max(1, config.steps - config.warmup))
    low = config.lr * config.final_lr
    return low + (config.lr - low) * 0.5 * (1 + math.cos(math.pi * share))


def optimizer(network: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019); biases do not decay."""
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim == 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.lr, fused=True)


def averaged(network: nn.Module, config: TrainConfig) -> AveragedModel:
    """A copy of the network that follows it: weights ← d · weights + (1 − d) · network's.

    d rises from 0.1 to `config.average`, so that the first steps are soon forgotten
    (Polyak & Juditsky 1992; the rise is that of the exponential average in common use).
    """

    @torch.no_grad()
    def follow(averages: list[Tensor], weights: list[Tensor], count: Tensor) -> None:
        n = int(count)
        keep = min(config.average, (1 + n) / (10 + n))
        torch._foreach_lerp_(averages, weights, 1 - keep)

    return AveragedModel(network, multi_avg_fn=follow)  # type: ignore[arg-type]
