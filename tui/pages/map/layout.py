"""Points in the plane, laid out in the cells of a terminal with labels that do not overlap."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from tui.formatting import clean
from tui.sources.told import Point

LONGEST = 28  # cells of a label
_ASIDE = 3.0  # how much worse a step aside is than one ahead, when the cursor moves


class Mark(NamedTuple):
    """A point in the cells, and where its label stands."""

    column: int
    row: int
    label: str  # empty where there was no room for it
    start: int  # the label's first column
    line: int  # its row


class _Taken:
    """The cells that are taken."""

    def __init__(self, width: int, height: int) -> None:
        self._rows = [[False] * width for _ in range(height)]
        self._width = width

    def free(self, row: int, start: int, end: int) -> bool:
        inside = 0 <= row < len(self._rows) and start >= 0 and end <= self._width
        # A blank on either side keeps labels apart.
        return inside and not any(self._rows[row][max(0, start - 1) : end + 1])

    def take(self, row: int, start: int, end: int) -> None:
        self._rows[row][start:end] = [True] * (end - start)


def label(name: str) -> str:
    """A name in one line of at most `LONGEST` cells."""
    words = " ".join(clean(name).split()) or "–"
    return words if cell_len(words) <= LONGEST else set_cell_size(words, LONGEST - 1) + "…"


def _cells(points: Sequence[Point], width: int, height: int) -> list[tuple[int, int]]:
    """The column and the row of each point, so that all of them fill the area."""
    result = []
    for along, size in ((0, width), (1, height)):
        values = [(point.x, -point.y)[along] for point in points]  # rows go down
        low, high = min(values), max(values)
        room = size - 1
        span = high - low
        result.append(
            [round(room * (value - low) / span) if span > 0 else room // 2 for value in values]
        )
    return list(zip(*result, strict=True))


def layout(
    points: Sequence[Point], width: int, height: int, cursor: int | None = None
) -> list[Mark]:
    """A mark for each point in an area of cells.

    Labels are set one after the other where there is room: that of the cursor first, then by the
    number of songs. A label keeps a blank from all others and stands on no point.
    """
    if not points or width < 1 or height < 1:
        return []
    places = _cells(points, width, height)
    taken = _Taken(width, height)
    for column, row in places:
        taken.take(row, column, column + 1)
    marks = [Mark(column, row, "", column, row) for column, row in places]
    order = sorted(range(len(points)), key=lambda i: (i != cursor, -points[i].songs, i))
    for i in order:
        words, (column, row) = label(points[i].name), places[i]
        for line, start in _around(column, row, cell_len(words)):
            end = start + cell_len(words)
            if taken.free(line, start, end):
                taken.take(line, start, end)
                marks[i] = Mark(column, row, words, start, line)
                break
    return marks


def _around(column: int, row: int, size: int) -> Iterator[tuple[int, int]]:
    """Rows and first columns where a label may stand, the best first."""
    yield row, column + 2
    yield row, column - 1 - size
    for line in (row - 1, row + 1):
        for start in (column - size // 2, column, column - size + 1):
            yield line, start


def step(points: Sequence[Point], cursor: int, across: int, up: int) -> int:
    """The point that a step from one goes to: the nearest in that direction, itself where none is.

    across, up: one of them -1 or 1, the other 0. Points aside count as farther than those ahead.
    """
    here = points[cursor]
    spans = [
        max(values) - min(values) or 1.0
        for values in ([p.x for p in points], [p.y for p in points])
    ]
    best, found = math.inf, cursor
    for place, point in enumerate(points):
        x, y = (point.x - here.x) / spans[0], (point.y - here.y) / spans[1]
        ahead = x * across + y * up
        aside = abs(x * up) + abs(y * across)
        if ahead > 0 and ahead + _ASIDE * aside < best:
            best, found = ahead + _ASIDE * aside, place
    return found
