"""Changing a song's text, to have it go on from there."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea


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
