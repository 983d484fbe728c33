"""A run's events on disk: append them, and read them while they are written.

Each event is one line, written by one system call. A last line without a newline is still being
written, or was left by a killed trainer: a reader waits for its newline, and the next trainer
removes it.
"""

import errno
import os
import time
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

from engine import files
from engine.errors import WorkError
from engine.runs import log_summary
from engine.runs.events import Event, decode, encode
from engine.runs.log_summary import History

Listener = Callable[[Event], None]
BLOCK_BYTES = 1 << 20  # of a log that are read at a time
SUMMARY_BYTES = 1 << 18  # of a log that may be missing from its summary
_RESUMED = b'{"event": "resumed"'  # how `encode` begins the line of a Resumed


class EventLog:
    """Appends events to a run's file and passes each to a listener.

    The summary beside the file is written after every SUMMARY_BYTES and at the end.
    """

    def __init__(self, path: Path, listener: Listener | None = None) -> None:
        self._path, self._listener = path, listener
        self.listener_error: OSError | None = None  # why the listener is no longer called
        self.step = 0  # of the last event with a step
        self._last = time.monotonic()  # when the last event was written
        with files.explain_write_errors(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            self._truncate_partial_line()
        self._history, self._unread = HistoryReader(path), 0  # bytes written since it was read

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
        self._unread += len(line)
        if self._unread > SUMMARY_BYTES:
            self._history.read()
            self._unread = 0
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
        """Write the summary and close the file."""
        self._history.read()
        self._history.save()
        os.close(self._descriptor)


class EventReader:
    """Reads a run's events from its file while a trainer appends to it.

    offset: number of bytes at the beginning of the file to leave out.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self.offset = offset  # number of bytes read

    def poll(self) -> list[Event]:
        """Return the events of the lines completed since the last call.

        After more than BLOCK_BYTES, those of a block: more follow until a call returns []. Lines
        that are not events of this version are skipped. A missing file counts as empty.
        """
        while lines := self.poll_lines():
            decoded = (decode(line.decode(errors="replace")) for line in lines)
            if events := [event for event in decoded if event is not None]:
                return events
        return []

    def poll_lines(self) -> list[bytes]:
        """Return the lines completed since the last call, or those of the next block."""
        try:
            with files.open_regular(self._path) as file:
                if os.fstat(file.fileno()).st_size < self.offset:
                    # The file was replaced: a trainer removes only a last line without a newline,
                    # which was not read.
                    self.offset = 0
                file.seek(self.offset)
                block = file.read(BLOCK_BYTES)
                if len(block) == BLOCK_BYTES:  # a line may be longer
                    block += file.readline()
        except OSError:
            return []
        end = block.rfind(b"\n") + 1
        self.offset += end
        # Not by splitlines, which would also split at U+2028.
        return block[: end - 1].split(b"\n") if end else []


class HistoryReader:
    """Reads a run's history from its summary and the events after it, while a trainer appends.

    A summary that lacks more than SUMMARY_BYTES is written again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.history, self._saved = log_summary.load(path)
        self._events = EventReader(path, self._saved)
        self._new = self._saved > 0  # whether the history was not read yet

    def read(self) -> bool:
        """Read new events; return whether there were any, also in the summary."""
        found, self._new = self._new, False
        while lines := self._events.poll_lines():
            if self._events.offset < self._saved:  # another file
                self.history, self._saved = History(), 0
            self.history.add_lines(lines)
            found = True
        if self._events.offset - self._saved > SUMMARY_BYTES:
            self.save()
        return found

    def save(self) -> None:
        """Write the summary."""
        if self._events.offset != self._saved:
            log_summary.save(self._path, self.history, self._events.offset)
            self._saved = self._events.offset


def read_history(path: Path) -> History:
    """Return the history of a run, from its file of events."""
    reader = HistoryReader(path)
    reader.read()
    return reader.history


def valid_events(path: Path) -> Iterator[Event]:
    """Yield all events of a run but those of steps that a resumed run repeats.

    A long log is read twice, in blocks.
    """
    resumes = _resumes(path)  # the last one is the first to be passed
    reader = EventReader(path)
    while lines := reader.poll_lines():
        offset = reader.offset - sum(len(line) + 1 for line in lines)
        for line in lines:
            offset += len(line) + 1
            while resumes and resumes[-1][0] <= offset:
                resumes.pop()
            event = decode(line.decode(errors="replace"))
            step = getattr(event, "step", 0)
            if event is not None and not (resumes and step > resumes[-1][1]):
                yield event


def _resumes(path: Path) -> list[tuple[int, int]]:
    """Return each Resumed, the last one first: its line's end, and the lowest step up to there.

    The lowest of the steps of this Resumed and of those after it in the file.
    """
    found: list[tuple[int, int]] = []
    reader = EventReader(path)
    while lines := reader.poll_lines():
        offset = reader.offset - sum(len(line) + 1 for line in lines)
        for line in lines:
            offset += len(line) + 1
            if line.startswith(_RESUMED) and (event := decode(line.decode(errors="replace"))):
                found.append((offset, int(getattr(event, "step", 0))))
    steps = list(accumulate((step for _, step in reversed(found)), min))
    return list(zip((offset for offset, _ in reversed(found)), steps, strict=True))
