"""Music to be seen: its notes, its bars, and how much of it was given."""

import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from engine.music.score import Note
from tui.model.measure import Measure


def _start(note: Note) -> float:
    return note.start


@dataclass
class Sheet:
    """Notes by their starts; more of them may come."""

    measure: Measure = field(default_factory=Measure)
    given: float = 0.0  # seconds: what begins before was not written, but said beforehand
    cell: float = 0.15  # seconds that a column shows, unless it is looked at more closely
    seconds: float = 0.0  # how long it is, so far
    held: tuple[Note, ...] = ()  # that sound on, as far as they have come
    _notes: list[Note] = field(default_factory=list)
    _longest: float = 0.0  # seconds, of a note
    _range: tuple[int, int] | None = None  # of the pitches

    @property
    def notes(self) -> tuple[Note, ...]:
        """All the notes that have ended."""
        return tuple(self._notes)

    def add(self, notes: Iterable[Note]) -> None:
        """Put more notes on the sheet."""
        for note in notes:
            bisect.insort(self._notes, note, key=_start)
            self._longest = max(self._longest, note.end - note.start)
            self.seconds = max(self.seconds, note.end)
            lowest, highest = self._range or (note.pitch, note.pitch)
            self._range = min(lowest, note.pitch), max(highest, note.pitch)

    def between(self, start: float, end: float) -> Iterator[Note]:
        """The notes that sound at some moment from `start` to before `end`, in seconds."""
        first = bisect.bisect_left(self._notes, start - self._longest, key=_start)
        last = bisect.bisect_left(self._notes, end, key=_start)
        for note in (*self._notes[first:last], *self.held):
            if note.end > start and note.start < end:
                yield note

    def sounding(self, moment: float) -> frozenset[int]:
        """The pitches that sound at a moment."""
        return frozenset(note.pitch for note in self.between(moment, moment + 1e-9))

    def pitches(self) -> tuple[int, int] | None:
        """The lowest and the highest pitch; None without notes."""
        found = [*(self._range or ()), *(note.pitch for note in self.held)]
        return (min(found), max(found)) if found else None
