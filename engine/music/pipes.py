"""How the player hears and speaks: lines of JSON, and what may stand in them."""

import contextlib
import json
import math
import os
import queue
import threading
from collections.abc import Callable
from typing import Any

from engine.errors import InputError
from engine.music.score import Note

Values = dict[str, Any]

QUIT: Values = {"do": "quit"}
BACKLOG = 200  # answers that nobody has read: more positions are not worth keeping


def number(values: Values, key: str, low: float, high: float) -> float:
    """A number in its range; raises InputError else."""
    value = values.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        return float(value)
    raise InputError(f"{key} is {value!r}: give a number from {low:g} to {high:g}.")


def whole(values: Values, key: str, low: int, high: int) -> int:
    """A whole number in its range; raises InputError else."""
    value = number(values, key, low, high)
    if value != int(value):
        raise InputError(f"{key} is {value!r}: give a whole number.")
    return int(value)


def notes(values: Values) -> list[Note]:
    """The notes of a request; raises InputError for the first that is none."""
    rows = values.get("notes")
    if not isinstance(rows, list):
        raise InputError(f"notes is {rows!r:.40}: give a list of [start, end, pitch, velocity].")
    found = []
    for place, row in enumerate(rows, 1):
        try:
            start, end, pitch, velocity = row
            found.append(Note(float(start), float(end), int(pitch), int(velocity)))
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(
                f"Note {place} is {row!r:.60}: give [start, end, pitch, velocity], seconds and "
                "MIDI's numbers."
            ) from error
    return found


def until(values: Values) -> float:
    """Up to where the notes are known; infinity where nothing is said of it."""
    return math.inf if values.get("until") is None else number(values, "until", 0, 1e9)


class Answers:
    """Writes answers in a thread of its own: one who does not read must not hold up the notes."""

    def __init__(self, closed: Callable[[], None]) -> None:
        self._queue: queue.SimpleQueue[Values | None] = queue.SimpleQueue()
        self._closed = closed
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def say(self, **values: Any) -> None:
        """Write one line, soon."""
        if "position" not in values or self._queue.qsize() < BACKLOG:
            self._queue.put(values)

    def close(self) -> None:
        """Write what is left, if somebody reads it."""
        self._queue.put(None)
        self._thread.join(timeout=0.5)

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            while (values := self._queue.get()) is not None:
                os.write(1, json.dumps(values).encode() + b"\n")
            return
        self._closed()


def read(requests: "queue.SimpleQueue[Values]", say: Callable[..., None]) -> None:
    """Put each request on stdin in the queue, and at its end `QUIT`."""
    # Not sys.stdin: this thread would hold it locked when the interpreter wants to close it.
    for line in os.fdopen(0, "rb", closefd=False):
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            say(error=f"A request is not JSON ({error}): send one object a line.", do=None)
            continue
        if isinstance(values, dict):
            requests.put(values)
        else:
            say(error="A request is not a JSON object: send one object a line.", do=None)
    requests.put(QUIT)
