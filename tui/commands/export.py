"""Export a run as CSV, for TensorBoard or Weights & Biases, or a model as ONNX or plain PyTorch."""

import argparse
import dataclasses
import os
import tempfile
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
# Of wandb: nothing about this machine, its output and its code, which are not those of the run, and
# no reports of errors, which it would send although it is offline.
_WANDB_ENVIRONMENT = {
    "WANDB_CONSOLE": "off",
    "WANDB_DISABLE_CODE": "true",
    "WANDB_DISABLE_GIT": "true",
    "WANDB_ERROR_REPORTING": "false",
    "WANDB_SILENT": "true",
    "WANDB_X_DISABLE_MACHINE_INFO": "true",
    "WANDB_X_DISABLE_META": "true",
    "WANDB_X_DISABLE_STATS": "true",
    "WANDB_X_SAVE_REQUIREMENTS": "false",
}


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
        "--wandb", metavar="DIR", type=Path,
        help="Write the run in the offline format of Weights & Biases into this folder (needs the "
        "extra wandb); nothing is sent.",
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
    metrics = any((arguments.csv, arguments.tensorboard, arguments.wandb))
    model = any((arguments.onnx, arguments.pytorch))
    if not metrics and not model:
        raise InputError(
            "No output was chosen: add --csv FILE, --tensorboard DIR, --wandb DIR, --onnx FILE or "
            "--pytorch DIR."
        )
    if model:
        _export_model(arguments)
    if metrics:
        _export_metrics(arguments)
    return 0


def _export_metrics(arguments: argparse.Namespace) -> None:
    chosen = run_dir.find(arguments.run)
    # Missing packages are reported before anything is written.
    writer = _tensorboard_writer() if arguments.tensorboard else None
    wandb = _wandb() if arguments.wandb else None
    if arguments.csv:
        write_metrics_csv(chosen.events, arguments.csv)
        output.echo(arguments.csv)
    if writer:
        _write_tensorboard(writer, valid_events(chosen.events), arguments.tensorboard / chosen.name)
        output.echo(arguments.tensorboard / chosen.name)
    if wandb:
        output.echo(_write_wandb(wandb, chosen, arguments.wandb))


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


def _scalars(event: Step | Evaluated) -> dict[str, float]:
    """Return the metrics of an event by their names in TensorBoard and Weights & Biases."""
    if isinstance(event, Evaluated):
        return {"valid/loss": event.loss, "valid/bits": event.bits}
    values = {f"train/{name}": getattr(event, name) for name in _STEP_SCALARS}
    return {name: value for name, value in values.items() if value is not None}


def _write_tensorboard(
    summary_writer: Callable[[str], Any], events: Iterable[Event], folder: Path
) -> None:
    with files.explain_write_errors(folder), summary_writer(str(folder)) as writer:
        for event in events:
            match event:
                case Step() | Evaluated():
                    for name, value in _scalars(event).items():
                        writer.add_scalar(name, value, event.step, event.time)
                case Sampled():
                    text = f"{event.prime}{event.text}"
                    tag = f"samples/{event.prime or 'unprimed'}"
                    writer.add_text(tag, text, event.step, event.time)


def _wandb() -> Any:
    """Return the package wandb; raises InputError without it."""
    os.environ.update(_WANDB_ENVIRONMENT)  # read when it is imported
    try:
        import wandb

        wandb.init  # noqa: B018  # a folder of this name can be imported too
    except (ImportError, AttributeError):
        raise missing_extra("Writing for Weights & Biases", "wandb") from None
    return wandb


def _write_wandb(wandb: Any, chosen: run_dir.RunDir, folder: Path) -> Path:
    """Write the metrics and settings of a run and a table of its samples; return their folder."""
    settings = dataclasses.asdict(chosen.config())
    with files.explain_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # wandb would write to the system's temporary folder instead.
        tempfile.TemporaryFile(dir=folder).close()
        step, samples = 0, []
        with wandb.init(
            mode="offline", dir=folder, project="rnn-tui", name=chosen.name, config=settings
        ) as run:
            for event in valid_events(chosen.events):
                match event:
                    case Step() | Evaluated():
                        step = event.step
                        run.log({**_scalars(event), "_timestamp": event.time}, step=step)
                    case Sampled(text=text) if text:
                        samples.append([event.step, event.prime, event.condition, text])
            if samples:
                columns = ["step", "prompt", "artist", "text"]
                run.log({"samples": wandb.Table(columns=columns, data=samples)}, step=step)
        wandb.teardown()  # only now is the file complete
        return Path(run.settings.sync_dir)
