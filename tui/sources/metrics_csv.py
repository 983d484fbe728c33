"""The metrics of a run as a CSV file, for the Train page and `rnn-tui export`."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from engine import files
from engine.runs.event_log import valid_events
from engine.runs.events import Evaluated, Event, Step

CSV_COLUMNS = (
    "step", "time", "elapsed", "train_loss", "train_bits", "valid_loss", "valid_bits", "best",
    "lr", "grad_norm", "frames_per_second", "memory_mb",
)  # fmt: skip


def write_metrics_csv(log: Path, path: Path) -> None:
    """Write the metrics of a run's log as CSV, atomically: see `write_rows`."""
    with files.atomic_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        write_rows(valid_events(log), text)
        text.detach()  # writes what is left


def write_rows(events: Iterable[Event], file: TextIO) -> None:
    """Write a header, and a line for each step that has metrics; events: of ascending steps.

    Unknown values are empty. Losses are in nats per frame, bits in bits per frame, times in
    seconds, memory in megabytes.
    """
    writer = csv.DictWriter(file, CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    row: dict[str, Any] = {}
    for event in events:
        if not isinstance(event, Step | Evaluated):
            continue
        if row and row["step"] != event.step:
            writer.writerow(row)
            row = {}
        row = {"step": event.step, "time": event.time} | row | _values(event)
    if row:
        writer.writerow(row)


def _values(event: Step | Evaluated) -> dict[str, Any]:
    if isinstance(event, Evaluated):
        return {"valid_loss": event.loss, "valid_bits": event.bits, "best": int(event.best)}
    return {
        "elapsed": event.elapsed,
        "train_loss": event.loss,
        "train_bits": event.bits,
        "lr": event.lr,
        "grad_norm": event.grad_norm,
        "frames_per_second": event.frames_per_second,
        "memory_mb": event.memory_mb,
    }
