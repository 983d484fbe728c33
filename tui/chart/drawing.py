"""A line chart drawn into an array of characters, two by four braille dots a cell."""

import dataclasses
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rich.cells import get_character_cell_size

from tui.chart.series import (
    BoolArray,
    FloatArray,
    Series,
    axis_values,
    decimate,
    smooth,
    value_at,
    x_range,
)
from tui.chart.viewport import LEAST_SPAN, Span, Viewport, from_axis, seen, to_axis

# From which size on a unit is used, its size, its name: four digits still read well without.
_UNITS = ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"))


def linear_ticks(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    """Every round number from `low` to `high`, with the smallest step that gives at most `most`.

    whole: only whole numbers, as for training steps.
    """
    if most < 1:
        return []
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    steps = (factor * power * scale for scale in (1, 10, 100) for factor in (1, 2, 5))
    for step in steps:
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most and (step >= 1 or not whole):
            return [index * step for index in range(first, last + 1)]
    return []


def log_ticks(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    """Round numbers for a logarithmic axis from `low` to `high`, both above zero.

    1-2-5 in each decade, or powers of ten where that is too many, or, over less than a decade,
    the linear ones.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    powers = range(first, last + 1)

    def inside(values: list[float]) -> list[float]:
        return [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]

    fine = inside([factor * 10.0**power for power in powers for factor in (1, 2, 5)])
    if 3 <= len(fine) <= most:
        return fine
    if len(fine) > most:
        decades = inside([10.0**power for power in powers])
        if len(decades) >= 2:
            return decades[:: max(1, math.ceil(len(decades) / max(1, most)))]
    return linear_ticks(low, high, most, whole)


def labels(ticks: list[float]) -> list[str]:
    """One label for each tick, all with as many decimals as tell them apart."""
    if not ticks:
        return []
    largest = max(abs(tick) for tick in ticks)
    gaps = [after - before for before, after in itertools.pairwise(ticks)]
    even = bool(gaps) and max(gaps) - min(gaps) < 1e-6 * max(gaps)
    if not even:  # a logarithmic axis, or one tick alone
        return [_single(tick) for tick in ticks]
    unit, name = _unit(largest)
    step = gaps[0] / unit
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if decimals > 6:
        return [f"{tick:.0e}" for tick in ticks]
    return [f"{tick / unit:.{decimals}f}{name if tick else ''}" for tick in ticks]


def _unit(value: float) -> tuple[float, str]:
    return next(((size, name) for least, size, name in _UNITS if value >= least), (1.0, ""))


def _single(value: float) -> str:
    unit, name = _unit(abs(value))
    return f"{value / unit:g}{name}"


# What a cell's style number means: these, then one for each series' colour.
BACKGROUND, FRAME, TEXT, RAW, CURSOR, SERIES = range(6)
MARKS = "●◆▲■✚★"  # of the series of each colour: told apart without hue

_DOTS = np.array([[1, 8], [2, 16], [4, 32], [64, 128]], np.uint32)  # of a braille cell (4, 2)
_UTF32 = "utf-32-le" if np.little_endian else "utf-32-be"


@dataclass(frozen=True)
class RenderedChart:
    """What is to be shown: code points and style numbers (rows, columns), and where the plot is."""

    characters: npt.NDArray[np.uint32]
    styles: npt.NDArray[np.uint8]
    span: Span | None  # of x, from the left of the plot to its right
    left: int = 0  # of the plot, in cells
    width: int = 0

    def lines(self) -> list[str]:
        """The rows as text."""
        return [row.tobytes().decode(_UTF32) for row in self.characters]


class _Canvas:
    """The picture while it is being drawn."""

    def __init__(self, width: int, height: int) -> None:
        self.characters = np.full((height, width), ord(" "), np.uint32)
        self.styles = np.full((height, width), BACKGROUND, np.uint8)

    def write(self, row: int, column: int, text: str, style: int) -> int:
        """Write a text, cut at the right edge; the column after it."""
        for character in text:
            if column >= self.characters.shape[1]:
                break
            if column >= 0:
                single = get_character_cell_size(character) == 1
                self.characters[row, column] = ord(character if single else "?")
                self.styles[row, column] = style
            column += 1
        return column


@dataclass(frozen=True)
class _Plot:
    """The rectangle of cells the lines are drawn in, and the transformed values at its edges."""

    top: int
    left: int
    width: int
    height: int
    x: Span
    y: Span

    def column(self, x: FloatArray | float) -> FloatArray:
        """Dots from the left, (N,) → (N,)."""
        return np.rint((x - self.x[0]) / (self.x[1] - self.x[0]) * (2 * self.width - 1))

    def row(self, y: FloatArray | float) -> FloatArray:
        """Dots from the top, (N,) → (N,)."""
        return np.rint((self.y[1] - y) / (self.y[1] - self.y[0]) * (4 * self.height - 1))


@dataclass(frozen=True)
class _Line:
    """What is drawn of a series: transformed points, and whether a line goes on to the next."""

    x: FloatArray  # (M,)
    y: FloatArray  # (M,)
    linked: BoolArray  # (M,)
    style: int
    mark: str = ""  # for each of the points below, as many as there is room for
    points: tuple[FloatArray, FloatArray] = (np.zeros(0), np.zeros(0))  # (P,), (P,)


def _lines(one: Series, view: Viewport, span: Span, width: int) -> list[_Line]:
    """The series as it is, and smoothed on top."""
    x = axis_values(one.x, view.log_x)
    shown = np.isfinite(x)
    x, y = x[shown], one.y[shown]
    style, columns = SERIES + one.color, 2 * width

    def line(values: FloatArray, style: int) -> _Line:
        return _Line(*decimate(x, axis_values(values, view.log_y), *span, columns), style)

    if one.kind == "points":
        values = axis_values(y, view.log_y)
        inside = (x >= span[0]) & (x <= span[1]) & np.isfinite(values)
        points = x[inside], values[inside]
        return [dataclasses.replace(line(y, style), mark=MARKS[one.color], points=points)]
    if not view.smoothing:
        return [line(y, style)]
    return [line(y, RAW), line(smooth(y, view.smoothing), style)]


def _polyline(plot: _Plot, x: FloatArray, y: FloatArray, linked: BoolArray) -> BoolArray:
    """Dots (4 × height, 2 × width) that the points, and the lines between the linked, cover."""
    dots = np.zeros((4 * plot.height, 2 * plot.width), np.bool_)
    if not x.size:
        return dots
    column, row = plot.column(x), plot.row(y)
    here = np.append(np.flatnonzero(linked), x.size - 1)  # (S,); the last point goes to itself
    there = np.append(here[:-1] + 1, x.size - 1)
    across, down = column[there] - column[here], row[there] - row[here]
    lengths = np.maximum(np.maximum(np.abs(across), np.abs(down)), 1).astype(np.int64) + 1
    segment = np.repeat(np.arange(here.size), lengths)  # (D,) dots of all segments
    place = np.arange(segment.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    share = place / (lengths[segment] - 1)
    columns = np.rint(column[here][segment] + share * across[segment]).astype(np.int64)
    rows = np.rint(row[here][segment] + share * down[segment]).astype(np.int64)
    dots[rows, columns] = True
    dots[row.astype(np.int64), column.astype(np.int64)] = True  # also points linked to nothing
    return dots


def _draw_line(canvas: _Canvas, plot: _Plot, dots: BoolArray, style: int) -> None:
    """Put the dots on the canvas; a cell with any of them shows only them."""
    cells = dots.reshape(plot.height, 4, plot.width, 2)
    codes = np.einsum("hawb,ab->hw", cells.astype(np.uint32), _DOTS)
    area = np.s_[plot.top : plot.top + plot.height, plot.left : plot.left + plot.width]
    canvas.characters[area] = np.where(codes, 0x2800 + codes, canvas.characters[area])
    canvas.styles[area] = np.where(codes, style, canvas.styles[area])


def _draw_marks(canvas: _Canvas, plot: _Plot, line: _Line) -> None:
    """Mark the points, the newest first, no closer than three cells."""
    x, y = line.points
    columns = plot.column(x).astype(np.int64) // 2
    rows = plot.row(y).astype(np.int64) // 4
    _, newest = np.unique(columns[::-1] // 3, return_index=True)
    for place in x.size - 1 - newest:
        row, column = int(plot.top + rows[place]), int(plot.left + columns[place])
        canvas.write(row, column, line.mark, line.style)


def _bounds(values: list[FloatArray]) -> Span | None:
    together = np.concatenate(values) if values else np.zeros(0)
    if not together.size:
        return None
    low, high = float(together.min()), float(together.max())
    margin = max(0.03 * (high - low), 1e-3 * abs(low) if high == low else 0.0, 1e-6)
    return low - margin, high + margin


def _legend(canvas: _Canvas, series: Sequence[Series], view: Viewport, y_label: str) -> None:
    entries: list[tuple[str, str, str, int]] = []  # mark, short mark, name, style
    for one in series:
        mark, style = MARKS[one.color], SERIES + one.color
        if one.kind == "points":
            entries.append((f"⠤{mark}⠤", mark, one.label, style))
            continue
        if view.smoothing:
            entries.append(("⠢⠔⠢", "⠢", one.label, RAW))
        name = f"smoothed {view.smoothing:g}" if view.smoothing else one.label
        entries.append(("━━━", "━", name, style))
    width = canvas.characters.shape[1]
    roomy = sum(len(mark) + len(name) + 4 for mark, _, name, _ in entries) < width
    column = 1
    for mark, brief, name, style in entries:
        column = canvas.write(0, column, f"{mark if roomy else brief} ", style)
        column = canvas.write(0, column, name, TEXT) + (3 if roomy else 2)
    if column + len(y_label) < width:
        canvas.write(0, width - len(y_label) - 1, y_label, FRAME)


def _readout(canvas: _Canvas, series: Sequence[Series], view: Viewport, x_label: str) -> None:
    """The values at the cursor, in place of the legend."""
    assert view.cursor is not None
    column = canvas.write(0, 1, f"{x_label} {view.cursor:,.0f}   ", CURSOR)
    for one in series:
        found = value_at(one, view.cursor)
        if found is None:
            continue
        value, place = found
        column = canvas.write(0, column, f"{one.label} {value:.4g}   ", TEXT)
        if one.kind == "line" and view.smoothing:
            even = float(smooth(one.y[: place + 1], view.smoothing)[-1])
            column = canvas.write(0, column, f"smoothed {even:.4g}   ", SERIES + one.color)


def _axes(canvas: _Canvas, plot: _Plot, view: Viewport, x_label: str) -> None:
    ticks_y = _ticks(plot.y, view.log_y, _y_ticks(plot.height))
    names = labels(ticks_y)
    bottom = plot.top + plot.height
    for row in range(plot.top, bottom):
        canvas.write(row, plot.left - 1, "│", FRAME)
    for tick, name in zip(axis_values(np.array(ticks_y), view.log_y), names, strict=True):
        row = plot.top + int(plot.row(tick)) // 4
        canvas.write(row, plot.left - 1, "┤", FRAME)
        canvas.write(row, plot.left - 2 - len(name), name, FRAME)
    canvas.write(bottom, plot.left - 1, "└" + "─" * plot.width, FRAME)
    ticks_x = _ticks(plot.x, view.log_x, max(3, plot.width // 9), whole=True)
    free = 0
    if plot.left > len(x_label):
        free = canvas.write(bottom + 1, plot.left - 1 - len(x_label), x_label, FRAME) + 1
    for tick, name in zip(axis_values(np.array(ticks_x), view.log_x), labels(ticks_x), strict=True):
        column = plot.left + int(plot.column(tick)) // 2
        canvas.write(bottom, column, "┴", FRAME)
        start = min(column - len(name) // 2, plot.left + plot.width - len(name))
        if start >= free:
            free = canvas.write(bottom + 1, start, name, FRAME) + 1


def _y_ticks(rows: int) -> int:
    """How many ticks the rows of a plot have room for."""
    return max(3, rows // 3)


def _ticks(span: Span, log: bool, most: int, whole: bool = False) -> list[float]:
    if log:
        return log_ticks(10 ** span[0], 10 ** span[1], most, whole)
    return linear_ticks(*span, most, whole)


def _paint(canvas: _Canvas, plot: _Plot, lines: list[_Line], cursor: float | None) -> None:
    """The lines, over them the cursor (its place on the axis), over all the points' marks."""
    for line in lines:
        _draw_line(canvas, plot, _polyline(plot, line.x, line.y, line.linked), line.style)
    if cursor is not None and plot.x[0] <= cursor <= plot.x[1]:
        column = plot.left + int(plot.column(cursor)) // 2
        for row in range(plot.top, plot.top + plot.height):
            canvas.write(row, column, "│", CURSOR)
    for line in lines:
        if line.mark:
            _draw_marks(canvas, plot, line)


def draw(
    series: Sequence[Series],
    view: Viewport,
    width: int,
    height: int,
    x_label: str = "step",
    y_label: str = "",
) -> RenderedChart:
    """Draw the series into `width` × `height` cells: a legend, the lines, two axes.

    The vertical bounds are those of what is seen. Where there is nothing to show the picture is
    blank.
    """
    canvas = _Canvas(width, height)
    blank = RenderedChart(canvas.characters, canvas.styles, None)
    full = x_range(series, view.log_x)
    axes = width >= 24 and height >= 7
    rows = height - (3 if axes else 1)
    if full is None or rows < 1 or width < 4:
        return blank
    low, high = seen(view, full)
    if high - low < LEAST_SPAN:
        low, high = low - 0.5, high + 0.5
    lines = [line for one in series for line in _lines(one, view, (low, high), width)]
    bounds = _bounds([line.y for line in lines])
    if bounds is None:
        return blank

    gutter = 0
    if axes:
        names = labels(_ticks(bounds, view.log_y, _y_ticks(rows)))
        gutter = max([len(name) for name in names], default=0) + 2
        gutter = max(gutter, len(x_label) + 1 if width >= 50 else 0)
    plot = _Plot(1, gutter, width - gutter, rows, (low, high), bounds)
    if axes:
        _axes(canvas, plot, view, x_label)
    span = from_axis(view, low), from_axis(view, high)
    _paint(canvas, plot, lines, None if view.cursor is None else to_axis(view, view.cursor))
    if view.cursor is None:
        _legend(canvas, series, view, y_label)
    else:
        _readout(canvas, series, view, x_label)
    return RenderedChart(canvas.characters, canvas.styles, span, plot.left, plot.width)
