"""Songs that are written together, side by side, to pick one from."""

import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message

from tui.pages.lyrics.session import STATES, SongView, most_probable
from tui.pages.lyrics.text import LyricsText

MIN_TILE = (24, 5)  # columns and rows of a tile; where they do not fit, the grid scrolls
BEST = "★"


def columns_of(count: int, width: int) -> int:
    """How many tiles stand in a row: as many as rows, or as few as fit a width in cells."""
    return max(1, min(math.ceil(math.sqrt(count)), width // MIN_TILE[0]))


class SongTile(LyricsText):
    """One of the songs: its number and seed above it, its likelihood below."""

    BINDING_GROUP_TITLE = "Songs side by side"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "pick", "This one", id="lyrics.grid.pick",
                tooltip="Take this song; the others stay among the earlier ones"),
        Binding("left", "move('left')", "Left", show=False, id="lyrics.grid.left",
                tooltip="The song before"),
        Binding("right", "move('right')", "Right", show=False, id="lyrics.grid.right",
                tooltip="The song after"),
        Binding("up", "move('up')", "Up", show=False, id="lyrics.grid.up",
                tooltip="The song above; page up and down scroll within one"),
        Binding("down", "move('down')", "Down", show=False, id="lyrics.grid.down",
                tooltip="The song below"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    SongTile {
        width: 1fr;
        height: 100%;
        border: round $foreground 30%;
        border-title-color: $text-muted;
        border-subtitle-color: $text-muted;
        &.-likeliest { border-subtitle-style: bold; border-subtitle-color: $text; }
        &:focus { border: heavy $accent; border-title-color: $text; border-title-style: bold; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.song: SongView | None = None

    def show(self, song: SongView, view: str) -> None:
        """Show another song, its characters shaded as the view wants."""
        self.song = song
        super().show(song, view)

    def tell(self, best: bool) -> None:
        """Say in the frame how the song stands, and whether it is the likeliest."""
        song = self.song
        if song is None:
            return
        mark, seed = STATES[song.state][0], "" if song.seed is None else f" · seed {song.seed}"
        self.border_title = f"{mark} {song.number + 1}{seed}"
        bits = "" if song.bits is None else f"{song.bits:.2f} bits/char"
        self.border_subtitle = f"{bits} {BEST}" if best else bits
        self.set_class(best, "-likeliest")

    def action_pick(self) -> None:
        """Take this one."""
        if self.song is not None:
            self.post_message(SongGrid.Picked(self.song))

    def action_move(self, way: str) -> None:
        """Go to the next tile in a way."""
        if isinstance(self.parent, SongGrid):
            self.parent.move(self, way)


class SongGrid(VerticalScroll, can_focus=False):
    """A tile for each song, in rows; the arrow keys walk about, enter picks."""

    DEFAULT_CSS = """
    SongGrid { layout: grid; height: 1fr; scrollbar-size-vertical: 1; }
    """

    class Moved(Message):
        """The focus went to a song."""

        def __init__(self, song: SongView) -> None:
            super().__init__()
            self.song = song

    class Picked(Message):
        """A song was picked."""

        def __init__(self, song: SongView) -> None:
            super().__init__()
            self.song = song

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._tiles: list[SongTile] = []  # as many as were ever shown; the rest are hidden
        self.songs: Sequence[SongView] = ()  # those shown

    def show(self, songs: Sequence[SongView], view: str) -> None:
        """Show these."""
        self.songs = songs
        new = [SongTile() for _ in range(len(songs) - len(self._tiles))]
        self._tiles += new
        self.mount(*new)
        for tile, song in zip_longest(self._tiles, songs):
            tile.display = song is not None
            if song is not None:
                tile.show(song, view)
        self._lay_out()
        self.tell()

    def tile(self, song: SongView | None) -> SongTile | None:
        """Where a song stands, if it is here."""
        return next((tile for tile in self._tiles if tile.display and tile.song is song), None)

    def tell(self) -> None:
        """Say of each song how it stands, and, when all have ended, which is the likeliest."""
        best = most_probable(self.songs)
        for tile, song in zip(self._tiles, self.songs, strict=False):
            tile.tell(song is best)

    def move(self, tile: SongTile, way: str) -> None:
        """Go from a tile to its neighbour "left", "right", "up" or "down", if it has one."""
        columns = self.styles.grid_size_columns
        steps = {"left": -1, "right": 1, "up": -columns, "down": columns}[way]
        place = self._tiles.index(tile) + steps
        if 0 <= place < len(self.songs):
            self._tiles[place].focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Tell which song has the focus."""
        if isinstance(event.widget, SongTile) and event.widget.song is not None:
            self.post_message(self.Moved(event.widget.song))

    def on_resize(self) -> None:
        """Lay the tiles out anew."""
        self._lay_out()

    def _lay_out(self) -> None:
        columns = columns_of(len(self.songs), self.size.width)
        rows = math.ceil(len(self.songs) / columns)
        self.styles.grid_size_columns = columns
        self.styles.grid_rows = (
            "1fr" if rows * MIN_TILE[1] <= self.size.height else str(MIN_TILE[1])
        )
