"""Polyphonic synthesizer that plays a SoundFont: note-on and note-off in, audio frames out.

Each note starts one or more voices. A voice is a sample that is resampled to the pitch of the key
and passes a low-pass filter and a volume envelope. An audio frame is a value for each channel. The
synthesizer renders both WAV files and live sound. (No library is used for it: tinysoundfont 0.3.7
requires pyaudio, which can be installed only where PortAudio's headers are.)
"""

import math

import numpy as np
from numpy.typing import NDArray

from engine.music.general_midi import HIGH_WOODBLOCK, LOW_WOODBLOCK
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.soundfont import DRUM_KIT, Envelope, Region, SoundFont

RATE = 44_100  # frames per second
CONTROL_FRAMES = 512  # maximum between two updates of the filter; the volume is linear in between
MAX_VOICES = 64  # at the same time; a new one then replaces the quietest
SILENCE = 1e-4  # share of its full volume below which a voice ends
LEVEL = 0.5  # peak of one voice at full volume, as a share of full scale

_BANDS = 9  # copies of a sample: one unfiltered and eight with cutoffs an octave apart
_OVERSAMPLING = 4
_SETTLING_FRAMES = 1024  # after which the lowest filter has forgotten its initial state

Frames = NDArray[np.float32]
SampleKey = tuple[int, int, tuple[int, int] | None]  # a sample's address, length and loop


def _build_table(region: Region) -> tuple[Frames, int]:
    """Return a sample in several bands, (bands, frames + 1), and the first frame of its loop.

    Band 0 is the sample itself; band b has passed a second-order Butterworth low-pass with a cutoff
    of 0.5 / 2**b of the sample's rate. A voice interpolates between two bands. All bands are
    oversampled `_OVERSAMPLING` times, so that linear interpolation between frames adds no audible
    overtones. The loop is unrolled until the filter has settled, so that its end fits its start.
    """
    wave = region.samples.astype(np.float32) / 32768  # (n,)
    start, stop = 0, len(wave)
    if region.loop is not None:
        size = region.loop[1] - region.loop[0]
        turns = math.ceil(_SETTLING_FRAMES / size)
        start, stop = region.loop[0] + turns * size, region.loop[1] + turns * size
        # As many turns again after the end, on which the oversampled frames just before it depend.
        wave = np.concatenate([wave, *[wave[region.loop[0] :]] * 2 * turns])
    length = 1 << (len(wave) + _SETTLING_FRAMES).bit_length()
    spectrum = np.fft.rfft(wave, length)  # (length // 2 + 1,)
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(length))
    table = np.zeros((_BANDS, _OVERSAMPLING * stop + 1), np.float32)
    for band in range(_BANDS):
        filtered = spectrum * _low_pass(z, 0.5 / 2**band) if band else spectrum
        oversampled = _OVERSAMPLING * np.fft.irfft(filtered, _OVERSAMPLING * length)
        table[band, :-1] = oversampled[: _OVERSAMPLING * stop]
    if region.loop is not None:
        table[:, -1] = table[:, _OVERSAMPLING * start]  # the successor of the last frame
    return table, _OVERSAMPLING * start


def _low_pass(z: NDArray[np.complex128], cutoff: float) -> NDArray[np.complex64]:
    """Return the frequency response of a second-order Butterworth low-pass, (n,).

    z: values of z⁻¹ on the unit circle, (n,). cutoff: in cycles per frame.
    """
    angle = 2 * math.pi * cutoff
    alpha = math.sin(angle) / math.sqrt(2)
    numerator = (1 - math.cos(angle)) / 2 * (1 + z) ** 2
    denominator = 1 + alpha - 2 * math.cos(angle) * z + (1 - alpha) * z**2
    return np.asarray(numerator / denominator, np.complex64)


class _Voice:
    """A sample that sounds, from a note-on until it has faded."""

    def __init__(self, region: Region, table: Frames, loop_start: int) -> None:
        self._region = region
        self._table = table  # (bands, n + 1)
        self._end = table.shape[1] - 1
        self._loop_start = loop_start if region.loop is not None else None
        self._step = _OVERSAMPLING * region.rate / RATE  # frames of the table per output frame
        self._position = 0.0  # in the table, in frames
        self._time = 0.0  # seconds since the note-on
        # (time, volume, modulation) at the note-off
        self._released: tuple[float, float, float] | None = None
        angle = (region.pan + 1) * math.pi / 4
        self._sides = np.array([math.cos(angle), math.sin(angle)], np.float32) * region.gain
        self.ended = False

    @property
    def loudness(self) -> float:
        """The current volume times the sample's gain."""
        return self._volume(self._time) * self._region.gain

    def release(self) -> None:
        """Release the key: both envelopes start to fall."""
        if self._released is None:
            self._released = self._time, self._volume(self._time), self._modulation(self._time)

    def _volume(self, time: float) -> float:
        envelope = self._region.volume
        if self._released is not None and time >= self._released[0]:
            since, level, _ = self._released
            return level * 10 ** (-5 * (time - since) / envelope.release)  # falls by 100 dB
        rise, fall = _envelope_phase(envelope, time)
        return rise * 10 ** (-5 * fall)

    def _modulation(self, time: float) -> float:
        envelope = self._region.modulation
        if self._released is not None and time >= self._released[0]:
            since, _, level = self._released
            return max(0.0, level - (time - since) / envelope.release)
        rise, fall = _envelope_phase(envelope, time)
        return rise - fall

    def _band(self, time: float) -> float:
        """Return the band of the table for the filter's cutoff, a number from 0 to `_BANDS` - 1."""
        cents = self._region.cutoff + self._region.mod_cutoff * self._modulation(time)
        cutoff = 8.176 * 2 ** (cents / 1200) / self._region.rate  # cycles per frame of the sample
        return min(_BANDS - 1.001, max(0.0, math.log2(0.5 / cutoff)))

    def add_to(self, out: Frames) -> None:
        """Add the next frames of the voice to `out`, (n, 2) with n up to CONTROL_FRAMES."""
        count = len(out)
        start, stop = self._time, self._time + count / RATE
        positions = self._position + self._step * np.arange(count + 1)  # (n + 1,)
        if self._loop_start is not None and positions[-1] >= self._end:
            size = self._end - self._loop_start
            looped = self._loop_start + (positions - self._loop_start) % size
            positions = np.where(positions >= self._end, looped, positions)
        self._position = float(positions[-1])
        positions = np.minimum(positions[:-1], self._end - 1)
        index = positions.astype(np.int64)
        fraction = (positions - index).astype(np.float32)

        band, table = self._band((start + stop) / 2), self._table
        low = int(band)
        share = np.float32(band - low)
        left = table[low, index] * (1 - share) + table[low + 1, index] * share
        right = table[low, index + 1] * (1 - share) + table[low + 1, index + 1] * share
        wave = left + (right - left) * fraction  # (n,)

        envelope = self._region.volume
        corners = [envelope.delay, envelope.delay + envelope.attack]
        times = [start, *(corner for corner in corners if start < corner < stop), stop]
        levels = [self._volume(time) for time in times]
        if self._loop_start is None and self._position >= self._end:
            wave[positions >= self._end - 1] = 0
            self.ended = True
        wave *= np.interp(start + np.arange(count) / RATE, times, levels).astype(np.float32)
        out += wave[:, None] * self._sides
        self._time = stop
        if levels[-1] < SILENCE and stop > corners[1]:
            self.ended = True


def _envelope_phase(envelope: Envelope, time: float) -> tuple[float, float]:
    """Return how far an envelope has risen, and then fallen, while the key is held, both 0 … 1.

    time: seconds since the note-on.
    """
    time -= envelope.delay
    if time < envelope.attack:
        return max(0.0, time / envelope.attack), 0.0
    decayed = max(0.0, (time - envelope.attack - envelope.hold) / envelope.decay)
    return 1.0, min(envelope.drop, decayed)


class Synth:
    """A synthesizer with one instrument at a time, and its sounding voices."""

    def __init__(self, font: SoundFont) -> None:
        self._font = font
        self._program = 0
        # ((key, whether it is percussion), voice), the oldest first
        self._voices: list[tuple[tuple[int, bool], _Voice]] = []
        self._tables: dict[SampleKey, tuple[Frames, int]] = {}

    @property
    def is_silent(self) -> bool:
        """Whether no voice sounds."""
        return not self._voices

    def prepare(self, program: int) -> None:
        """Build the tables of an instrument's samples in advance, so that they delay no note."""
        regions = [
            region
            for key in range(LOWEST_PITCH, HIGHEST_PITCH + 1)
            for region in self._font.regions(program, key, 80)
        ]
        for key in (HIGH_WOODBLOCK, LOW_WOODBLOCK):
            regions += self._font.regions(DRUM_KIT, key, 80)
        # The tables of other instruments are dropped: all would take hundreds of megabytes.
        self._tables = {_sample_key(region): self._table(region) for region in regions}

    def select_program(self, program: int) -> None:
        """Select the General MIDI instrument, from 0, for the notes that follow."""
        self._program = program

    def note_on(self, key: int, velocity: int, percussion: bool = False) -> None:
        """Start a note; a note of the same key that still sounds is released.

        percussion: the key is an instrument of the drum kit.
        """
        self.note_off(key, percussion)
        program = DRUM_KIT if percussion else self._program
        for region in self._font.regions(program, key, velocity):
            if len(self._voices) >= MAX_VOICES:
                self._voices.remove(min(self._voices, key=lambda item: item[1].loudness))
            self._voices.append(((key, percussion), _Voice(region, *self._table(region))))

    def note_off(self, key: int, percussion: bool = False) -> None:
        """Release a key."""
        for pressed, voice in self._voices:
            if pressed == (key, percussion):
                voice.release()

    def all_notes_off(self) -> None:
        """Release every key."""
        for _, voice in self._voices:
            voice.release()

    def all_sound_off(self) -> None:
        """Silence every voice at once."""
        self._voices.clear()

    def render(self, count: int) -> Frames:
        """Return the next frames, (count, 2), within -1 … 1."""
        out = np.zeros((count, 2), np.float32)
        for start in range(0, count, CONTROL_FRAMES):
            for _, voice in self._voices:
                voice.add_to(out[start : start + CONTROL_FRAMES])
            self._voices = [item for item in self._voices if not item[1].ended]
        # Soft clip, so that many voices do not distort.
        return np.asarray(np.tanh(out * LEVEL), np.float32)

    def _table(self, region: Region) -> tuple[Frames, int]:
        key = _sample_key(region)
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = _build_table(region)
        return table


def _sample_key(region: Region) -> SampleKey:
    return region.samples.__array_interface__["data"][0], len(region.samples), region.loop
