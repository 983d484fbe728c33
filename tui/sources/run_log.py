"""The end of a run's log as text: what its trainer printed, and its events."""

import time
from pathlib import Path

from engine.files import read_end
from engine.runs.events import Sampled, Started, decode
from engine.runs.run_dir import RunDir
from tui.event_text import event_text
from tui.formatting import clean

_BYTES = 1 << 16  # of each file's end
_LINES = 200  # at most


def log_lines(run: RunDir, total_steps: int) -> list[str]:
    """Return the last lines: those of worker.log, then the events with their times.

    Samples are left out, since the Train page shows them. total_steps: of the run.
    """
    printed = [line for line in _tail(run.log) if line.strip()]
    lines = []
    for line in _tail(run.events):
        event = decode(line)
        if event is None:
            continue
        if isinstance(event, Started):
            total_steps = event.steps
        if isinstance(event, Sampled):
            text: str | None = f"step {event.step}: wrote a sample"
        else:
            text = event_text(event, total_steps)
        if text:
            moment = time.strftime("%H:%M:%S", time.localtime(event.time))
            lines += [f"{moment}  {part}" for part in text.split("\n")]
    return [clean(line) for line in [*printed, *lines][-_LINES:]]


def _tail(path: Path) -> list[str]:
    """Return the complete lines within a file's last bytes; a blank one if unreadable."""
    text, is_whole = read_end(path, _BYTES)
    return text.split("\n")[0 if is_whole else 1 :]
