"""The built-in synthesizer as a MIDI output port, heard through the machine's loudspeaker.

Needs the extra `synth` (miniaudio). A message sounds a fixed time after it was sent, to the frame,
however the sound system cuts its blocks.
"""

import collections
import contextlib
import importlib
import time
from collections.abc import Generator
from typing import Any

import mido.ports
import numpy as np

from engine.errors import InputError
from engine.music import soundfont
from engine.music.soundfont import SoundFont
from engine.music.synth import RATE, Frames, Synth

LATENCY = 0.06  # seconds from a message to its frame: over two blocks, so that none is too late
_BLOCK = 20  # milliseconds that the sound system asks for at once
_BUFFERED = 3 * _BLOCK / 1000  # seconds that it holds
_RINGING = 1.2  # seconds that sounds may take to fade before the port closes
ALL_SOUND_OFF, ALL_NOTES_OFF = 120, 123  # controllers


class BlockRenderer:
    """Turns messages with their moments into blocks of frames."""

    def __init__(self, synth: Synth, now: float) -> None:
        self._synth = synth
        self._messages: collections.deque[tuple[float, Any]] = collections.deque()
        self._clock = now  # the moment at which the next frame belongs, DELAY aside

    @property
    def is_silent(self) -> bool:
        """Whether nothing sounds or is about to."""
        return self._synth.is_silent and not self._messages

    def add(self, moment: float, message: Any) -> None:
        """Have a message sound DELAY after the moment; moments must not go back."""
        self._messages.append((moment, message))

    def block(self, count: int, now: float) -> Frames:
        """The next frames, (count, 2), asked for at the moment `now`."""
        off = now - self._clock
        # The sound card's clock runs a little otherwise than ours: follow it gently, and at once
        # when the sound was broken off.
        self._clock += off if abs(off) > LATENCY / 2 else off / 50
        blocks: list[Frames] = []
        done = 0
        while self._messages:
            moment, message = self._messages[0]
            place = max(done, round((moment + LATENCY - self._clock) * RATE))
            if place >= count:
                break
            blocks.append(self._synth.render(place - done))
            done = place
            self._take(message)
            self._messages.popleft()
        blocks.append(self._synth.render(count - done))
        self._clock += count / RATE
        return np.concatenate(blocks)

    def _take(self, message: Any) -> None:
        if message.type == "note_on" and message.velocity:
            self._synth.note_on(message.note, message.velocity)
        elif message.type in ("note_on", "note_off"):
            self._synth.note_off(message.note)
        elif message.type == "program_change":
            self._synth.select_program(message.program)
        elif message.type == "control_change" and message.control == ALL_NOTES_OFF:
            self._synth.all_notes_off()
        elif message.type == "control_change" and message.control == ALL_SOUND_OFF:
            self._synth.all_sound_off()


def _device() -> Any:
    """The loudspeaker, opened; raises InputError where there is none."""
    try:
        miniaudio = importlib.import_module("miniaudio")
    except ImportError as error:
        raise InputError(
            "The built-in synthesizer needs the package miniaudio: install rnn-tui with its extra "
            "'synth'."
        ) from error
    # One by one: miniaudio stays with the first sound system that is there at all, though it may
    # have no device, and without any would fall back on one that throws every sound away.
    for backend in miniaudio.Backend:
        if backend.name not in ("NULL", "CUSTOM"):
            with contextlib.suppress(miniaudio.MiniaudioError):
                return miniaudio.PlaybackDevice(
                    miniaudio.SampleFormat.SIGNED16, 2, RATE, _BLOCK, backends=[backend]
                )
    raise InputError(
        "The built-in synthesizer finds no sound device: connect one, or play on a MIDI port."
    )


def unavailable_reason() -> str | None:
    """Why the synthesizer cannot be heard here, in one sentence; None where it can."""
    try:
        soundfont.bundled()
        _device().close()
    except InputError as error:
        return str(error)
    return None


class SynthPort(mido.ports.BaseOutput):  # type: ignore[misc]
    """The synthesizer behind the interface of a MIDI output; raises InputError without sound."""

    def _open(self, **_: Any) -> None:
        self._synth = Synth(SoundFont(soundfont.bundled()))
        self._synth.prepare(0)
        self._device = _device()
        self._feed = BlockRenderer(self._synth, time.perf_counter())
        blocks = self._blocks()
        next(blocks)
        self._device.start(blocks)

    def _blocks(self) -> Generator[bytes, int, None]:
        count = yield b""
        while True:
            block = self._feed.block(count, time.perf_counter())
            count = yield np.round(block * 32767).astype("<i2").tobytes()

    def _send(self, message: Any) -> None:
        moment = time.perf_counter()
        if message.type == "program_change":
            self._synth.prepare(message.program)
        self._feed.add(moment, message)

    def _close(self) -> None:
        patience = time.perf_counter() + _RINGING
        while not self._feed.is_silent and time.perf_counter() < patience:
            time.sleep(_BLOCK / 1000)
        time.sleep(_BUFFERED)
        self._device.close()
