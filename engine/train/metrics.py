"""Sums up the training steps between two reports."""

import math
import time

import psutil
import torch
from torch import Tensor

from engine.config import TrainConfig
from engine.errors import WorkError
from engine.runs import events
from engine.runs.event_log import EventLog
from engine.train.state import TrainState


class StepMeter:
    """The mean loss, the gradient's norm and the speed since the last report, of all ranks."""

    def __init__(self, training: TrainState, settings: TrainConfig, log: EventLog) -> None:
        self._training, self._settings, self._log = training, settings, log
        self._process = psutil.Process()
        self._clear()

    def _clear(self) -> None:
        self._sums = torch.zeros(2, device=self._training.device)  # of the loss and the norm
        self._count, self._frames, self._seconds, self._rate = 0, 0, 0.0, 0.0

    def add(self, loss: Tensor, norm: Tensor, rate: float, frames: int, seconds: float) -> None:
        """Take in one step; the tensors are not looked at before the report."""
        self._sums += torch.stack((loss, norm))
        self._count += 1
        self._frames += frames
        self._seconds += seconds
        self._rate = rate
        self._training.elapsed += seconds

    def report(self) -> None:
        """Say how the steps since the last report went; WorkError if they left the numbers.

        All ranks must report at the same step; they hear the same figures.
        """
        if not self._count:
            return
        training, settings = self._training, self._settings
        ranks, memory = training.ranks, self._process.memory_info().rss / 1e6
        began = time.perf_counter()
        sums = self._sums.cpu()  # waits for what CUDA was told to do in those steps
        waited = time.perf_counter() - began
        self._seconds += waited
        training.elapsed += waited
        figures = torch.cat((sums / self._count, torch.tensor([memory])))
        *means, memory = ranks.sum(figures).tolist()
        loss, norm = (events.finite_or_none(value / ranks.size) for value in means)
        left = settings.steps - training.step
        self._log.append(
            events.Step(
                step=training.step,
                loss=loss,
                bits=None if loss is None else loss / math.log(2),
                lr=self._rate,
                grad_norm=norm,
                frames_per_second=self._frames / self._seconds,
                memory_mb=memory,
                elapsed=training.elapsed,
                remaining=training.elapsed / training.step * left,
            )
        )
        if loss is None or norm is None:
            raise not_finite_error("loss" if loss is None else "gradient", training.step, settings)
        self._clear()


def not_finite_error(what: str, step: int, settings: TrainConfig) -> WorkError:
    """The error for a figure that has become infinite or NaN."""
    return WorkError(
        f"The {what} is no longer a number at step {step}: resume from the last checkpoint with a "
        f"lower rate (--set train.lr={settings.lr / 3:.2g}), or clip harder (train.grad_clip)."
    )
