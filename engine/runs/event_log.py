"""A run's events as lines of a file: written whole, read as they come."""

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import files
from engine.runs import events as kinds
from engine.runs.events import Event

Listener = Callable[[Event], None]


class EventLog:
    """Appends events to a run's file, each in one write, and tells them to `listener` too."""

    def __init__(self, path: Path, listener: Listener | None = None) -> None:
        self._path, self._listener = path, listener
        self.listener_failed = False  # whether the listener has failed
        self.step = 0  # of the last event that had one
        self._last = time.monotonic()
        with files.explain_write_errors(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            self._drop_torn_line()

    def _drop_torn_line(self) -> None:
        """Cut what a killed trainer left after the last newline."""
        size = os.fstat(self._descriptor).st_size
        kept = size
        while kept:
            block = min(kept, 4096)
            found = os.pread(self._descriptor, block, kept - block).rfind(b"\n")
            if found >= 0:
                kept = kept - block + found + 1
                break
            kept -= block
        if kept != size:
            os.ftruncate(self._descriptor, kept)

    def append(self, event: Event) -> None:
        """Write one line, whole or not at all; then tell the listener.

        A listener that fails, as one that prints to a closed terminal, is told no more, and `deaf`
        says so: it must not end the run.
        """
        line = (kinds.encode(event) + "\n").encode()
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
            except (OSError, ValueError):  # ValueError: a file closed on our side
                self._listener, self.listener_failed = None, True

    def idle_for(self, seconds: float = 5.0) -> bool:
        """Whether nothing has been said for so long: time for a sign of life."""
        return time.monotonic() - self._last > seconds

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)


class EventReader:
    """Reads a run's events as they come; a last line without its newline means "not yet"."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def poll(self) -> list[Event]:
        """The whole new lines since the last call; lines of no known event are passed over."""
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._offset:
                    self._offset = 0  # a torn last line was never consumed, so this is a new file
                file.seek(self._offset)
                block = file.read()
        except OSError:  # not there yet, or not to be read
            return []
        whole = block.rfind(b"\n") + 1
        self._offset += whole
        lines = block[:whole].decode(errors="replace").split("\n")  # splitlines cuts at U+2028 too
        return [event for line in lines if (event := kinds.decode(line)) is not None]


@dataclass
class History:
    """The events of one run, without what a resume has made void."""

    started: kinds.Started | None = None
    steps: list[kinds.Step] = field(default_factory=list)
    evaluations: list[kinds.Evaluated] = field(default_factory=list)
    samples: list[kinds.Sampled] = field(default_factory=list)
    checkpoints: list[kinds.Saved] = field(default_factory=list)
    last_event: kinds.Event | None = None  # of any kind

    @property
    def step(self) -> int:
        """How far the run has come."""
        return max((events[-1].step for events in self._lists() if events), default=0)

    @property
    def best_evaluation(self) -> kinds.Evaluated | None:
        """The best evaluation so far."""
        return min(self.evaluations, key=lambda event: event.loss, default=None)

    def add(self, event: kinds.Event) -> None:
        """Take in the next event."""
        self.last_event = event
        match event:
            case kinds.Started():
                self.started = event
            case kinds.Step():
                self.steps.append(event)
            case kinds.Evaluated():
                self.evaluations.append(event)
            case kinds.Sampled():
                self.samples.append(event)
            case kinds.Saved():
                self.checkpoints.append(event)
            case kinds.Resumed():
                self._drop_after(event.step)

    def _lists(self) -> tuple[list[Any], ...]:
        return self.steps, self.evaluations, self.samples, self.checkpoints

    def _drop_after(self, step: int) -> None:
        for events in self._lists():
            while events and events[-1].step > step:
                events.pop()


def read_history(path: Path) -> History:
    """All that a run has said so far."""
    history = History()
    for event in EventReader(path).poll():
        history.add(event)
    return history
