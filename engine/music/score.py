"""Music as notes in seconds."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.tempo_map import TempoMap


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
    time_signature: tuple[int, int] = (4, 4)  # as 3, 8; the denominator is a power of two
    program: int = 0  # the General MIDI instrument, 0 … 127; 0 is a piano
    tempo_changes: tuple[
        tuple[float, float], ...
    ] = ()  # later tempos: from which second, beats a minute
    left_out: LeftOut = LeftOut()

    def __post_init__(self) -> None:
        TempoMap(self.tempo, self.time_signature, self.tempo_changes)  # checks them
        if not 0 <= self.program <= 127:
            raise ValueError(f"the program {self.program}")

    @property
    def end(self) -> float:
        """When the last note ends, in seconds; 0 without notes."""
        return max((note.end for note in self.notes), default=0.0)

    @property
    def tempo_map(self) -> TempoMap:
        """Its tempos and time signature, to convert seconds to beats and bars."""
        return TempoMap(self.tempo, self.time_signature, self.tempo_changes)

    def transposed(self, semitones: int) -> "Score":
        """Every note so much higher; those that would leave the keyboard are left out."""
        notes = tuple(
            replace(note, pitch=note.pitch + semitones)
            for note in self.notes
            if LOWEST_PITCH <= note.pitch + semitones <= HIGHEST_PITCH
        )
        return replace(self, notes=notes)

    def faster(self, factor: float) -> "Score":
        """All of it so many times as fast."""
        notes = (
            replace(note, start=note.start / factor, end=note.end / factor) for note in self.notes
        )
        changes = tuple((second / factor, tempo * factor) for second, tempo in self.tempo_changes)
        return replace(self, notes=tuple(notes), tempo=self.tempo * factor, tempo_changes=changes)

    def louder(self, factor: float) -> "Score":
        """Every note struck so many times as hard, as far as MIDI goes."""
        notes = (
            replace(note, velocity=min(127, max(1, round(note.velocity * factor))))
            for note in self.notes
        )
        return replace(self, notes=tuple(notes))


def merge_overlapping(notes: Iterable[Note]) -> tuple[Note, ...]:
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
