"""The built-in synthesizer as a MIDI output port, played through the loudspeaker.

The sound of a message follows LATENCY seconds after it was sent, exact to the frame, whatever
blocks the sound system requests.
"""

import collections
import contextlib
import time
from collections.abc import Generator
from typing import Any

import mido.ports
import miniaudio
import numpy as np

from engine.errors import InputError
from engine.music import soundfont
from engine.music.general_midi import PERCUSSION
from engine.music.soundfont import SoundFont
from engine.music.synth import RATE, Frames, Synth

LATENCY = 0.06  # seconds: over two blocks, so that no message comes too late for its block
_BLOCK_MILLISECONDS = 20  # length of the blocks that the sound system requests
_BUFFERED_SECONDS = 3 * _BLOCK_MILLISECONDS / 1000  # length of sound in the system's buffers
_DEVICE_TIMEOUT = 2.0  # seconds without a request for a block: the device is gone or suspended
_FADE_SECONDS = 1.2  # maximum for notes to fade before the port closes
ALL_SOUND_OFF, ALL_NOTES_OFF = 120, 123  # MIDI controllers


class BlockRenderer:
    """Renders MIDI messages into consecutive blocks of frames.

    A moment is a time in seconds of the clock that the caller uses.
    """

    def __init__(self, synth: Synth, now: float) -> None:
        self._synth = synth
        self._messages: collections.deque[tuple[float, Any]] = collections.deque()
        self._next_moment = now  # when the next frame was requested; LATENCY is not included

    @property
    def is_silent(self) -> bool:
        """Whether nothing sounds and no message is scheduled."""
        return self._synth.is_silent and not self._messages

    def add(self, moment: float, message: Any) -> None:
        """Schedule a message for LATENCY after a moment; moments must not decrease."""
        self._messages.append((moment, message))

    def block(self, count: int, now: float) -> Frames:
        """Return the next frames, (count, 2), requested at the moment `now`."""
        drift = now - self._next_moment
        # The sound card's clock runs at a slightly different rate than ours. It is followed slowly,
        # but at once after the sound was interrupted.
        self._next_moment += drift if abs(drift) > LATENCY / 2 else drift / 50
        blocks: list[Frames] = []
        done = 0
        while self._messages:
            moment, message = self._messages[0]
            offset = max(done, round((moment + LATENCY - self._next_moment) * RATE))
            if offset >= count:
                break
            blocks.append(self._synth.render(offset - done))
            done = offset
            self._apply(message)
            self._messages.popleft()
        blocks.append(self._synth.render(count - done))
        self._next_moment += count / RATE
        return np.concatenate(blocks)

    def _apply(self, message: Any) -> None:
        if message.type == "note_on" and message.velocity:
            self._synth.note_on(message.note, message.velocity, message.channel == PERCUSSION)
        elif message.type in ("note_on", "note_off"):
            self._synth.note_off(message.note, message.channel == PERCUSSION)
        elif message.type == "program_change":
            self._synth.select_program(message.program)
        elif message.type == "control_change" and message.control == ALL_NOTES_OFF:
            self._synth.all_notes_off()
        elif message.type == "control_change" and message.control == ALL_SOUND_OFF:
            self._synth.all_sound_off()


def _open_device() -> Any:
    """Open the loudspeaker; raises InputError without a sound device."""
    # Each backend is tried alone: with several, miniaudio uses the first sound system that exists,
    # even if it has no device, or otherwise a backend that discards all sound.
    for backend in miniaudio.Backend:
        if backend.name not in ("NULL", "CUSTOM"):
            with contextlib.suppress(miniaudio.MiniaudioError):
                return miniaudio.PlaybackDevice(
                    miniaudio.SampleFormat.SIGNED16,
                    2,
                    RATE,
                    _BLOCK_MILLISECONDS,
                    backends=[backend],
                )
    raise InputError(
        "The built-in synthesizer finds no sound device: connect one or a MIDI synthesizer, or "
        "save the music as a WAV file to play it elsewhere."
    )


def unavailable_reason() -> str | None:
    """Return why the synthesizer cannot play on this machine, in one sentence; None if it can."""
    try:
        soundfont.bundled()
        _open_device().close()
    except InputError as error:
        return str(error)
    return None


class SynthPort(mido.ports.BaseOutput):  # type: ignore[misc]
    """The synthesizer as a mido output port; raises InputError without a sound device."""

    def _open(self, **_: Any) -> None:
        self._synth = Synth(SoundFont(soundfont.bundled()))
        self._synth.prepare(0)
        self._device = _open_device()
        self._requested = time.perf_counter()  # when the sound system requested the last block
        self._renderer = BlockRenderer(self._synth, time.perf_counter())
        blocks = self._blocks()
        next(blocks)
        self._device.start(blocks)

    def _blocks(self) -> Generator[bytes, int, None]:
        count = yield b""
        while True:
            self._requested = time.perf_counter()
            block = self._renderer.block(count, self._requested)
            count = yield np.round(block * 32767).astype("<i2").tobytes()

    def _send(self, message: Any) -> None:
        self._check_device()
        moment = time.perf_counter()
        if message.type == "program_change":
            self._synth.prepare(message.program)
        self._renderer.add(moment, message)

    def _check_device(self) -> None:
        """Raise OSError if the sound system requests no blocks any more."""
        if self._is_stalled():
            time.sleep(_DEVICE_TIMEOUT / 4)  # this process itself may have been suspended
            if self._is_stalled():
                raise OSError("the sound device has stopped")

    def _is_stalled(self) -> bool:
        return time.perf_counter() - self._requested > _DEVICE_TIMEOUT

    def _close(self) -> None:
        deadline = time.perf_counter() + _FADE_SECONDS
        while not self._renderer.is_silent and time.perf_counter() < deadline:
            time.sleep(_BLOCK_MILLISECONDS / 1000)
        time.sleep(_BUFFERED_SECONDS)
        self._device.close()
