"""Ask a run, wherever it is trained, to stop, to save a checkpoint or to write a sample."""

import argparse

from engine.errors import InputError
from engine.runs import event_log, run_dir


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("request", choices=run_dir.REQUESTS)


def run(arguments: argparse.Namespace) -> int:
    """Leave a note for the run; it answers after its next step."""
    chosen = run_dir.find(arguments.run)
    state = run_dir.state(chosen, event_log.read_history(chosen.events).last_event)
    if state not in run_dir.ACTIVE:
        raise InputError(
            f"The run {chosen.name!r} is {state}: there is nobody to ask; "
            f"go on with it by 'rnn-tui train {chosen.config().kind} --resume {chosen.name}'."
        )
    chosen.request(arguments.request)
    return 0
