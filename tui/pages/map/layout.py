"""Layout of the map: points and labels that do not overlap, in cells of a terminal."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from engine.protocol import MapPoint
from tui.formatting import NOTHING, clean

MAX_LABEL = 28  # cells
_SIDEWAYS_COST = 3.0  # weight of distance across the direction of a step; along it: 1


class Mark(NamedTuple):
    """The position of a point and of its label, in cells."""

    column: int
    row: int
    label: str  # empty if there is no room for it
    label_column: int  # the first column of the label
    label_row: int


class _Grid:
    """The cells of the area that are already taken."""

    def __init__(self, width: int, height: int) -> None:
        self._rows = [[False] * width for _ in range(height)]
        self._width = width

    def is_free(self, row: int, start: int, end: int) -> bool:
        inside = 0 <= row < len(self._rows) and start >= 0 and end <= self._width
        # One free cell on either side keeps labels apart.
        return inside and not any(self._rows[row][max(0, start - 1) : end + 1])

    def take(self, row: int, start: int, end: int) -> None:
        self._rows[row][start:end] = [True] * (end - start)


def label(name: str) -> str:
    """Return a name in one line of 1 to MAX_LABEL cells."""
    text = " ".join(clean(name).split())
    if not cell_len(text):  # empty, or of characters that take no cell
        return NOTHING
    return text if cell_len(text) <= MAX_LABEL else set_cell_size(text, MAX_LABEL - 1) + "…"


def _cells(points: Sequence[MapPoint], width: int, height: int) -> list[tuple[int, int]]:
    """Return the column and row of each point, scaled so that they fill the area."""
    result = []
    for axis, size in ((0, width), (1, height)):
        values = [(point.x, -point.y)[axis] for point in points]  # rows count downwards
        low, high = min(values), max(values)
        last = size - 1
        span = high - low
        result.append(
            [round(last * (value - low) / span) if span > 0 else last // 2 for value in values]
        )
    return list(zip(*result, strict=True))


def layout(
    points: Sequence[MapPoint], width: int, height: int, cursor: int | None = None
) -> list[Mark]:
    """Return a mark for each point in an area of cells.

    cursor: the index of the point under the cursor; None: no point is. Labels are placed greedily:
    first that of the cursor, then those of the points with the most songs. A label is at least one
    cell away from any other label and covers no point.
    """
    if not points or width < 1 or height < 1:
        return []
    cells = _cells(points, width, height)
    grid = _Grid(width, height)
    for column, row in cells:
        grid.take(row, column, column + 1)
    marks = [Mark(column, row, "", column, row) for column, row in cells]
    order = sorted(range(len(points)), key=lambda i: (i != cursor, -(points[i].songs or 0), i))
    for i in order:
        text, (column, row) = label(points[i].name), cells[i]
        for label_row, start in _candidates(column, row, cell_len(text)):
            end = start + cell_len(text)
            if grid.is_free(label_row, start, end):
                grid.take(label_row, start, end)
                marks[i] = Mark(column, row, text, start, label_row)
                break
    return marks


def _candidates(column: int, row: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the possible (row, first column) of a label of `size` cells, the best first."""
    yield row, column + 2
    yield row, column - 1 - size
    for label_row in (row - 1, row + 1):
        for start in (column - size // 2, column, column - size + 1):
            yield label_row, start


def step(points: Sequence[MapPoint], cursor: int, right: int, up: int) -> int:
    """Return the index of the nearest point in a direction; `cursor` itself without any.

    right, up: one of them -1 or 1, the other 0.
    """
    origin = points[cursor]
    spans = [
        max(values) - min(values) or 1.0
        for values in ([p.x for p in points], [p.y for p in points])
    ]
    best, found = math.inf, cursor
    for index, point in enumerate(points):
        x, y = (point.x - origin.x) / spans[0], (point.y - origin.y) / spans[1]
        ahead = x * right + y * up
        sideways = abs(x * up) + abs(y * right)
        if ahead > 0 and ahead + _SIDEWAYS_COST * sideways < best:
            best, found = ahead + _SIDEWAYS_COST * sideways, index
    return found
