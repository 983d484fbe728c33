"""Asks for a file's name, to open or to save, and stays until that has been done."""

import asyncio
import dataclasses
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, Label, Static

from engine.errors import InputError, WorkError
from tui.model.text import clean
from tui.sources import saving
from tui.widgets.lyrics_fields import file_path
from tui.widgets.music_controls import Playing
from tui.widgets.music_piece import Piece, opened

MIDI = (".mid", ".midi")
_ENTRIES = 2000  # of a folder that are looked through


async def ask_to_open(app: App[None]) -> Piece | None:
    """Ask for a MIDI file; gives its music."""
    pieces: list[Piece] = []

    async def read(path: Path) -> None:
        from engine.music import midi

        score = await asyncio.to_thread(midi.read, path)
        pieces.append(opened(path.name, score))

    hint = "enter: open it · right: take what is suggested · escape: go back"
    await app.push_screen_wait(FileDialog("Open a MIDI file", hint, read))
    return pieces[-1] if pieces else None


async def ask_to_save(app: App[None], piece: Piece, how: Playing) -> Path | None:
    """Ask for a name, and save a piece as it is played; gives the file."""

    async def write(path: Path) -> None:
        score = dataclasses.replace(piece.score, program=how.program)
        score = score.transposed(how.transpose).louder(how.velocity).faster(how.tempo)
        await saving.save(score, path, piece.frame / how.tempo)

    name = re.sub(r"[^\w]+", "-", Path(piece.title).stem)[:40].strip("-_") or "music"
    name += ".mid" if piece.seed is None else f"-{piece.seed}.mid"
    hint = "its ending says what it becomes: .mid, .wav or .png · escape: go back"
    return await app.push_screen_wait(FileDialog("Save the music as", hint, write, name, new=True))


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
