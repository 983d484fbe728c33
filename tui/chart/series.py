"""The series of a line chart, and how they are smoothed and reduced before they are drawn."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tui.chart.viewport import Span, Viewport

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

COLORS = 6  # number of colors of series
MARKS = "●◆▲■✚★"  # so that series differ without color, and beyond the last color


@dataclass(frozen=True)
class Axis:
    """What the x of the series counts."""

    label: str
    whole: bool = True  # whether it counts whole things; otherwise it is a measure


STEPS = Axis("step")


@dataclass(frozen=True)
class Series:
    """A line through x (N,), ascending, and y (N,), with gaps where y is not finite."""

    label: str
    x: FloatArray
    y: FloatArray
    number: int = 0  # chooses the color and the mark
    kind: Literal["line", "points"] = "line"  # lines are smoothed; points are marked instead

    @property
    def color(self) -> int:
        """The color, below COLORS."""
        return self.number % COLORS

    @property
    def mark(self) -> str:
        """The mark of the points."""
        return mark(self.number)


def mark(number: int) -> str:
    """Return the mark of a series; the pairs of color and mark repeat only after 36 numbers."""
    return MARKS[(number + number // COLORS) % len(MARKS)]


def axis_values(values: FloatArray, log: bool) -> FloatArray:
    """Return the positions on an axis, (N,), of values (N,): the values, or their log10 if `log`.

    NaN where a value is not finite or has no logarithm.
    """
    values = np.where(np.isfinite(values), values, np.nan)
    if not log:
        return values
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(values > 0, np.log10(values), np.nan)


def plottable_x(series: Series, log_x: bool) -> FloatArray:
    """Return the x (M,) of the points that can be drawn: y is finite, and x has a position."""
    return series.x[np.isfinite(series.y) & np.isfinite(axis_values(series.x, log_x))]


def x_range(series: Sequence[Series], log_x: bool) -> Span | None:
    """Return the smallest and largest x that can be drawn; None if no point can be drawn."""
    found = [x for one in series if (x := plottable_x(one, log_x)).size]
    if not found:
        return None
    return float(min(x.min() for x in found)), float(max(x.max() for x in found))


def nearest_value(series: Series, x: float) -> tuple[float, int] | None:
    """Return the y and the index of the point nearest to `x` among those with a finite y.

    None: there is no such point, or `x` lies before the first or after the last of them by more
    than half their mean distance.
    """
    finite = np.flatnonzero(np.isfinite(series.y))
    if not finite.size:
        return None
    first, last = series.x[finite[0]], series.x[finite[-1]]
    margin = (last - first) / max(1, finite.size - 1) / 2
    if not first - margin <= x <= last + margin:
        return None
    index = int(finite[np.abs(series.x[finite] - x).argmin()])
    return float(series.y[index]), index


def move_cursor(
    viewport: Viewport, series: Sequence[Series], span: Span, cells: int, width: int
) -> Viewport:
    """Return the viewport with the cursor moved by `cells` cells to the nearest visible point.

    A hidden cursor appears at the last point within `span`, the visible range of x. width: columns
    of the plot. Without a visible point the viewport is returned unchanged.
    """
    points = [plottable_x(one, viewport.log_x) for one in series]
    x = np.unique(np.concatenate(points)) if points else np.zeros(0)
    x = x[(x >= span[0]) & (x <= span[1])]
    if not x.size:
        return viewport
    if viewport.cursor is None:
        return dataclasses.replace(viewport, cursor=float(x[-1]))
    low, high = viewport.to_axis(span[0]), viewport.to_axis(span[1])
    target = viewport.to_axis(viewport.cursor) + cells * (high - low) / max(1, width)
    index = int(np.abs(x - viewport.from_axis(target)).argmin())
    if cells and x[index] == viewport.cursor:  # the points are further apart than a cell
        index = min(max(index + (1 if cells > 0 else -1), 0), x.size - 1)
    return dataclasses.replace(viewport, cursor=float(x[index]))


def smooth(values: FloatArray, decay: float) -> FloatArray:
    """Return the exponential moving average of values (N,), NaN where they are not finite.

    Each result is the weighted mean of the values up to its own, so that the start is not biased
    towards zero (the bias correction of Adam, Kingma and Ba 2015). decay: from 0 (no smoothing) to
    below 1.
    """
    finite = np.isfinite(values)
    if decay <= 0 or not values.size:
        return np.where(finite, values, np.nan)
    total = _discounted_sum(np.where(finite, values, 0.0), decay)  # (N,)
    weight = _discounted_sum(finite.astype(np.float64), decay)  # (N,) 1 - decay^t without gaps
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(finite, total / weight, np.nan)


def _discounted_sum(values: FloatArray, decay: float) -> FloatArray:
    """Return s_t = (1 - decay) (v_t + decay v_{t-1} + decay² v_{t-2} …) in O(N log N).

    Each pass doubles the number of terms that every element has summed.
    """
    result = (1 - decay) * values
    terms, factor = 1, decay
    while terms < values.size and factor > 1e-15:
        result[terms:] += factor * result[:-terms]
        terms, factor = 2 * terms, factor * factor
    return result


def decimate(
    x: FloatArray, y: FloatArray, low: float, high: float, columns: int
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Reduce a line to the points that `columns` dot columns between `low` and `high` can show.

    Each column keeps its first, smallest, largest and last point, which draws the same dots as all
    of its points (M4: Jugel et al. 2014).

    x: (N,) ascending; y: (N,), with gaps where it is not finite. Returns x and y, (M,), where M is
    at most 4 · (columns + number of gaps + 1), and whether each point is connected to the next,
    (M,). Lines that leave the range end at its edge.
    """
    start = max(int(np.searchsorted(x, low, "left")) - 1, 0)
    stop = int(np.searchsorted(x, high, "right")) + 1
    x, y = x[start:stop], y[start:stop]
    finite = np.isfinite(y)
    piece = np.cumsum(~finite)[finite]  # the number of gaps before each point
    x, y = _clip_ends(x[finite], y[finite], piece, low, high)
    inside = (x >= low) & (x <= high)
    x, y, piece = x[inside], y[inside], piece[inside]
    if not x.size:
        return x, y, np.zeros(0, np.bool_)
    column = np.minimum((x - low) / (high - low) * columns, columns - 1).astype(np.int64)
    first = np.flatnonzero(np.diff(column, prepend=-1) | np.diff(piece, prepend=-1))  # (G,)
    last = np.append(first[1:], x.size) - 1
    smallest, largest = np.minimum.reduceat(y, first), np.maximum.reduceat(y, first)
    # (G, 4) → (4G,): a column is drawn as one vertical line, so its points may share an x.
    kept_x = np.stack([x[first], x[first], x[first], x[last]], axis=1).ravel()
    kept_y = np.stack([y[first], smallest, largest, y[last]], axis=1).ravel()
    connected = np.ones((first.size, 4), np.bool_)
    connected[:, 3] = np.append(piece[first[1:]] == piece[last[:-1]], False)
    return kept_x, kept_y, connected.ravel()


def _clip_ends(
    x: FloatArray, y: FloatArray, piece: npt.NDArray[np.int64], low: float, high: float
) -> tuple[FloatArray, FloatArray]:
    """Move a first or last point outside the range to where its line crosses the edge."""
    x, y = x.copy(), y.copy()
    for outer, inner, edge in ((0, 1, low), (-1, -2, high)):
        outside = x.size >= 2 and (x[outer] < low or x[outer] > high)
        if outside and piece[outer] == piece[inner]:
            fraction = (edge - x[inner]) / (x[outer] - x[inner])
            y[outer] = y[inner] + fraction * (y[outer] - y[inner])
            x[outer] = edge
    return x, y
