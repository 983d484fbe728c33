"""The player's process: told what to play on its stdin, heard on its stdout, started anew if dead.

It owns the MIDI port. A thread reads what it says: where playing is, 20 times a second, which port
is open, and what went wrong.
"""

import contextlib
import json
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO, Any

from engine import processes
from engine.music.score import Note
from engine.protocol import Port

# How the process is called; tests put their own in place.
command: tuple[str, ...] = processes.command("engine.music.player")
PATIENCE = 4.0  # seconds a process may take to fade out and end after its stdin has
_BLOCK = 1 << 16  # bytes
_SILENCED = 30.0  # seconds within which notes are silenced that a killed process has left
# What a new process is told again: the last of each.
_SETTINGS = {"port", "program", "tempo", "transpose", "velocity"}


@dataclass(frozen=True)
class Position:
    """Where playing is in a song."""

    id: int  # of the song
    seconds: float
    duration: float  # seconds
    playing: bool
    waiting: bool  # for notes that are still to come


@dataclass(frozen=True)
class Ended:
    """The song's last note has been let go."""

    id: int


@dataclass(frozen=True)
class Opened:
    """A port is open, and what is played goes there."""

    port: Port


@dataclass(frozen=True)
class Listed:
    """The ports that there are, as asked for."""

    ports: tuple[Port, ...]


@dataclass(frozen=True)
class Failed:
    """Something could not be done."""

    sentence: str
    do: str | None = None  # which request
    died: bool = False  # the process is gone, and the song with it


Heard = Position | Ended | Opened | Listed | Failed


def understand(line: bytes) -> Heard | None:
    """What a line of the process says; None for one that is no answer."""
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            return Failed(str(answer["error"]), answer.get("do"))
        if "ports" in answer:
            return Listed(tuple(Port(**values) for values in answer["ports"]))
        if "port" in answer:
            return Opened(Port(**answer["port"]))
        number = int(answer["id"])
        if answer.get("ended"):
            return Ended(number)
        return Position(
            number,
            float(answer["position"]),
            float(answer["duration"]),
            bool(answer["playing"]),
            bool(answer["waiting"]),
        )
    return None


class Player:
    """Owns the process. `deliver` is called in the reading thread: let it only post a message.

    Nothing is answered by the methods themselves; what fails is delivered as `Failed`.
    """

    def __init__(self, deliver: Callable[[Heard], object]) -> None:
        self._deliver = deliver
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = False
        self._settings: dict[str, dict[str, Any]] = {}
        self._last = 0  # the newest song's id
        self._opened: Port | None = None

    @property
    def pid(self) -> int | None:
        """The process's id, while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def load(self, notes: Iterable[Note], until: float | None = None) -> int:
        """Put a song in place, at rest at its beginning; gives its id.

        until: the second up to which its notes are known, None when they all are.
        """
        self._last += 1
        self._ask("load", id=self._last, notes=_rows(notes), until=until)
        return self._last

    def append(self, notes: Iterable[Note], until: float | None) -> None:
        """Add notes to the song loaded."""
        self._ask("notes", notes=_rows(notes), until=until)

    def play(self) -> None:
        """Play, or go on; opens a port where none is open."""
        self._ask("play")

    def pause(self) -> None:
        """Rest where it is."""
        self._ask("pause")

    def stop(self) -> None:
        """Rest at the beginning."""
        self._ask("stop")

    def seek(self, seconds: float) -> None:
        """Be at another place of the song."""
        self._ask("seek", seconds=seconds)

    def loop(self, on: bool, start: float = 0.0, end: float | None = None) -> None:
        """Repeat a part of the song, or all of it; a song newly loaded keeps that."""
        self._ask("loop", on=on, start=start, end=end)

    def tempo(self, factor: float) -> None:
        """Play so many times as fast as written."""
        self._ask("tempo", factor=factor)

    def transpose(self, semitones: int) -> None:
        """Play so many semitones higher."""
        self._ask("transpose", semitones=semitones)

    def velocity(self, factor: float) -> None:
        """Strike so many times as hard as written."""
        self._ask("velocity", factor=factor)

    def program(self, number: int) -> None:
        """Choose the General MIDI instrument, from 0."""
        self._ask("program", number=number)

    def panic(self) -> None:
        """Let go of everything that there is to let go of."""
        self._ask("panic")

    def port(self, name: str | None) -> None:
        """Open a port by name, or a good one; answered by `Opened`."""
        self._ask("port", name=name)

    def ports(self) -> None:
        """Look for ports anew; answered by `Listed`."""
        self._ask("ports")

    def close(self) -> None:
        """End the process: by its stdin, and by force where that is not enough."""
        self._closing = True
        process = self._process
        if process is None:
            return
        with contextlib.suppress(OSError):
            if process.stdin:
                process.stdin.close()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _ask(self, do: str, **values: Any) -> None:
        """Send a request, to a new process where none runs or it died a moment ago."""
        request = {"do": do, **values}
        try:
            if self.pid is None:
                self._start()
            try:
                self._write(request)
            except OSError:
                self._start()
                self._write(request)
        except OSError as error:
            sentence = f"Cannot start the player ({error.strerror}): is rnn-tui installed whole?"
            self._deliver(Failed(sentence, do, died=True))
        if do in _SETTINGS:
            self._settings[do] = request

    def _write(self, request: dict[str, Any]) -> None:
        rest = memoryview(json.dumps(request).encode() + b"\n")
        while rest and self._process and self._process.stdin:
            rest = rest[self._process.stdin.write(rest) or 0 :]

    def _start(self) -> None:
        errors = tempfile.TemporaryFile()  # noqa: SIM115 (the reading thread closes it)
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, bufsize=0)
        except OSError:
            errors.close()
            raise
        self._process = process
        threading.Thread(target=self._read, args=(process, errors), daemon=True).start()
        for request in self._settings.values():
            self._write(request)

    def _read(self, process: "subprocess.Popen[bytes]", errors: IO[bytes]) -> None:
        """Hand on what the process says until it ends, and then say so, if it was not told to."""
        rest = b""
        with process, errors:
            while process.stdout and (block := process.stdout.read(_BLOCK)):
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    heard = understand(line)
                    if isinstance(heard, Opened):
                        self._opened = heard.port
                    if heard is not None:
                        self._deliver(heard)
            status = process.wait()
            errors.seek(0)
            words = errors.read().decode(errors="replace").strip().splitlines()
        if process is self._process and not self._closing:
            _silence(self._opened)
            reason = f"exit status {status}" + (f": {words[-1]}" if words else "")
            sentence = f"The player ended by itself ({reason}): play again to start it anew."
            self._deliver(Failed(sentence, died=True))


def _silence(port: Port | None) -> None:
    """Let go, by another process, of the notes that one which was killed has left sounding."""
    if port is None or port.kind != "port":  # others have gone with it
        return
    requests = ({"do": "port", "name": port.name}, {"do": "panic"})
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            command, input=lines.encode(), capture_output=True, check=False, timeout=_SILENCED
        )


def _rows(notes: Iterable[Note]) -> list[list[float]]:
    return [[note.start, note.end, note.pitch, note.velocity] for note in notes]
