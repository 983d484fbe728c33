"""What the Train page shows of one run, as plain values."""

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.runs.event_log import History
from engine.runs.events import Evaluated, Sampled, Started, Step
from engine.runs.run_dir import ACTIVE, RunDir
from tui.formatting import NOTHING, clean, duration, megabytes, short_number

if TYPE_CHECKING:  # NumPy itself is loaded after the first screen is up
    import numpy as np
    from numpy.typing import NDArray

# A state's mark, its colour in the theme, and what can be done about it.
STATES = {
    "starting": ("○", "$text-accent", ""),
    "live": ("●", "$text-success", ""),
    "stalled": (
        "◐",
        "$text-warning",
        "Its process is there but has been silent for half a minute.",
    ),
    "finished": ("✓", "$text-success", ""),
    "stopped": ("■", "$text-accent", "Stopped when asked: r goes on from there."),
    "failed": ("✗", "$text-error", ""),
    "crashed": ("!", "$text-error", "Its process is gone: r resumes from the last checkpoint."),
    "gone": ("-", "$text-error", "Its folder has been deleted."),
}


@dataclass(frozen=True)
class MetricColumns:
    """The steps' figures side by side, each (N,); NaN where a figure was not finite."""

    step: "NDArray[np.float64]"
    bits: "NDArray[np.float64]"
    lr: "NDArray[np.float64]"
    grad_norm: "NDArray[np.float64]"
    speed: "NDArray[np.float64]"
    valid_step: "NDArray[np.float64]"  # (E,)
    valid_bits: "NDArray[np.float64]"  # (E,)


@dataclass(frozen=True)
class RunView:
    """A run as it stood at one moment; nothing in it changes afterwards."""

    run: RunDir
    state: str  # one of STATES
    model: str  # in words
    corpus: str
    unit: str  # what a frame is
    step: int
    steps: int
    started: Started | None
    last: Step | None
    latest: Evaluated | None
    best: Evaluated | None
    columns: MetricColumns
    samples: tuple[Sampled, ...]  # the newest first
    doing: str  # what it said last in words of its own
    reason: str  # why it failed
    log: tuple[str, ...]  # the last lines of its process, where that ended badly

    @property
    def live(self) -> bool:
        """Whether a process works on it."""
        return self.state in ACTIVE


@dataclass(frozen=True)
class Metric:
    """A number with its name, a remark and its course so far."""

    label: str
    value: str
    note: str = ""
    trend: tuple[float, ...] = ()


def headline(view: RunView) -> str:
    """The model and the songs in words."""
    parts = [view.model]
    if view.started is not None:
        parts.append(f"{short_number(view.started.parameters)} parameters")
        if view.started.ranks > 1:
            parts.append(f"{view.started.ranks} processes")
    parts.append(f"on {view.corpus}")
    return clean(" · ".join(parts))


def problem_lines(view: RunView) -> list[str]:
    """Lines that say what is wrong with the run and what to do; none when all is well."""
    lines = [clean(line) for line in view.log]
    if view.state == "failed":
        lines.append(f"Failed: {clean(view.reason)}")
        lines.append("r goes on from its last checkpoint.")
    remedy = STATES[view.state][2]
    if view.state == "crashed" and view.step == 0 and view.started is None:
        remedy = "Its process ended before the first step: n starts another."
    return [*lines, remedy] if remedy else lines


def fraction_done(view: RunView) -> float:
    """How much of the run is done, 0 to 1."""
    return view.step / view.steps if view.steps else 0.0


def progress_text(view: RunView) -> str:
    """How far the run is, in words."""
    words = f"{view.step:,} / {view.steps:,} steps · {100 * fraction_done(view):.0f} %"
    if view.live and view.last is not None and view.last.remaining is not None:
        words += f" · {duration(view.last.remaining)} left"
    return f"{words} · {clean(view.doing)}" if view.live and view.doing else words


def metrics(view: RunView) -> tuple[Metric, ...]:
    """The numbers above the curve: six, whatever is known yet."""
    last, latest, best, columns = view.last, view.latest, view.best, view.columns
    return (
        Metric(
            "train",
            _number(last.bits if last else None, "bits"),
            f"loss {_number(last.loss if last else None)} nats",
            trend(columns.bits),
        ),
        Metric(
            "valid",
            _number(latest.bits if latest else None, "bits"),
            f"best {best.bits:.3f}" if best else "not looked at yet",
            trend(columns.valid_bits),
        ),
        Metric(
            "gradient",
            _number(last.grad_norm if last else None),
            "unclipped norm",
            trend(columns.grad_norm),
        ),
        Metric("rate", f"{last.lr:.2e}" if last else NOTHING, "learning rate", trend(columns.lr)),
        Metric(
            f"{view.unit}s",
            f"{short_number(last.frames_per_second)}/s" if last else NOTHING,
            f"memory {megabytes(last.memory_mb)}" if last else "",
            trend(columns.speed),
        ),
        Metric(
            "time",
            duration(last.elapsed if last else None),
            f"{duration(last.remaining)} left" if last and view.live else "",
        ),
    )


def _number(value: float | None, unit: str = "") -> str:
    if value is None:
        return NOTHING
    return f"{value:.3f} {unit}".rstrip()


def trend(values: "NDArray[np.float64]", cells: int = 40) -> tuple[float, ...]:
    """At most `cells` means over equal stretches of the finite values (N,)."""
    import numpy as np

    finite = values[np.isfinite(values)]
    if finite.size <= cells:
        return tuple(finite.tolist())
    return tuple(float(part.mean()) for part in np.array_split(finite, cells))


TABLE_COLUMNS = ("", "run", "state", "step", "best valid", "model", "corpus", "kind", "begun")


@dataclass(frozen=True)
class RunRow:
    """One run in the table."""

    run: RunDir
    state: str  # one of tui.sources.run_view.STATES
    kind: str
    model: str  # in words
    corpus: str
    step: int
    steps: int
    best: float | None  # bits a frame
    started_at: str
    evaluations: tuple[tuple[float, float], ...]  # step and bits of each

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return self.run.path.name


def start_time(folder: str) -> str:
    """The time in front of a run's folder name, as 2025-03-01 12:00; empty where there is none."""
    day, _, rest = folder.partition("-")
    clock = rest[:6]
    if len(day) != 8 or not (day + clock).isdecimal() or len(clock) != 6:
        return ""
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {clock[:2]}:{clock[2:4]}"


CSV_COLUMNS = (
    "step", "time", "elapsed", "train_loss", "train_bits", "valid_loss", "valid_bits", "best",
    "lr", "grad_norm", "frames_per_second", "memory_mb",
)  # fmt: skip


def metrics_csv(history: History) -> str:
    """One line a step that said something, in order; a figure not known there is empty.

    Losses are in nats a frame, bits in bits a frame, times in seconds, memory in megabytes.
    """
    rows: dict[int, dict[str, Any]] = {}
    for step in history.steps:
        rows[step.step] = {
            "time": step.time,
            "elapsed": step.elapsed,
            "train_loss": step.loss,
            "train_bits": step.bits,
            "lr": step.lr,
            "grad_norm": step.grad_norm,
            "frames_per_second": step.frames_per_second,
            "memory_mb": step.memory_mb,
        }
    for look in history.evaluations:
        row = rows.setdefault(look.step, {"time": look.time})
        row.update(valid_loss=look.loss, valid_bits=look.bits, best=int(look.best))
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for number in sorted(rows):
        writer.writerow({"step": number, **rows[number]})
    return text.getvalue()
