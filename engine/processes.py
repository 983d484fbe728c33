"""Our child processes: how they are started, and how they read lines and write them."""

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

MAX_BACKLOG = 200  # waiting messages; droppable ones are dropped while there are as many

M = TypeVar("M")


def command(module: str) -> tuple[str, ...]:
    """Return the command that runs one of our modules.

    -P keeps the current folder off the module search path.
    """
    return (sys.executable, "-P", "-m", module)


def processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_lines(receive: Callable[[bytes], object], ended: Callable[[], object]) -> None:
    """Call `receive` with each line of stdin that is not blank, then `ended`, in a new thread."""

    def read() -> None:
        # Not sys.stdin: this thread would hold its lock when the interpreter closes it at exit.
        for line in os.fdopen(0, "rb", closefd=False):
            if line.strip():
                receive(line)
        ended()

    threading.Thread(target=read, daemon=True).start()


def write_line(line: str) -> None:
    """Write a line to stdout, unbuffered; raises BrokenPipeError if stdout has no reader."""
    rest = memoryview(line.encode() + b"\n")
    while rest:
        rest = rest[os.write(1, rest) :]


class LineWriter(Generic[M]):
    """Writes messages to stdout in a thread of its own, so that a slow reader delays nothing else.

    encode: turns a message into a line. closed: called, in that thread, when stdout has no reader
    any more.
    """

    def __init__(self, encode: Callable[[M], str], closed: Callable[[], object]) -> None:
        self._queue: queue.SimpleQueue[M | None] = queue.SimpleQueue()
        self._encode, self._closed = encode, closed
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def write(self, message: M, droppable: bool = False) -> None:
        """Queue a message; a droppable one is dropped if `MAX_BACKLOG` messages are waiting."""
        if not droppable or self._queue.qsize() < MAX_BACKLOG:
            self._queue.put(message)

    def close(self, timeout: float = 0.5) -> None:
        """Write the waiting messages, for at most `timeout` seconds."""
        self._queue.put(None)
        self._thread.join(timeout)

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            while (message := self._queue.get()) is not None:
                write_line(self._encode(message))
            return
        self._closed()
