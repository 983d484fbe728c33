"""What pages ask of a run: to stop, to save, to write samples, to go on."""

import asyncio
from dataclasses import dataclass

from textual.message import Message
from textual.screen import Screen

from engine.errors import InputError, WorkError
from engine.runs.run_dir import ACTIVE, RunDir
from tui.sources import commands

# What is asked, in a run's control folder, and what is said when it has been.
REQUESTS = {
    "stop": "stops after its next step, and keeps a checkpoint to resume from.",
    "save": "saves a checkpoint after its next step.",
    "sample": "writes samples after its next step.",
}


@dataclass
class RunStarted(Message):
    """A run was started, or resumed, from this app."""

    run: RunDir


@dataclass
class AttachRun(Message):
    """The Train page is to show this run."""

    run: RunDir


async def request(screen: Screen[None], run: RunDir, state: str, request: str) -> None:
    """Leave one of REQUESTS for the run, and say so."""
    if state not in ACTIVE:
        hint = "" if state == "finished" else "; r resumes it"
        warn(screen, f"{run.name} is {state}: there is nobody to ask{hint}.")
        return
    try:
        await asyncio.to_thread(run.request, request)  # a busy disk must not hold the app up
    except (InputError, OSError) as error:
        fail(screen, str(error))
        return
    screen.notify(f"{run.name} {REQUESTS[request]}", markup=False)


async def resume(screen: Screen[None], run: RunDir, state: str, kind: str) -> None:
    """Go on with a run that nobody trains."""
    if state in ACTIVE:
        warn(screen, f"{run.name} is being trained already: s stops it.")
        return
    screen.notify(f"Resuming {run.name} …", markup=False)
    try:
        await commands.run("train", kind, "--resume", str(run.path), "--detach", "--json")
    except WorkError as error:
        fail(screen, str(error))
        return
    screen.post_message(RunStarted(run))


def warn(screen: Screen[None], sentence: str) -> None:
    """Say why a key did nothing."""
    screen.notify(sentence, severity="warning", markup=False)


def fail(screen: Screen[None], sentence: str) -> None:
    """Say what went wrong."""
    screen.notify(sentence, severity="error", timeout=12, markup=False)
