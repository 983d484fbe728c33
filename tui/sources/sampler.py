"""The sampler's process: asked on its stdin, heard on its stdout, started anew when it has died.

A thread reads what the process says and hands it on at most `RATE` times a second, whatever the
speed of the characters or frames: between two looks they gather in the pipe, which also holds back
a process faster than the screen.
"""

import contextlib
import dataclasses
import json
import math
import subprocess
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from engine import processes
from tui.sources.answers import Heard, gather
from tui.sources.neurons import NeuronsRequest, Unit

# How the process is called; tests put their own in place.
command: tuple[str, ...] = processes.command("engine.sampler_process")
RATE = 30  # deliveries a second
PATIENCE = 1.0  # seconds a process may take to end after its stdin has
_BLOCK = 1 << 20  # bytes


@dataclass(frozen=True)
class Request:
    """A song to be written."""

    model: str  # a name or a path
    prime: str = ""
    artist: str | None = None
    mix: str | None = None  # artists with their weights, in place of one
    temperature: float = 0.7  # infinity: every character is as likely as any other
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    guidance: float = 1.0  # how far the artist is followed
    repetition: float = 0.0  # a penalty on saying things again
    line: int = 0  # characters at which a line ends with its word; 0: as they come
    memory: float = 1.0  # how far a model's memory of the song is believed
    bits: bool = False  # tell each character's surprise
    alternatives: int = 0  # tell so many for each character
    novelty: int | None = None  # mark copied stretches of so many characters
    length: int | None = None  # characters; None: until the song ends
    count: int = 1  # songs, in step with each other
    seed: int | None = None  # None: a new one


@dataclass(frozen=True)
class MusicRequest:
    """Music to be written."""

    model: str  # a name or a path
    prime: str | None = None  # the path of a MIDI file that it begins with
    notes: tuple[int, ...] | None = None  # or the pitches of its first frame
    temperature: float = 1.0  # infinity: coins are tossed
    memory: float = 1.0  # how far a model's memory of the song is believed
    least: int = 0  # notes in a frame
    length: int = 200  # frames
    seed: int | None = None  # None: a new one


@dataclass(frozen=True)
class LadderRequest:
    """A beginning that all rungs of the ladder go on from."""

    model: str  # the network on top: a name or a path
    prime: str = ""
    temperature: float = 0.7  # infinity: every character is as likely as any other
    seed: int | None = None  # None: a new one


def _values(request: Request | MusicRequest | LadderRequest) -> dict[str, Any]:
    return _finite(dataclasses.asdict(request))


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """The values as JSON can hold them."""
    if math.isinf(values["temperature"]):
        return {**values, "temperature": "inf"}
    return values


class Sampler:
    """Owns the process. `deliver` is called in the reading thread: let it only post a message."""

    def __init__(self, deliver: Callable[[Heard], object]) -> None:
        self._deliver = deliver
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = threading.Event()
        self._last = 0  # the newest request's id

    @property
    def pid(self) -> int | None:
        """The process's id, while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def load(self, model: str) -> int:
        """Ask for a model to be made ready; gives the request's id."""
        return self._ask({"do": "load", "model": model})

    def sample(self, request: Request) -> int:
        """Ask for a song; gives the request's id."""
        return self._ask({"do": "sample", **_values(request)})

    def sample_music(self, request: MusicRequest) -> int:
        """Ask for music; gives the request's id."""
        return self._ask({"do": "sample_music", **_values(request)})

    def ladder(self, request: LadderRequest) -> int:
        """Ask for the ladder; gives the request's id."""
        return self._ask({"do": "ladder", **_values(request)})

    def place(self, model: str, artist: str | None) -> int:
        """Ask where the artists lie, or one artist's songs; gives the request's id."""
        return self._ask({"do": "map", "model": model, "artist": artist})

    def similar(self, model: str, song: int) -> int:
        """Ask for the songs nearest to one, by its number; gives the request's id."""
        return self._ask({"do": "similar", "model": model, "song": song})

    def neurons(self, request: NeuronsRequest) -> int:
        """Ask for a song to be read by a network; gives the request's id."""
        return self._ask({"do": "neurons", **dataclasses.asdict(request)})

    def unit(self, unit: Unit) -> int:
        """Ask for what a unit holds along the song last read; gives the request's id."""
        return self._ask({"do": "unit", "layer": unit.layer, "unit": unit.number})

    def change(self, **rules: float) -> None:
        """Turn rules of the song under way, as its temperature."""
        if self.pid is not None:
            with contextlib.suppress(OSError):
                self._write({"do": "change", "id": 0, **_finite(rules)})

    def stop(self) -> None:
        """End the song under way, if there is one."""
        if self.pid is not None:
            with contextlib.suppress(OSError):
                self._write({"do": "stop"})

    def close(self) -> None:
        """End the process: by its stdin, and by force where that is not enough."""
        self._closing.set()
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

    def _ask(self, values: dict[str, Any]) -> int:
        """Send a request, to a new process where none runs or it died a moment ago."""
        self._last += 1
        values["id"] = self._last
        try:
            if self.pid is None:
                self._start()
            try:
                self._write(values)
            except OSError:
                self._start()
                self._write(values)
        except OSError as error:
            sentence = f"Cannot start the sampler ({error.strerror}): is rnn-tui installed whole?"
            self._deliver(Heard(self._last, error=sentence, died=True))
        return self._last

    def _write(self, values: dict[str, Any]) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.write(json.dumps(values).encode() + b"\n")

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

    def _read(self, process: "subprocess.Popen[bytes]", errors: IO[bytes]) -> None:
        """Hand on what the process says until it ends, and then say so, if it was not told to."""
        rest = b""
        with process, errors:
            while process.stdout and (block := process.stdout.read(_BLOCK)):
                *lines, rest = (rest + block).split(b"\n")
                for heard in gather(lines):
                    self._deliver(heard)
                if lines:
                    self._closing.wait(1 / RATE)
            status = process.wait()
            errors.seek(0)
            words = errors.read().decode(errors="replace").strip().splitlines()
        if process is self._process and not self._closing.is_set():
            reason = f"exit status {status}" + (f": {words[-1]}" if words else "")
            sentence = f"The sampler ended by itself ({reason}): write again to start it anew."
            self._deliver(Heard(self._last, error=sentence, died=True))
