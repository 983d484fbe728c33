"""Which keys go down and up when: a song played, paused, sought through, looped, transposed.

Nothing here looks at a clock: every method is told the moment, in seconds, and gives the keys to
strike and to let go by then. Whatever is asked for in whatever order, a key that was struck is let
go, and is never struck again before that.
"""

import bisect
import math
from collections.abc import Iterable
from dataclasses import dataclass

from engine.music.score import Note

MIN_LOOP_SECONDS = 0.05  # seconds
MAX_PITCH = 127


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """A key to be struck, with the velocity 1 … 127, or let go, with 0."""

    pitch: int
    velocity: int


def _start(note: Note) -> float:
    return note.start


class Transport:
    """Where playing is in a song, and what sounds there.

    Positions are seconds of the song as it is written; a tempo factor of 2 passes two of them a
    second. Notes may still be coming in: playing waits where they are not yet known.
    """

    def __init__(self) -> None:
        self._notes: list[Note] = []  # by start
        self._next = 0  # the first one not yet passed
        self._until = math.inf  # every note that starts before is known
        self._sounding: dict[int, Note] = {}  # by pitch as it sounds
        self._loop: tuple[float, float] | None = None
        self._transpose = 0
        self._tempo = 1.0
        self._from, self._since = 0.0, 0.0  # a position, and the moment playing was there
        self.playing = False
        self.waiting = False  # playing, but held up where the notes are not known yet
        self.ended = False  # the last note has been let go, and nothing was asked for since
        self.duration = 0.0  # seconds: where the last note known ends
        self.velocity_scale = 1.0  # what velocities are multiplied by

    # What a song is.

    def load(self, notes: Iterable[Note], until: float = math.inf) -> list[KeyEvent]:
        """Put another song in place, at rest at its beginning.

        until: every note that starts before this position is among them; more are to follow.
        """
        keys = self.release_all()
        self._notes = sorted(notes, key=_start)
        self.duration = max((note.end for note in self._notes), default=0.0)
        self._until = until
        self.playing = self.waiting = False
        self._go(0.0, 0.0)
        return keys

    def append(self, notes: Iterable[Note], until: float, now: float) -> list[KeyEvent]:
        """Add notes to the song; those that begin where playing has already passed stay silent."""
        keys = self.advance(now)
        passed = self.position(now)
        for note in notes:
            if note.start < passed:
                self._next += 1
            bisect.insort(self._notes, note, key=_start)
            self.duration = max(self.duration, note.end)
        self._until = max(self._until, until) if self._until < math.inf else math.inf
        if self.waiting:
            self.waiting, self._since = False, now
            keys += self.advance(now)  # waits again where these were not enough
        return keys

    # What is asked for.

    def play(self, now: float) -> list[KeyEvent]:
        """Go on, or begin again where the song has ended."""
        if not self.playing:
            self._go(0.0 if self.ended else self._from, now)
            self.playing = True
        return self.advance(now)

    def pause(self, now: float) -> list[KeyEvent]:
        """Rest here, with every key let go."""
        keys = self.advance(now)
        self._from, self._since = self.position(now), now
        self.playing = self.waiting = False
        return keys + self.release_all()

    def stop(self, now: float) -> list[KeyEvent]:
        """Rest at the beginning."""
        keys = self.pause(now)
        self._go(0.0, now)
        return keys

    def seek(self, position: float, now: float) -> list[KeyEvent]:
        """Be somewhere else, playing or at rest as before."""
        keys = self.advance(now) + self.release_all()
        self._go(min(max(0.0, position), max(self.duration, self._known())), now)
        return keys

    def set_loop(self, loop: tuple[float, float] | None, now: float) -> list[KeyEvent]:
        """Go back to the first position from the second; infinity there is the song's end.

        One who is past the end of the range does not come back into it.
        """
        keys = self.advance(now)
        self._anchor(now)
        self._loop = loop
        return keys

    def set_tempo(self, factor: float, now: float) -> list[KeyEvent]:
        """Play so many times as fast as written, from here on."""
        keys = self.advance(now)
        self._anchor(now)
        self._tempo = factor
        return keys

    def set_transpose(self, semitones: int, now: float) -> list[KeyEvent]:
        """Play so many semitones higher; keys that there are none of stay silent."""
        keys = self.advance(now) + self.release_all()
        self._transpose = semitones
        return keys

    def exclude_pause(self, seconds: float) -> None:
        """Count out so long a time, in which the process could not play."""
        self._since += seconds

    def release_all(self) -> list[KeyEvent]:
        """Let every key go."""
        keys = [KeyEvent(pitch, 0) for pitch in sorted(self._sounding)]
        self._sounding.clear()
        return keys

    # What comes of it.

    def position(self, now: float) -> float:
        """Where in the song it is."""
        if not self.playing or self.waiting:
            return self._from
        return min(self._from + max(0.0, now - self._since) * self._tempo, self._wall())

    def due(self) -> float | None:
        """The moment at which there is next something to do."""
        if not self.playing or self.waiting:
            return None
        return self._moment(min(self._nearest()))

    def advance(self, now: float) -> list[KeyEvent]:
        """The keys of everything that was due until now, in order."""
        keys: list[KeyEvent] = []
        while self.playing and not self.waiting:
            off, on, wall = self._nearest()
            if self._moment(min(off, on, wall)) > now:
                break
            if off <= min(on, wall):  # let go first, so that a key can be struck again
                pitch = min(self._sounding, key=lambda pitch: self._sounding[pitch].end)
                del self._sounding[pitch]
                keys.append(KeyEvent(pitch, 0))
            elif on < wall:
                keys += self._strike(self._notes[self._next])
                self._next += 1
            else:
                keys += self._turn(wall)
        return keys

    def _nearest(self) -> tuple[float, float, float]:
        """The positions of the next key let go, the next one struck, and of the wall."""
        off = min((note.end for note in self._sounding.values()), default=math.inf)
        on = self._notes[self._next].start if self._next < len(self._notes) else math.inf
        return off, on, self._wall()

    def _moment(self, position: float) -> float:
        return self._since + (position - self._from) / self._tempo

    def _known(self) -> float:
        return self._until if self._until < math.inf else self.duration

    def _loop_end(self) -> float | None:
        """Where playing goes back, if it does."""
        if self._loop is None:
            return None
        start, end = self._loop
        if end == math.inf:
            end = math.inf if self._until < math.inf else self.duration
        return end if end - start >= MIN_LOOP_SECONDS and self._from <= end else None

    def _wall(self) -> float:
        """The position that playing does not just pass: the loop's end, or what is known."""
        loop_end = self._loop_end()
        known = math.inf if loop_end is not None and self._until == math.inf else self._known()
        return max(self._from, min(known, math.inf if loop_end is None else loop_end))

    def _turn(self, wall: float) -> list[KeyEvent]:
        """Go back in the loop, wait for more notes, or end."""
        moment, keys = self._moment(wall), self.release_all()
        if self._loop is not None and wall == self._loop_end():
            self._go(self._loop[0], moment)
            return keys
        self._from, self._since = wall, moment
        if self._until < math.inf:
            self.waiting = True
        else:
            self.playing, self.ended = False, True
        return keys

    def _strike(self, note: Note) -> list[KeyEvent]:
        pitch = note.pitch + self._transpose
        if not 0 <= pitch <= MAX_PITCH:
            return []
        keys = []
        before = self._sounding.get(pitch)
        if before is not None:
            # The key stays down as long as either note wants it.
            note = Note(note.start, max(before.end, note.end), note.pitch, note.velocity)
            if before.start < note.start:
                keys.append(KeyEvent(pitch, 0))
        self._sounding[pitch] = note
        if before is None or before.start < note.start:
            keys.append(
                KeyEvent(pitch, min(127, max(1, round(note.velocity * self.velocity_scale))))
            )
        return keys

    def _anchor(self, now: float) -> None:
        self._from, self._since = self.position(now), now

    def _go(self, position: float, now: float) -> None:
        """Be at a position; notes that begin before it are passed."""
        self._from, self._since = position, now
        self._next = bisect.bisect_left(self._notes, position, key=_start)
        self.waiting = self.ended = False


def key_events(notes: Iterable[Note]) -> list[tuple[float, KeyEvent]]:
    """Every key of a song with its moment, in seconds, played straight through."""
    transport = Transport()
    transport.load(notes)
    keys = [(0.0, key) for key in transport.play(0.0)]
    while (due := transport.due()) is not None:
        keys += [(due, key) for key in transport.advance(due)]
    return keys
