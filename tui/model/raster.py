"""A window of a sheet as cells: what each key does in each column, and the lines around them."""

from dataclasses import dataclass

from tui.model.sheet import Sheet
from tui.model.text import clock
from tui.model.window import Window

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


def raster(sheet: Sheet, window: Window) -> Raster:
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


def _ruler(sheet: Sheet, window: Window) -> tuple[str, frozenset[int]]:
    """The bars with their numbers and, where there is room, their beats; where bars begin."""
    measure = sheet.measure
    start, end = window.seconds
    line = [" "] * window.columns
    bars = set()
    width = (window.columns * measure.bar) / max(measure.beats(end) - measure.beats(start), 1e-9)
    every = 1  # bars from one that is shown to the next
    while width * every < _MARKS:
        every *= 2
    first = int(measure.beats(start) / measure.bar)
    last = int(measure.beats(end) / measure.bar) + 1
    for bar in range(first - first % every, last + 1, every):
        for count in range(1, measure.metre[0]):
            beat = bar * measure.bar + count * measure.unit
            column = window.column(measure.seconds(beat)) - window.start
            if every == 1 and width >= 3 * measure.metre[0] and column >= 0:
                _put(line, column, "·")
    for bar in range(first - first % every, last + 1, every):
        column = window.column(measure.seconds(bar * measure.bar)) - window.start
        if 0 <= column < window.columns:
            bars.add(column)
            _put(line, column, f"│{bar + 1}")
    return "".join(line), frozenset(bars)


def _sections(sheet: Sheet, window: Window) -> str:
    """A line that says what was given, and where writing began."""
    line = [" "] * window.columns
    border = window.column(sheet.given) - window.start
    if sheet.given and border > 0:
        _put(line, 0, "─" * border)
        if border >= 8:
            _put(line, 1, " given ")
        _put(line, border - 1, "┤")
    return "".join(line)


def _times(window: Window) -> str:
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
        words = clock(second)
        if column >= 0 and column + len(words) <= window.columns:
            _put(line, column, words)
    return "".join(line)
