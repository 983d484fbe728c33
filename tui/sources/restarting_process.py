"""A child process for requests and answers in JSON lines; if it has died, it is started again."""

import contextlib
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import IO, ClassVar, Generic, TypeVar

from engine import protocol
from engine.protocol import MessageError, Messages, PlayerRequest, SamplerRequest

R = TypeVar("R", SamplerRequest, PlayerRequest)  # requests
A = TypeVar("A")  # answers
T = TypeVar("T")

_BLOCK = 1 << 20  # bytes


@dataclass(frozen=True)
class ProcessEnded:
    """The process ended by itself, or could not be started; its pending requests are lost."""

    error: str  # one sentence


def deliver_to(items: SimpleQueue[T]) -> Callable[[tuple[T, ...]], None]:
    """Return a function to be passed as `deliver`, which puts answers into a queue."""

    def deliver(answers: tuple[T, ...]) -> None:
        for answer in answers:
            items.put(answer)

    return deliver


class RestartingProcess(Generic[R, A]):
    """The base of a child process that is started by the first request.

    If the process has ended, the next request starts it again. Answers are delivered as tuples, in
    order, at most `RATE` times a second: between deliveries they wait in the pipe, which blocks a
    process that is faster than the screen. If the process ends by itself, the last delivery is a
    `ProcessEnded`.

    deliver: called in the thread that reads the answers, so it should only post a message.
    """

    NAME: ClassVar[str]  # the process's name in error messages
    ANSWERS: Messages[A]
    RATE: ClassVar[float | None] = None  # maximum deliveries per second; None: no limit
    PATIENCE: ClassVar[float]  # seconds to wait for its end, once its stdin is closed

    def __init__(
        self,
        command: Sequence[str],
        deliver: Callable[[tuple[A | ProcessEnded, ...]], object],
    ) -> None:
        self._command, self._deliver = command, deliver
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = threading.Event()

    @property
    def pid(self) -> int | None:
        """The process's id; None while it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def close(self) -> int | None:
        """End the process by closing its stdin; kill it if it still runs after `PATIENCE`.

        Returns its exit status; None if it never ran or was killed.
        """
        self._closing.set()
        process = self._process
        if process is None:
            return None
        with contextlib.suppress(OSError):
            if process.stdin:
                process.stdin.close()
        try:
            return process.wait(self.PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None

    def _send(self, request: R) -> None:
        """Send a request; start a process first if none runs or if writing to it fails."""
        try:
            if self.pid is None:
                self._start()
            try:
                self._write(request)
            except OSError:
                self._start()
                self._write(request)
        except OSError as error:
            sentence = f"Cannot start the {self.NAME} ({error.strerror}): reinstall rnn-tui."
            self._deliver((ProcessEnded(sentence),))

    def _send_if_running(self, request: R) -> None:
        if self.pid is not None:
            with contextlib.suppress(OSError):
                self._write(request)

    def _write(self, request: R) -> None:
        rest = memoryview(protocol.encode(request).encode() + b"\n")
        while rest and self._process and self._process.stdin:
            rest = rest[self._process.stdin.write(rest) or 0 :]

    def _start(self) -> None:
        errors = tempfile.TemporaryFile()  # noqa: SIM115 (the reading thread closes it)
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(
                self._command, stdin=pipe, stdout=pipe, stderr=errors, bufsize=0
            )
        except OSError:
            errors.close()
            raise
        self._process = process
        threading.Thread(target=self._read, args=(process, errors), daemon=True).start()
        for request in self._first_requests():
            self._write(request)

    def _read(self, process: "subprocess.Popen[bytes]", errors: IO[bytes]) -> None:
        """Deliver answers until the process ends, then a `ProcessEnded` unless it was closed."""
        rest = b""
        with process, errors:
            while process.stdout and (block := process.stdout.read(_BLOCK)):
                *lines, rest = (rest + block).split(b"\n")
                if answers := self._decode(lines):
                    self._deliver(answers)
                if lines and self.RATE is not None:
                    self._closing.wait(1 / self.RATE)
            status = process.wait()
            errors.seek(0)
            messages = errors.read().decode(errors="replace").strip().splitlines()
        if process is self._process and not self._closing.is_set():
            self._died()
            reason = f"exit status {status}" + (f": {messages[-1]}" if messages else "")
            sentence = f"The {self.NAME} ended unexpectedly ({reason}): try again to restart it."
            self._deliver((ProcessEnded(sentence),))

    def _decode(self, lines: Iterable[bytes]) -> tuple[A, ...]:
        """Return the answers in `lines`; lines that are not valid answers are skipped."""
        answers = []
        for line in lines:
            with contextlib.suppress(MessageError):
                answers.append(protocol.decode(line, self.ANSWERS))
        return tuple(answers)

    def _first_requests(self) -> Iterable[R]:
        """Return the requests that are sent first to every new process."""
        return ()

    def _died(self) -> None:
        """Clean up after a process that ended by itself; runs in the thread that reads answers."""
