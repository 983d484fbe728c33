"""The sheet a song is written on: wrapped as it grows, following its end until scrolled away."""

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tui.formatting import clean
from tui.pages.lyrics import shading
from tui.pages.lyrics.session import SongView
from tui.pages.lyrics.shading import COPIED
from tui.widgets.wrapping import WrappedText

CURSOR = "▌"


class LyricsText(ScrollView, can_focus=True):
    """One song. Its prime looks different from what was written after it."""

    ALLOW_SELECT = True
    BINDING_GROUP_TITLE = "The song"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "look(-1)", "Back", show=False, id="lyrics.text.left",
                tooltip="Look closer at the character before, the last one first"),
        Binding("right", "look(1)", "On", show=False, id="lyrics.text.right",
                tooltip="Look closer at the character after; a click looks closer too"),
    ]  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "lyrics-text--prime", "lyrics-text--cursor", "lyrics-text--hint", "lyrics-text--looked",
        *(f"lyrics-text--level{level}" for level in range(1, COPIED + 1)),
    }  # fmt: skip
    DEFAULT_CSS = """
    LyricsText {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        & > .lyrics-text--prime { text-style: bold underline; }
        & > .lyrics-text--hint { color: $text-muted; }
        & > .lyrics-text--cursor { color: $accent; }
        & > .lyrics-text--looked { text-style: reverse; }
        & > .lyrics-text--level1 { background: $warning 15%; }
        & > .lyrics-text--level2 { background: $warning 35%; }
        & > .lyrics-text--level3 { background: $error 40%; }
        & > .lyrics-text--level4 { background: $error 70%; }
        & > .lyrics-text--level5 { background: $success 30%; text-style: underline; }
    }
    """

    class Looked(Message):
        """Another character is looked at."""

    writing: var[bool] = var(False)
    following: var[bool] = var(True)

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._wrapped = WrappedText()
        self._prime_length = 0
        self._hint = False  # what is shown is no song
        self._levels: Sequence[int] = ()  # of the characters after the prime
        self._looked: int | None = None  # the one looked at, after the prime

    @property
    def text(self) -> str:
        """The song, its prime first; empty where there is none."""
        return "" if self._hint else self._wrapped.text

    @property
    def looked(self) -> int | None:
        """The place after the prime of the character looked at."""
        return self._looked

    def show(self, song: SongView, view: str) -> None:
        """Show another song, its characters shaded as the view wants."""
        self.writing = song.under_way
        self.show_song(song.request.prime, song.text)
        self.shade(shading.levels(view, song.characters))

    def hear(self, song: SongView, more: str, view: str) -> None:
        """Add what came of the song that is shown."""
        self.write(more)
        self.shade(shading.levels(view, song.characters))
        self.writing = song.under_way

    def show_song(self, prime: str, text: str = "") -> None:
        """Show another song from its beginning, or, where it is still being written, its end."""
        self._wrapped = WrappedText(self._wrapped.width)
        self._hint = False
        self._levels, self._looked = (), None
        shown = clean(prime)
        self._prime_length = len(shown)
        self._wrapped.append(shown + clean(text))
        self.scroll_to(y=0, animate=False, immediate=True, force=True)
        self.following = self.writing
        self._grown(0)

    def show_hint(self, words: str) -> None:
        """Show words that are no song, where there is none."""
        self.writing = False
        self.show_song("", words)
        self._hint = True

    def write(self, more: str) -> None:
        """Add to the end of the song."""
        self._grown(self._wrapped.append(clean(more)))

    def shade(self, levels: Sequence[int]) -> None:
        """Shade the characters after the prime, as far as there are levels; none: no longer."""
        if levels or self._levels:
            self._levels = levels
            self.refresh()

    def action_look(self, steps: int) -> None:
        """Look at another character, the last one first."""
        last = len(self.text) - self._prime_length - 1
        self._look(last if self._looked is None else min(max(self._looked + steps, 0), last))

    def on_click(self, event: events.Click) -> None:
        """Look at the character under the mouse."""
        offset = event.get_content_offset(self)
        y = self.scroll_offset.y + (offset.y if offset else 0)
        if offset is not None and y < len(self._wrapped.rows) and not self.text_selection:
            start, end = self._wrapped.rows[y]
            if offset.x < end - start:
                self._look(start + offset.x - self._prime_length)

    def _look(self, place: int) -> None:
        """Look at a character after the prime, if there is one at the place."""
        if self._hint or not 0 <= place < len(self.text) - self._prime_length:
            return
        self._looked = place
        row = bisect_right(self._wrapped.rows, (place + self._prime_length, len(self.text))) - 1
        self.scroll_to_region(Region(0, row, 1, 1), animate=False, immediate=True, force=True)
        self.refresh()
        self.post_message(self.Looked())

    def _grown(self, changed: int) -> None:
        """Draw anew what has changed, from a row on."""
        wrapped = self._wrapped
        self.virtual_size = Size(wrapped.width, len(wrapped.rows))
        if self.following:
            self._scroll_to_end()
        top = self.scroll_offset.y
        if changed < top + self.size.height:
            self.refresh_lines(max(changed, top), self.size.height)

    def _scroll_to_end(self) -> None:
        # By force, since the scrollbar of a text that has just outgrown the view is not up yet.
        self.scroll_end(animate=False, immediate=True, x_axis=False, force=True)

    def action_scroll_end(self) -> None:
        """Jump to the end and follow it: a glide would arrive where the end no longer is."""
        self.following = True
        self._scroll_to_end()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end while it is in sight."""
        super().watch_scroll_y(old_value, new_value)
        self.following = self.is_vertical_scroll_end

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """Tell a scrollbar that comes up where the view is: it was not told while away."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

    def watch_writing(self) -> None:
        """Show or hide the cursor."""
        self.refresh()

    def on_resize(self) -> None:
        """Wrap anew."""
        following = self.following
        width = max(1, self.scrollable_content_region.width)
        if width != self._wrapped.width:
            self._wrapped.rewrap(width)
            self.virtual_size = Size(width, len(self._wrapped.rows))
            self.refresh()
        if following:
            self.action_scroll_end()

    def render_line(self, y: int) -> Strip:
        """Draw the row that is `y` rows below the top of the view."""
        width = self.scrollable_content_region.width
        style = self.rich_style
        if self._hint:
            style = self.get_component_rich_style("lyrics-text--hint")
        y += self.scroll_offset.y
        rows = self._wrapped.rows
        if y >= len(rows):
            return Strip.blank(width, style)
        strip = Strip(self._segments(y, style))
        if self.writing and y == len(rows) - 1:
            cursor = self.get_component_rich_style("lyrics-text--cursor")
            room = min(strip.cell_length, width - 1)
            strip = Strip.join([strip.crop(0, room), Strip([Segment(CURSOR, cursor)])])
        return strip.crop_extend(0, width, style).apply_offsets(0, y)

    def _segments(self, y: int, style: Style) -> list[Segment]:
        """A row's characters in pieces: in the prime, selected, shaded, or looked at."""
        row = self._wrapped.row(y)
        start, _ = self._wrapped.rows[y]
        prime = min(max(self._prime_length - start, 0), len(row))
        selected = (0, 0)
        if self.text_selection and (span := self.text_selection.get_span(y)) is not None:
            selected = (span[0], len(row) if span[1] < 0 else span[1])
        first = start - self._prime_length  # the row's, after the prime
        levels = [self._level(first + place) for place in range(len(row))]
        changes = (place for place in range(1, len(row)) if levels[place] != levels[place - 1])
        looked = -1 if self._looked is None else self._looked - first
        around = (min(max(cut, 0), len(row)) for cut in (*selected, looked, looked + 1))
        cuts = sorted({0, prime, *around, *changes, len(row)})
        segments = []
        for left, right in itertools.pairwise(cuts):
            piece = style
            if left < prime:
                piece += self.get_component_rich_style("lyrics-text--prime")
            if levels[left]:
                piece += self.get_component_rich_style(f"lyrics-text--level{levels[left]}")
            if left == looked:
                piece += self.get_component_rich_style("lyrics-text--looked")
            if selected[0] <= left < selected[1]:
                piece += self.screen.get_component_rich_style("screen--selection")
            segments.append(Segment(row[left:right], piece))
        return segments

    def _level(self, place: int) -> int:
        return self._levels[place] if 0 <= place < len(self._levels) else 0

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text under the mouse's selection, without the breaks that wrapping made."""
        rows = self._wrapped.rows
        first, last = 0, len(self.text)
        if selection.start is not None and selection.start.y < len(rows):
            first = rows[selection.start.y][0] + selection.start.x
        if selection.end is not None and selection.end.y < len(rows):
            start, end = rows[selection.end.y]
            last = min(start + selection.end.x, end)
        return self.text[first:last], "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002
        """Draw the selection."""
        self.refresh()
