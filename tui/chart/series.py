"""A curve's numbers, and what is done to them before they are drawn."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tui.chart.viewport import Span, Viewport, from_axis, to_axis

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

COLORS = 6


@dataclass(frozen=True)
class Series:
    """One line: x (N,) rising, y (N,); where y is not finite the line has a gap."""

    label: str
    x: FloatArray
    y: FloatArray
    color: int = 0  # below COLORS
    kind: Literal["line", "points"] = "line"  # a line is smoothed; points have marks and are not


def axis_values(values: FloatArray, log: bool) -> FloatArray:
    """What an axis measures: log10 where asked, and NaN where that has no value; (N,) → (N,)."""
    values = np.where(np.isfinite(values), values, np.nan)
    if not log:
        return values
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(values > 0, np.log10(values), np.nan)


def plottable_x(series: Series, log_x: bool) -> FloatArray:
    """The places (M,) where the series has a value that can be shown."""
    return series.x[np.isfinite(series.y) & np.isfinite(axis_values(series.x, log_x))]


def x_range(series: Sequence[Series], log_x: bool) -> Span | None:
    """The least and greatest x with a value; None where there is none."""
    found = [x for one in series if (x := plottable_x(one, log_x)).size]
    if not found:
        return None
    return float(min(x.min() for x in found)), float(max(x.max() for x in found))


def value_at(series: Series, x: float) -> tuple[float, int] | None:
    """The value nearest to an x, and its place; None where there is no value."""
    finite = np.flatnonzero(np.isfinite(series.y))
    if not finite.size:
        return None
    place = int(finite[np.abs(series.x[finite] - x).argmin()])
    return float(series.y[place]), place


def step_cursor(
    view: Viewport, series: Sequence[Series], span: Span, cells: int, width: int
) -> Viewport:
    """Move the cursor by so many of the plot's `width` cells, to the nearest point with a value.

    A cursor not shown yet appears at the last point of the `span` that is seen.
    """
    points = [plottable_x(one, view.log_x) for one in series]
    x = np.unique(np.concatenate(points)) if points else np.zeros(0)
    x = x[(x >= span[0]) & (x <= span[1])]
    if not x.size:
        return view
    if view.cursor is None:
        return dataclasses.replace(view, cursor=float(x[-1]))
    low, high = to_axis(view, span[0]), to_axis(view, span[1])
    wanted = to_axis(view, view.cursor) + cells * (high - low) / max(1, width)
    index = int(np.abs(x - from_axis(view, wanted)).argmin())
    if cells and x[index] == view.cursor:  # the points are further apart than a cell
        index = min(max(index + (1 if cells > 0 else -1), 0), x.size - 1)
    return dataclasses.replace(view, cursor=float(x[index]))


def smooth(values: FloatArray, decay: float) -> FloatArray:
    """Exponential moving average of values (N,), NaN where they are not finite.

    Each result is the weighted mean of what came so far, so the beginning is not drawn towards
    zero (the bias correction of Adam, Kingma and Ba 2015). decay: 0 (none) to below 1.
    """
    finite = np.isfinite(values)
    if decay <= 0 or not values.size:
        return np.where(finite, values, np.nan)
    total = _average(np.where(finite, values, 0.0), decay)  # (N,)
    weight = _average(finite.astype(np.float64), decay)  # (N,) 1 - decay^t where nothing is missing
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(finite, total / weight, np.nan)


def _average(values: FloatArray, decay: float) -> FloatArray:
    """s_t = (1 - decay) (v_t + decay v_{t-1} + decay² v_{t-2} …), doubling the terms each turn."""
    result = (1 - decay) * values
    terms, fading = 1, decay
    while terms < values.size and fading > 1e-15:
        result[terms:] += fading * result[:-terms]
        terms, fading = 2 * terms, fading * fading
    return result


def decimate(
    x: FloatArray, y: FloatArray, low: float, high: float, columns: int
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """As many points of a line as `columns` columns from `low` to `high` can show.

    Each column keeps its first, least, greatest and last point, which draws the same pixels as
    all of them (M4: Jugel et al. 2014).

    x (N,) rising, y (N,): where y is not finite the line has a gap.
    Returns x and y (M,), M ≤ 4 × columns and a little, and linked (M,): whether a line goes on to
    the next point. Where the line leaves the range it is cut on the edge.
    """
    start = max(int(np.searchsorted(x, low, "left")) - 1, 0)
    stop = int(np.searchsorted(x, high, "right")) + 1
    x, y = x[start:stop], y[start:stop]
    finite = np.isfinite(y)
    stretch = np.cumsum(~finite)[finite]  # points of one stretch have no gap between them
    x, y = _cut(x[finite], y[finite], stretch, low, high)
    inside = (x >= low) & (x <= high)
    x, y, stretch = x[inside], y[inside], stretch[inside]
    if not x.size:
        return x, y, np.zeros(0, np.bool_)
    column = np.minimum((x - low) / (high - low) * columns, columns - 1).astype(np.int64)
    first = np.flatnonzero(np.diff(column, prepend=-1) | np.diff(stretch, prepend=-1))  # (G,)
    last = np.append(first[1:], x.size) - 1
    least, greatest = np.minimum.reduceat(y, first), np.maximum.reduceat(y, first)
    # (G, 4) → (4G,): within a column all is drawn on one vertical line, so its x may be shared.
    kept_x = np.stack([x[first], x[first], x[first], x[last]], axis=1).ravel()
    kept_y = np.stack([y[first], least, greatest, y[last]], axis=1).ravel()
    linked = np.ones((first.size, 4), np.bool_)
    linked[:, 3] = np.append(stretch[first[1:]] == stretch[last[:-1]], False)
    return kept_x, kept_y, linked.ravel()


def _cut(
    x: FloatArray, y: FloatArray, stretch: npt.NDArray[np.int64], low: float, high: float
) -> tuple[FloatArray, FloatArray]:
    """Move the first and last point to the edge their line crosses."""
    x, y = x.copy(), y.copy()
    for outer, inner, edge in ((0, 1, low), (-1, -2, high)):
        outside = x.size >= 2 and (x[outer] < low or x[outer] > high)
        if outside and stretch[outer] == stretch[inner]:
            share = (edge - x[inner]) / (x[outer] - x[inner])
            y[outer] = y[inner] + share * (y[outer] - y[inner])
            x[outer] = edge
    return x, y
