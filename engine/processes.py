"""Processes of our own: how they are started, and the lines that they read and write."""

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

MAX_BACKLOG = 200  # unread messages from which those that may be dropped are

M = TypeVar("M")


def command(module: str) -> tuple[str, ...]:
    """Return the command that runs a module of ours; -P keeps the current folder off the path."""
    return (sys.executable, "-P", "-m", module)


def processors() -> int:
    """Return the number of processors this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_lines(receive: Callable[[bytes], object], ended: Callable[[], object]) -> None:
    """Call `receive` with each line of stdin that is not blank, then `ended`, in a new thread."""

    def read() -> None:
        # Not sys.stdin: this thread would hold its lock when the interpreter closes it.
        for line in os.fdopen(0, "rb", closefd=False):
            if line.strip():
                receive(line)
        ended()

    threading.Thread(target=read, daemon=True).start()


def write_line(line: str) -> None:
    """Write a line to stdout at once; raises BrokenPipeError where stdout has no reader."""
    rest = memoryview(line.encode() + b"\n")
    while rest:
        rest = rest[os.write(1, rest) :]


class LineWriter(Generic[M]):
    """Writes messages to stdout in a thread of its own, so that a slow reader delays nothing else.

    closed: called, in that thread, when stdout has no reader any more.
    """

    def __init__(self, encode: Callable[[M], str], closed: Callable[[], object]) -> None:
        self._queue: queue.SimpleQueue[M | None] = queue.SimpleQueue()
        self._encode, self._closed = encode, closed
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def write(self, message: M, droppable: bool = False) -> None:
        """Write a message soon; a droppable one not at all where many are waiting."""
        if not droppable or self._queue.qsize() < MAX_BACKLOG:
            self._queue.put(message)

    def close(self, timeout: float = 0.5) -> None:
        """Write what is left, for at most `timeout` seconds."""
        self._queue.put(None)
        self._thread.join(timeout)

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            while (message := self._queue.get()) is not None:
                write_line(self._encode(message))
            return
        self._closed()
