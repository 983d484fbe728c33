"""Actions of the Train and Runs pages on a run: stop, save, write samples and resume."""

import asyncio
from dataclasses import dataclass

from textual.message import Message
from textual.screen import Screen

from engine.errors import InputError, WorkError
from engine.runs.run_dir import RunDir
from engine.runs.run_state import ACTIVE
from tui.sources import command_runner
from tui.sources.child_commands import Programs

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


async def resume(
    screen: Screen[None], programs: Programs, run: RunDir, state: str, kind: str
) -> None:
    """Resume a run that is not running."""
    if state in ACTIVE:
        warn(screen, f"{run.name} is already being trained; press s to stop it.")
        return
    screen.notify(f"Resuming {run.name} …", markup=False)
    try:
        arguments = ("train", kind, "--resume", str(run.path), "--detach", "--json")
        await command_runner.run(programs.cli, *arguments)
    except WorkError as error:
        fail(screen, str(error))
        return
    screen.post_message(RunStarted(run))


def warn(screen: Screen[None], sentence: str) -> None:
    """Show why a key did nothing."""
    screen.notify(sentence, severity="warning", markup=False)


def fail(screen: Screen[None], sentence: str) -> None:
    """Show an error."""
    screen.notify(sentence, severity="error", timeout=12, markup=False)
