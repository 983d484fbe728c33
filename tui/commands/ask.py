"""Ask a run, wherever it is trained, to stop, to save a checkpoint or to write a sample."""

import argparse

from engine import eventlog, rundir
from engine.errors import InputError


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("request", choices=rundir.REQUESTS)


def run(arguments: argparse.Namespace) -> int:
    """Leave a note for the run; it answers after its next step."""
    chosen = rundir.find(arguments.run)
    state = rundir.state(chosen, eventlog.read(chosen.events).last)
    if state not in rundir.GOING:
        raise InputError(
            f"The run {chosen.name!r} is {state}: there is nobody to ask; "
            f"go on with it by 'rnn-tui train {chosen.config().kind} --resume {chosen.name}'."
        )
    chosen.ask(arguments.request)
    return 0
