"""Data of the piano roll: the notes of a piece, the part in view, and this part as cells.

A row of the roll stands for two keys, a column for a span of time.
"""

import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from engine.music import voices
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.score import Note
from engine.music.tempo_map import TempoMap
from engine.music.voices import Texture
from tui.formatting import minutes_seconds

_TEXTURE_NOTES = 300  # the first notes of a piece, from which its texture is found
_LEAD = 8.0  # seconds before the viewport, whose notes decide which hand is free


def _start(note: Note) -> float:
    return note.start


@dataclass
class RollView:
    """The notes of a piece, ordered by their starts; more of them may be added.

    Notes and times are as written; pitches and times are shown as played, transposed and faster.
    """

    tempo_map: TempoMap = field(default_factory=TempoMap)
    prompt_seconds: float = 0.0  # notes that start before this time are the prompt's
    cell: float = 0.15  # seconds per column, unless the user zooms
    transpose: int = 0  # semitones by which it is played higher
    speed: float = 1.0  # factor of the tempo at which it is played
    seconds: float = 0.0  # length of the music so far
    open_notes: tuple[Note, ...] = ()  # notes that still sound at the end, cut off there
    _notes: list[Note] = field(default_factory=list)
    _longest: float = 0.0  # seconds: the length of the longest note
    _range: tuple[int, int] | None = None  # lowest and highest pitch; None without notes
    _texture: Texture = field(default_factory=Texture)
    _texture_notes: int = 0  # from which it was found

    @property
    def notes(self) -> tuple[Note, ...]:
        """All the notes that have ended."""
        return tuple(self._notes)

    def add(self, notes: Iterable[Note]) -> None:
        """Add notes."""
        for note in notes:
            bisect.insort(self._notes, note, key=_start)
            self._longest = max(self._longest, note.end - note.start)
            self.seconds = max(self.seconds, note.end)
            lowest, highest = self._range or (note.pitch, note.pitch)
            self._range = min(lowest, note.pitch), max(highest, note.pitch)

    @property
    def texture(self) -> Texture:
        """The voices of the piece, found from its first notes."""
        count = min(len(self._notes), _TEXTURE_NOTES)
        if count != self._texture_notes:
            self._texture = voices.find_texture(self._notes[:count])
            self._texture_notes = count
        return self._texture

    def voices_between(self, start: float, end: float) -> Iterator[tuple[Note, int]]:
        """Yield the notes of `between`, ordered by start, with the index of each one's voice."""
        found = sorted(self.between(start - _LEAD, end), key=lambda note: (note.start, note.pitch))
        for note, voice in zip(found, voices.assign_voices(found, self.texture), strict=True):
            if note.end > start:
                yield note, voice

    def between(self, start: float, end: float) -> Iterator[Note]:
        """Yield the notes that sound at some moment from `start` to before `end`, in seconds."""
        first = bisect.bisect_left(self._notes, start - self._longest, key=_start)
        last = bisect.bisect_left(self._notes, end, key=_start)
        for note in (*self._notes[first:last], *self.open_notes):
            if note.end > start and note.start < end:
                yield note

    def sounding(self, second: float) -> frozenset[int]:
        """Return the pitches that sound at a moment, as played."""
        return frozenset(
            note.pitch + self.transpose for note in self.between(second, second + 1e-9)
        )

    def pitch_range(self) -> tuple[int, int] | None:
        """Return the lowest and the highest pitch as played; None without notes."""
        found = [*(self._range or ()), *(note.pitch for note in self.open_notes)]
        return (min(found) + self.transpose, max(found) + self.transpose) if found else None

    def bar_at(self, second: float) -> tuple[float, float]:
        """Return start and end of the bar at a moment, in seconds."""
        bar, _ = self.tempo_map.bar_and_beat(second)
        return self.bar_line(bar - 1), self.bar_line(bar)

    def bar_line(self, bar: int) -> float:
        """Return when a bar begins, in seconds; bars are counted from 0."""
        return self.tempo_map.second_at(bar * self.tempo_map.bar_length)

    def bars(self, start: float, end: float) -> tuple[int, int]:
        """Return the first and the last bar of a part, counted from 0."""
        first, _ = self.tempo_map.bar_and_beat(start)
        last, _ = self.tempo_map.bar_and_beat(max(end - 1e-3, start))
        return first - 1, last - 1


BOTTOM = LOWEST_PITCH - LOWEST_PITCH % 2  # a row's lower key is even: C and C♯ share a row
MIN_CELL, MAX_CELL = 0.01, 30.0  # seconds per column
# Shares of the width: a followed moment past the first turns the page, which then shows it at the
# second.
_TURN, _TURN_TO = 0.85, 0.2
_ROUND = 1e-6  # in columns, against rounding errors: 0.3 / 0.15 is in column 2


@dataclass(frozen=True)
class Viewport:
    """The part of a roll that is in view: two keys per row, `cell` seconds per column."""

    columns: int = 1
    rows: int = 1
    cell: float = 0.15  # seconds per column
    start: int = 0  # the first column
    low: int = 48  # the lowest pitch, even
    following: bool = True  # whether it follows the playhead, or the notes being written

    @property
    def high(self) -> int:
        """The highest pitch."""
        return self.low + 2 * self.rows - 1

    @property
    def seconds(self) -> tuple[float, float]:
        """Start and end of the viewport, in seconds."""
        return self.start * self.cell, (self.start + self.columns) * self.cell

    def whole_bars(self, roll: RollView) -> tuple[float, float]:
        """Return start and end of the bars of a roll that are wholly in view, in seconds.

        Without such a bar, of the part in view.
        """
        start, end = self.seconds
        first, last = roll.bars(start, min(end, roll.seconds))
        first += roll.bar_line(first) < start - _ROUND
        last -= min(roll.bar_line(last + 1), roll.seconds) > end + _ROUND
        if first > last:
            return start, end
        return roll.bar_line(first), roll.bar_line(last + 1)

    def column(self, second: float) -> int:
        """Return the column of a moment, counted from the start of the music."""
        return int(second / self.cell + _ROUND)

    def moved(self, columns: int = 0, rows: int = 0, end: float = 0.0) -> "Viewport":
        """Return the viewport moved right by `columns` and up by `rows`.

        end: the end of the music in seconds; the viewport does not move to where less than half of
        its width lies before the end.
        """
        last = max(self.column(end) - self.columns // 2, 0)
        start = min(max(self.start + columns, 0), max(last, self.start))
        highest = max(HIGHEST_PITCH + 1 - 2 * self.rows, BOTTOM)
        low = min(max(self.low + 2 * rows, BOTTOM), highest + highest % 2)
        following = self.following and start == self.start
        return replace(self, start=start, low=low, following=following)

    def followed(self, second: float) -> "Viewport":
        """Return the viewport; if it follows and `second` is not in view, turned to show it."""
        column = self.column(second)
        turn = self.start + max(int(self.columns * _TURN), 1)
        if not self.following or self.start <= column < turn:
            return self
        return replace(self, start=max(column - int(self.columns * _TURN_TO), 0))

    def zoomed(self, factor: float, second: float) -> "Viewport":
        """Return the viewport with `factor` times the time per column; `second` does not move."""
        cell = min(max(self.cell * factor, MIN_CELL), MAX_CELL)
        column = min(max(self.column(second) - self.start, 0), self.columns - 1)
        zoomed = replace(self, cell=cell)
        return replace(zoomed, start=max(zoomed.column(second) - column, 0))

    def fitted(self, roll: RollView) -> "Viewport":
        """Return the viewport moved up or down to show all notes, or else around their median."""
        lowest, highest = roll.pitch_range() or (60, 71)
        middle = (lowest + highest + 1) // 2
        if highest - lowest >= 2 * self.rows:
            pitches = sorted(note.pitch for note in roll.notes)
            middle = pitches[len(pitches) // 2] + roll.transpose if pitches else middle
        low = middle - self.rows
        return replace(self, low=low - low % 2).moved()

    def widened(self, roll: RollView) -> "Viewport":
        """Return the viewport moved by the fewest rows that show all notes, if they fit."""
        found = roll.pitch_range()
        if found is None or found[1] - found[0] >= 2 * self.rows - 1:
            return self
        # Both terms are rounded outwards; at most one of them is not zero.
        rows = min((found[0] - self.low) // 2, 0) + max((found[1] - self.high + 1) // 2, 0)
        return replace(self.moved(rows=rows), following=self.following)


LEVELS = 4  # of velocity, distinguished by color
VOICES = 4
ONSET, PROMPT, VOICE = LEVELS, 2 * LEVELS, 4 * LEVELS  # added to the code of a cell
# 0: the key is silent; else 1 + level (+ ONSET) (+ PROMPT) + VOICE times the index of the voice
CODES = 1 + VOICE * VOICES
_MIN_BAR = 5  # the fewest columns between two bar numbers
_MIN_TIME = 8  # the fewest columns between two times


@dataclass(frozen=True)
class Raster:
    """What a viewport shows, one character or code per column."""

    cells: tuple[bytes, ...]  # codes of each key, the highest key first
    bars: frozenset[int]  # columns of the viewport in which a bar begins
    loop: range  # columns of the viewport in the loop; empty without one
    edges: frozenset[int]  # the first and the last column of the loop, if they are in the viewport
    ruler: str  # bars and beats
    sections: str  # the end of the prompt; ▲ where there are notes above the viewport
    times: str  # minutes and seconds; ▼ where there are notes below the viewport
    earlier: bool  # whether there are notes before the viewport
    later: bool  # whether there are notes after it


def velocity_level(velocity: int) -> int:
    """Return one of LEVELS, from 0, for a MIDI velocity."""
    return (velocity - 1) * LEVELS // 127


def rasterize(
    roll: RollView, viewport: Viewport, loop: tuple[float, float] | None = None
) -> Raster:
    """Return the part of a roll in a viewport. loop: its start and end in seconds."""
    cells = [bytearray(viewport.columns) for _ in range(2 * viewport.rows)]
    above: set[int] = set()
    below: set[int] = set()
    start, end = viewport.seconds
    for note, voice in roll.voices_between(start, end):
        first = viewport.column(note.start) - viewport.start
        last = max(viewport.column(note.end - 2e-6 * viewport.cell) - viewport.start, first)
        columns = range(max(first, 0), min(last + 1, viewport.columns))
        pitch = note.pitch + roll.transpose
        if viewport.low <= pitch <= viewport.high:
            row = cells[viewport.high - pitch]
            code = 1 + velocity_level(note.velocity) + VOICE * voice
            code += PROMPT * (note.start < roll.prompt_seconds)
            for column in columns:
                row[column] = code
            if first in columns:
                row[first] += ONSET
        else:
            (above if pitch > viewport.high else below).update(columns)
    ruler, bars = _ruler(roll, viewport)
    looped, edges = _loop_columns(viewport, loop)
    return Raster(
        tuple(map(bytes, cells)),
        bars,
        looped,
        edges,
        ruler,
        _marked(_sections(roll, viewport), above, "▲"),
        _marked(_times(viewport, roll.speed), below, "▼"),
        viewport.start > 0 and any(roll.between(0.0, start)),
        roll.seconds > end,
    )


def _loop_columns(
    viewport: Viewport, loop: tuple[float, float] | None
) -> tuple[range, frozenset[int]]:
    """Return the columns of the viewport in a loop, and of these its edges."""
    if loop is None:
        return range(0), frozenset()
    first = viewport.column(loop[0]) - viewport.start
    after = max(viewport.column(loop[1]) - viewport.start, first + 1)
    inside = range(max(first, 0), min(after, viewport.columns))
    return inside, frozenset({first, after - 1} & set(inside))


def _marked(line: str, columns: set[int], mark: str) -> str:
    return "".join(mark if column in columns else cell for column, cell in enumerate(line))


def _write(line: list[str], column: int, words: str) -> None:
    """Write words into a line, starting at a column; what lies outside the line is cut off."""
    for index, character in enumerate(words, column):
        if 0 <= index < len(line):
            line[index] = character


def _ruler(roll: RollView, viewport: Viewport) -> tuple[str, frozenset[int]]:
    """Return a line with numbered bars and, where there is room, beats; and the bars' columns."""
    tempo_map = roll.tempo_map
    start, end = viewport.seconds
    line = [" "] * viewport.columns
    bars = set()
    beats = max(tempo_map.beat_at(end) - tempo_map.beat_at(start), 1e-9)
    width = viewport.columns * tempo_map.bar_length / beats  # columns per bar
    every = 1  # bars between two numbers
    while width * every < _MIN_BAR:
        every *= 2
    first = int(tempo_map.beat_at(start) / tempo_map.bar_length)
    last = int(tempo_map.beat_at(end) / tempo_map.bar_length) + 1
    beats_a_bar = tempo_map.time_signature[0]
    for bar in range(first - first % every, last + 1, every):
        for count in range(1, beats_a_bar):
            beat = bar * tempo_map.bar_length + count * tempo_map.unit_length
            column = viewport.column(tempo_map.second_at(beat)) - viewport.start
            if every == 1 and width >= 3 * beats_a_bar and column >= 0:
                _write(line, column, "·")
    for bar in range(first - first % every, last + 1, every):
        second = tempo_map.second_at(bar * tempo_map.bar_length)
        column = viewport.column(second) - viewport.start
        if 0 <= column < viewport.columns:
            bars.add(column)
            _write(line, column, f"│{bar + 1}")
    return "".join(line), frozenset(bars)


def _sections(roll: RollView, viewport: Viewport) -> str:
    """Return a line that marks the prompt, up to the column where the model began to write."""
    line = [" "] * viewport.columns
    border = viewport.column(roll.prompt_seconds) - viewport.start
    if roll.prompt_seconds and border > 0:
        _write(line, 0, "─" * border)
        if border >= 9:
            _write(line, 1, " prompt ")
        _write(line, border - 1, "┤")
    return "".join(line)


def _times(viewport: Viewport, speed: float) -> str:
    """Return a line with the times at round numbers of seconds, as played at a speed."""
    line = [" "] * viewport.columns
    step = 1
    for step in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600):
        if step * speed / viewport.cell >= _MIN_TIME:
            break
    start, end = (second / speed for second in viewport.seconds)
    first = -(-int(start) // step) * step
    for second in range(first, int(end) + 1, step):
        column = viewport.column(second * speed) - viewport.start
        words = minutes_seconds(second)
        if column >= 0 and column + len(words) <= viewport.columns:
            _write(line, column, words)
    return "".join(line)
