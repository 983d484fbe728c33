"""The songs in view on the Lyrics page: one alone, several side by side, or one being edited."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import ContentSwitcher, TextArea

from tui.formatting import clean
from tui.pages.lyrics import shading
from tui.pages.lyrics.grid import SongGrid
from tui.pages.lyrics.session import SongView
from tui.pages.lyrics.shading import VIEWS, LyricsText

# Lines below the songs:
SELECTED = "character {number:,} of {count:,} · w: rewrite from here"
SIDE_BY_SIDE = "arrow keys: move · enter: choose · ◆ most probable · h: {shading}"
EDITING = "ctrl+g: continue · ctrl+t: cut after the cursor · esc: discard"


class LyricsEditor(TextArea):
    """The editor of a song's prompt and text, which the model can then continue."""

    BINDING_GROUP_TITLE = "Editing a song"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+g", "continue", "Continue", id="lyrics.edit.continue",
                tooltip="Continue the song from the end of the text"),
        Binding("ctrl+t", "cut_rest", "Cut here", id="lyrics.edit.cut",
                tooltip="Delete what follows the cursor; ctrl+z undoes it"),
        Binding("escape", "leave", "Discard", id="lyrics.edit.leave",
                tooltip="Discard the changes and leave the editor"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    LyricsEditor, LyricsEditor:focus {
        border: round $accent;
        border-title-style: bold;
        padding: 0 1;
        background: $background;
        scrollbar-size-vertical: 1;
        & .text-area--cursor-line { background: $background; }
    }
    """

    class Continue(Message):
        """A request that the model continue the text."""

    class Left(Message):
        """The changes were discarded."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.border_title = "Editing"

    def begin(self, text: str, index: int) -> None:
        """Show a text with the cursor before the character at `index`."""
        self.load_text(text)
        before = text[:index]
        self.move_cursor((before.count("\n"), len(before) - before.rfind("\n") - 1))
        self.focus()

    def action_continue(self) -> None:
        """Continue the song from the end of the text."""
        self.post_message(self.Continue())

    def action_cut_rest(self) -> None:
        """Delete what follows the cursor."""
        self.delete(self.cursor_location, self.document.end)

    def action_leave(self) -> None:
        """Discard the changes."""
        self.post_message(self.Left())


class SongPanel(ContentSwitcher):
    """Switches between one song, a grid of songs, and the editor.

    Songs are also updated while the editor hides them.
    """

    DEFAULT_CSS = """
    SongPanel { width: 1fr; height: 1fr; }
    """

    def __init__(self) -> None:
        self.text = LyricsText("text")
        self._grid = SongGrid("grid")
        self._editor = LyricsEditor("editor")
        super().__init__(initial="text")
        self.view = VIEWS[0]  # how characters are shaded
        self.song: SongView | None = None  # in view; of songs side by side the one with the focus
        self._behind = "text"  # the id of the widget shown, or hidden by the editor

    def compose(self) -> ComposeResult:
        """Lay out the single song, the songs side by side and the editor; one of them is shown."""
        yield self.text
        yield self._grid
        yield self._editor

    @property
    def side_by_side(self) -> bool:
        """Whether several songs are shown."""
        return self.current == "grid"

    @property
    def edited(self) -> str | None:
        """The text in the editor; None while the editor is closed."""
        return self._editor.text if self.current == "editor" else None

    @property
    def _song_text(self) -> LyricsText | None:
        """The widget of the song in view; None if it has no tile."""
        return self.text if self._behind == "text" else self._grid.tile(self.song)

    @property
    def selected(self) -> int | None:
        """The index of the selected character, without the prompt; None if none is selected."""
        text = self._song_text
        return text.selected if text is not None and self.song is not None else None

    @property
    def before(self) -> str:
        """The prompt and text before the selected character.

        The whole song if no character is selected; empty without a song.
        """
        return self.song.before(self.selected) if self.song else ""

    @property
    def hint(self) -> str:
        """A line that describes the selected character or, without one, what is shown."""
        if self.current == "editor":
            return EDITING
        characters, selected = self.song.characters if self.song else [], self.selected
        if selected is not None and selected < len(characters):
            words = shading.describe(self.view, characters[selected])
            return words or SELECTED.format(number=selected + 1, count=len(characters))
        if self.current == "grid":
            return SIDE_BY_SIDE.format(shading=shading.NAMES[self.view])
        return shading.legend(self.view, self.song)

    def with_hint(self, status: str) -> str:
        """Return the status line and the hint; the hint is first if a character is selected."""
        lines = [status, self.hint]
        if self.selected is not None:
            lines.reverse()  # a small screen cuts off the last line
        return "\n".join(filter(None, lines))

    def show(self, song: SongView) -> None:
        """Show a song alone."""
        self.song = song
        self.text.show(song, self.view)
        self._switch("text")

    def show_hint(self, words: str) -> None:
        """Show a hint in place of a song."""
        self.song = None
        self.text.show_hint(words)
        self._switch("text")

    def show_together(self, songs: Sequence[SongView], song: SongView) -> None:
        """Show songs side by side, and focus the tile of `song`."""
        self.song = song
        self._grid.show(songs, self.view)
        self._switch("grid")

    def edit(self) -> None:
        """Open the song in view in the editor, at the selected character or at the end."""
        if self.song is None or self.current == "editor":
            self.focus_song()
            return
        text, before = self.song.before(None), self.before
        self.current = "editor"
        # Control characters would reach the terminal: they are replaced as in the song's view.
        self._editor.begin(clean(text), len(clean(before)))

    def leave(self) -> None:
        """Close the editor."""
        self._switch(self._behind)

    def _switch(self, name: str) -> None:
        self._behind = name
        if name != self.current:
            self.current = name
            self.focus_song()

    def focus_song(self) -> None:
        """Focus the song in view, or the editor."""
        widget: Widget | None = self._editor if self.current == "editor" else self._song_text
        if widget is not None:
            widget.focus()

    def update_songs(self, songs: Sequence[SongView]) -> None:
        """Show the new characters and the states of those songs that are in view."""
        if self._behind == "grid":
            self._grid.update_songs(songs, self.view)
        elif self.song is not None and self.song in songs:
            self.text.update_song(self.song, self.view)

    def shade(self, view: str) -> None:
        """Shade the songs by `view`, one of `shading.VIEWS`."""
        self.view = view
        if self._behind == "grid":
            self._grid.update_songs(self._grid.songs, view)
        elif self.song is not None:
            self.text.update_song(self.song, view)
