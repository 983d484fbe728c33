"""The plane of the Map page: artists or songs as points, one of them under the cursor."""

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from engine.protocol import MapPoint, SongMap
from tui.pages.map import layout
from tui.pages.map.layout import Mark

STYLES = tuple(f"artist{number}" for number in range(6))  # of points and their labels
_CLICK_DISTANCE = 3  # cells: a click selects a point that is no further away


class MapPlane(Widget, can_focus=True):
    """Points with labels; arrow keys move between them."""

    BINDING_GROUP_TITLE = "Map"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1, 0)", "Left", show=False, id="map.plane.left",
                tooltip="Move to the next point on the left"),
        Binding("right", "step(1, 0)", "Right", show=False, id="map.plane.right",
                tooltip="Move to the next point on the right"),
        Binding("up", "step(0, 1)", "Up", show=False, id="map.plane.up",
                tooltip="Move to the next point above"),
        Binding("down", "step(0, -1)", "Down", show=False, id="map.plane.down",
                tooltip="Move to the next point below"),
        Binding("comma", "walk(-1)", "Previous", id="map.plane.previous",
                tooltip="Move to the previous point by name"),
        Binding("full_stop", "walk(1)", "Next", id="map.plane.next",
                tooltip="Move to the next point by name"),
    ]  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"map-plane--{name}" for name in STYLES), "map-plane--cursor",
    }  # fmt: skip
    DEFAULT_CSS = """
    MapPlane {
        width: 1fr;
        height: 1fr;
        & > .map-plane--artist0 { color: $text-primary; }
        & > .map-plane--artist1 { color: $text-warning; }
        & > .map-plane--artist2 { color: $text-success; }
        & > .map-plane--artist3 { color: $text-error; }
        & > .map-plane--artist4 { color: $text-accent; }
        & > .map-plane--artist5 { color: $text-secondary; }
        & > .map-plane--cursor { color: $accent; text-style: bold reverse; }
    }
    """

    class Moved(Message):
        """The cursor has moved to another point."""

    class Chosen(Message):
        """The point under the cursor was clicked."""

    def __init__(self) -> None:
        super().__init__()
        self._points: tuple[MapPoint, ...] = ()
        self._cursor = 0  # index of a point
        self._marks: list[Mark] = []
        self._by_name: list[int] = []  # indices of the points
        self._styles: dict[str, str] = {}  # one of STYLES for each artist seen
        self._artist: str | None = None  # whose songs are shown; None: artists

    @property
    def point(self) -> MapPoint | None:
        """The point under the cursor; None without points."""
        return self._points[self._cursor] if self._points else None

    def show(self, songs: SongMap | None, name: str | None = None) -> None:
        """Show the points of a map, with the cursor on the point `name`, or else on the first.

        songs: None shows no points.
        """
        self._points = songs.points if songs else ()
        names = [point.name for point in self._points]
        self._by_name = sorted(range(len(names)), key=lambda i: (names[i].casefold(), i))
        self._artist = songs.artist if songs else None
        if songs and songs.artist is None:  # songs have the color of their artist
            self._styles = {
                names[index]: STYLES[rank % len(STYLES)] for rank, index in enumerate(self._by_name)
            }
        first = self._by_name[0] if self._by_name else 0
        self._cursor = names.index(name) if name in names else first
        self._lay_out()

    def on_resize(self) -> None:
        """Lay out the points for the new size."""
        self._lay_out()

    def _lay_out(self) -> None:
        size = self.content_size
        self._marks = layout.layout(self._points, size.width, size.height, self._cursor)
        self.refresh()

    def action_step(self, right: int, up: int) -> None:
        """Move to the next point in a direction."""
        if self._points:
            self._move(layout.step(self._points, self._cursor, right, up))

    def action_walk(self, steps: int) -> None:
        """Move through the points in the order of their names, wrapping around."""
        if self._points:
            position = self._by_name.index(self._cursor) + steps
            self._move(self._by_name[position % len(self._by_name)])

    def _move(self, index: int) -> None:
        if index != self._cursor:
            self._cursor = index
            self._lay_out()
            self.post_message(self.Moved())

    def on_click(self, event: events.Click) -> None:
        """Move to the point under the mouse; choose it if the cursor is on it already."""
        offset = event.get_content_offset(self)
        if offset is None or not self._marks:
            return

        def distance(index: int) -> int:
            mark = self._marks[index]
            column = offset.x - mark.label_column
            on_label = mark.label_row == offset.y and 0 <= column < cell_len(mark.label)
            return 0 if on_label else abs(mark.column - offset.x) + 2 * abs(mark.row - offset.y)

        nearest = min(range(len(self._marks)), key=distance)
        if distance(nearest) > _CLICK_DISTANCE:
            return
        if nearest == self._cursor:
            self.post_message(self.Chosen())
        else:
            self._move(nearest)

    def render_line(self, y: int) -> Strip:
        """Return row `y` of the plane with its points and labels."""
        styles = {name: self.get_component_rich_style(f"map-plane--{name}")
                  for name in (*STYLES, "cursor")}  # fmt: skip
        pieces: dict[int, tuple[str, str]] = {}  # first column: (text, style)
        for index, mark in enumerate(self._marks):
            artist = self._artist or self._points[index].name
            style = "cursor" if index == self._cursor else self._styles.get(artist, STYLES[0])
            if mark.row == y and (style == "cursor" or mark.column not in pieces):
                pieces[mark.column] = "●", style
            if mark.label and mark.label_row == y:
                pieces[mark.label_column] = mark.label, style
        plain, column, segments = self.rich_style, 0, []
        for start, (text, style) in sorted(pieces.items()):
            segments += [Segment(" " * (start - column), plain)]
            segments += [Segment(text, plain + styles[style])]
            column = start + cell_len(text)
        return Strip(segments).adjust_cell_length(self.size.width, plain)
