"""The text of a song: wrapped, shaded, and scrolled to its end while it grows."""

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar, Self

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tui.formatting import clean
from tui.widgets.wrapping import WrappedText

CURSOR = "▌"
MAX_STRIPS = 1000  # rows kept as drawn


class SongText(ScrollView, can_focus=True):
    """One song; the prompt, which the model did not write, is set off from the rest.

    While the end is in view, the view follows it as the song grows.

    Indices of characters count from the end of the prompt. A subclass styles the levels of
    shading by the component classes `song-text--level1` and so on.
    """

    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "song-text--prime", "song-text--cursor", "song-text--hint", "song-text--selected",
    }  # fmt: skip
    DEFAULT_CSS = """
    SongText {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        & > .song-text--prime { text-style: bold underline; }
        & > .song-text--hint { color: $text-muted; }
        & > .song-text--cursor { color: $accent; }
        & > .song-text--selected { text-style: reverse; }
    }
    """

    class Selected(Message):
        """Another character was selected."""

    virtual_size = var(Size(0, 0))  # Textual would lay out the whole screen for each new row
    writing: var[bool] = var(False)
    following: var[bool] = var(True)

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.wrapped = WrappedText()
        self.levels: Sequence[int] = ()  # of shading, one per character; 0: not shaded
        self.selected: int | None = None  # the index of the selected character; None without one
        self._prime_length = 0
        self._is_hint = False  # whether a hint is shown in place of a song
        self._strips: dict[int, Strip] = {}  # rows as drawn before; the last row is never here
        self._drawn_in = Style.null()  # their style

    @property
    def text(self) -> str:
        """The song with its prompt; empty without a song."""
        return "" if self._is_hint else self.wrapped.text

    def show_text(self, prime: str, text: str = "") -> None:
        """Show another song from its beginning, or from its end while it is being written."""
        self.wrapped = WrappedText(self.wrapped.width)
        self._is_hint = False
        self.levels, self.selected = (), None
        shown = clean(prime)
        self._prime_length = len(shown)
        self.wrapped.append(shown + clean(text))
        self.scroll_to(y=0, animate=False, immediate=True, force=True)
        self.following = self.writing
        self._redraw_from(0)

    def show_hint(self, words: str) -> None:
        """Show a hint in place of a song."""
        self.writing = False
        self.show_text("", words)
        self._is_hint = True

    def append(self, text: str) -> None:
        """Add characters to the end of the song."""
        self._redraw_from(self.wrapped.append(clean(text)))

    def shade(self, levels: Sequence[int], changed: int = 0) -> None:
        """Shade the characters after the prompt, a level for each; the rest is not shaded.

        changed: the index of the first level that differs from those shown before.
        """
        if levels or self.levels:
            self.levels = levels
            top = self.scroll_offset.y
            row = self._row_of(changed) if changed else 0
            self._forget_from(row)
            self.refresh_lines(max(row, top), top + self.size.height - max(row, top))

    def action_select(self, steps: int) -> None:
        """Move the selection by `steps` characters."""
        if self.selected is None:
            self.select(self.first_selected())
        else:
            last = len(self.text) - self._prime_length - 1
            self.select(min(max(self.selected + steps, 0), last))

    def first_selected(self) -> int:
        """Return the index of the character that is selected first: the last one."""
        return len(self.text) - self._prime_length - 1

    def on_click(self, event: events.Click) -> None:
        """Select the character under the mouse."""
        offset = event.get_content_offset(self)
        y = self.scroll_offset.y + (offset.y if offset else 0)
        if offset is not None and y < len(self.wrapped.rows) and not self.text_selection:
            start, end = self.wrapped.rows[y]
            if offset.x < end - start:
                self.select(start + offset.x - self._prime_length)

    def select(self, index: int) -> None:
        """Select a character and scroll to it; do nothing if the index is out of range."""
        if self._is_hint or not 0 <= index < len(self.text) - self._prime_length:
            return
        self.selected = index
        region = Region(0, self._row_of(index), 1, 1)
        self.scroll_to_region(region, animate=False, immediate=True, force=True)
        self.refresh()
        self.post_message(self.Selected())

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Draw all again, or only regions: these have the rows of `_forget_from`."""
        if not regions and not layout:  # a layout alone changes no row
            self._strips.clear()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def notify_style_update(self) -> None:
        """Draw all again in other styles."""
        self._strips.clear()
        super().notify_style_update()

    def _forget_from(self, row: int) -> None:
        """Forget how rows look, from `row` on."""
        for drawn in [drawn for drawn in self._strips if drawn >= row]:
            del self._strips[drawn]

    def _row_of(self, index: int) -> int:
        """Return the row of the character at `index`."""
        return bisect_right(self.wrapped.rows, (index + self._prime_length, len(self.text))) - 1

    # ── scrolling and size ───────────────────────────────────────────────────────────────────────

    def _redraw_from(self, changed: int) -> None:
        """Redraw from a row on."""
        self._forget_from(changed)
        self.virtual_size = Size(self.wrapped.width, len(self.wrapped.rows))
        if self.following:
            self._scroll_to_end()
        top = self.scroll_offset.y
        if changed < top + self.size.height:
            self.refresh_lines(max(changed, top), self.size.height)

    def _scroll_to_end(self) -> None:
        # force: the scrollbar of a text that has just outgrown the view is not shown yet.
        self.scroll_end(animate=False, immediate=True, x_axis=False, force=True)

    def action_scroll_end(self) -> None:
        """Jump to the end and follow it; during an animation the end would move on."""
        self.following = True
        self._scroll_to_end()

    def watch_virtual_size(self, size: Size) -> None:
        """Update the scrollbar; if it appears or goes, the screen is laid out again."""
        self._scroll_update(size)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end while it is in view."""
        super().watch_scroll_y(old_value, new_value)
        self.following = self.is_vertical_scroll_end

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """Set the position of a scrollbar that appears: it gets no updates while it is hidden."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

    def watch_writing(self) -> None:
        """Show or hide the cursor."""
        self.refresh()

    def on_resize(self) -> None:
        """Wrap to the new width."""
        following = self.following
        width = max(1, self.scrollable_content_region.width)
        if width != self.wrapped.width:
            self.wrapped.rewrap(width)
            self.virtual_size = Size(width, len(self.wrapped.rows))
            self.refresh()
        if following:
            self.action_scroll_end()

    # ── drawing ──────────────────────────────────────────────────────────────────────────────────

    def render_line(self, y: int) -> Strip:
        """Draw the row that is `y` rows below the top of the view."""
        width = self.scrollable_content_region.width
        style = self.rich_style
        if self._is_hint:
            style = self.get_component_rich_style("song-text--hint")
        y += self.scroll_offset.y
        rows = self.wrapped.rows
        if y >= len(rows):
            return Strip.blank(width, style)
        if self._drawn_in != style or len(self._strips) > MAX_STRIPS:
            self._drawn_in = style
            self._strips.clear()
        if (drawn := self._strips.get(y)) is not None and drawn.cell_length == width:
            return drawn
        strip = Strip(self._segments(y, style))
        if self.writing and y == len(rows) - 1:
            cursor = self.get_component_rich_style("song-text--cursor")
            free = min(strip.cell_length, width - 1)
            strip = Strip.join([strip.crop(0, free), Strip([Segment(CURSOR, cursor)])])
        strip = strip.crop_extend(0, width, style).apply_offsets(0, y)
        if y < len(rows) - 1:
            self._strips[y] = strip
        return strip

    def _segments(self, y: int, style: Style) -> list[Segment]:
        """Return a row's characters, split where their style changes."""
        row = self.wrapped.row(y)
        start, _ = self.wrapped.rows[y]
        prime = min(max(self._prime_length - start, 0), len(row))
        marked = (0, 0)  # (start, end) marked by the mouse, to be copied
        if self.text_selection and (span := self.text_selection.get_span(y)) is not None:
            marked = (span[0], len(row) if span[1] < 0 else span[1])
        first = start - self._prime_length  # the index of the row's first character
        levels = [self._level(first + column) for column in range(len(row))]
        changes = (column for column in range(1, len(row)) if levels[column] != levels[column - 1])
        selected = -1 if self.selected is None else self.selected - first
        around = (min(max(cut, 0), len(row)) for cut in (*marked, selected, selected + 1))
        cuts = sorted({0, prime, *around, *changes, len(row)})
        segments = []
        for left, right in itertools.pairwise(cuts):
            piece = style
            if left < prime:
                piece += self.get_component_rich_style("song-text--prime")
            if levels[left]:
                piece += self.get_component_rich_style(f"song-text--level{levels[left]}")
            if left == selected:
                piece += self.get_component_rich_style("song-text--selected")
            if marked[0] <= left < marked[1]:
                piece += self.screen.get_component_rich_style("screen--selection")
            segments.append(Segment(row[left:right], piece))
        return segments

    def _level(self, index: int) -> int:
        return self.levels[index] if 0 <= index < len(self.levels) else 0

    # ── the mouse's selection ────────────────────────────────────────────────────────────────────

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the marked text, without the line breaks of wrapping."""
        rows = self.wrapped.rows
        first, last = 0, len(self.text)
        if selection.start is not None and selection.start.y < len(rows):
            first = rows[selection.start.y][0] + selection.start.x
        if selection.end is not None and selection.end.y < len(rows):
            start, end = rows[selection.end.y]
            last = min(start + selection.end.x, end)
        return self.text[first:last], "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002
        """Redraw when the mouse marks something else."""
        self.refresh()
