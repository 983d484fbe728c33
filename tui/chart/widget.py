"""The learning curve: several lines in braille, looked at through a view that keys change."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from tui.chart.viewport import Viewport, pan, smoother, zoom
from tui.formatting import clean

if TYPE_CHECKING:  # NumPy itself is loaded when there is something to draw
    from tui.chart.drawing import RenderedChart
    from tui.chart.series import Series

_CLOSER = 1.6
_LINES = ("frame", "text", "raw", "cursor", *(f"series-{colour}" for colour in range(6)))


class LineChart(Widget, can_focus=True):
    """Draws its series once for each change of data, view, size or theme; shows rows of that."""

    BINDING_GROUP_TITLE = "Curve"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "smooth(1)", "Smoother", show=False, id="curve.smoother",
                tooltip="Smooth the curve more"),
        Binding("M", "smooth(-1)", "Rougher", show=False, id="curve.rougher",
                tooltip="Smooth the curve less; in the end only the raw one is left"),
        Binding("l", "log('y')", "Log y", show=False, id="curve.log_y",
                tooltip="Logarithmic values, or linear again"),
        Binding("L", "log('x')", "Log x", show=False, id="curve.log_x",
                tooltip="Logarithmic steps, or linear again"),
        Binding("plus,equals_sign", "zoom(1)", "Closer", show=False, key_display="+",
                id="curve.closer", tooltip="Look closer, around the cursor or the middle"),
        Binding("minus", "zoom(-1)", "Further", show=False, key_display="-",
                id="curve.further", tooltip="See more of the steps"),
        Binding("left", "move(-1)", "Left", show=False, id="curve.left",
                tooltip="Look further left, or move the cursor left"),
        Binding("right", "move(1)", "Right", show=False, id="curve.right",
                tooltip="Look further right, or move the cursor right"),
        Binding("shift+left", "move(-10)", "Far left", show=False, id="curve.far_left",
                tooltip="The same in larger strides"),
        Binding("shift+right", "move(10)", "Far right", show=False, id="curve.far_right",
                tooltip="The same in larger strides"),
        Binding("0", "reset", "Whole curve", show=False, id="curve.reset",
                tooltip="See the whole curve again"),
        Binding("v", "cursor", "Cursor", show=False, id="curve.cursor",
                tooltip="Read values: a cursor that left and right move, or away with it"),
    ]  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line-chart--{name}" for name in _LINES}
    DEFAULT_CSS = """
    LineChart {
        width: 1fr;
        height: 1fr;
        &> .line-chart--frame { color: $foreground 45%; }
        &> .line-chart--text { color: $foreground 85%; }
        &> .line-chart--raw { color: $foreground 38%; }
        &> .line-chart--cursor { color: $foreground; text-style: bold; }
        &> .line-chart--series-0 { color: $text-primary; text-style: bold; }
        &> .line-chart--series-1 { color: $text-warning; text-style: bold; }
        &> .line-chart--series-2 { color: $text-success; text-style: bold; }
        &> .line-chart--series-3 { color: $text-error; text-style: bold; }
        &> .line-chart--series-4 { color: $text-accent; text-style: bold; }
        &> .line-chart--series-5 { color: $text-secondary; text-style: bold; }
    }
    """

    def __init__(self, y_label: str = "", empty: str = "", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.y_label = y_label
        self.empty = empty  # what is said while there is nothing to draw
        self.view = Viewport()
        self._series: tuple[Series, ...] = ()
        self._picture: RenderedChart | None = None
        self._strips: list[Strip] = []

    def show(self, series: Sequence["Series"], y_label: str | None = None) -> None:
        """Draw these series from now on."""
        self._series = tuple(series)
        self.y_label = self.y_label if y_label is None else y_label
        self._redraw()

    def look(self, view: Viewport) -> None:
        """Look at the series this way from now on."""
        self.view = view
        self._redraw()

    def _full(self) -> tuple[float, float] | None:
        from tui.chart.series import x_range

        return x_range(self._series, self.view.log_x)

    def _redraw(self) -> None:
        """Rasterise anew; `render_line` only hands out what is made here."""
        width, height = self.size
        self._strips, self._picture = [], None
        if self._series and width and height:
            from tui.chart.drawing import draw

            full = self._full()
            span = self.view.span
            if full and span and (span[0] >= full[1] or span[1] <= full[0]):
                self.view = dataclasses.replace(self.view, span=None)
            picture = draw(self._series, self.view, width, height, y_label=self.y_label)
            if picture.span is not None:
                self._picture = picture
                self._strips = self._paint(picture)
        self.refresh()

    def _paint(self, picture: "RenderedChart") -> list[Strip]:
        base = self.rich_style
        palette = [base, *(self.get_component_rich_style(f"line-chart--{name}") for name in _LINES)]
        strips = []
        for text, numbers in zip(picture.lines(), picture.styles.tolist(), strict=True):
            segments, start = [], 0
            for column in range(1, len(numbers) + 1):
                if column == len(numbers) or numbers[column] != numbers[start]:
                    segments.append(Segment(text[start:column], palette[numbers[start]]))
                    start = column
            strips.append(Strip(segments, len(numbers)))
        return strips

    def render_line(self, y: int) -> Strip:
        """One row of the picture, or of what is said in its place."""
        width, height = self.size
        if y < len(self._strips):
            return self._strips[y]
        lines = clean(self.empty).split("\n")
        row = y - (height - len(lines)) // 2
        said = lines[row] if 0 <= row < len(lines) and not self._strips else ""
        style = self.rich_style + Style(dim=True)
        return Strip([Segment(said.center(width)[:width], style)], width)

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._redraw()

    def notify_style_update(self) -> None:
        """Draw in the new colours."""
        super().notify_style_update()
        if self.is_attached:
            self._redraw()

    def action_smooth(self, by: int) -> None:
        """Smooth more or less."""
        self.look(smoother(self.view, by))

    def action_log(self, axis: str) -> None:
        """Switch an axis between logarithmic and linear."""
        view = self.view
        if axis == "x":
            view = dataclasses.replace(view, log_x=not view.log_x, span=None)
        else:
            view = dataclasses.replace(view, log_y=not view.log_y)
        self.look(view)

    def action_zoom(self, direction: int, centre: float | None = None) -> None:
        """Look closer or see more, around an x, the cursor or the middle."""
        if (full := self._full()) is not None:
            centre = self.view.cursor if centre is None else centre
            self.look(zoom(self.view, full, _CLOSER**-direction, centre))

    def action_move(self, by: int) -> None:
        """Move the cursor by so many cells; without one, what is seen, by a tenth each."""
        picture, full = self._picture, self._full()
        if picture is None or picture.span is None or full is None:
            return
        if self.view.cursor is None:
            self.look(pan(self.view, full, max(-0.9, min(0.9, by / 10))))
            return
        from tui.chart.series import step_cursor

        self.look(step_cursor(self.view, self._series, picture.span, by, picture.width))

    def action_reset(self) -> None:
        """See all again."""
        self.look(dataclasses.replace(self.view, span=None))

    def action_cursor(self) -> None:
        """Show the cursor on the last point, or hide it."""
        if self.view.cursor is not None:
            self.look(dataclasses.replace(self.view, cursor=None))
        elif self._picture is not None and self._picture.span is not None:
            from tui.chart.series import step_cursor

            self.look(step_cursor(self.view, self._series, self._picture.span, 0, 1))

    def _x_at(self, event: events.MouseEvent) -> float | None:
        """The x under the mouse."""
        picture, place = self._picture, event.get_content_offset(self)
        if picture is None or picture.span is None or place is None:
            return None
        from tui.chart.viewport import from_axis, to_axis

        low, high = (to_axis(self.view, edge) for edge in picture.span)
        share = min(max((place.x - picture.left) / max(1, picture.width - 1), 0.0), 1.0)
        return from_axis(self.view, low + share * (high - low))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Look closer where the mouse is."""
        event.stop()
        self.action_zoom(1, self._x_at(event))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """See more around where the mouse is."""
        event.stop()
        self.action_zoom(-1, self._x_at(event))

    def on_click(self, event: events.Click) -> None:
        """Read the values where the mouse is."""
        x, picture = self._x_at(event), self._picture
        if x is None or picture is None or picture.span is None:
            return
        from tui.chart.series import step_cursor

        view = dataclasses.replace(self.view, cursor=x)
        self.look(step_cursor(view, self._series, picture.span, 0, picture.width))
