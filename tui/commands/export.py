"""Write a run's figures as CSV or for TensorBoard."""

import argparse
from pathlib import Path

from engine import files
from engine.errors import InputError
from engine.runs import event_log, run_dir
from engine.runs.event_log import History


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--csv", metavar="FILE", type=Path, help="one row a reported step")
    parser.add_argument("--tensorboard", metavar="DIR", type=Path, help="(extra `tensorboard`)")


def run(arguments: argparse.Namespace) -> int:
    """Write what was asked for and say where."""
    if not (arguments.csv or arguments.tensorboard):
        raise InputError("There is nothing to write: give --csv FILE or --tensorboard DIR.")
    chosen = run_dir.find(arguments.run)
    history = event_log.read_history(chosen.events)
    if arguments.csv:
        from tui.sources.run_view import metrics_csv

        files.write_atomic(arguments.csv, metrics_csv(history))
        print(arguments.csv)
    if arguments.tensorboard:
        _tensorboard(history, arguments.tensorboard / chosen.name)
        print(arguments.tensorboard / chosen.name)
    return 0


def _tensorboard(history: History, folder: Path) -> None:
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise InputError(
            "TensorBoard's files need the extra: pip install 'rnn-tui[tensorboard]'."
        ) from None
    with files.explain_write_errors(folder), SummaryWriter(str(folder)) as writer:
        for step in history.steps:
            for name in ("loss", "bits", "lr", "grad_norm", "frames_per_second", "memory_mb"):
                value = getattr(step, name)
                if value is not None:
                    writer.add_scalar(f"train/{name}", value, step.step, walltime=step.time)
        for look in history.evaluations:
            for name in ("loss", "bits"):
                value = getattr(look, name)
                writer.add_scalar(f"valid/{name}", value, look.step, walltime=look.time)
        for sample in history.samples:
            text = f"{sample.prime}{sample.text}"
            who = f"samples/{sample.prime or 'unprimed'}"
            writer.add_text(who, text, sample.step, walltime=sample.time)
