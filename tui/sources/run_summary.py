"""What the Train page and the table of runs show of a run, as plain values."""

import calendar
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from engine.runs.events import Evaluated, Sampled, Started, Step
from engine.runs.run_dir import TIME_FORMAT, RunDir
from engine.runs.run_state import ACTIVE
from tui.formatting import (
    LOSS_UNITS,
    NOTHING,
    LossUnit,
    clean,
    duration,
    megabytes,
    short_number,
)

if TYPE_CHECKING:  # NumPy is imported after the first page is up
    import numpy as np
    from numpy.typing import NDArray


class StateStyle(NamedTuple):
    """How a run's state is shown."""

    mark: str
    color: str  # of the theme
    remedy: str = ""  # what has happened and what to do about it; "": nothing


STATES = {
    "starting": StateStyle("○", "$text-accent"),
    "live": StateStyle("●", "$text-success"),
    "stalled": StateStyle(
        "◐", "$text-warning", "Its process is running, but has reported nothing for 30 seconds."
    ),
    "finished": StateStyle("✓", "$text-success"),
    "stopped": StateStyle("■", "$text-accent", "Stopped. Press r to resume."),
    "failed": StateStyle("✗", "$text-error", "Press r to resume from the last checkpoint."),
    "crashed": StateStyle(
        "!",
        "$text-error",
        "Its process ended unexpectedly. Press r to resume from the last checkpoint.",
    ),
    "gone": StateStyle("-", "$text-error", "Its folder was deleted."),
}


@dataclass(frozen=True)
class MetricColumns:
    """The metrics of a run: of its N steps, (N,), and of its E evaluations, (E,); NaN: unknown."""

    step: "NDArray[np.float64]"
    loss: "NDArray[np.float64]"  # nats per frame
    lr: "NDArray[np.float64]"
    grad_norm: "NDArray[np.float64]"
    speed: "NDArray[np.float64]"  # frames per second
    elapsed: "NDArray[np.float64]"  # seconds of training
    valid_step: "NDArray[np.float64]"  # (E,)
    valid_loss: "NDArray[np.float64]"  # (E,) nats per frame


@dataclass(frozen=True)
class RunSummary:
    """A snapshot of a run, for the Train page."""

    run: RunDir
    state: str  # one of STATES
    kind: str  # "lyrics" or "music"
    model: str  # its description, for example "lstm 2 × 256"
    data_set: str
    unit: str  # what a frame is: "character" or "frame"
    step: int
    total_steps: int
    started: Started | None
    last_step: Step | None
    last_evaluation: Evaluated | None
    best_evaluation: Evaluated | None
    columns: MetricColumns
    samples: tuple[Sampled, ...]  # newest first
    doing: str  # what the trainer does between two steps, for example "evaluating"; "": training
    reason: str  # why the run failed; "": it did not fail
    log: tuple[str, ...]  # the last lines of the trainer's log if it crashed, otherwise ()

    @property
    def is_active(self) -> bool:
        """Whether a trainer is working on the run."""
        return self.state in ACTIVE

    @property
    def loss_unit(self) -> LossUnit:
        """The unit in which its losses are shown."""
        return LOSS_UNITS.get(self.kind, LOSS_UNITS["lyrics"])

    @property
    def fraction_done(self) -> float:
        """The fraction of the steps that are done, 0 to 1."""
        return self.step / self.total_steps if self.total_steps else 0.0


@dataclass(frozen=True)
class RunRow:
    """A run as a row of the table of runs."""

    run: RunDir
    state: str  # one of STATES
    kind: str  # "lyrics" or "music"
    model: str  # its description, for example "lstm 2 × 256"
    data_set: str
    step: int
    total_steps: int
    best: Evaluated | None  # the best evaluation; None: not evaluated yet
    started_at: str  # for example "2025-03-01 12:00"; "": unknown
    note: str  # the user's note
    worse: int = 0  # evaluations since the best, all of them worse

    @property
    def key(self) -> str:
        """The name of the run's folder, which is unique."""
        return self.run.path.name

    @property
    def best_loss(self) -> str:
        """The loss of the best evaluation with its unit; NOTHING before the first."""
        unit = LOSS_UNITS.get(self.kind, LOSS_UNITS["lyrics"])
        return unit.text(self.best.loss if self.best else None)


def start_time(folder: str) -> str:
    """Return when a run was made, in local time, for example "2025-03-01 12:00".

    folder: its name, which begins with the time in UTC. Returns "" if it begins otherwise.
    """
    clock = folder[9:15]
    if len(clock) < 6 or not clock.isdecimal():  # strptime would also accept fewer digits
        return ""
    try:
        made = calendar.timegm(time.strptime(folder[:15], TIME_FORMAT))
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(made))
    except (ValueError, OverflowError):
        return ""


# ── a run in words ───────────────────────────────────────────────────────────────────────────────


def headline(view: RunSummary) -> str:
    """Return one line that names the model, its size and the data set."""
    parts = [view.model]
    if view.started is not None:
        parts.append(f"{short_number(view.started.parameters)} parameters")
        if view.started.ranks > 1:
            parts.append(f"{view.started.ranks} processes")
    parts.append(f"data set {view.data_set}")
    return clean(" · ".join(parts))


def problem_lines(view: RunSummary) -> list[str]:
    """Return lines on what is wrong with the run and what to do about it; [] if nothing is."""
    lines = [clean(line) for line in view.log]
    if view.state == "failed":
        lines.append(f"Failed: {clean(view.reason)}")
    remedy = STATES[view.state].remedy
    if view.state == "crashed" and view.step == 0 and view.started is None:
        remedy = "Its process ended before the first step. Press n to start another run."
    return [*lines, remedy] if remedy else lines


def progress_text(view: RunSummary) -> str:
    """Return the steps done, the time left and what the trainer is doing."""
    words = f"{view.step:,} / {view.total_steps:,} steps · {100 * view.fraction_done:.0f} %"
    if view.is_active and view.last_step is not None and view.last_step.remaining is not None:
        words += f" · {duration(view.last_step.remaining)} left"
    return f"{words} · {clean(view.doing)}" if view.is_active and view.doing else words


# ── metrics ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Metric:
    """A metric of a run, formatted for a tile of the Train page."""

    label: str
    value: str
    note: str = ""
    trend: tuple[float, ...] = ()  # its values so far, for a sparkline


def metrics(view: RunSummary) -> tuple[Metric, ...]:
    """Return the six metrics of the Train page."""
    last, evaluation, columns = view.last_step, view.last_evaluation, view.columns
    best = view.best_evaluation
    unit = {"character": "char"}.get(view.unit, view.unit)
    loss = view.loss_unit
    return (
        Metric(
            "train",
            loss.text(last.loss if last else None),
            f"per {view.unit}",
            trend(columns.loss),
        ),
        Metric(
            "valid",
            loss.text(evaluation.loss if evaluation else None),
            f"best {best.loss * loss.per_nat:.3f} at {best.step:,}"
            if best
            else "not evaluated yet",
            trend(columns.valid_loss),
        ),
        Metric(
            "gradient norm",
            _number(last.grad_norm if last else None),
            "before clipping",
            trend(columns.grad_norm),
        ),
        Metric("learning rate", f"{last.lr:.2e}" if last else NOTHING, trend=trend(columns.lr)),
        Metric(
            "speed",
            f"{short_number(last.frames_per_second)} {unit}/s" if last else NOTHING,
            f"memory {megabytes(last.memory_mb)}" if last else "",
            trend(columns.speed),
        ),
        Metric(
            "time",
            duration(last.elapsed if last else None),
            f"{last.elapsed / last.step:.2g} s per step" if last else "",
        ),
    )


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"


def trend(values: "NDArray[np.float64]", cells: int = 40) -> tuple[float, ...]:
    """Return the finite ones of values (N,), reduced to at most `cells` numbers.

    If there are more, they are divided into `cells` equal parts, and each part's mean is returned.
    """
    import numpy as np

    finite = values[np.isfinite(values)]
    if finite.size <= cells:
        return tuple(finite.tolist())
    return tuple(float(part.mean()) for part in np.array_split(finite, cells))
