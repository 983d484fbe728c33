"""A run's history as a table for a spreadsheet."""

import csv
import io
from typing import Any

from engine.history import History

HEADER = (
    "step", "time", "elapsed", "train_loss", "train_bits", "valid_loss", "valid_bits", "best",
    "lr", "grad_norm", "frames_per_second", "memory_mb",
)  # fmt: skip


def csv_text(history: History) -> str:
    """One line a step that said something, in order; a figure not known there is empty.

    Losses are in nats a frame, bits in bits a frame, times in seconds, memory in megabytes.
    """
    rows: dict[int, dict[str, Any]] = {}
    for step in history.steps:
        rows[step.step] = {
            "time": step.time,
            "elapsed": step.elapsed,
            "train_loss": step.loss,
            "train_bits": step.bits,
            "lr": step.lr,
            "grad_norm": step.grad_norm,
            "frames_per_second": step.frames_per_second,
            "memory_mb": step.memory_mb,
        }
    for look in history.evaluations:
        row = rows.setdefault(look.step, {"time": look.time})
        row.update(valid_loss=look.loss, valid_bits=look.bits, best=int(look.best))
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, restval="", lineterminator="\n")
    writer.writeheader()
    for number in sorted(rows):
        writer.writerow({"step": number, **rows[number]})
    return text.getvalue()
