"""The dialog that renames a run and edits its note."""

import asyncio
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from engine.errors import InputError
from engine.runs import run_dir
from engine.runs.run_dir import RunDir
from tui.formatting import clean
from tui.widgets.footer import Footer
from tui.widgets.styling import StyledOnce


class NameDialog(StyledOnce, ModalScreen[RunDir | None]):
    """A form with the name and the note of a run; returns the run, or None if it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel", id="name.cancel", tooltip="Close without a change"),
    ]
    DEFAULT_CSS = """
    NameDialog {
        & .field { height: 1; margin-bottom: 1; }
        & Label { width: 8; color: $text-muted; }
        & Input { width: 1fr; padding: 0 1; background: $panel; }
        & Input:focus { background: $primary 30%; }
        & #problem { color: $text-error; text-style: bold; display: none; }
    }
    """

    def __init__(self, run: RunDir) -> None:
        super().__init__()
        self._run = run

    def compose(self) -> ComposeResult:
        """Lay out two fields, a line for problems, and buttons."""
        with Vertical(classes="dialog") as box:
            box.border_title = "Name and note"
            for name, value in (("name", self._run.name), ("note", self._run.note)):
                with Horizontal(classes="field"):
                    yield Label(name.capitalize())
                    yield Input(value, id=name, compact=True)
            yield Static(id="problem", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Save", id="save", variant="primary", compact=True)
                yield Button("Cancel", id="cancel", compact=True)
        yield Footer(show_command_palette=False)

    @on(Button.Pressed, "#cancel")
    def _cancelled(self) -> None:
        self.dismiss(None)

    @on(Input.Submitted)
    @on(Button.Pressed, "#save")
    @work(exclusive=True)
    async def _save(self) -> None:
        name, note = (self.query_one(f"#{field}", Input).value for field in ("name", "note"))

        def write() -> RunDir:
            run = run_dir.rename(self._run, name.strip())
            run.set_note(note)
            return run

        try:
            self.dismiss(await asyncio.to_thread(write))
        except (InputError, OSError) as error:
            line = self.query_one("#problem", Static)
            line.update(clean(f"✗ {error}"))
            line.display = True
