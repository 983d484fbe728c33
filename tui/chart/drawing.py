"""Drawing a line chart into an array of characters, with braille dots: 2 by 4 in each cell.

A position on an axis is a value, or its log10 where the axis is logarithmic. N: values; M: points
of a line after `decimate`.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rich.cells import get_character_cell_size

from tui.chart.series import (
    STEPS,
    Axis,
    BoolArray,
    FloatArray,
    Series,
    axis_values,
    decimate,
    nearest_value,
    smooth,
    x_range,
)
from tui.chart.ticks import axis_ticks, tick_labels
from tui.chart.viewport import MIN_SPAN, Span, Viewport
from tui.formatting import NOTHING

# The style numbers of cells; SERIES + n is the style of the series with color n.
BACKGROUND, FRAME, TEXT, SMOOTHED, CURSOR, SERIES = range(6)

_LEGEND_GAP = 3  # cells between two entries
_BRAILLE = np.array([[1, 8], [2, 16], [4, 32], [64, 128]], np.uint32)  # (4, 2) bit of each dot
_UTF32 = "utf-32-le" if np.little_endian else "utf-32-be"


def _max_y_ticks(rows: int) -> int:
    return max(3, rows // 3)


# ── canvas and plot ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class RenderedChart:
    """A drawn chart: code points and style numbers, both (rows, columns), and where the plot is."""

    characters: npt.NDArray[np.uint32]
    styles: npt.NDArray[np.uint8]
    span: Span | None  # the x at the plot's left and right edges; None: the chart is blank
    left: int = 0  # first column of the plot
    width: int = 0  # columns of the plot

    def lines(self) -> list[str]:
        """Return the rows as text."""
        return [row.tobytes().decode(_UTF32) for row in self.characters]


class _Canvas:
    """The arrays of characters and styles into which a chart is drawn."""

    def __init__(self, width: int, height: int) -> None:
        self.characters = np.full((height, width), ord(" "), np.uint32)
        self.styles = np.full((height, width), BACKGROUND, np.uint8)

    def write(self, row: int, column: int, text: str, style: int) -> int:
        """Write a text, clipped to the canvas; return the column after it."""
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
    """The rectangle of cells that holds the lines, and the positions on the axes at its edges."""

    top: int
    left: int
    width: int
    height: int
    x: Span
    y: Span

    @property
    def area(self) -> tuple[slice, slice]:
        """The index of its cells in the arrays of the canvas."""
        rows = slice(self.top, self.top + self.height)
        return rows, slice(self.left, self.left + self.width)

    def dot_column(self, x: FloatArray | float) -> FloatArray:
        """Return the dot columns, counted from the left, of positions (N,) on the x axis."""
        return np.rint((x - self.x[0]) / (self.x[1] - self.x[0]) * (2 * self.width - 1))

    def dot_row(self, y: FloatArray | float) -> FloatArray:
        """Return the dot rows, counted from the top, of positions (N,) on the y axis."""
        return np.rint((self.y[1] - y) / (self.y[1] - self.y[0]) * (4 * self.height - 1))


# ── lines ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Line:
    """A line to draw, as positions on the axes."""

    x: FloatArray  # (M,)
    y: FloatArray  # (M,)
    connected: BoolArray  # (M,) whether a point is connected to the next
    style: int
    mark: str = ""  # drawn on `points` where there is room
    points: tuple[FloatArray, FloatArray] = (np.zeros(0), np.zeros(0))  # x (P,), y (P,)


def _lines(
    series: Sequence[Series], viewport: Viewport, span: Span, width: int
) -> tuple[list[_Line], list[_Line]]:
    """Return the lines of the series, and those of the smoothed series if the viewport smooths.

    Where there are several lines, each ends in its mark. Lines between points are first, so that
    the others are drawn over them.
    """
    lines, smoothed = [], []
    several = sum(one.kind == "line" for one in series) > 1
    for one in sorted(series, key=lambda one: one.kind == "line"):
        x = axis_values(one.x, viewport.log_x)
        finite = np.isfinite(x)
        x, y = x[finite], axis_values(one.y[finite], viewport.log_y)
        line = _Line(*decimate(x, y, *span, 2 * width), SERIES + one.color, one.mark)
        if one.kind == "points" or several:
            inside = np.flatnonzero((x >= span[0]) & (x <= span[1]) & np.isfinite(y))
            inside = inside if one.kind == "points" else inside[-1:]
            line = dataclasses.replace(line, points=(x[inside], y[inside]))
        lines.append(line)
        if one.kind == "line" and viewport.smoothing:
            y = axis_values(smooth(one.y[finite], viewport.smoothing), viewport.log_y)
            smoothed.append(_Line(*decimate(x, y, *span, 2 * width), SMOOTHED))
    return lines, smoothed


def _line_dots(plot: _Plot, line: _Line) -> BoolArray:
    """Return which dots of the plot, (4 · height, 2 · width), a line covers."""
    dots = np.zeros((4 * plot.height, 2 * plot.width), np.bool_)
    if not line.x.size:
        return dots
    column, row = plot.dot_column(line.x), plot.dot_row(line.y)
    last = line.x.size - 1
    start = np.append(np.flatnonzero(line.connected), last)  # (S,) the last segment is one point
    end = np.append(start[:-1] + 1, last)
    across, down = column[end] - column[start], row[end] - row[start]
    lengths = np.maximum(np.maximum(np.abs(across), np.abs(down)), 1).astype(np.int64) + 1
    segment = np.repeat(np.arange(start.size), lengths)  # (D,) the segment of each dot
    offset = np.arange(segment.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    fraction = offset / (lengths[segment] - 1)
    columns = np.rint(column[start][segment] + fraction * across[segment]).astype(np.int64)
    rows = np.rint(row[start][segment] + fraction * down[segment]).astype(np.int64)
    dots[rows, columns] = True
    dots[row.astype(np.int64), column.astype(np.int64)] = True  # isolated points too
    return dots


def _draw_dots(
    canvas: _Canvas, plot: _Plot, dots: BoolArray, style: int, where: BoolArray | bool = True
) -> None:
    """Draw dots (4 · height, 2 · width); a cell with any dot replaces what was drawn there.

    where: the cells (height, width) to draw in.
    """
    cells = dots.reshape(plot.height, 4, plot.width, 2)
    codes = np.einsum("hawb,ab->hw", cells.astype(np.uint32), _BRAILLE) * where
    area = plot.area
    canvas.characters[area] = np.where(codes, 0x2800 + codes, canvas.characters[area])
    canvas.styles[area] = np.where(codes, style, canvas.styles[area])


def _inside_bands(canvas: _Canvas, plot: _Plot) -> BoolArray:
    """Return which cells (height, width) have series in them, above and below."""
    drawn = np.pad(canvas.styles[plot.area] >= SERIES, ((1, 1), (0, 0)))
    return np.asarray(drawn[:-2] & drawn[1:-1] & drawn[2:], np.bool_)


def _draw_marks(canvas: _Canvas, plot: _Plot, line: _Line) -> None:
    """Draw the marks of a line's points; only the newest point of every three columns has one."""
    x, y = line.points
    columns = plot.dot_column(x).astype(np.int64) // 2
    rows = plot.dot_row(y).astype(np.int64) // 4
    _, newest = np.unique(columns[::-1] // 3, return_index=True)
    for index in x.size - 1 - newest:
        row, column = int(plot.top + rows[index]), int(plot.left + columns[index])
        canvas.write(row, column, line.mark, line.style)


def _draw_plot(
    canvas: _Canvas,
    plot: _Plot,
    lines: list[_Line],
    smoothed: list[_Line],
    cursor: float | None,
) -> None:
    """Draw the lines, then the cursor over them, then the marks.

    A smoothed line lies behind the lines, except inside a band of values that would hide it.
    cursor: a position on the x axis; None: no cursor.
    """
    aids = [(_line_dots(plot, line), line.style) for line in smoothed]
    for dots, style in aids:
        _draw_dots(canvas, plot, dots, style)
    for line in lines:
        _draw_dots(canvas, plot, _line_dots(plot, line), line.style)
    bands = _inside_bands(canvas, plot)
    for dots, style in aids:
        _draw_dots(canvas, plot, dots, style, bands)
    if cursor is not None and plot.x[0] <= cursor <= plot.x[1]:
        column = plot.left + int(plot.dot_column(cursor)) // 2
        for row in range(plot.top, plot.top + plot.height):
            canvas.write(row, column, "│", CURSOR)
    for line in lines:
        _draw_marks(canvas, plot, line)


def _y_range(values: list[FloatArray]) -> Span | None:
    """Return the range of all values with a margin; None if there are no values."""
    together = np.concatenate(values) if values else np.zeros(0)
    if not together.size:
        return None
    low, high = float(together.min()), float(together.max())
    margin = max(0.03 * (high - low), 1e-3 * abs(low) if high == low else 0.0, 1e-6)
    return low - margin, high + margin


# ── around the plot ──────────────────────────────────────────────────────────────────────────────


def _draw_axes(canvas: _Canvas, plot: _Plot, viewport: Viewport, x_axis: Axis) -> None:
    x_label = x_axis.label
    y_ticks = axis_ticks(plot.y, viewport.log_y, _max_y_ticks(plot.height))
    y_labels = tick_labels(y_ticks)
    bottom = plot.top + plot.height
    for row in range(plot.top, bottom):
        canvas.write(row, plot.left - 1, "│", FRAME)
    for y, label in zip(axis_values(np.array(y_ticks), viewport.log_y), y_labels, strict=True):
        row = plot.top + int(plot.dot_row(y)) // 4
        canvas.write(row, plot.left - 1, "┤", FRAME)
        canvas.write(row, plot.left - 2 - len(label), label, FRAME)
    canvas.write(bottom, plot.left - 1, "└" + "─" * plot.width, FRAME)
    x_ticks = axis_ticks(plot.x, viewport.log_x, max(3, plot.width // 9), x_axis.whole)
    x_labels = tick_labels(x_ticks)
    free = 0  # the first column without a label
    if plot.left > len(x_label):
        free = canvas.write(bottom + 1, plot.left - 1 - len(x_label), x_label, FRAME) + 1
    for x, label in zip(axis_values(np.array(x_ticks), viewport.log_x), x_labels, strict=True):
        column = plot.left + int(plot.dot_column(x)) // 2
        canvas.write(bottom, column, "┴", FRAME)
        start = min(column - len(label) // 2, plot.left + plot.width - len(label))
        if start >= free:
            free = canvas.write(bottom + 1, start, label, FRAME) + 1


# A part of a line of text with its style number, and the parts of one entry of the legend.
_Part = tuple[str, int]
_Entry = list[_Part]


def _legend(series: Sequence[Series], viewport: Viewport) -> list[_Entry]:
    entries: list[_Entry] = []
    several = sum(one.kind == "line" for one in series) > 1
    for one in series:
        symbol = f"⠤{one.mark}⠤" if one.kind == "points" else f"━━{one.mark if several else '━'}"
        entries.append([(f"{symbol} {one.label}", SERIES + one.color)])
    if viewport.smoothing and any(one.kind == "line" for one in series):
        entries.append([(f"⠢⠔⠢ smoothed {viewport.smoothing:g}", SMOOTHED)])
    return entries


def _readout(series: Sequence[Series], viewport: Viewport, x_axis: Axis) -> list[_Entry]:
    """Return the values at the cursor, to be written in place of the legend."""
    assert viewport.cursor is not None
    digits = "0f" if x_axis.whole else "2f"
    entries: list[_Entry] = [[(f"{x_axis.label} {viewport.cursor:,.{digits}}", CURSOR)]]
    for one in series:
        found = nearest_value(one, viewport.cursor)
        entry: _Entry = [(f"{one.label} ", SERIES + one.color)]
        entry.append((NOTHING if found is None else f"{found[0]:.4g}", TEXT))
        if found is not None and one.kind == "line" and viewport.smoothing:
            smoothed = float(smooth(one.y[: found[1] + 1], viewport.smoothing)[-1])
            entry.append((f" smoothed {smoothed:.4g}", SMOOTHED))
        entries.append(entry)
    return entries


def _wrapped(entries: list[_Entry], width: int, max_rows: int) -> list[list[_Entry]]:
    """Return the entries in rows of at most `width` cells.

    If they need more rows than `max_rows`, the last row ends with the number of those left out.
    """
    rows: list[list[_Entry]] = [[]]
    column = 0
    for number, entry in enumerate(entries):
        size = sum(len(text) for text, _ in entry) + _LEGEND_GAP
        more = f"+ {len(entries) - number} more"
        last = len(rows) == max_rows
        reserved = len(more) if last and number < len(entries) - 1 else 0
        if rows[-1] and column + size + reserved > width:
            if last:
                rows[-1].append([(more, TEXT)])
                break
            rows.append([])
            column = 0
        rows[-1].append(entry)
        column += size
    return rows


def _draw_entries(canvas: _Canvas, rows: list[list[_Entry]]) -> int:
    """Write rows of entries at the top; return the column after the first row."""
    ends = []
    for number, row in enumerate(rows):
        column = 1
        for entry in row:
            for text, style in entry:
                column = canvas.write(number, column, text, style)
            column += _LEGEND_GAP
        ends.append(column)
    return ends[0]


# ── the chart ────────────────────────────────────────────────────────────────────────────────────


def draw(
    series: Sequence[Series],
    viewport: Viewport,
    width: int,
    height: int,
    x_axis: Axis = STEPS,
    y_label: str = "",
) -> RenderedChart:
    """Draw a chart of `width` × `height` cells: legend or readout, lines, and axes if they fit.

    The y axis covers the visible part of the series. The chart is blank if there is nothing to draw
    or no room.
    """
    canvas = _Canvas(width, height)
    blank = RenderedChart(canvas.characters, canvas.styles, None)
    full = x_range(series, viewport.log_x)
    axes = width >= 24 and height >= 7
    with_cursor = viewport.cursor is not None
    entries = _readout(series, viewport, x_axis) if with_cursor else _legend(series, viewport)
    top = _wrapped(entries, width - 1, max(1, height // 4))
    rows = height - (2 if axes else 0) - len(top)
    if full is None or rows < 1 or width < 4:
        return blank
    low, high = viewport.visible(full)
    if high - low < MIN_SPAN:
        low, high = low - 0.5, high + 0.5
    lines, smoothed = _lines(series, viewport, (low, high), width)
    y_range = _y_range([line.y for line in (*lines, *smoothed)])
    if y_range is None:
        return blank

    gutter = 0
    if axes:
        labels = tick_labels(axis_ticks(y_range, viewport.log_y, _max_y_ticks(rows)))
        gutter = max([len(label) for label in labels], default=0) + 2
        gutter = max(gutter, len(x_axis.label) + 1 if width >= 50 else 0)
    plot = _Plot(len(top), gutter, width - gutter, rows, (low, high), y_range)
    if axes:
        _draw_axes(canvas, plot, viewport, x_axis)
    cursor = None if viewport.cursor is None else viewport.to_axis(viewport.cursor)
    _draw_plot(canvas, plot, lines, smoothed, cursor)
    end = _draw_entries(canvas, top)
    if not with_cursor and end + len(y_label) < width:
        canvas.write(0, width - len(y_label) - 1, y_label, FRAME)
    span = viewport.from_axis(low), viewport.from_axis(high)
    return RenderedChart(canvas.characters, canvas.styles, span, plot.left, plot.width)
