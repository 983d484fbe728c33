"""Asks for a file's name and writes a song to it."""

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from engine import files
from engine.errors import InputError
from tui.model.text import clean
from tui.widgets.lyrics_fields import file_path


class SaveDialog(ModalScreen[Path | None]):
    """Ends with the path of the file written, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="lyrics.save.cancel",
                tooltip="Go back without saving"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    SaveDialog {
        & Input { margin: 1 0; background: $panel; padding: 0 1; }
        & Static { height: auto; color: $text-muted; }
        & Static.-problem { color: $text-error; text-style: bold; }
    }
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self._name = name
        self._text = text
        self._folder = Path.cwd()
        self._agreed: Path | None = None  # the file that may be replaced

    def compose(self) -> ComposeResult:
        """A question, a field, and a line for what comes of it."""
        with Vertical(classes="dialog"):
            yield Label("Save the song as")
            yield Input(self._name, id="file", compact=True, select_on_focus=False)
            yield Static("enter: save in this folder · escape: go back", id="said", markup=False)

    def action_cancel(self) -> None:
        """Leave without saving."""
        self.dismiss(None)

    @on(Input.Changed)
    def _renamed(self) -> None:
        self._agreed = None

    @on(Input.Submitted)
    def _save(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            path = file_path(event.value, self._folder)
            if path.exists() and path != self._agreed:
                self._agreed = path
                self._say(f"{path.name} exists: press enter again to replace it.")
                return
            files.write_atomic(path, self._text)
        except InputError as error:
            self._say(str(error))
        except OSError as error:
            self._say(f"Cannot write {event.value} ({error.strerror}): choose another place.")
        else:
            self.dismiss(path)

    def _say(self, sentence: str) -> None:
        line = self.query_one("#said", Static)
        line.update(clean(f"✗ {sentence}"))
        line.add_class("-problem")
