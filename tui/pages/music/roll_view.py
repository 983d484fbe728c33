"""Music to be seen: its notes, its bars, and how much of it was given."""

import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.score import Note
from engine.music.tempo_map import TempoMap
from tui.formatting import minutes_seconds


def _start(note: Note) -> float:
    return note.start


@dataclass
class RollView:
    """Notes by their starts; more of them may come."""

    tempo_map: TempoMap = field(default_factory=TempoMap)
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


BOTTOM = LOWEST_PITCH - LOWEST_PITCH % 2  # a row's lower key is even, so that C and C♯ share one
MIN_CELL, MAX_CELL = 0.01, 30.0  # seconds a column
_NEAR_END, _BACK = 0.85, 0.2  # of the width: following turns the page here, to there
_ROUND = 1e-6  # of a column: 0.3 / 0.15 is in the second


@dataclass(frozen=True)
class Viewport:
    """What is seen."""

    columns: int = 1
    rows: int = 1
    cell: float = 0.15  # seconds a column
    start: int = 0  # the first column
    low: int = 48  # the lowest pitch, even
    following: bool = True  # the playhead, or what is being written

    @property
    def high(self) -> int:
        """The highest pitch."""
        return self.low + 2 * self.rows - 1

    @property
    def seconds(self) -> tuple[float, float]:
        """From when, and until when."""
        return self.start * self.cell, (self.start + self.columns) * self.cell

    def column(self, seconds: float) -> int:
        """The column of a moment, counted from the music's beginning."""
        return int(seconds / self.cell + _ROUND)


def moved(window: Viewport, columns: int = 0, rows: int = 0, end: float = 0.0) -> Viewport:
    """Look at later columns, and at higher rows; `end` is where the music ends, in seconds."""
    last = max(window.column(end) - window.columns // 2, 0)
    start = min(max(window.start + columns, 0), max(last, window.start))
    highest = max(HIGHEST_PITCH + 1 - 2 * window.rows, BOTTOM)
    low = min(max(window.low + 2 * rows, BOTTOM), highest + highest % 2)
    following = window.following and start == window.start
    return replace(window, start=start, low=low, following=following)


def followed(window: Viewport, seconds: float) -> Viewport:
    """Turn the page so that a moment is in sight, if the window follows."""
    column = window.column(seconds)
    turn = window.start + max(int(window.columns * _NEAR_END), 1)
    if not window.following or window.start <= column < turn:
        return window
    return replace(window, start=max(column - int(window.columns * _BACK), 0))


def zoomed(window: Viewport, factor: float, seconds: float) -> Viewport:
    """Show `factor` times as many seconds, a moment staying where it is seen."""
    cell = min(max(window.cell * factor, MIN_CELL), MAX_CELL)
    place = min(max(window.column(seconds) - window.start, 0), window.columns - 1)
    wider = replace(window, cell=cell)
    return replace(wider, start=max(wider.column(seconds) - place, 0))


def fitted(window: Viewport, sheet: RollView) -> Viewport:
    """Choose the keys so that all the notes are in sight, or else most of them."""
    lowest, highest = sheet.pitches() or (60, 71)
    middle = (lowest + highest + 1) // 2
    if highest - lowest >= 2 * window.rows:  # then most of them
        found = sorted(note.pitch for note in sheet.notes)
        middle = found[len(found) // 2] if found else middle
    low = middle - window.rows
    return moved(replace(window, low=low - low % 2))


def widened(window: Viewport, sheet: RollView) -> Viewport:
    """Move as far as it takes to see all the keys, if there is room for them."""
    found = sheet.pitches()
    if found is None or found[1] - found[0] >= 2 * window.rows - 1:
        return window
    # Both rounded outwards; only one of them can be other than nothing.
    rows = min((found[0] - window.low) // 2, 0) + max((found[1] - window.high + 1) // 2, 0)
    return replace(moved(window, rows=rows), following=window.following)


LEVELS = 4  # of velocity
ONSET, GIVEN = LEVELS, 2 * LEVELS  # added to the code of a cell
CODES = 1 + 4 * LEVELS  # 0: the key is silent; else 1 + level, with ONSET, with GIVEN
_MARKS = 5  # columns between two numbers of bars, at least
_TIMES = 8  # and between two clocks


@dataclass(frozen=True)
class Raster:
    """What a window shows, one character or code a column."""

    cells: tuple[bytes, ...]  # of each key, the highest first
    bars: frozenset[int]  # the columns, in the window, where a bar begins
    ruler: str  # bars and beats
    sections: str  # what was given and what was written; ▲ where there are notes above
    times: str  # the clock; ▼ where there are notes below
    earlier: bool  # whether there are notes before what is seen
    later: bool  # and after


def rasterize(sheet: RollView, window: Viewport) -> Raster:
    """Draw what the window shows of the sheet."""
    cells = [bytearray(window.columns) for _ in range(2 * window.rows)]
    above: set[int] = set()
    below: set[int] = set()
    start, end = window.seconds
    for note in sorted(sheet.between(start, end), key=lambda note: note.start):
        first = window.column(note.start) - window.start
        last = max(window.column(note.end - 2e-6 * window.cell) - window.start, first)
        columns = range(max(first, 0), min(last + 1, window.columns))
        if window.low <= note.pitch <= window.high:
            row = cells[window.high - note.pitch]
            code = 1 + (note.velocity - 1) * LEVELS // 127 + GIVEN * (note.start < sheet.given)
            for column in columns:
                row[column] = code
            if first in columns:
                row[first] += ONSET
        else:
            (above if note.pitch > window.high else below).update(columns)
    ruler, bars = _ruler(sheet, window)
    return Raster(
        tuple(map(bytes, cells)),
        bars,
        ruler,
        _over(_sections(sheet, window), above, "▲"),
        _over(_times(window), below, "▼"),
        window.start > 0 and any(sheet.between(0.0, start)),
        sheet.seconds > end,
    )


def _over(line: str, columns: set[int], mark: str) -> str:
    return "".join(mark if column in columns else cell for column, cell in enumerate(line))


def _put(line: list[str], column: int, words: str) -> None:
    """Write words into a line, as far as they are in it."""
    for place, character in enumerate(words, column):
        if 0 <= place < len(line):
            line[place] = character


def _ruler(sheet: RollView, window: Viewport) -> tuple[str, frozenset[int]]:
    """The bars with their numbers and, where there is room, their beats; where bars begin."""
    tempo_map = sheet.tempo_map
    start, end = window.seconds
    line = [" "] * window.columns
    bars = set()
    width = (window.columns * tempo_map.bar_length) / max(
        tempo_map.beat_at(end) - tempo_map.beat_at(start), 1e-9
    )
    every = 1  # bars from one that is shown to the next
    while width * every < _MARKS:
        every *= 2
    first = int(tempo_map.beat_at(start) / tempo_map.bar_length)
    last = int(tempo_map.beat_at(end) / tempo_map.bar_length) + 1
    for bar in range(first - first % every, last + 1, every):
        for count in range(1, tempo_map.time_signature[0]):
            beat = bar * tempo_map.bar_length + count * tempo_map.unit_length
            column = window.column(tempo_map.second_at(beat)) - window.start
            if every == 1 and width >= 3 * tempo_map.time_signature[0] and column >= 0:
                _put(line, column, "·")
    for bar in range(first - first % every, last + 1, every):
        column = window.column(tempo_map.second_at(bar * tempo_map.bar_length)) - window.start
        if 0 <= column < window.columns:
            bars.add(column)
            _put(line, column, f"│{bar + 1}")
    return "".join(line), frozenset(bars)


def _sections(sheet: RollView, window: Viewport) -> str:
    """A line that says what was given, and where writing began."""
    line = [" "] * window.columns
    border = window.column(sheet.given) - window.start
    if sheet.given and border > 0:
        _put(line, 0, "─" * border)
        if border >= 8:
            _put(line, 1, " given ")
        _put(line, border - 1, "┤")
    return "".join(line)


def _times(window: Viewport) -> str:
    """The clock at round numbers of seconds."""
    line = [" "] * window.columns
    step = 1
    for step in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600):
        if step / window.cell >= _TIMES:
            break
    start, end = window.seconds
    first = -(-int(start) // step) * step
    for second in range(first, int(end) + 1, step):
        column = window.column(second) - window.start
        words = minutes_seconds(second)
        if column >= 0 and column + len(words) <= window.columns:
            _put(line, column, words)
    return "".join(line)
