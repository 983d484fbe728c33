"""The line chart widget, whose viewport changes with keys and the mouse."""

import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from tui.chart.viewport import Viewport
from tui.formatting import clean

if TYPE_CHECKING:  # NumPy is imported when there is something to draw
    from tui.chart.drawing import RenderedChart
    from tui.chart.series import Axis, Series

_ZOOM = 1.6  # the factor by which a key press or a step of the mouse wheel zooms
# The component styles, in the order of the style numbers of `tui.chart.drawing`, from FRAME on.
_STYLES = ("frame", "text", "smoothed", "cursor", *(f"series-{color}" for color in range(6)))


class LineChart(Widget, can_focus=True):
    """A widget that shows series as lines in braille.

    The whole chart is drawn when its data, viewport, size or theme changes; `render_line` returns
    rows of that drawing.
    """

    BINDING_GROUP_TITLE = "Chart"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "smooth(1)", "Smooth more", show=False, id="chart.smooth_more",
                tooltip="Smooth the curve more"),
        Binding("M", "smooth(-1)", "Smooth less", show=False, id="chart.smooth_less",
                tooltip="Smooth the curve less, down to the raw values alone"),
        Binding("l", "log('y')", "Log y", show=False, id="chart.log_y",
                tooltip="Logarithmic or linear values"),
        Binding("L", "log('x')", "Log x", show=False, id="chart.log_x",
                tooltip="Logarithmic or linear steps"),
        Binding("plus,equals_sign", "zoom(1)", "Zoom in", show=False, key_display="+",
                id="chart.zoom_in", tooltip="Zoom in around the cursor, or the middle"),
        Binding("minus", "zoom(-1)", "Zoom out", show=False, key_display="-",
                id="chart.zoom_out", tooltip="Zoom out"),
        Binding("left", "move(-1)", "Left", show=False, id="chart.left",
                tooltip="Scroll or move the cursor left"),
        Binding("right", "move(1)", "Right", show=False, id="chart.right",
                tooltip="Scroll or move the cursor right"),
        Binding("shift+left", "move(-10)", "Far left", show=False, id="chart.far_left",
                tooltip="Scroll or move the cursor left in larger steps"),
        Binding("shift+right", "move(10)", "Far right", show=False, id="chart.far_right",
                tooltip="Scroll or move the cursor right in larger steps"),
        Binding("0", "reset", "Whole curve", show=False, id="chart.reset",
                tooltip="Zoom out to the whole curve"),
        Binding("v", "cursor", "Cursor", show=False, id="chart.cursor",
                tooltip="Show or hide a cursor that reads values; left and right move it"),
    ]  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line-chart--{name}" for name in _STYLES}
    DEFAULT_CSS = """
    LineChart {
        width: 1fr;
        height: 1fr;
        &> .line-chart--frame { color: $foreground 45%; }
        &> .line-chart--text { color: $foreground 85%; }
        &> .line-chart--smoothed { color: $foreground 70%; }
        &> .line-chart--cursor { color: $foreground; text-style: bold; }
        &> .line-chart--series-0 { color: #5AB4F0; text-style: bold; }
        &> .line-chart--series-1 { color: #F2B134; text-style: bold; }
        &> .line-chart--series-2 { color: #5FD3A0; text-style: bold; }
        &> .line-chart--series-3 { color: #F08CB8; text-style: bold; }
        &> .line-chart--series-4 { color: #BFA3FF; text-style: bold; }
        &> .line-chart--series-5 { color: #D6DC5A; text-style: bold; }
        &:light {
            &> .line-chart--series-0 { color: #0067B0; text-style: bold; }
            &> .line-chart--series-1 { color: #A85400; text-style: bold; }
            &> .line-chart--series-2 { color: #00704F; text-style: bold; }
            &> .line-chart--series-3 { color: #B02F72; text-style: bold; }
            &> .line-chart--series-4 { color: #6238B8; text-style: bold; }
            &> .line-chart--series-5 { color: #6C6400; text-style: bold; }
        }
    }
    """

    def __init__(
        self,
        empty: str = "",
        viewport: Viewport = Viewport(),  # noqa: B008 (immutable)
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self.empty = empty  # the text shown while there is nothing to draw
        self.viewport = viewport
        self.y_label = ""
        self._x_axis: Axis | None = None  # None: of steps
        self._series: tuple[Series, ...] = ()
        self._chart: RenderedChart | None = None
        self._strips: list[Strip] = []

    def show(self, series: Sequence["Series"], y_label: str, x_axis: "Axis | None" = None) -> None:
        """Replace the series and the axes; x_axis: None for steps."""
        if x_axis != self._x_axis:  # a visible range or a cursor of the other axis has no meaning
            self.viewport = dataclasses.replace(self.viewport, span=None, cursor=None)
        self._series, self.y_label, self._x_axis = tuple(series), y_label, x_axis
        self._redraw()

    async def export(self, path: Path) -> None:
        """Write what is seen as PNG, SVG or CSV: see `tui.chart.export.export`."""
        from tui.chart.export import export

        shown = self._series, self.viewport, self._x_axis, self.y_label
        await asyncio.to_thread(export, path, *shown)

    def mark(self, number: int) -> Text:
        """Return the mark of the series with this number, in its color."""
        from tui.chart.series import COLORS, mark

        style = f"line-chart--series-{number % COLORS}"
        return Text(mark(number), self.get_component_rich_style(style, partial=True))

    def set_viewport(self, viewport: Viewport) -> None:
        """Replace the viewport."""
        self.viewport = viewport
        self._redraw()

    def render_line(self, y: int) -> Strip:
        """Return row `y` of the chart, or of the text shown while there is nothing to draw."""
        width, height = self.size
        if y < len(self._strips):
            return self._strips[y]
        lines = clean(self.empty).split("\n")
        row = y - (height - len(lines)) // 2
        text = lines[row] if 0 <= row < len(lines) and not self._strips else ""
        style = self.rich_style + Style(dim=True)
        return Strip([Segment(text.center(width)[:width], style)], width)

    def on_resize(self) -> None:
        """Draw the chart in the new size."""
        self._redraw()

    def notify_style_update(self) -> None:
        """Draw the chart in the colors of the new theme."""
        super().notify_style_update()
        if self.is_attached:
            self.call_later(self._redraw)  # the component styles are updated after this

    # ── keys and mouse ───────────────────────────────────────────────────────────────────────────

    def action_smooth(self, steps: int) -> None:
        """Smooth more by `steps` steps, or less if negative."""
        self.set_viewport(self.viewport.smooth(steps))

    def action_log(self, axis: str) -> None:
        """Switch an axis, "x" or "y", between logarithmic and linear."""
        viewport = self.viewport
        if axis == "x":
            viewport = dataclasses.replace(viewport, log_x=not viewport.log_x, span=None)
        else:
            viewport = dataclasses.replace(viewport, log_y=not viewport.log_y)
        self.set_viewport(viewport)

    def action_zoom(self, direction: int, center: float | None = None) -> None:
        """Zoom in (1) or out (-1).

        center: the x to zoom around; None: the cursor, or the middle if there is no cursor.
        """
        if (full := self._x_range()) is not None:
            center = self.viewport.cursor if center is None else center
            self.set_viewport(self.viewport.zoom(full, _ZOOM**-direction, center))

    def action_move(self, cells: int) -> None:
        """Move the cursor by a number of cells, to the right if positive.

        Without a cursor, scroll by a tenth of the plot for each cell.
        """
        full = self._x_range()
        if self._chart is None or full is None:
            return
        if self.viewport.cursor is None:
            fraction = max(-0.9, min(0.9, cells / 10))
            self.set_viewport(self.viewport.pan(full, fraction))
        else:
            self._move_cursor(self.viewport, cells)

    def action_reset(self) -> None:
        """Show the whole curve."""
        self.set_viewport(dataclasses.replace(self.viewport, span=None))

    def action_cursor(self) -> None:
        """Show the cursor on the last visible point, or hide it."""
        if self.viewport.cursor is not None:
            self.set_viewport(dataclasses.replace(self.viewport, cursor=None))
        else:
            self._move_cursor(self.viewport, 0)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in around the mouse."""
        event.stop()
        self.action_zoom(1, self._x_at(event))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out around the mouse."""
        event.stop()
        self.action_zoom(-1, self._x_at(event))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the point nearest to the mouse."""
        if (x := self._x_at(event)) is not None:
            self._move_cursor(dataclasses.replace(self.viewport, cursor=x), 0)

    def _move_cursor(self, viewport: Viewport, cells: int) -> None:
        from tui.chart.series import move_cursor

        if (chart := self._chart) is not None and chart.span is not None:
            self.set_viewport(move_cursor(viewport, self._series, chart.span, cells, chart.width))

    def _x_range(self) -> tuple[float, float] | None:
        from tui.chart.series import x_range

        return x_range(self._series, self.viewport.log_x)

    def _x_at(self, event: events.MouseEvent) -> float | None:
        """Return the x under the mouse; None if the mouse is outside or no chart is drawn."""
        chart, offset = self._chart, event.get_content_offset(self)
        if chart is None or chart.span is None or offset is None:
            return None
        low, high = (self.viewport.to_axis(edge) for edge in chart.span)
        fraction = min(max((offset.x - chart.left) / max(1, chart.width - 1), 0.0), 1.0)
        return self.viewport.from_axis(low + fraction * (high - low))

    # ── drawing ──────────────────────────────────────────────────────────────────────────────────

    def _redraw(self) -> None:
        width, height = self.size
        self._strips, self._chart = [], None
        if self._series and width and height:
            from tui.chart.drawing import draw
            from tui.chart.series import STEPS

            full, span = self._x_range(), self.viewport.span
            if full and span and (span[0] >= full[1] or span[1] <= full[0]):
                self.viewport = dataclasses.replace(self.viewport, span=None)
            x_axis = self._x_axis or STEPS
            chart = draw(self._series, self.viewport, width, height, x_axis, self.y_label)
            if chart.span is not None:
                self._chart = chart
                self._strips = self._styled(chart)
        self.refresh()

    def _styled(self, chart: "RenderedChart") -> list[Strip]:
        palette = [
            self.rich_style,
            *(self.get_component_rich_style(f"line-chart--{name}") for name in _STYLES),
        ]
        strips = []
        for text, styles in zip(chart.lines(), chart.styles.tolist(), strict=True):
            segments, start = [], 0
            for column in range(1, len(styles) + 1):
                if column == len(styles) or styles[column] != styles[start]:
                    segments.append(Segment(text[start:column], palette[styles[start]]))
                    start = column
            strips.append(Strip(segments, len(styles)))
        return strips
