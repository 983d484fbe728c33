"""Running means of the loss, the gradient norm and the speed, reported every few steps."""

import math
import time

import psutil
import torch
from torch import Tensor

from engine.config import TrainConfig
from engine.errors import WorkError
from engine.runs.event_log import EventLog
from engine.runs.events import Step, finite_or_none
from engine.train.state import TrainState


class StepMeter:
    """Adds up the figures of steps, and reports their means over steps and ranks."""

    def __init__(self, training: TrainState, settings: TrainConfig, log: EventLog) -> None:
        self._training, self._settings, self._log = training, settings, log
        self._process = psutil.Process()
        self._reset()

    def _reset(self) -> None:
        # Of the loss and the gradient norm.
        self._sums = torch.zeros(2, device=self._training.device)
        self._count, self._frames, self._seconds, self._lr = 0, 0, 0.0, 0.0

    def add(self, loss: Tensor, grad_norm: Tensor, lr: float, frames: int, seconds: float) -> None:
        """Add one step, which took `seconds`; the other arguments are those of `StepResult`.

        The tensors are read in `report` only, so that not every step has to wait for CUDA.
        """
        self._sums += torch.stack((loss, grad_norm))
        self._count += 1
        self._frames += frames
        self._seconds += seconds
        self._lr = lr
        self._training.elapsed += seconds

    def report(self) -> None:
        """Append a Step event with means over all ranks and the steps since the last report.

        All ranks must call this at the same step. Raises WorkError, on all of them, when the mean
        loss or gradient norm is not finite.
        """
        if not self._count:
            return
        training, settings = self._training, self._settings
        ranks, memory = training.ranks, self._process.memory_info().rss / 1e6
        start = time.perf_counter()
        sums = self._sums.cpu()  # waits until CUDA has finished those steps
        waited = time.perf_counter() - start
        self._seconds += waited
        training.elapsed += waited
        figures = torch.cat((sums / self._count, torch.tensor([memory])))
        *means, memory = ranks.sum(figures).tolist()
        loss, grad_norm = (finite_or_none(value / ranks.size) for value in means)
        steps_left = settings.steps - training.step
        self._log.append(
            Step(
                step=training.step,
                loss=loss,
                bits=None if loss is None else loss / math.log(2),
                lr=self._lr,
                grad_norm=grad_norm,
                frames_per_second=self._frames / self._seconds,
                memory_mb=memory,
                elapsed=training.elapsed,
                remaining=training.elapsed / training.step * steps_left,
            )
        )
        if loss is None or grad_norm is None:
            raise not_finite_error("loss" if loss is None else "gradient", training.step, settings)
        self._reset()


def not_finite_error(what: str, step: int, settings: TrainConfig) -> WorkError:
    """Return the error for a figure, called `what`, that has become infinite or NaN."""
    return WorkError(
        f"The {what} is no longer a finite number at step {step}: resume from the last checkpoint "
        f"with a lower learning rate (--set train.lr={settings.lr / 3:.2g}) or stronger gradient "
        "clipping (train.grad_clip)."
    )
