"""The plane of the Map page: artists or songs as points, one of them under the cursor."""

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.pages.map import layout
from tui.pages.map.layout import Mark
from tui.sources.told import Placed, Point

_NEAR = 3  # cells from a point within which a click means it


class MapPlane(Widget, can_focus=True):
    """Points with labels; the arrow keys go from one to the next in that direction."""

    BINDING_GROUP_TITLE = "The map"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1, 0)", "Left", show=False, id="map.plane.left",
                tooltip="Go to the next point on the left"),
        Binding("right", "step(1, 0)", "Right", show=False, id="map.plane.right",
                tooltip="Go to the next point on the right"),
        Binding("up", "step(0, 1)", "Up", show=False, id="map.plane.up",
                tooltip="Go to the next point above"),
        Binding("down", "step(0, -1)", "Down", show=False, id="map.plane.down",
                tooltip="Go to the next point below"),
        Binding("comma", "walk(-1)", "Before", id="map.plane.before",
                tooltip="Go to the point before, by its name"),
        Binding("full_stop", "walk(1)", "After", id="map.plane.after",
                tooltip="Go to the point after, by its name"),
    ]  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "map-plane--point", "map-plane--label", "map-plane--cursor",
    }  # fmt: skip
    DEFAULT_CSS = """
    MapPlane {
        width: 1fr;
        height: 1fr;
        & > .map-plane--point { color: $primary; }
        & > .map-plane--label { color: $foreground 80%; }
        & > .map-plane--cursor { color: $accent; text-style: bold reverse; }
    }
    """

    class Moved(Message):
        """The cursor is on another point."""

    class Chosen(Message):
        """A click means the point under the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self._points: tuple[Point, ...] = ()
        self._cursor = 0
        self._marks: list[Mark] = []
        self._order: list[int] = []  # the points by name

    @property
    def point(self) -> Point | None:
        """The point under the cursor."""
        return self._points[self._cursor] if self._points else None

    def show(self, placed: Placed | None, name: str | None = None) -> None:
        """Show other points, the cursor on that of a name, or on the first."""
        self._points = placed.points if placed else ()
        names = [point.name for point in self._points]
        self._order = sorted(range(len(names)), key=lambda place: (names[place].casefold(), place))
        first = self._order[0] if self._order else 0
        self._cursor = names.index(name) if name in names else first
        self._lay()

    def on_resize(self) -> None:
        """Lay the points out anew."""
        self._lay()

    def _lay(self) -> None:
        size = self.content_size
        self._marks = layout.layout(self._points, size.width, size.height, self._cursor)
        self.refresh()

    def action_step(self, across: int, up: int) -> None:
        """Go to the next point in a direction."""
        if self._points:
            self._go(layout.step(self._points, self._cursor, across, up))

    def action_walk(self, steps: int) -> None:
        """Go to the next point by name, and round from the last to the first."""
        if self._points:
            place = self._order.index(self._cursor) + steps
            self._go(self._order[place % len(self._order)])

    def _go(self, place: int) -> None:
        if place != self._cursor:
            self._cursor = place
            self._lay()
            self.post_message(self.Moved())

    def on_click(self, event: events.Click) -> None:
        """Go to the point under the mouse; where the cursor is there already, choose it."""
        offset = event.get_content_offset(self)
        if offset is None or not self._marks:
            return

        def distance(place: int) -> int:
            mark = self._marks[place]
            on_label = mark.line == offset.y and 0 <= offset.x - mark.start < cell_len(mark.label)
            return 0 if on_label else abs(mark.column - offset.x) + 2 * abs(mark.row - offset.y)

        nearest = min(range(len(self._marks)), key=distance)
        if distance(nearest) > _NEAR:
            return
        if nearest == self._cursor:
            self.post_message(self.Chosen())
        else:
            self._go(nearest)

    def render_line(self, y: int) -> Strip:
        """Draw a row: the points in it, and the labels."""
        styles = {name: self.get_component_rich_style(f"map-plane--{name}")
                  for name in ("point", "label", "cursor")}  # fmt: skip
        pieces: dict[int, tuple[str, str]] = {}  # by first column: the words, and their style
        for place, mark in enumerate(self._marks):
            here = place == self._cursor
            if mark.row == y and (here or mark.column not in pieces):
                pieces[mark.column] = "●", "cursor" if here else "point"
            if mark.label and mark.line == y:
                pieces[mark.start] = mark.label, "cursor" if here else "label"
        plain, column, segments = self.rich_style, 0, []
        for start, (words, style) in sorted(pieces.items()):
            segments += [Segment(" " * (start - column), plain)]
            segments += [Segment(words, plain + styles[style])]
            column = start + cell_len(words)
        return Strip(segments).adjust_cell_length(self.size.width, plain)
