"""Ask a run in training to stop, to save a checkpoint or to write a sample."""

import argparse

from engine.errors import InputError
from engine.runs import event_log, run_dir


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", metavar="RUN", help="Name of the run.")
    parser.add_argument(
        "request",
        choices=run_dir.REQUESTS,
        help="What to do after the current step: stop with a checkpoint, save a checkpoint, or "
        "write a sample.",
    )


def run(arguments: argparse.Namespace) -> int:
    """Leave a request, which the run's trainer takes after its current step."""
    chosen = run_dir.find(arguments.run)
    state = run_dir.state(chosen, event_log.read_history(chosen.events).last_event)
    if state == "finished":
        raise InputError(f"The run {chosen.name!r} has finished: it takes no requests.")
    if state not in run_dir.ACTIVE:
        raise InputError(
            f"The run {chosen.name!r} is not in training ({state}): resume it with "
            f"'rnn-tui train {chosen.config().kind} --resume {chosen.name}'."
        )
    chosen.request(arguments.request)
    return 0
