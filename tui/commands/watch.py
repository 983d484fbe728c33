"""Watch a run, live or finished."""

import argparse
import sys
import time

from engine.runs import run_dir
from engine.runs.event_log import EventReader
from engine.runs.events import Event
from engine.runs.run_dir import RunDir
from tui.commands import output

LOOK_EVERY = 0.2  # seconds


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="its name; the newest if left out")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--plain", action="store_true", help="print lines instead of the app")
    form.add_argument("--json", action="store_true", help="print the run's events as JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Follow the run to its end; leaving the watcher leaves the run alive."""
    chosen = run_dir.find(arguments.run)
    if arguments.plain or arguments.json or not sys.stdout.isatty():
        return follow(chosen, arguments.json)
    from tui.app import run_app

    return run_app(run=chosen)


def follow(chosen: RunDir, as_json: bool) -> int:
    """Print what the run has said and says, until it ends; 1 if it ended badly."""
    reader, show = EventReader(chosen.events), output.printer(as_json)
    last: Event | None = None
    while True:
        for event in reader.poll():
            show(event)
            last = event
        state = run_dir.state(chosen, last)
        if state in run_dir.ENDED:
            break
        time.sleep(LOOK_EVERY)
    if state == "crashed":
        print(
            f"{chosen.name} crashed: its process is gone without a last word; "
            f"go on with 'rnn-tui train {chosen.config().kind} --resume {chosen.name}'.",
            file=sys.stderr,
        )
    return int(state in {"failed", "crashed"})
