"""A run's events on disk: append them, read them while they are written, and collect them.

Each event is one line, written by one system call. A last line without a newline is still being
written, or was left by a killed trainer: a reader waits for its newline, and the next trainer
removes it.
"""

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import files
from engine.errors import WorkError
from engine.runs.events import (
    Evaluated,
    Event,
    Resumed,
    Sampled,
    Saved,
    Started,
    Step,
    decode,
    encode,
)

Listener = Callable[[Event], None]


class EventLog:
    """Appends events to a run's file and passes each to a listener."""

    def __init__(self, path: Path, listener: Listener | None = None) -> None:
        self._path, self._listener = path, listener
        self.listener_error: OSError | None = None  # why the listener is no longer called
        self.step = 0  # of the last event with a step
        self._last = time.monotonic()  # when the last event was written
        with files.explain_write_errors(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            self._truncate_partial_line()

    def _truncate_partial_line(self) -> None:
        """Remove what a killed trainer left after the last newline."""
        size = os.fstat(self._descriptor).st_size
        end = size
        while end:
            block = min(end, 4096)
            newline = os.pread(self._descriptor, block, end - block).rfind(b"\n")
            if newline >= 0:
                end = end - block + newline + 1
                break
            end -= block
        if end != size:
            os.ftruncate(self._descriptor, end)

    def append(self, event: Event) -> None:
        """Write an event as one line, complete or not at all; then call the listener.

        A listener that raises OSError, for example because it prints to a closed pipe, does not
        interrupt the writing: it is not called again, and `listener_error` is the error. Raises
        InputError when the disk is full.
        """
        line = (encode(event) + "\n").encode(errors="replace")
        with files.explain_write_errors(self._path):
            size = os.fstat(self._descriptor).st_size
            if os.write(self._descriptor, line) < len(line):
                os.ftruncate(self._descriptor, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._last = time.monotonic()
        self.step = int(getattr(event, "step", self.step))
        if self._listener is not None:
            try:
                self._listener(event)
            except OSError as error:
                self._listener, self.listener_error = None, error

    def check_listener(self, run: str) -> None:
        """Raise WorkError if the listener failed, which has stopped the run of this name."""
        if self.listener_error is not None:
            reason = self.listener_error.strerror or repr(self.listener_error)
            raise WorkError(
                f"The output cannot be written ({reason}), so the run "
                f"{run!r} has stopped at step {self.step}: resume it with --resume {run}, and with "
                "--quiet or another output."
            )

    def idle_for(self, seconds: float = 5.0) -> bool:
        """Return whether no event was written for `seconds`, so that a heartbeat is due."""
        return time.monotonic() - self._last > seconds

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class EventReader:
    """Reads a run's events from its file while a trainer appends to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def poll(self) -> list[Event]:
        """Return the events of the lines completed since the last call.

        Lines that are not events of this version are skipped. A missing file counts as empty.
        """
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._offset:
                    # The file was replaced: a trainer removes only a last line without a newline,
                    # which was not read.
                    self._offset = 0
                file.seek(self._offset)
                block = file.read()
        except OSError:
            return []
        end = block.rfind(b"\n") + 1
        self._offset += end
        # Not by splitlines, which would also split at U+2028.
        lines = block[:end].decode(errors="replace").split("\n")
        return [event for line in lines if (event := decode(line)) is not None]


@dataclass
class History:
    """The events of one run by type, without those of steps that a resumed run repeats."""

    started: Started | None = None
    steps: list[Step] = field(default_factory=list)
    evaluations: list[Evaluated] = field(default_factory=list)
    samples: list[Sampled] = field(default_factory=list)
    checkpoints: list[Saved] = field(default_factory=list)
    last_event: Event | None = None  # of any type

    @property
    def step(self) -> int:
        """The highest step of the events above; 0 without events."""
        return max((events[-1].step for events in self._lists() if events), default=0)

    @property
    def best_evaluation(self) -> Evaluated | None:
        """The evaluation with the lowest loss; None before the first."""
        return min(self.evaluations, key=lambda event: event.loss, default=None)

    def add(self, event: Event) -> None:
        """Add the next event; a `Resumed` removes the events of later steps."""
        self.last_event = event
        match event:
            case Started():
                self.started = event
            case Step():
                self.steps.append(event)
            case Evaluated():
                self.evaluations.append(event)
            case Sampled():
                self.samples.append(event)
            case Saved():
                self.checkpoints.append(event)
            case Resumed():
                self._drop_after(event.step)

    def _lists(self) -> tuple[list[Any], ...]:
        return self.steps, self.evaluations, self.samples, self.checkpoints

    def _drop_after(self, step: int) -> None:
        for events in self._lists():
            while events and events[-1].step > step:
                events.pop()


def read_history(path: Path) -> History:
    """Return the history of a run, from its file of events."""
    history = History()
    for event in EventReader(path).poll():
        history.add(event)
    return history
