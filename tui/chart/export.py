"""A chart as a file: what is visible as SVG or PNG, on white; or its values as CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Protocol

import numpy as np

from engine import files
from engine.errors import InputError
from tui.chart.series import (
    COLORS,
    STEPS,
    Axis,
    BoolArray,
    FloatArray,
    Series,
    axis_values,
    decimate,
    mark,
    smooth,
    x_range,
)
from tui.chart.ticks import axis_ticks, tick_labels
from tui.chart.viewport import MIN_SPAN, Span, Viewport

SUFFIXES = (".png", ".svg", ".csv")
_WIDTH, _HEIGHT = 1200, 720
_LEFT, _RIGHT, _BOTTOM = 80, 30, 60  # margins
_ROW = 24  # height of a row of the legend
# Distinct also for the color-blind (Okabe and Ito 2008), their yellow darkened for a white ground.
_PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
_GREY, _LIGHT, _BLACK = "#666666", "#DDDDDD", "#222222"
_SCALE = 2  # of the PNG, which is drawn at twice this size and then reduced
Points = Sequence[tuple[float, float]]


class _Canvas(Protocol):
    """What a chart is drawn on; x and y in pixels from the upper left corner."""

    def line(self, points: Points, color: str, width: float) -> None: ...

    def shape(self, points: Points, color: str) -> None: ...

    def text(self, x: float, y: float, text: str, color: str, anchor: str) -> None:
        """Write a text; anchor: "start", "middle" or "end" is at x; y: its baseline."""

    def encode(self) -> bytes: ...


class _Svg:
    def __init__(self) -> None:
        self._parts: list[str] = []

    def line(self, points: Points, color: str, width: float) -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}" '
            'stroke-linejoin="round"/>'
        )

    def shape(self, points: Points, color: str) -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f'<polygon points="{path}" fill="{color}"/>')

    def text(self, x: float, y: float, text: str, color: str, anchor: str) -> None:
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )

    def encode(self) -> bytes:
        body = "\n".join(self._parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
            f'width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="15">\n'
            f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
        ).encode()


class _Png:
    def __init__(self) -> None:
        from PIL import Image, ImageDraw, ImageFont

        size = 2 * _SCALE
        self._size = size
        self._image = Image.new("RGB", (_WIDTH * size, _HEIGHT * size), "white")
        self._draw = ImageDraw.Draw(self._image)
        self._font = ImageFont.load_default(15 * size)

    def _scaled(self, points: Points) -> list[tuple[float, float]]:
        return [(x * self._size, y * self._size) for x, y in points]

    def line(self, points: Points, color: str, width: float) -> None:
        if len(points) > 1:
            self._draw.line(self._scaled(points), color, round(width * self._size), "curve")

    def shape(self, points: Points, color: str) -> None:
        self._draw.polygon(self._scaled(points), color)

    def text(self, x: float, y: float, text: str, color: str, anchor: str) -> None:
        code = {"start": "ls", "middle": "ms", "end": "rs"}[anchor]
        self._draw.text((x * self._size, y * self._size), text, color, self._font, code)

    def encode(self) -> bytes:
        small = self._image.resize((_WIDTH * _SCALE, _HEIGHT * _SCALE))
        file = io.BytesIO()
        small.save(file, "PNG", optimize=True)
        return file.getvalue()


def export(
    path: Path, series: Sequence[Series], viewport: Viewport, x_axis: Axis | None, y_label: str
) -> None:
    """Write the visible part of a chart to a file, whose suffix chooses the format.

    x_axis: None for steps. Raises InputError for another suffix, a chart without values and a file
    that cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path.name} must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}.")
    full = x_range(series, viewport.log_x)
    if full is None:
        raise InputError("The chart has no values yet: wait for the first, or mark runs.")
    axis, span = x_axis or STEPS, viewport.span or full
    if suffix == ".csv":
        files.write_atomic(path, _csv(series, span, axis))
        return
    canvas: _Canvas = _Svg() if suffix == ".svg" else _Png()
    _draw(canvas, series, viewport, span, axis, y_label)
    files.write_atomic(path, canvas.encode())


def _csv(series: Sequence[Series], span: Span, axis: Axis) -> str:
    """Return a row for each visible x, with the y of each series, empty where it has none."""
    columns = [dict(zip(one.x.tolist(), one.y.tolist(), strict=True)) for one in series]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([axis.label, *(one.label for one in series)])
    for x in sorted({x for column in columns for x in column if span[0] <= x <= span[1]}):
        values = [column.get(x, np.nan) for column in columns]
        if np.isfinite(values).any():
            cells = [f"{value:.6g}" if np.isfinite(value) else "" for value in values]
            writer.writerow([f"{x:.12g}", *cells])
    return text.getvalue()


@dataclass(frozen=True)
class _Plot:
    """The rectangle of the lines, in pixels, and the positions on the axes at its edges."""

    top: float
    x: Span
    y: Span

    width = _WIDTH - _LEFT - _RIGHT

    @property
    def bottom(self) -> float:
        return float(_HEIGHT - _BOTTOM)

    def column(self, x: FloatArray) -> FloatArray:
        return _LEFT + (x - self.x[0]) / (self.x[1] - self.x[0]) * self.width

    def row(self, y: FloatArray) -> FloatArray:
        fraction = (self.y[1] - y) / (self.y[1] - self.y[0])
        return self.top + fraction * (self.bottom - self.top)


@dataclass(frozen=True)
class _Line:
    """A line as positions on the axes, (N,) each."""

    series: Series
    x: FloatArray
    y: FloatArray
    smoothed: bool = False

    def inside(self, span: Span) -> BoolArray:
        """Return which of its points are finite and within a range of x."""
        return (self.x >= span[0]) & (self.x <= span[1]) & np.isfinite(self.y)


def _lines(series: Sequence[Series], viewport: Viewport) -> list[_Line]:
    lines = []
    for one in series:
        x = axis_values(one.x, viewport.log_x)
        finite = np.isfinite(x)
        x, y = x[finite], one.y[finite]
        lines.append(_Line(one, x, axis_values(y, viewport.log_y)))
        if one.kind == "line" and viewport.smoothing:
            smoothed = axis_values(smooth(y, viewport.smoothing), viewport.log_y)
            lines.append(_Line(one, x, smoothed, smoothed=True))
    return lines


def _draw(
    canvas: _Canvas,
    series: Sequence[Series],
    viewport: Viewport,
    span: Span,
    x_axis: Axis,
    y_label: str,
) -> None:
    low, high = (viewport.to_axis(edge) for edge in span)
    if high - low < MIN_SPAN:
        low, high = low - 0.5, high + 0.5
    lines = _lines(series, viewport)
    values = np.concatenate([line.y[line.inside((low, high))] for line in lines])
    if not values.size:
        raise InputError("The visible part of the chart has no values: press 0 to zoom out.")
    margin = 0.03 * float(np.ptp(values)) or 0.5
    y_span = float(values.min()) - margin, float(values.max()) + margin
    plot = _Plot(30 + _draw_legend(canvas, series, viewport), (low, high), y_span)
    _draw_axes(canvas, plot, viewport, x_axis, y_label)
    for line in lines:
        _draw_line(canvas, plot, line)


def _draw_axes(
    canvas: _Canvas, plot: _Plot, viewport: Viewport, x_axis: Axis, y_label: str
) -> None:
    right, bottom = _LEFT + plot.width, plot.bottom
    y_ticks = axis_ticks(plot.y, viewport.log_y, 8)
    rows = plot.row(axis_values(np.array(y_ticks), viewport.log_y))
    for at, label in zip(rows.tolist(), tick_labels(y_ticks), strict=True):
        canvas.line([(_LEFT, at), (right, at)], _LIGHT, 1)
        canvas.text(_LEFT - 8, at + 5, label, _GREY, "end")
    x_ticks = axis_ticks(plot.x, viewport.log_x, 10, x_axis.whole)
    columns = plot.column(axis_values(np.array(x_ticks), viewport.log_x))
    for at, label in zip(columns.tolist(), tick_labels(x_ticks), strict=True):
        canvas.line([(at, bottom), (at, bottom + 6)], _GREY, 1)
        canvas.text(at, bottom + 24, label, _GREY, "middle")
    canvas.line([(_LEFT, plot.top), (_LEFT, bottom), (right, bottom)], _GREY, 1)
    canvas.text(_LEFT + plot.width / 2, _HEIGHT - 12, x_axis.label, _BLACK, "middle")
    canvas.text(_LEFT, plot.top - 10, y_label, _BLACK, "start")


def _draw_line(canvas: _Canvas, plot: _Plot, line: _Line) -> None:
    color = _BLACK if line.smoothed else _PALETTE[line.series.color]
    x, y, connected = decimate(line.x, line.y, *plot.x, plot.width)
    points = list(zip(plot.column(x).tolist(), plot.row(y).tolist(), strict=True))
    start = 0
    for index in np.flatnonzero(~connected):
        canvas.line(points[start : index + 1], color, 1.2 if line.smoothed else 1.8)
        start = int(index) + 1
    if line.series.kind == "points":
        inside = line.inside(plot.x)
        for at in zip(plot.column(line.x[inside]), plot.row(line.y[inside]), strict=True):
            canvas.shape(_mark(line.series.number, *map(float, at)), color)


def _draw_legend(canvas: _Canvas, series: Sequence[Series], viewport: Viewport) -> float:
    """Draw the legend at the top; return its height."""
    entries = [(one.label, _PALETTE[one.number % COLORS], one.number, one.kind) for one in series]
    if viewport.smoothing and any(one.kind == "line" for one in series):
        entries.append((f"smoothed {viewport.smoothing:g}", _BLACK, 0, "line"))
    x, y = float(_LEFT), 28.0
    for label, color, number, kind in entries:
        size = 60 + 8.5 * len(label)
        if x > _LEFT and x + size > _WIDTH - _RIGHT:
            x, y = float(_LEFT), y + _ROW
        canvas.line([(x, y - 5), (x + 28, y - 5)], color, 2)
        if kind == "points":
            canvas.shape(_mark(number, x + 14, y - 5), color)
        canvas.text(x + 36, y, label, _BLACK, "start")
        x += size
    return y


def _mark(number: int, x: float, y: float) -> Points:
    """Return the corners of a mark around a point; the marks are those of the terminal."""
    corners = {  # number of corners, and whether every second is an inner one
        "●": (24, False), "◆": (4, False), "▲": (3, False), "■": (4, False), "✚": (8, True),
        "★": (10, True),
    }  # fmt: skip

    symbol = mark(number)
    count, star = corners[symbol]
    turn = np.pi / 4 if symbol == "■" else 0.0
    angles = turn - np.pi / 2 + 2 * np.pi * np.arange(count) / count
    radius = np.where(np.arange(count) % 2, 2.5 if star else 5.5, 5.5)
    return list(zip(x + radius * np.cos(angles), y + radius * np.sin(angles), strict=True))
