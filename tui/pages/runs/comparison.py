"""What the chart of the Runs page compares: a metric of several runs, over steps or time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.formatting import clean
from tui.sources.run_summary import RunSummary

if TYPE_CHECKING:  # NumPy is imported after the first page is up
    import numpy as np
    from numpy.typing import NDArray

    from tui.chart.series import Axis, Series

METRICS = ("validation", "train", "both losses", "learning rate", "gradient norm", "speed")
AXES = ("steps", "time", "characters")
_COLUMNS = {"learning rate": "lr", "gradient norm": "grad_norm", "speed": "speed"}
_TIME_UNITS = (("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))


def compare(
    runs: Sequence[tuple[int, RunSummary]], metric: str, axis: str
) -> "tuple[list[Series], str, Axis]":
    """Return the series of the runs, the label of the y axis, and the x axis.

    runs: each with the number of its color and mark. metric: one of METRICS; axis: one of AXES.
    """
    from tui.chart.series import Axis, Series

    views = [view for _, view in runs]
    labels = {"steps": "step", "characters": _frames(views)}
    scale = 1.0
    if axis == "time":
        longest = max([view.columns.elapsed[-1] for view in views if view.columns.step.size] or [0])
        found = (unit for unit in _TIME_UNITS if longest >= 2 * unit[1])
        labels["time"], scale = next(found, _TIME_UNITS[-1])
    units = {view.loss_unit for view in views}
    series = []
    for number, view in runs:
        columns, name = view.columns, clean(view.run.name)
        x, valid_x = (_positions(view, steps, axis) / scale for steps in
                      (columns.step, columns.valid_step))  # fmt: skip
        per_nat = view.loss_unit.per_nat
        unit = f" {view.loss_unit.short}" if len(units) > 1 else ""
        both = metric == "both losses"
        if metric == "train" or both:
            label = f"{name} train" if both else name
            series.append(Series(label + unit, x, columns.loss * per_nat, number))
        if metric == "validation" or both:
            label = f"{name} valid" if both else name
            valid = columns.valid_loss * per_nat
            series.append(Series(label + unit, valid_x, valid, number, "points"))
        if metric in _COLUMNS:
            series.append(Series(name, x, getattr(columns, _COLUMNS[metric]), number))
    y_label = metric
    if metric == "speed":
        y_label = f"{_frames(views)} per second"
    elif metric not in _COLUMNS:
        y_label = units.pop().short if len(units) == 1 else "loss"
    return series, y_label, Axis(labels[axis], whole=axis != "time")


def _frames(views: Sequence[RunSummary]) -> str:
    """Return what the runs count: characters, frames, or both."""
    return " or ".join(sorted({f"{view.unit}s" for view in views})) or "characters"


def _positions(view: RunSummary, steps: "NDArray[np.float64]", axis: str) -> "NDArray[np.float64]":
    """Return the positions on an axis, (N,), of steps (N,)."""
    import numpy as np

    columns = view.columns
    if axis == "time" and columns.step.size:
        return np.asarray(np.interp(steps, columns.step, columns.elapsed), np.float64)
    if axis == "characters" and view.started:
        return steps * view.started.frames_per_step
    return steps if axis == "steps" else np.full(steps.shape, np.nan)
