"""Music as notes timed in seconds."""

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.tempo_map import TempoMap


@dataclass(frozen=True, slots=True)
class Note:
    """One note; raises ValueError for times, pitch or velocity out of range."""

    start: float  # seconds
    end: float  # seconds, after the start
    pitch: int  # MIDI number, 0 … 127; 60 is middle C
    velocity: int = 80  # 1 … 127

    def __post_init__(self) -> None:
        if not (0 <= self.start < self.end < math.inf):
            raise ValueError(f"a note from {self.start} to {self.end} s")
        if not (0 <= self.pitch <= 127 and 1 <= self.velocity <= 127):
            raise ValueError(f"a note of pitch {self.pitch} and velocity {self.velocity}")


@dataclass(frozen=True)
class LeftOut:
    """Number of notes of a file that are not in its score, by reason."""

    drums: int = 0  # on the percussion channel
    outside: int = 0  # outside the piano's range
    empty: int = 0  # of zero length
    joined: int = 0  # merged with a note of the same pitch and start, for example of the other hand
    grace: int = 0  # grace notes and cue notes
    other_parts: int = 0  # of parts that were not chosen, such as the voice of a song with piano
    part_names: tuple[str, ...] = ()  # of these parts

    def counts(self) -> dict[str, int]:
        """Return the numbers by reason."""
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if isinstance(value, int)}


@dataclass(frozen=True)
class Score:
    """Notes with tempo and time signature; raises ValueError for invalid ones.

    A beat is a quarter note, as in MIDI, whatever the time signature.
    """

    notes: tuple[Note, ...]
    tempo: float = 120.0  # beats per minute at the start
    time_signature: tuple[int, int] = (4, 4)  # such as (3, 8); the denominator is a power of two
    program: int = 0  # General MIDI instrument, 0 … 127; 0 is a piano
    tempo_changes: tuple[tuple[float, float], ...] = ()  # (seconds, beats per minute from then on)
    left_out: LeftOut = LeftOut()  # of the file that the score was read from

    def __post_init__(self) -> None:
        TempoMap(self.tempo, self.time_signature, self.tempo_changes)  # raises ValueError
        if not 0 <= self.program <= 127:
            raise ValueError(f"the program {self.program}")

    @property
    def end(self) -> float:
        """End of the last note in seconds; 0 without notes."""
        return max((note.end for note in self.notes), default=0.0)

    @property
    def first_note_tempo(self) -> float:
        """Beats per minute at the first note; without notes at the start."""
        first = min((note.start for note in self.notes), default=0.0)
        passed = [tempo for second, tempo in self.tempo_changes if second <= first]
        return passed[-1] if passed else self.tempo

    @property
    def tempo_map(self) -> TempoMap:
        """The tempos and time signature, to convert seconds to beats and bars."""
        return TempoMap(self.tempo, self.time_signature, self.tempo_changes)

    def at_steady_tempo(self) -> "Score":
        """Return the score at the tempo of its first note throughout, with notes at their beats."""
        if not self.tempo_changes:
            return self
        tempo = self.first_note_tempo
        times = self.tempo_map.beats([(note.start, note.end) for note in self.notes])
        notes = tuple(
            replace(note, start=start * 60 / tempo, end=end * 60 / tempo)
            for note, (start, end) in zip(self.notes, times.tolist(), strict=True)
        )
        return replace(self, notes=notes, tempo=tempo, tempo_changes=())

    def transposed(self, semitones: int) -> "Score":
        """Return the score shifted in pitch, without the notes that are then not on the piano."""
        notes = tuple(
            replace(note, pitch=note.pitch + semitones)
            for note in self.notes
            if LOWEST_PITCH <= note.pitch + semitones <= HIGHEST_PITCH
        )
        return replace(self, notes=notes)

    def faster(self, factor: float) -> "Score":
        """Return the score `factor` times as fast: tempos multiplied, times divided."""
        notes = (
            replace(note, start=note.start / factor, end=note.end / factor) for note in self.notes
        )
        changes = tuple((second / factor, tempo * factor) for second, tempo in self.tempo_changes)
        return replace(self, notes=tuple(notes), tempo=self.tempo * factor, tempo_changes=changes)

    def louder(self, factor: float) -> "Score":
        """Return the score with its velocities multiplied by `factor` and clipped to 1 … 127."""
        notes = (
            replace(note, velocity=min(127, max(1, round(note.velocity * factor))))
            for note in self.notes
        )
        return replace(self, notes=tuple(notes))


def merge_overlapping(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Return the notes as one keyboard can play them, in the order of start, then of pitch.

    A note that starts while its key is down ends the earlier note, and lasts until the later end of
    the two: every onset is kept, and the key is down whenever one of the notes sounds. Notes of one
    pitch that start together become one, with the greatest velocity.
    """
    merged: list[Note] = []
    for note in sorted(notes, key=lambda note: (note.pitch, note.start)):
        last = merged[-1] if merged else None
        if last is not None and last.pitch == note.pitch and note.start < last.end:
            end, velocity = max(last.end, note.end), note.velocity
            merged.pop()
            if note.start > last.start:
                merged.append(replace(last, end=note.start))
            else:
                velocity = max(last.velocity, note.velocity)
            note = Note(note.start, end, note.pitch, velocity)
        merged.append(note)
    return tuple(sorted(merged, key=lambda note: (note.start, note.pitch)))
