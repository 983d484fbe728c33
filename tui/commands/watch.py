"""Show a run's training, live or finished."""

import argparse
import os
import sys
import time
from collections.abc import Callable

from engine import files
from engine.runs import event_log, run_dir, run_state
from engine.runs.event_log import EventReader
from engine.runs.events import Event
from engine.runs.run_dir import RunDir
from tui.commands import output

POLL_SECONDS = 0.2
LONG_BYTES = 4_000_000  # of a log of which `--plain` prints only the end
TAIL_BYTES = 100_000


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "run", nargs="?", metavar="RUN", help="Name of the run (default: the newest)."
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--plain", action="store_true",
        help="Print lines instead of starting the app (default if stdout is not a terminal).",
    )  # fmt: skip
    form.add_argument(
        "--json", action="store_true", help="Print the run's events as JSON, one a line."
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the run to its end; ctrl-c stops the display, not the run."""
    chosen = run_dir.find(arguments.run)
    if arguments.plain or arguments.json or not sys.stdout.isatty():
        return follow(chosen, arguments.json)
    from tui.app import run_app

    return run_app(run=chosen, programs=arguments.programs)


def follow(chosen: RunDir, as_json: bool) -> int:
    """Print a run's events until it ends; return 1 if it failed or crashed, else 0."""
    show = output.printer(as_json)
    reader = EventReader(chosen.events, 0 if as_json else _show_beginning(chosen, show))
    last: Event | None = None
    while True:
        while events := reader.poll():
            for event in events:
                show(event)
            last = events[-1]
        state = run_state.state_of(chosen, last)
        if state in run_state.ENDED:
            break
        time.sleep(POLL_SECONDS)
    if state == "crashed":
        output.echo(
            f"{chosen.name} crashed: its process ended without an error message; "
            f"resume with 'rnn-tui train {chosen.config().kind} --resume {chosen.name}'.",
            err=True,
        )
    return int(state in {"failed", "crashed"})


def _show_beginning(chosen: RunDir, show: Callable[[Event], None]) -> int:
    """Print the beginning of a long log in short; return the offset of the first other event."""
    try:
        with files.open_regular(chosen.events) as log:
            size = log.seek(0, os.SEEK_END)
            if size <= LONG_BYTES:
                return 0
            log.seek(size - TAIL_BYTES)
            log.readline()
            offset = log.tell()
    except OSError:
        return 0
    history = event_log.read_history(chosen.events)
    for event in (history.started, history.best_evaluation):
        if event is not None:
            show(event)
    output.echo(
        f"Only the last of {size / 1e6:,.0f} MB of events follow: 'rnn-tui watch {chosen.name} "
        "--json' prints all of them."
    )
    return offset
