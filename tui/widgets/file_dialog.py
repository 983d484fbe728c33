"""The dialog for the path of a file to open or to save, and what a typed path means."""

import contextlib
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

from engine.errors import InputError, WorkError
from engine.music import SCORE_SUFFIXES
from tui.formatting import clean
from tui.widgets.styling import StyledOnce

_MAX_ENTRIES = 2000  # of a folder, searched for a suggestion
_MAX_PART = 40  # the most bytes of each part of a suggested file name


class ScoreSuggester(Suggester):
    """A suggester that completes a path with the first folder or file of music that matches."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Return the completed path; None if nothing matches."""
        folder, slash, prefix = value.rpartition("/")
        try:
            path = Path(f"{folder}{slash}" or ".").expanduser()
            found = []
            for entry, _ in zip(path.iterdir(), range(_MAX_ENTRIES)):  # noqa: B905
                if entry.name.startswith(prefix) and not (entry.name[0] == "." and not prefix):
                    if entry.is_dir():
                        found.append(entry.name + "/")
                    elif entry.suffix.lower() in SCORE_SUFFIXES:
                        found.append(entry.name)
        except (OSError, RuntimeError, ValueError):
            return None
        return f"{folder}{slash}{min(found)}" if found else None


class FileDialog(StyledOnce, ModalScreen[Path | None]):
    """A dialog that asks for a file, opens or saves it, and returns its path; None if cancelled.

    process: opens or saves the file. If it raises InputError or WorkError, the dialog shows the
    message and lets the user try again; until it is done, the name cannot be changed or entered
    again, since a second save would cancel the first. name: the suggested file name. new: the file
    is to be written, so that an existing one is replaced only after a second enter.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="file.cancel", tooltip="Close the dialog"),
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
        process: Callable[[Path], Awaitable[None]],
        name: str = "",
        *,
        new: bool = False,
    ) -> None:
        super().__init__()
        self._question, self._hint = question, hint
        self._process, self._name, self._new = process, name, new
        self._folder = Path.cwd()
        self._confirmed: Path | None = None  # the existing file that enter replaces now

    def compose(self) -> ComposeResult:
        """Lay out a question, a field, and a line for hints and problems."""
        with Vertical(classes="dialog"):
            yield Label(self._question)
            yield Input(
                self._name, id="file", compact=True,
                suggester=None if self._new else ScoreSuggester(),
            )  # fmt: skip
            yield Static(self._hint, id="message", markup=False)

    def action_cancel(self) -> None:
        """Close the dialog, and cancel what it is doing."""
        self.workers.cancel_group(self, "file")
        self.dismiss(None)

    @on(Input.Changed)
    def _name_changed(self) -> None:
        self._confirmed = None

    @on(Input.Submitted)
    @work(group="file")
    async def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.disabled:  # it was entered again before the first was handled
            return
        try:
            path = file_path(event.value, self._folder)
            if self._new and path.exists() and path != self._confirmed:
                self._confirmed = path
                self._show_problem(f"{path.name} exists: press enter again to replace it.")
                return
            event.input.disabled = True
            self._show("Please wait… · escape: cancel")
            await self._process(path)
        except (InputError, WorkError) as error:
            self._show_problem(str(error))
        else:
            self.dismiss(path)

    def _show_problem(self, sentence: str) -> None:
        self._show(f"✗ {sentence}", problem=True)
        field = self.query_one("#file", Input)
        if field.disabled:
            field.disabled = False
            field.focus()

    def _show(self, words: str, problem: bool = False) -> None:
        line = self.query_one("#message", Static)
        line.update(clean(words))
        line.set_class(problem, "-problem")


def file_name(parts: list[str], suffix: str, default: str) -> str:
    """Return a file name such as `a-b-c.txt` of the letters, digits and underscores of `parts`.

    default: the name, without suffix, if no part has any.
    """
    words = [
        re.sub(r"[^\w]+", "-", part).encode()[:_MAX_PART].decode(errors="ignore").strip("-_")
        for part in parts
    ]
    return ("-".join(filter(None, words)) or default) + suffix


def file_path(name: str, folder: Path) -> Path:
    """Return the path of a typed name: `~` is expanded, a relative path starts in `folder`.

    Raises InputError if it cannot be the path of a file.
    """
    if not name.strip():
        raise InputError("The file has no name: type one.")
    if not name.isprintable():
        raise InputError(f"{name!r} has control characters: remove them.")
    try:
        path = folder / Path(name.strip()).expanduser()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.lstat()  # since Python 3.14 is_dir returns False for a name that is too long
        if path.is_dir():
            raise InputError(f"{name} is a folder: add a file name to it.")
        if not path.parent.is_dir():
            raise InputError(f"There is no folder {path.parent}: choose one that exists.")
    except (OSError, RuntimeError) as error:  # too long, or the home of an unknown user
        raise InputError(f"{name!r} is not a valid file name: type another.") from error
    return path
