"""Where the songs of the Lyrics page stand: one alone, several side by side, or one edited."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import ContentSwitcher, TextArea

from tui.formatting import clean
from tui.pages.hints import EDITING, LOOKED, TOGETHER
from tui.pages.lyrics import shading
from tui.pages.lyrics.grid import SongGrid
from tui.pages.lyrics.session import SongView
from tui.pages.lyrics.shading import VIEWS
from tui.pages.lyrics.text import LyricsText


class LyricsEditor(TextArea):
    """A song's text, prime and all, to be changed and cut."""

    BINDING_GROUP_TITLE = "Editing a song"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+g", "go_on", "Go on", id="lyrics.edit.go_on",
                tooltip="Write on from the end of the text, as the fields say"),
        Binding("ctrl+t", "cut_rest", "Cut here", id="lyrics.edit.cut",
                tooltip="Cut off what follows the cursor; ctrl+z brings it back"),
        Binding("escape", "leave", "Leave", id="lyrics.edit.leave",
                tooltip="Leave the song as it was"),
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

    class GoOn(Message):
        """A song is to be written that begins with the text."""

    class Left(Message):
        """Nothing is to come of it."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.border_title = "Editing"

    def begin(self, text: str, place: int) -> None:
        """Show a text with the cursor before the character at a place."""
        self.load_text(text)
        before = text[:place]
        self.move_cursor((before.count("\n"), len(before) - before.rfind("\n") - 1))
        self.focus()

    def action_go_on(self) -> None:
        """Go on from the end of the text."""
        self.post_message(self.GoOn())

    def action_cut_rest(self) -> None:
        """Delete all that follows the cursor."""
        self.delete(self.cursor_location, self.document.end)

    def action_leave(self) -> None:
        """Leave the song as it was."""
        self.post_message(self.Left())


class LyricsSheet(ContentSwitcher):
    """What is shown stays up to date also below the editor."""

    DEFAULT_CSS = """
    LyricsSheet { width: 1fr; height: 1fr; }
    """

    def __init__(self) -> None:
        self.text = LyricsText("text")
        self._grid = SongGrid("grid")
        self._editor = LyricsEditor("editor")
        super().__init__(initial="text")
        self.view = VIEWS[0]  # how characters are shaded
        self.song: SongView | None = None  # the one in view, that keys are about
        self._below = "text"  # the editor, or in view

    def compose(self) -> ComposeResult:
        """All three, of which one is seen."""
        yield self.text
        yield self._grid
        yield self._editor

    @property
    def side_by_side(self) -> bool:
        """Whether several songs are shown."""
        return self.current == "grid"

    @property
    def edited(self) -> str | None:
        """The text in the editor, while it is there."""
        return self._editor.text if self.current == "editor" else None

    @property
    def _text(self) -> LyricsText | None:
        """Where the song in view stands."""
        return self.text if self._below == "text" else self._grid.tile(self.song)

    @property
    def looked(self) -> int | None:
        """The place, after the prime, of the character that is looked at."""
        text = self._text
        return text.looked if text is not None and self.song is not None else None

    @property
    def before(self) -> str:
        """The song in view as far as the character looked at, or all of it."""
        return self.song.before(self.looked) if self.song else ""

    @property
    def closely(self) -> str:
        """What there is to tell of the character looked at, or of what is shown."""
        if self.current == "editor":
            return EDITING
        characters, looked = self.song.characters if self.song else [], self.looked
        if looked is not None and looked < len(characters):
            words = shading.closely(self.view, characters[looked])
            return words or LOOKED.format(place=looked + 1, count=len(characters))
        return TOGETHER if self.current == "grid" else shading.LEGENDS[self.view]

    def lines(self, status: str) -> str:
        """How the song in view stands, and what there is to tell of what is seen."""
        lines = [status, self.closely]
        if self.looked is not None:
            lines.reverse()  # where there is little room the last lines are not seen
        return "\n".join(filter(None, lines))

    def show(self, song: SongView) -> None:
        """Show a song alone."""
        self.song = song
        self.text.show(song, self.view)
        self._turn("text")

    def show_hint(self, words: str) -> None:
        """Show words in place of a song."""
        self.song = None
        self.text.show_hint(words)
        self._turn("text")

    def show_together(self, songs: Sequence[SongView], song: SongView) -> None:
        """Show songs side by side, the focus on one."""
        self.song = song
        self._grid.show(songs, self.view)
        self._turn("grid")

    def edit(self) -> None:
        """Let the song in view be edited, from the character looked at, or from the end."""
        if self.song is None or self.current == "editor":
            self.focus_song()
            return
        text, before = self.song.before(None), self.before
        self.current = "editor"
        # Control characters would reach the terminal: they are shown as they are on the sheet.
        self._editor.begin(clean(text), len(clean(before)))

    def leave(self) -> None:
        """Put the editor away."""
        self._turn(self._below)

    def _turn(self, name: str) -> None:
        self._below = name
        if name != self.current:
            self.current = name
            self.focus_song()

    def focus_song(self) -> None:
        """Focus what is seen."""
        widget: Widget | None = self._editor if self.current == "editor" else self._text
        if widget is not None:
            widget.focus()

    def hear(self, news: Iterable[tuple[SongView, str]]) -> None:
        """Add what came of songs, as far as they are shown."""
        for song, more in news:
            if self._below == "grid" and (tile := self._grid.tile(song)):
                tile.hear(song, more, self.view)
            elif self._below == "text" and song is self.song:
                self.text.hear(song, more, self.view)
        self._grid.tell()

    def shade(self, view: str) -> None:
        """Shade in another way."""
        self.view = view
        shown = self._grid.songs if self._below == "grid" else filter(None, [self.song])
        self.hear((song, "") for song in shown)
