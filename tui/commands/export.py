"""Export a run's metrics as CSV or for TensorBoard."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import files
from engine.errors import InputError, missing_extra
from engine.runs import event_log, run_dir
from engine.runs.event_log import History
from tui.commands import output


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", metavar="RUN", help="Name of the run.")
    parser.add_argument(
        "--csv", metavar="FILE", type=Path, help="Write a CSV with a row for each logged step."
    )
    parser.add_argument(
        "--tensorboard", metavar="DIR", type=Path,
        help="Write a TensorBoard log into this folder (needs the extra tensorboard).",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Write the files and print their paths."""
    if not (arguments.csv or arguments.tensorboard):
        raise InputError("No output was chosen: add --csv FILE or --tensorboard DIR.")
    chosen = run_dir.find(arguments.run)
    writer = _tensorboard_writer() if arguments.tensorboard else None  # before the events are read
    history = event_log.read_history(chosen.events)
    if arguments.csv:
        from tui.sources.metrics_csv import metrics_csv

        files.write_atomic(arguments.csv, metrics_csv(history))
        output.echo(arguments.csv)
    if writer:
        _write_tensorboard(writer, history, arguments.tensorboard / chosen.name)
        output.echo(arguments.tensorboard / chosen.name)
    return 0


def _tensorboard_writer() -> Callable[[str], Any]:
    """Return the class that writes a folder; raises InputError without the package."""
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise missing_extra("Writing for TensorBoard", "tensorboard") from None
    return SummaryWriter  # type: ignore[no-any-return]


def _write_tensorboard(
    summary_writer: Callable[[str], Any], history: History, folder: Path
) -> None:
    with files.explain_write_errors(folder), summary_writer(str(folder)) as writer:
        for step in history.steps:
            for name in ("loss", "bits", "lr", "grad_norm", "frames_per_second", "memory_mb"):
                value = getattr(step, name)
                if value is not None:
                    writer.add_scalar(f"train/{name}", value, step.step, walltime=step.time)
        for evaluation in history.evaluations:
            for name in ("loss", "bits"):
                value, number = getattr(evaluation, name), evaluation.step
                writer.add_scalar(f"valid/{name}", value, number, walltime=evaluation.time)
        for sample in history.samples:
            text = f"{sample.prime}{sample.text}"
            tag = f"samples/{sample.prime or 'unprimed'}"
            writer.add_text(tag, text, sample.step, walltime=sample.time)
