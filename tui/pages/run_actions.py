"""Actions of the Train and Runs pages on a run: stop, save, write samples, resume, more steps."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widgets import Button, Input, Static

from engine.errors import InputError, WorkError
from engine.runs.run_dir import RunDir
from engine.runs.run_state import ACTIVE
from tui.sources import command_runner
from tui.sources.child_commands import Programs
from tui.sources.run_summary import RunRow, RunSummary
from tui.widgets.file_dialog import FileDialog
from tui.widgets.footer import Footer
from tui.widgets.styling import StyledOnce

# Requests to a trainer, each with what the trainer will do.
REQUESTS = {
    "stop": "will stop after its next step; it can be resumed.",
    "save": "will save a checkpoint after its next step.",
    "sample": "will write samples after its next step.",
}


@dataclass
class RunStarted(Message):
    """A run was started or resumed by this app."""

    run: RunDir


@dataclass
class AttachRun(Message):
    """A request that the Train page show this run."""

    run: RunDir


async def request(screen: Screen[None], run: RunDir, state: str, name: str) -> None:
    """Send one of REQUESTS to the run's trainer, and notify the user of what it will do."""
    if state not in ACTIVE:
        remedy = "" if state == "finished" else "; press r to resume it"
        warn(screen, f"{run.name} is not running ({state}){remedy}.")
        return
    try:
        await asyncio.to_thread(run.request, name)  # a slow disk must not block the app
    except (InputError, OSError) as error:
        fail(screen, str(error))
        return
    screen.notify(f"{run.name} {REQUESTS[name]}", markup=False)


async def resume(screen: Screen[None], programs: Programs, row: RunRow | RunSummary) -> None:
    """Resume a run that is not running; ask how many steps it is to have if it ended as meant."""
    run = row.run
    if row.state in ACTIVE:
        warn(screen, f"{run.name} is already being trained; press s to stop it.")
        return
    arguments = ["train", row.kind or "lyrics", "--resume", str(run.path), "--detach", "--json"]
    if row.state in {"finished", "stopped"}:
        dialog = MoreStepsDialog(run.name, row.step, row.total_steps)
        steps = await screen.app.push_screen_wait(dialog)
        if steps is None:
            return
        if steps != row.total_steps:
            arguments += ["--set", f"train.steps={steps}"]
    screen.notify(f"Resuming {run.name} …", markup=False)
    try:
        await command_runner.run(programs.cli, *arguments)
    except WorkError as error:
        fail(screen, str(error))
        return
    screen.post_message(RunStarted(run))


async def export(
    screen: Screen[None], hint: str, name: str, write: Callable[[Path], Awaitable[None]]
) -> None:
    """Ask for the name of a new file, and let `write` write it. name: the suggestion."""
    dialog = FileDialog("Export to:", hint, write, name, new=True)
    path = await screen.app.push_screen_wait(dialog)
    if path is not None:
        screen.notify(f"Wrote {path}", markup=False)


class MoreStepsDialog(StyledOnce, ModalScreen[int | None]):
    """A dialog that asks how many steps a run is to have; None if it was cancelled.

    name: of the run. done: the steps it has. total: the steps it was to have, at least as many.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel", id="steps.cancel", tooltip="Close without a change"),
    ]
    DEFAULT_CSS = """
    MoreStepsDialog {
        & Input { margin: 1 0; padding: 0 1; background: $panel; }
        & Input:focus { background: $primary 30%; }
        & #message { height: auto; color: $text-muted; }
        & #message.-problem { color: $text-error; text-style: bold; }
    }
    """

    def __init__(self, name: str, done: int, total: int) -> None:
        super().__init__()
        self._name, self._done, self._total = name, done, total

    @property
    def _finished(self) -> bool:
        return self._done >= self._total

    def compose(self) -> ComposeResult:
        """Lay out a question, a field, a line of explanation, and buttons."""
        with Vertical(classes="dialog") as box:
            box.border_title = "More steps"
            of = "its" if self._finished else f"{self._done:,} of its"
            question = f"{self._name} has done {of} {self._total:,} steps. Train it up to step:"
            yield Static(question, markup=False)
            steps = 2 * self._done if self._finished else self._total
            yield Input(str(steps), id="steps", type="integer", compact=True)
            yield Static(id="message", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Train", id="train", variant="primary", compact=True)
                yield Button("Cancel", id="cancel", compact=True)
        yield Footer(show_command_palette=False)

    @on(Input.Changed)
    def _check(self) -> int | None:
        """Explain what was typed; return the number of steps, None for a wrong one."""
        text = self.query_one(Input).value.replace(",", "")
        number = text.removeprefix("+")
        steps = int(number) if number.isdecimal() else 0
        if steps and number != text:
            steps += self._done
        line, right = self.query_one("#message", Static), steps > self._done
        line.set_class(not right, "-problem")
        again = " The learning rate rises again, to decay over the longer run."
        line.update(
            f"{steps - self._done:,} more steps, from the last checkpoint."
            f"{again if self._finished else ''} +40 means 40 more."
            if right
            else f"✗ Enter a whole number above {self._done:,}, or +40 for 40 more."
        )
        return steps if right else None

    @on(Input.Submitted)
    @on(Button.Pressed, "#train")
    def _submit(self) -> None:
        if (steps := self._check()) is not None:
            self.dismiss(steps)

    @on(Button.Pressed, "#cancel")
    def _cancelled(self) -> None:
        self.dismiss(None)


def warn(screen: Screen[None], sentence: str) -> None:
    """Show why a key did nothing."""
    screen.notify(sentence, severity="warning", markup=False)


def fail(screen: Screen[None], sentence: str) -> None:
    """Show an error."""
    screen.notify(sentence, severity="error", timeout=12, markup=False)
