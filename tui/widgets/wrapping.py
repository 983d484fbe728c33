"""Line wrapping of a text that grows at its end."""

import re

from rich.cells import get_character_cell_size

_SPACES = re.compile(" *")


def _after_spaces(text: str, start: int) -> int:
    match = _SPACES.match(text, start)
    return match.end() if match else start


class WrappedText:
    """A text that grows at its end, split into rows of at most `width` cells.

    Rows break at spaces, which are then not shown, and inside a word only if it is wider than a
    row. The start of a row depends only on the text before it, so appending changes only the last
    row.
    """

    def __init__(self, width: int = 80) -> None:
        self.width = width  # cells
        self.text = ""
        self.rows: list[tuple[int, int]] = []  # (start, end) indices into the text
        self._ascii = True  # whether each character takes one cell

    def append(self, more: str) -> int:
        """Add text to the end; return the index of the first row that changed."""
        self.text += more
        self._ascii = self._ascii and more.isascii()
        start = self.rows.pop()[0] if self.rows else 0
        changed = len(self.rows)
        self._wrap(start)
        return changed

    def rewrap(self, width: int) -> None:
        """Wrap the text to another width."""
        self.width = width
        self.rows = []
        if self.text:
            self._wrap(0)

    def row(self, y: int) -> str:
        """Return the characters of a row."""
        start, end = self.rows[y]
        return self.text[start:end]

    def _wrap(self, start: int) -> None:
        """Wrap the text from index `start`, where a row starts, to its end."""
        while (newline := self.text.find("\n", start)) >= 0:
            self._wrap_line(start, newline)
            start = newline + 1
        self._wrap_line(start, len(self.text))

    def _wrap_line(self, start: int, stop: int) -> None:
        while (end := self._fit(start, stop)) < stop:
            space = self.text.rfind(" ", start + 1, end + 1)
            if space < 0:  # a word that is wider than a row
                self.rows.append((start, end))
                start = end
                continue
            following = _after_spaces(self.text, space)
            if following >= stop:  # a row of spaces alone is left out
                break
            self.rows.append((start, space))
            start = following
        self.rows.append((start, stop))

    def _fit(self, start: int, stop: int) -> int:
        """Return the index where a row that begins at `start` is full, at most `stop`."""
        if self._ascii:
            return min(start + max(1, self.width), stop)
        cells = 0
        for index in range(start, stop):
            cells += get_character_cell_size(self.text[index])
            if cells > self.width and index > start:
                return index
        return stop
