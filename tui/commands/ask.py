"""Ask a run in training to stop, to save a checkpoint or to write a sample."""

import argparse

from engine.errors import InputError
from engine.runs import event_log, run_dir, run_state


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", metavar="RUN", help="Name of the run.")
    parser.add_argument(
        "request",
        choices=run_dir.REQUESTS,
        help="What to do after the current step. stop: save a checkpoint and stop; save: save a "
        "checkpoint; sample: write a sample.",
    )


def run(arguments: argparse.Namespace) -> int:
    """Leave a request in the run's folder; its trainer reads it after the current step."""
    chosen = run_dir.find(arguments.run)
    history = event_log.read_history(chosen.events)
    state = run_state.state_of(chosen, history.last_event)
    if state not in run_state.ACTIVE:
        config = chosen.config()
        command = f"rnn-tui train {config.kind} --resume {chosen.name}"
        remedy = f"resume it with '{command}'"
        if state == "finished":
            remedy = f"for more steps use '{command} --set train.steps={2 * history.step}'"
            if config.model.kind != "network":
                remedy = "it is complete, and nothing is left to train"
        raise InputError(
            f"The run {chosen.name!r} is not in training ({state}) and takes no requests: {remedy}."
        )
    chosen.request(arguments.request)
    return 0
