"""Transport of a player: play, pause, seek, loop, tempo and transposition as key events in time.

Nothing here reads a clock: methods take the current moment, in seconds, as `now`, and return the
keys to strike and release up to that moment. In whatever order the methods are called, a key that
was struck is released before it is struck again.
"""

import bisect
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from engine.music.general_midi import HIGH_WOODBLOCK, LOW_WOODBLOCK, PERCUSSION
from engine.music.score import Note

MIN_LOOP_SECONDS = 0.05
MAX_PITCH = 127
_CLICK_SECONDS = 0.05  # from the strike of a click to its release
_ROUND = 1e-6  # in beats, against rounding errors


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """The strike (velocity 1 … 127) or the release (velocity 0) of a key."""

    pitch: int
    velocity: int
    channel: int = 0  # PERCUSSION for clicks of the metronome


class Metronome:
    """The beats of a song, which is given as for `protocol.SetMetronome`."""

    def __init__(self, beats: Sequence[tuple[float, float]], bar: int) -> None:
        self._bar = bar
        self._beats = beats
        self._counts = [0.0]  # of the beats before each tempo begins
        for (start, length), (end, _) in pairwise(beats):
            self._counts.append(self._counts[-1] + (end - start) / length)

    def next(self, position: float) -> int:
        """Return the number of the first beat at a position or after it, counted from 0."""
        index = max(bisect.bisect_right(self._beats, (position, math.inf)) - 1, 0)
        start, length = self._beats[index]
        return math.ceil(self._counts[index] + (position - start) / length - _ROUND)

    def position(self, beat: int) -> float:
        """Return the position of a beat."""
        index = max(bisect.bisect_right(self._counts, beat) - 1, 0)
        start, length = self._beats[index]
        return start + (beat - self._counts[index]) * length

    def click(self, beat: int) -> KeyEvent:
        """Return the click of a beat."""
        first = beat % self._bar == 0
        return KeyEvent(
            HIGH_WOODBLOCK if first else LOW_WOODBLOCK, 120 if first else 90, PERCUSSION
        )


def _start(note: Note) -> float:
    return note.start


class Transport:
    """The song that is played, the position in it, and the notes that sound.

    Positions are seconds of the song as written: with a tempo factor of 2, the position advances by
    2 in a second. The song may still be incomplete: playback then waits at the position up to which
    all notes have been added.
    """

    def __init__(self) -> None:
        self._notes: list[Note] = []  # by start
        self._next = 0  # index of the first note not yet passed
        self._until = math.inf  # every note that starts before this position has been added
        self._sounding: dict[int, Note] = {}  # by transposed pitch
        self._metronome: Metronome | None = None
        self._beat = 0  # the number of the next click
        self._clicks: list[tuple[float, int]] = []  # those to be released: position and pitch
        self._loop: tuple[float, float] | None = None
        self._transpose = 0
        self._tempo = 1.0
        # The anchor: a position, and the moment at which playback was there.
        self._anchor_position, self._anchor_moment = 0.0, 0.0
        self.playing = False
        self.waiting = False  # playing, but waiting for more notes
        self.ended = False  # playback has reached the end of the song
        self.duration = 0.0  # seconds: the latest end of the notes so far
        self.velocity_scale = 1.0

    def load(self, notes: Iterable[Note], until: float = math.inf) -> list[KeyEvent]:
        """Replace the song and stop at its beginning.

        until: `notes` are complete up to this position; `append` adds later ones.
        """
        events = self.release_all()
        self._notes = sorted(notes, key=_start)
        self.duration = max((note.end for note in self._notes), default=0.0)
        self._until = until
        self.playing = self.waiting = False
        self._jump(0.0, 0.0)
        return events

    def append(self, notes: Iterable[Note], until: float, now: float) -> list[KeyEvent]:
        """Add notes to the song, which is then complete up to the position `until`.

        A note that starts before the current position stays silent.
        """
        events = self.advance(now)
        position = self.position(now)
        for note in notes:
            if note.start < position:
                self._next += 1
            bisect.insort(self._notes, note, key=_start)
            self.duration = max(self.duration, note.end)
        self._until = max(self._until, until) if self._until < math.inf else math.inf
        if self.waiting:
            self.waiting, self._anchor_moment = False, now
            events += self.advance(now)  # waits again if these notes do not reach far enough
        return events

    def play(self, now: float) -> list[KeyEvent]:
        """Start or resume playback; from the beginning if the song has ended."""
        if not self.playing:
            self._jump(0.0 if self.ended else self._anchor_position, now)
            self.playing = True
        return self.advance(now)

    def pause(self, now: float) -> list[KeyEvent]:
        """Pause at the current position and release every key."""
        events = self.advance(now)
        self._set_anchor(now)
        self.playing = self.waiting = False
        return events + self.release_all()

    def stop(self, now: float) -> list[KeyEvent]:
        """Pause and return to the beginning."""
        events = self.pause(now)
        self._jump(0.0, now)
        return events

    def seek(self, position: float, now: float) -> list[KeyEvent]:
        """Move to a position, limited to the song; playback continues there or stays paused."""
        events = self.advance(now) + self.release_all()
        self._jump(min(max(0.0, position), max(self.duration, self._complete_until())), now)
        return events

    def set_loop(self, loop: tuple[float, float] | None, now: float) -> list[KeyEvent]:
        """Repeat the song between two positions; None: no loop. Infinity is the song's end.

        If playback is past the loop's end already, it continues to the end of the song.
        """
        events = self.advance(now)
        self._set_anchor(now)
        self._loop = loop
        return events

    def set_tempo(self, factor: float, now: float) -> list[KeyEvent]:
        """Set the speed as a factor of the tempo as written."""
        events = self.advance(now)
        self._set_anchor(now)
        self._tempo = factor
        return events

    def set_transpose(self, semitones: int, now: float) -> list[KeyEvent]:
        """Set the transposition; notes that it moves out of the MIDI range stay silent."""
        events = self.advance(now) + self.release_all()
        self._transpose = semitones
        return events

    def set_metronome(self, metronome: Metronome | None, now: float) -> list[KeyEvent]:
        """Click on the beats from now on; None: no longer."""
        events = self.advance(now)
        self._metronome = metronome
        self._beat = metronome.next(self.position(now)) if metronome else 0
        return events

    def exclude_pause(self, seconds: float) -> None:
        """Do not count the last `seconds`, in which the process could not play, as played."""
        self._anchor_moment += seconds

    def release_all(self) -> list[KeyEvent]:
        """Release every key."""
        events = [KeyEvent(pitch, 0) for pitch in sorted(self._sounding)]
        events += [KeyEvent(pitch, 0, PERCUSSION) for _, pitch in self._clicks]
        self._sounding.clear()
        self._clicks.clear()
        return events

    def position(self, now: float) -> float:
        """Return the current position in the song."""
        if not self.playing or self.waiting:
            return self._anchor_position
        played = max(0.0, now - self._anchor_moment) * self._tempo
        return min(self._anchor_position + played, self._barrier())

    def due(self) -> float | None:
        """Return the moment of the next event; None while paused or waiting for notes."""
        if not self.playing or self.waiting:
            return None
        return self._moment(min(self._upcoming()))

    def advance(self, now: float) -> list[KeyEvent]:
        """Return all key events due until now, in order."""
        events: list[KeyEvent] = []
        while self.playing and not self.waiting:
            release, strike, barrier, click, end = self._upcoming()
            first = min(release, strike, barrier, click, end)
            if self._moment(first) > now:
                break
            if first in (click, end) and first < min(release, barrier):
                events += self._click(end <= click)
            elif release <= min(strike, barrier):
                # A key is released before it is struck again at the same position.
                pitch = min(self._sounding, key=lambda pitch: self._sounding[pitch].end)
                del self._sounding[pitch]
                events.append(KeyEvent(pitch, 0))
            elif strike < barrier:
                events += self._strike(self._notes[self._next])
                self._next += 1
            else:
                events += self._cross(barrier)
        return events

    def _upcoming(self) -> tuple[float, float, float, float, float]:
        """Return the positions of the next release and strike (infinity: never) and the barrier.

        Then those of the metronome's next click and of the end of a click.
        """
        release = min((note.end for note in self._sounding.values()), default=math.inf)
        strike = self._notes[self._next].start if self._next < len(self._notes) else math.inf
        click = self._metronome.position(self._beat) if self._metronome else math.inf
        end = self._clicks[0][0] if self._clicks else math.inf
        return release, strike, self._barrier(), click, end

    def _moment(self, position: float) -> float:
        """Return the moment at which playback reaches a position."""
        return self._anchor_moment + (position - self._anchor_position) / self._tempo

    def _complete_until(self) -> float:
        """Return the position up to which all notes of the song have been added."""
        return self._until if self._until < math.inf else self.duration

    def _loop_end(self) -> float | None:
        """Return the position from which playback jumps back; None if it does not."""
        if self._loop is None:
            return None
        start, end = self._loop
        if end == math.inf:
            end = math.inf if self._until < math.inf else self.duration
        return end if end - start >= MIN_LOOP_SECONDS and self._anchor_position <= end else None

    def _barrier(self) -> float:
        """Return the position at which playback next jumps back, waits for notes, or ends."""
        loop_end = self._loop_end()
        if loop_end is not None and self._until == math.inf:
            complete_until = math.inf
        else:
            complete_until = self._complete_until()
        barrier = min(complete_until, math.inf if loop_end is None else loop_end)
        return max(self._anchor_position, barrier)

    def _cross(self, barrier: float) -> list[KeyEvent]:
        """At the barrier, jump back to the start of the loop, wait for more notes, or end."""
        moment, events = self._moment(barrier), self.release_all()
        if self._loop is not None and barrier == self._loop_end():
            self._jump(self._loop[0], moment)
            return events
        self._anchor_position, self._anchor_moment = barrier, moment
        if self._until < math.inf:
            self.waiting = True
        else:
            self.playing, self.ended = False, True
        return events

    def _click(self, ends: bool) -> list[KeyEvent]:
        """Click on the next beat, or end the oldest click."""
        if ends:
            return [KeyEvent(self._clicks.pop(0)[1], 0, PERCUSSION)]
        assert self._metronome is not None
        click, position = self._metronome.click(self._beat), self._metronome.position(self._beat)
        before = [KeyEvent(pitch, 0, PERCUSSION) for _, pitch in self._clicks]
        self._clicks = [(position + _CLICK_SECONDS * self._tempo, click.pitch)]
        self._beat += 1
        return [*before, click]

    def _strike(self, note: Note) -> list[KeyEvent]:
        pitch = note.pitch + self._transpose
        if not 0 <= pitch <= MAX_PITCH:
            return []
        events = []
        sounding = self._sounding.get(pitch)
        if sounding is not None:
            # The key stays down until the later of the two notes' ends.
            note = Note(note.start, max(sounding.end, note.end), note.pitch, note.velocity)
            if sounding.start < note.start:
                events.append(KeyEvent(pitch, 0))
        self._sounding[pitch] = note
        if sounding is None or sounding.start < note.start:
            velocity = min(127, max(1, round(note.velocity * self.velocity_scale)))
            events.append(KeyEvent(pitch, velocity))
        return events

    def _set_anchor(self, now: float) -> None:
        """Make the current position and moment the anchor."""
        self._anchor_position, self._anchor_moment = self.position(now), now

    def _jump(self, position: float, now: float) -> None:
        """Move to a position; notes that start before it are skipped."""
        self._anchor_position, self._anchor_moment = position, now
        self._next = bisect.bisect_left(self._notes, position, key=_start)
        if self._metronome is not None:
            self._beat = self._metronome.next(position)
        self.waiting = self.ended = False


def key_events(notes: Iterable[Note]) -> list[tuple[float, KeyEvent]]:
    """Return all key events of a song played from start to end, each with its time in seconds."""
    transport = Transport()
    transport.load(notes)
    events = [(0.0, event) for event in transport.play(0.0)]
    while (due := transport.due()) is not None:
        events += [(due, event) for event in transport.advance(due)]
    return events
