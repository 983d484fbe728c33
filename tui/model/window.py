"""Which part of a sheet is seen, in columns of time and rows of two keys."""

from dataclasses import dataclass, replace

from tui.model.pitch import HIGHEST, LOWEST
from tui.model.sheet import Sheet

BOTTOM = LOWEST - LOWEST % 2  # a row's lower key is even, so that C and C♯ share one
CLOSEST, FURTHEST = 0.01, 30.0  # seconds a column
_NEAR_END, _BACK = 0.85, 0.2  # of the width: following turns the page here, to there
_ROUND = 1e-6  # of a column: 0.3 / 0.15 is in the second


@dataclass(frozen=True)
class Window:
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


def moved(window: Window, columns: int = 0, rows: int = 0, end: float = 0.0) -> Window:
    """Look at later columns, and at higher rows; `end` is where the music ends, in seconds."""
    last = max(window.column(end) - window.columns // 2, 0)
    start = min(max(window.start + columns, 0), max(last, window.start))
    highest = max(HIGHEST + 1 - 2 * window.rows, BOTTOM)
    low = min(max(window.low + 2 * rows, BOTTOM), highest + highest % 2)
    following = window.following and start == window.start
    return replace(window, start=start, low=low, following=following)


def followed(window: Window, seconds: float) -> Window:
    """Turn the page so that a moment is in sight, if the window follows."""
    column = window.column(seconds)
    turn = window.start + max(int(window.columns * _NEAR_END), 1)
    if not window.following or window.start <= column < turn:
        return window
    return replace(window, start=max(column - int(window.columns * _BACK), 0))


def zoomed(window: Window, factor: float, seconds: float) -> Window:
    """Show `factor` times as many seconds, a moment staying where it is seen."""
    cell = min(max(window.cell * factor, CLOSEST), FURTHEST)
    place = min(max(window.column(seconds) - window.start, 0), window.columns - 1)
    wider = replace(window, cell=cell)
    return replace(wider, start=max(wider.column(seconds) - place, 0))


def fitted(window: Window, sheet: Sheet) -> Window:
    """Choose the keys so that all the notes are in sight, or else most of them."""
    lowest, highest = sheet.pitches() or (60, 71)
    middle = (lowest + highest + 1) // 2
    if highest - lowest >= 2 * window.rows:  # then most of them
        found = sorted(note.pitch for note in sheet.notes)
        middle = found[len(found) // 2] if found else middle
    low = middle - window.rows
    return moved(replace(window, low=low - low % 2))


def widened(window: Window, sheet: Sheet) -> Window:
    """Move as far as it takes to see all the keys, if there is room for them."""
    found = sheet.pitches()
    if found is None or found[1] - found[0] >= 2 * window.rows - 1:
        return window
    # Both rounded outwards; only one of them can be other than nothing.
    rows = min((found[0] - window.low) // 2, 0) + max((found[1] - window.high + 1) // 2, 0)
    return replace(moved(window, rows=rows), following=window.following)
