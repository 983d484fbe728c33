"""The metrics of a run as a CSV file, for the Train page and `rnn-tui export`."""

import csv
import io
from typing import Any

from engine.runs.event_log import History

CSV_COLUMNS = (
    "step", "time", "elapsed", "train_loss", "train_bits", "valid_loss", "valid_bits", "best",
    "lr", "grad_norm", "frames_per_second", "memory_mb",
)  # fmt: skip


def metrics_csv(history: History) -> str:
    """Return the metrics as CSV: a header, and a line for each step that has any, in order.

    Unknown values are empty. Losses are in nats per frame, bits in bits per frame, times in
    seconds, memory in megabytes.
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
    for evaluation in history.evaluations:
        row = rows.setdefault(evaluation.step, {"time": evaluation.time})
        row.update(
            valid_loss=evaluation.loss, valid_bits=evaluation.bits, best=int(evaluation.best)
        )
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for number in sorted(rows):
        writer.writerow({"step": number, **rows[number]})
    return text.getvalue()
