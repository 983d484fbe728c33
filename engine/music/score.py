"""Music as notes in seconds."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

LOWEST, HIGHEST = 21, 108  # the MIDI numbers of a piano's first and last key, A0 and C8
DENOMINATORS = (1, 2, 4, 8, 16, 32, 64)  # of a metre


@dataclass(frozen=True, slots=True)
class Note:
    """One note; raises ValueError for one that could not sound."""

    start: float  # seconds
    end: float  # seconds, after the start
    pitch: int  # 0 … 127, 60 is the middle C
    velocity: int = 80  # 1 … 127

    def __post_init__(self) -> None:
        if not (0 <= self.start < self.end < math.inf):
            raise ValueError(f"a note from {self.start} to {self.end} s")
        if not (0 <= self.pitch <= 127 and 1 <= self.velocity <= 127):
            raise ValueError(f"a note of pitch {self.pitch} and velocity {self.velocity}")


@dataclass(frozen=True)
class LeftOut:
    """How many notes of a file are not in its score."""

    drums: int = 0  # on the channel of percussion
    outside: int = 0  # no key of a piano has their pitch
    empty: int = 0  # they end where they begin
    joined: int = 0  # they begin together with another of their pitch, as in two hands


@dataclass(frozen=True)
class Score:
    """Notes and their measure; raises ValueError for a measure that is none.

    A beat is a quarter note, as in MIDI, whatever the metre.
    """

    notes: tuple[Note, ...]
    tempo: float = 120.0  # beats a minute, at the start
    metre: tuple[int, int] = (4, 4)  # as 3, 8; the denominator is a power of two
    program: int = 0  # the General MIDI instrument, 0 … 127; 0 is a piano
    changes: tuple[tuple[float, float], ...] = ()  # later tempos: from which second, beats a minute
    left_out: LeftOut = LeftOut()

    def __post_init__(self) -> None:
        seconds = [0.0, *(second for second, _ in self.changes)]
        tempos = [self.tempo, *(tempo for _, tempo in self.changes)]
        if seconds != sorted(seconds) or not all(0 < x < math.inf for x in tempos):
            raise ValueError(f"tempos {tempos} from the seconds {seconds}")
        if not (1 <= self.metre[0] <= 255 and self.metre[1] in DENOMINATORS):
            raise ValueError(f"a metre of {self.metre}")
        if not 0 <= self.program <= 127:
            raise ValueError(f"the program {self.program}")

    @property
    def end(self) -> float:
        """When the last note ends, in seconds; 0 without notes."""
        return max((note.end for note in self.notes), default=0.0)

    def beats(self, seconds: npt.ArrayLike) -> npt.NDArray[Any]:
        """The beats from the start to each of some moments, both (n,), by all the tempos."""
        knots = np.array([0.0, *(second for second, _ in self.changes)])  # (k,)
        rates = np.array([self.tempo, *(tempo for _, tempo in self.changes)]) / 60  # (k,)
        return accumulated(knots, rates, seconds)

    def transposed(self, semitones: int) -> "Score":
        """Every note so much higher; those that would leave the keyboard are left out."""
        notes = tuple(
            replace(note, pitch=note.pitch + semitones)
            for note in self.notes
            if LOWEST <= note.pitch + semitones <= HIGHEST
        )
        return replace(self, notes=notes)

    def faster(self, factor: float) -> "Score":
        """All of it so many times as fast."""
        notes = (
            replace(note, start=note.start / factor, end=note.end / factor) for note in self.notes
        )
        changes = tuple((second / factor, tempo * factor) for second, tempo in self.changes)
        return replace(self, notes=tuple(notes), tempo=self.tempo * factor, changes=changes)

    def louder(self, factor: float) -> "Score":
        """Every note struck so many times as hard, as far as MIDI goes."""
        notes = (
            replace(note, velocity=min(127, max(1, round(note.velocity * factor))))
            for note in self.notes
        )
        return replace(self, notes=tuple(notes))


def accumulated(
    knots: npt.NDArray[Any], rates: npt.NDArray[Any], places: npt.ArrayLike
) -> npt.NDArray[Any]:
    """How much has come together from 0 to each of the places (n,), at changing rates.

    The rate is `rates[i]` from `knots[i]` on, both (k,); the knots rise from 0.
    """
    at = np.asarray(places, np.float64)
    before = np.concatenate([[0.0], np.cumsum(np.diff(knots) * rates[:-1])])  # (k,)
    i = np.searchsorted(knots, at, side="right") - 1  # (n,)
    return np.asarray(before[i] + (at - knots[i]) * rates[i])


def struck(notes: Iterable[Note]) -> tuple[Note, ...]:
    """The notes as one keyboard plays them, in order of time, then of pitch.

    A key that is struck while it is down ends its note and begins another, and stays down as long
    as any of them wanted: no beginning is lost, and the key sounds whenever one of the notes did.
    Notes of one pitch that begin together are one, of the greatest velocity.
    """
    result: list[Note] = []
    for note in sorted(notes, key=lambda note: (note.pitch, note.start)):
        last = result[-1] if result else None
        if last is not None and last.pitch == note.pitch and note.start < last.end:
            end, velocity = max(last.end, note.end), note.velocity
            result.pop()
            if note.start > last.start:
                result.append(replace(last, end=note.start))
            else:
                velocity = max(last.velocity, note.velocity)
            note = Note(note.start, end, note.pitch, velocity)
        result.append(note)
    return tuple(sorted(result, key=lambda note: (note.start, note.pitch)))
