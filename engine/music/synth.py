"""A synthesizer that plays a SoundFont: keys struck and let go in, stereo frames out.

Every key struck starts a voice: its sample, read at the key's pitch, through a low-pass filter and
a volume envelope. The same voices render WAV files and feed the loudspeaker. (A library is no
choice: tinysoundfont 0.3.7 requires pyaudio, which only installs where PortAudio's headers are.)
"""

import math

import numpy as np
from numpy.typing import NDArray

from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.soundfont import Envelope, Region, SoundFont

RATE = 44_100  # frames a second
CONTROL = 512  # frames: the filter and the loudness move along straight lines at most so long
VOICES = 64  # at once; a further one takes the place of the quietest
SILENT = 1e-4  # of a voice's first loudness: it ends here
LEVEL = 0.5  # of full scale, what the loudest voice can reach

_BANDS = 9  # a sample is kept unfiltered and with eight cut-offs, an octave apart
_FINER = 4
_SETTLED = 1024  # frames after which the lowest filter has forgotten what was before

Frames = NDArray[np.float32]
Place = tuple[int, int, tuple[int, int] | None]  # a sample's address, length and loop


def _table(region: Region) -> tuple[Frames, int]:
    """A sample in `_BANDS` brightnesses, (bands, frames + 1), and where its loop begins.

    Band b has passed a Butterworth low-pass of the second order whose cut-off is 0.5 / 2**b of the
    sample's rate; between two bands a voice fades. All stand at `_FINER` times the sample's rate,
    so that straight lines between frames add no overtones to be heard. The loop is unrolled until
    the filter has settled, so that its end joins its beginning.
    """
    wave = region.samples.astype(np.float32) / 32768  # (n,)
    start, stop = 0, len(wave)
    if region.loop is not None:
        size = region.loop[1] - region.loop[0]
        turns = math.ceil(_SETTLED / size)
        start, stop = region.loop[0] + turns * size, region.loop[1] + turns * size
        # Once more past the end, for what the finer frames before it need to see.
        wave = np.concatenate([wave, *[wave[region.loop[0] :]] * 2 * turns])
    length = 1 << (len(wave) + _SETTLED).bit_length()
    spectrum = np.fft.rfft(wave, length)  # (length // 2 + 1,)
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(length))
    table = np.zeros((_BANDS, _FINER * stop + 1), np.float32)
    for band in range(_BANDS):
        passed = spectrum * _low_pass(turn, 0.5 / 2**band) if band else spectrum
        table[band, :-1] = _FINER * np.fft.irfft(passed, _FINER * length)[: _FINER * stop]
    if region.loop is not None:
        table[:, -1] = table[:, _FINER * start]  # to interpolate to from the last
    return table, _FINER * start


def _low_pass(turn: NDArray[np.complex128], cutoff: float) -> NDArray[np.complex64]:
    """The filter's answer at the points `turn`, (n,), of the unit circle."""
    angle = 2 * math.pi * cutoff
    alpha = math.sin(angle) / math.sqrt(2)
    rise = (1 - math.cos(angle)) / 2 * (1 + turn) ** 2
    fall = 1 + alpha - 2 * math.cos(angle) * turn + (1 - alpha) * turn**2
    return np.asarray(rise / fall, np.complex64)


class _Voice:
    """One sample sounding."""

    def __init__(self, region: Region, table: Frames, loop_start: int) -> None:
        self._region = region
        self._table = table  # (bands, n + 1)
        self._end = table.shape[1] - 1
        self._loop = loop_start if region.loop is not None else None
        self._step = _FINER * region.ratio / RATE  # frames of the table in one of ours
        self._place = 0.0  # in the table
        self._time = 0.0  # seconds since the key was struck
        self._let_go: tuple[float, float, float] | None = None  # when, and both levels then
        angle = (region.pan + 1) * math.pi / 4
        self._sides = np.array([math.cos(angle), math.sin(angle)], np.float32) * region.gain
        self.over = False

    @property
    def loudness(self) -> float:
        """How loud it is now."""
        return self._volume(self._time) * self._region.gain

    def release(self) -> None:
        """Let the key go."""
        if self._let_go is None:
            self._let_go = self._time, self._volume(self._time), self._modulation(self._time)

    def _volume(self, time: float) -> float:
        shape = self._region.volume
        if self._let_go is not None and time >= self._let_go[0]:
            since, level, _ = self._let_go
            return level * 10 ** (-5 * (time - since) / shape.release)  # 100 dB in all
        rise, fall = _phase(shape, time)
        return rise * 10 ** (-5 * fall)

    def _modulation(self, time: float) -> float:
        shape = self._region.modulation
        if self._let_go is not None and time >= self._let_go[0]:
            since, _, level = self._let_go
            return max(0.0, level - (time - since) / shape.release)
        rise, fall = _phase(shape, time)
        return rise - fall

    def _band(self, time: float) -> float:
        """Which band of the table to read, between 0 and `_BANDS` - 1."""
        cents = self._region.cutoff + self._region.mod_cutoff * self._modulation(time)
        cutoff = 8.176 * 2 ** (cents / 1200) / self._region.ratio  # turns a frame of the sample
        return min(_BANDS - 1.001, max(0.0, math.log2(0.5 / cutoff)))

    def add_to(self, out: Frames) -> None:
        """Sound for the frames of `out`, (n, 2) with n up to CONTROL, on top of what is there."""
        count = len(out)
        start, stop = self._time, self._time + count / RATE
        places = self._place + self._step * np.arange(count + 1)  # (n + 1,)
        if self._loop is not None and places[-1] >= self._end:
            turn = self._end - self._loop
            places = np.where(
                places >= self._end, self._loop + (places - self._loop) % turn, places
            )
        self._place = float(places[-1])
        places = np.minimum(places[:-1], self._end - 1)
        index = places.astype(np.int64)
        part = (places - index).astype(np.float32)

        level, bands = self._band((start + stop) / 2), self._table
        low = int(level)
        share = np.float32(level - low)
        here = bands[low, index] * (1 - share) + bands[low + 1, index] * share
        there = bands[low, index + 1] * (1 - share) + bands[low + 1, index + 1] * share
        wave = here + (there - here) * part  # (n,)

        shape = self._region.volume
        corners = [shape.delay, shape.delay + shape.attack]
        times = [start, *(corner for corner in corners if start < corner < stop), stop]
        levels = [self._volume(time) for time in times]
        if self._loop is None and self._place >= self._end:
            wave[places >= self._end - 1] = 0
            self.over = True
        wave *= np.interp(start + np.arange(count) / RATE, times, levels).astype(np.float32)
        out += wave[:, None] * self._sides
        self._time = stop
        if levels[-1] < SILENT and stop > corners[1]:
            self.over = True


def _phase(shape: Envelope, time: float) -> tuple[float, float]:
    """How far an envelope has risen (0 … 1), and fallen again (0 … 1), while the key is down."""
    time -= shape.delay
    if time < shape.attack:
        return max(0.0, time / shape.attack), 0.0
    return 1.0, min(shape.drop, max(0.0, (time - shape.attack - shape.hold) / shape.decay))


class Synth:
    """The keys of one instrument."""

    def __init__(self, font: SoundFont) -> None:
        self._font = font
        self._program = 0
        self._voices: list[tuple[int, _Voice]] = []  # with their keys, the oldest first
        self._tables: dict[Place, tuple[Frames, int]] = {}

    @property
    def is_silent(self) -> bool:
        """Whether nothing sounds."""
        return not self._voices

    def prepare(self, number: int) -> None:
        """Make an instrument's tables, which takes a moment, so that no key struck has to."""
        regions = [
            region
            for key in range(LOWEST_PITCH, HIGHEST_PITCH + 1)
            for region in self._font.regions(number, key, 80)
        ]
        # Only these are kept: all instruments together would take hundreds of megabytes.
        self._tables = {_place(region): self._table(region) for region in regions}

    def select_program(self, number: int) -> None:
        """Choose the General MIDI instrument, from 0, for the keys struck from now on."""
        self._program = number

    def note_on(self, key: int, velocity: int) -> None:
        """Start a note; one of the same key that still sounds is let go."""
        self.note_off(key)
        for region in self._font.regions(self._program, key, velocity):
            if len(self._voices) >= VOICES:
                self._voices.remove(min(self._voices, key=lambda item: item[1].loudness))
            self._voices.append((key, _Voice(region, *self._table(region))))

    def note_off(self, key: int) -> None:
        """Let a key go."""
        for pressed, voice in self._voices:
            if pressed == key:
                voice.release()

    def all_notes_off(self) -> None:
        """Let every key go."""
        for _, voice in self._voices:
            voice.release()

    def all_sound_off(self) -> None:
        """Break off every sound."""
        self._voices.clear()

    def render(self, count: int) -> Frames:
        """The next frames, (count, 2), within -1 … 1."""
        out = np.zeros((count, 2), np.float32)
        for start in range(0, count, CONTROL):
            for _, voice in self._voices:
                voice.add_to(out[start : start + CONTROL])
            self._voices = [item for item in self._voices if not item[1].over]
        # Bends only what is loud: many voices at once meet no wall.
        return np.asarray(np.tanh(out * LEVEL), np.float32)

    def _table(self, region: Region) -> tuple[Frames, int]:
        place = _place(region)
        table = self._tables.get(place)
        if table is None:
            table = self._tables[place] = _table(region)
        return table


def _place(region: Region) -> Place:
    return region.samples.__array_interface__["data"][0], len(region.samples), region.loop
