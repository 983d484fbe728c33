"""The grid that shows songs written together side by side, for the user to choose one."""

import math
import time
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message

from tui.pages.lyrics.session import STATES, SongView, most_probable
from tui.pages.lyrics.shading import LyricsText

MIN_TILE = (24, 5)  # columns and rows; where tiles of this size do not fit, the grid scrolls
BEST = "◆"  # a star marks songs that the user likes
# Tiles are drawn a few at a time, with a pause in which keys are answered.
TILES_PER_FRAME = 4
_PAUSE = 0.1  # seconds


def columns_of(count: int, width: int) -> int:
    """Return the columns of a nearly square grid of `count` tiles; no more than fit `width`."""
    return max(1, min(math.ceil(math.sqrt(count)), width // MIN_TILE[0]))


class SongTile(LyricsText):
    """One of the songs, with its number and seed above it and its bits per character below."""

    BINDING_GROUP_TITLE = "Songs side by side"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Choose", id="lyrics.grid.choose",
                tooltip="Show this song alone; b shows all of them again"),
        Binding("left", "move('left')", "Left", show=False, id="lyrics.grid.left",
                tooltip="Go to the song on the left"),
        Binding("right", "move('right')", "Right", show=False, id="lyrics.grid.right",
                tooltip="Go to the song on the right"),
        Binding("up", "move('up')", "Up", show=False, id="lyrics.grid.up",
                tooltip="Go to the song above; page up and down scroll the song"),
        Binding("down", "move('down')", "Down", show=False, id="lyrics.grid.down",
                tooltip="Go to the song below"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    SongTile {
        width: 1fr;
        height: 100%;
        border: round $foreground 30%;
        border-title-color: $text-muted;
        border-subtitle-color: $text-muted;
        &.-best { border-subtitle-style: bold; border-subtitle-color: $text; }
        &:focus { border: heavy $accent; border-title-color: $text; border-title-style: bold; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.song: SongView | None = None
        self._frame = ("", "")  # the titles shown

    def show(self, song: SongView, view: str) -> None:
        """Show another song, shaded by `view`, one of `shading.VIEWS`."""
        self.song = song
        super().show(song, view)

    def update_frame(self, best: bool) -> None:
        """Show the song's state in the frame. best: it is the most probable of the songs."""
        song = self.song
        if song is None:
            return
        mark, seed = STATES[song.state][0], "" if song.seed is None else f" · seed {song.seed}"
        bits = "" if song.bits is None else f"{song.bits:.2f} bits/char"
        frame = f"{mark} {song.number + 1}{seed}", f"{bits} {BEST}" if best else bits
        if frame != self._frame:  # the same titles again would draw the whole tile
            self._frame = self.border_title, self.border_subtitle = frame
            self.set_class(best, "-best")

    def action_choose(self) -> None:
        """Choose this song."""
        if self.song is not None:
            self.post_message(SongGrid.Chosen(self.song))

    def action_move(self, direction: str) -> None:
        """Go to the next tile in a direction."""
        if isinstance(self.parent, SongGrid):
            self.parent.move(self, direction)


class SongGrid(VerticalScroll, can_focus=False):
    """A tile for each song, in rows. The arrow keys move between them, enter chooses one."""

    DEFAULT_CSS = """
    SongGrid { layout: grid; height: 1fr; scrollbar-size-vertical: 1; }
    """

    class Moved(Message):
        """The focus moved to a song."""

        def __init__(self, song: SongView) -> None:
            super().__init__()
            self.song = song

    class Chosen(Message):
        """A song was chosen."""

        def __init__(self, song: SongView) -> None:
            super().__init__()
            self.song = song

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._tiles: list[SongTile] = []  # kept for reuse; those that no song needs are hidden
        self.songs: Sequence[SongView] = ()  # the songs shown
        self._waiting: dict[SongTile, str] = {}  # tiles to update, and their view
        self._updating = False  # whether some of them are being drawn, or a pause follows
        self._best: SongTile | None = None  # marked as the most probable

    def show(self, songs: Sequence[SongView], view: str) -> None:
        """Show these songs, shaded by `view`, one of `shading.VIEWS`."""
        self.songs = songs
        self._waiting.clear()
        new = [SongTile() for _ in range(len(songs) - len(self._tiles))]
        self._tiles += new
        self.mount(*new)
        for tile, song in zip_longest(self._tiles, songs):
            tile.display = song is not None
            if song is not None:
                tile.show(song, view)
        self._lay_out()
        self.update_frames(self._tiles)

    def tile(self, song: SongView | None) -> SongTile | None:
        """Return the tile of a song; None if the song is not shown here."""
        if song is None:
            return None
        return next((tile for tile in self._tiles if tile.display and tile.song is song), None)

    def update_songs(self, songs: Iterable[SongView], view: str) -> None:
        """Show the new characters and the states of songs, `TILES_PER_FRAME` of them at a time."""
        for song in songs:
            if tile := self.tile(song):
                self._waiting[tile] = view
        if not self._updating:
            self._update_next()

    def _update_next(self) -> None:
        self._updating = bool(self._waiting)
        if not self._waiting:
            return
        began = time.monotonic()
        updated = list(self._waiting)[:TILES_PER_FRAME]
        for tile in updated:
            view = self._waiting.pop(tile)
            if tile.song is not None:
                tile.update_song(tile.song, view)
        self.update_frames(updated)
        self.call_after_refresh(self._pause, began)

    def _pause(self, began: float) -> None:
        """Wait before the next tiles: on a busy machine as long as those took to be drawn."""
        self.set_timer(max(_PAUSE, time.monotonic() - began), self._update_next)

    def update_frames(self, tiles: Iterable[SongTile]) -> None:
        """Show the state of tiles' songs and, once all have ended, which is the most probable."""
        best = self.tile(most_probable(self.songs))
        for tile in {*tiles, *filter(None, (best, self._best))}:
            tile.update_frame(tile is best)
        self._best = best

    def move(self, tile: SongTile, direction: str) -> None:
        """Go from a tile to its neighbor "left", "right", "up" or "down", if it has one."""
        columns = self.styles.grid_size_columns
        steps = {"left": -1, "right": 1, "up": -columns, "down": columns}[direction]
        index = self._tiles.index(tile) + steps
        if 0 <= index < len(self.songs):
            self._tiles[index].focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Report which song has the focus."""
        if isinstance(event.widget, SongTile) and event.widget.song is not None:
            self.post_message(self.Moved(event.widget.song))

    def on_resize(self) -> None:
        """Lay out the tiles for the new size."""
        self._lay_out()

    def _lay_out(self) -> None:
        columns = columns_of(len(self.songs), self.size.width)
        rows = math.ceil(len(self.songs) / columns)
        self.styles.grid_size_columns = columns
        self.styles.grid_rows = (
            "1fr" if rows * MIN_TILE[1] <= self.size.height else str(MIN_TILE[1])
        )
