"""Export a run's metrics as CSV or for TensorBoard, or a model as ONNX or plain PyTorch."""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from engine import files
from engine.errors import InputError, missing_extra
from engine.runs import run_dir
from engine.runs.event_log import valid_events
from engine.runs.events import Evaluated, Event, Sampled, Step
from tui.commands import output
from tui.sources.metrics_csv import write_metrics_csv

_STEP_SCALARS = ("loss", "bits", "lr", "grad_norm", "frames_per_second", "memory_mb")


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "run", metavar="RUN",
        help="Name of the run; for --onnx and --pytorch also an included model or a path.",
    )  # fmt: skip
    parser.add_argument(
        "--csv", metavar="FILE", type=Path, help="Write a CSV with a row for each logged step."
    )
    parser.add_argument(
        "--tensorboard", metavar="DIR", type=Path,
        help="Write a TensorBoard log into this folder (needs the extra tensorboard).",
    )  # fmt: skip
    parser.add_argument(
        "--onnx", metavar="FILE.onnx", type=Path,
        help="Write the model as an ONNX file of one step (needs the extra onnx).",
    )  # fmt: skip
    parser.add_argument(
        "--pytorch", metavar="DIR", type=Path,
        help="Write the model to this new folder, with a model.py that needs torch and "
        "safetensors only.",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Write the files and print their paths."""
    if not any((arguments.csv, arguments.tensorboard, arguments.onnx, arguments.pytorch)):
        raise InputError(
            "No output was chosen: add --csv FILE, --tensorboard DIR, --onnx FILE or --pytorch DIR."
        )
    if arguments.onnx or arguments.pytorch:
        _export_model(arguments)
    if arguments.csv or arguments.tensorboard:
        _export_metrics(arguments)
    return 0


def _export_metrics(arguments: argparse.Namespace) -> None:
    chosen = run_dir.find(arguments.run)
    writer = _tensorboard_writer() if arguments.tensorboard else None  # before the events are read
    if arguments.csv:
        write_metrics_csv(chosen.events, arguments.csv)
        output.echo(arguments.csv)
    if writer:
        _write_tensorboard(writer, valid_events(chosen.events), arguments.tensorboard / chosen.name)
        output.echo(arguments.tensorboard / chosen.name)


def _export_model(arguments: argparse.Namespace) -> None:
    from engine.inference import models
    from engine.interchange import onnx_model, torch_module

    _, folder = models.locate(arguments.run)
    for target, write in (
        (arguments.onnx, onnx_model.write),
        (arguments.pytorch, torch_module.write),
    ):
        if target:
            write(folder, target)
            output.echo(target)


def _tensorboard_writer() -> Callable[[str], Any]:
    """Return the class that writes a folder; raises InputError without the package."""
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise missing_extra("Writing for TensorBoard", "tensorboard") from None
    return SummaryWriter  # type: ignore[no-any-return]


def _write_tensorboard(
    summary_writer: Callable[[str], Any], events: Iterable[Event], folder: Path
) -> None:
    with files.explain_write_errors(folder), summary_writer(str(folder)) as writer:
        for event in events:
            match event:
                case Step():
                    for name in _STEP_SCALARS:
                        value = getattr(event, name)
                        if value is not None:
                            writer.add_scalar(f"train/{name}", value, event.step, event.time)
                case Evaluated():
                    for name in ("loss", "bits"):
                        value = getattr(event, name)
                        writer.add_scalar(f"valid/{name}", value, event.step, event.time)
                case Sampled():
                    text = f"{event.prime}{event.text}"
                    tag = f"samples/{event.prime or 'unprimed'}"
                    writer.add_text(tag, text, event.step, event.time)
