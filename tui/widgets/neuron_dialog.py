"""Asks for a text to be read: typed or pasted."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label, Static, TextArea


class TextDialog(ModalScreen[str | None]):
    """Ends with the text, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+enter", "read", "Read", id="neurons.text.read", priority=True,
                tooltip="Have the network read the text"),
        Binding("escape", "dismiss(None)", "Cancel", id="neurons.text.cancel", priority=True,
                tooltip="Go back to the text in view"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    TextDialog {
        & TextArea { height: 12; margin: 1 0; background: $panel; border: none; padding: 0 1; }
        & Static { height: auto; color: $text-muted; }
    }
    """

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """A question, the field, and which keys end it."""
        with Vertical(classes="dialog wide"):
            yield Label("A text for the network to read")
            yield TextArea(self._text, tab_behavior="focus")
            yield Static("ctrl+s: read it · escape: go back", markup=False)

    def action_read(self) -> None:
        """Take the text."""
        self.dismiss(self.query_one(TextArea).text)
