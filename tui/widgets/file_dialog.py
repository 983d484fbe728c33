"""Asks for a file's name, to open or to save, and stays until that has been done."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, Label, Static

from engine import files
from engine.errors import InputError, WorkError
from tui.formatting import clean

MIDI = (".mid", ".midi")
_ENTRIES = 2000  # of a folder that are looked through


class Suggest(Suggester):
    """Ends a path with the first folder or MIDI file that fits; the right key takes it."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The whole path, or None."""
        folder, slash, begun = value.rpartition("/")
        try:
            where = Path(f"{folder}{slash}" or ".").expanduser()
            found = []
            for entry, _ in zip(where.iterdir(), range(_ENTRIES)):  # noqa: B905
                if entry.name.startswith(begun) and not (entry.name[0] == "." and not begun):
                    if entry.is_dir():
                        found.append(entry.name + "/")
                    elif entry.suffix.lower() in MIDI:
                        found.append(entry.name)
        except (OSError, RuntimeError, ValueError):
            return None
        return f"{folder}{slash}{min(found)}" if found else None


class FileDialog(ModalScreen[Path | None]):
    """Ends with the path of the file, or None.

    does: opens or saves the file; what is wrong it raises as InputError or WorkError. new: it is
    written, so that one that is there already is only replaced when asked for twice.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="music.file.cancel",
                tooltip="Go back, with nothing done"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    FileDialog {
        & Input { margin: 1 0; background: $panel; padding: 0 1; }
        & Static { height: auto; color: $text-muted; }
        & Static.-problem { color: $text-error; text-style: bold; }
    }
    """

    def __init__(
        self,
        question: str,
        hint: str,
        does: Callable[[Path], Awaitable[None]],
        name: str = "",
        new: bool = False,
    ) -> None:
        super().__init__()
        self._question, self._hint = question, hint
        self._does, self._name, self._new = does, name, new
        self._folder = Path.cwd()
        self._agreed: Path | None = None  # the file that may be replaced

    def compose(self) -> ComposeResult:
        """A question, a field, and a line for what comes of it."""
        with Vertical(classes="dialog"):
            yield Label(self._question)
            yield Input(
                self._name, id="file", compact=True, select_on_focus=False,
                suggester=None if self._new else Suggest(),
            )  # fmt: skip
            yield Static(self._hint, id="said", markup=False)

    def action_cancel(self) -> None:
        """Leave it; what was under way is broken off."""
        self.workers.cancel_group(self, "file")
        self.dismiss(None)

    @on(Input.Changed)
    def _renamed(self) -> None:
        self._agreed = None

    @on(Input.Submitted)
    @work(exclusive=True, group="file")
    async def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            path = file_path(event.value, self._folder)
            if self._new and path.exists() and path != self._agreed:
                self._agreed = path
                self._say(f"✗ {path.name} exists: press enter again to replace it.", wrong=True)
                return
            self._say("… one moment")
            await self._does(path)
        except (InputError, WorkError) as error:
            self._say(f"✗ {error}", wrong=True)
        else:
            self.dismiss(path)

    def _say(self, words: str, wrong: bool = False) -> None:
        line = self.query_one("#said", Static)
        line.update(clean(words))
        line.set_class(wrong, "-problem")


def file_name(prime: str, artist: str | None, seed: int | None) -> str:
    """A name for a song's file: `<prime>-<artist>-<seed>.txt`, of letters, digits and dashes."""
    parts = [prime, artist or "anyone", "" if seed is None else str(seed)]
    plain = [re.sub(r"[^\w]+", "-", part).encode()[:40].decode(errors="ignore") for part in parts]
    return "-".join(part.strip("-_") for part in plain if part.strip("-_")) + ".txt"


def file_path(name: str, folder: Path) -> Path:
    """The file a typed name means: `~` is known, and what is not absolute is in `folder`.

    Raises InputError where no file can be there.
    """
    if not name.strip():
        raise InputError("The file has no name: type one.")
    if not name.isprintable():
        raise InputError(f"{name!r} has characters that no file's name should: leave them out.")
    try:
        path = folder / Path(name.strip()).expanduser()
        if path.is_dir():
            raise InputError(f"{name} is a folder: add a file's name to it.")
        if not path.parent.is_dir():
            raise InputError(f"There is no folder {path.parent}: name one that exists.")
    except (OSError, RuntimeError) as error:  # too long, or of a user there is not
        raise InputError(f"{name!r} cannot be a file's name: type another.") from error
    return path


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
