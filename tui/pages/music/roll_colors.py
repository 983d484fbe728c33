"""The rows of the piano roll in colours: a half-block is two keys, the upper one its foreground."""

from functools import lru_cache
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from engine.music.pitch import is_black, pitch_name
from tui.pages.music.roll_view import CODES, GIVEN, LEVELS, ONSET, Raster, Viewport

LEFT = 8  # cells before the roll: a key's name, the keyboard, a gap
_FAINTEST = 0.55  # of a note's colour, for the softest
_ONSET = 0.62  # how far an onset goes from the note's colour to the text's
_BAR, _PLAYHEAD, _UNDER = 0.09, 0.3, 0.7  # and the lines, and a note under the playhead
_WHITE_KEY, _BLACK_KEY = Color.parse("#dfe3e8"), Color.parse("#15181c")

Keys = tuple[bool, bool]  # something about the upper and the lower key of a row


class RollTheme(NamedTuple):
    """The colours that a theme gives."""

    text: Color
    white: Color  # the row of a white key
    black: Color
    note: Color  # what was written
    given: Color
    accent: Color


class RollColors:
    """The colours of one theme."""

    def __init__(self, theme: RollTheme) -> None:
        self.theme = theme
        faint = theme.black.blend(theme.text, 0.65)
        self.text = Style(color=faint.rich_color, bgcolor=theme.black.rich_color)
        strong = theme.text.rich_color
        self.strong = Style(color=strong, bgcolor=theme.black.rich_color, bold=True)
        self._style = lru_cache(maxsize=None)(self._make)

    def row(self, drawn: Raster, window: Viewport, row: int) -> Strip:
        """The cells of two keys."""
        black = _row_keys(window, row)
        segments: list[Segment] = []
        before, run = None, 0
        pairs = zip(drawn.cells[2 * row], drawn.cells[2 * row + 1], strict=True)
        for column, (upper, lower) in enumerate(pairs):
            cell = upper, lower, column in drawn.bars
            if cell != before and before is not None:
                segments.append(self._half_blocks(run, *before, black))
                run = 0
            before, run = cell, run + 1
        if before is not None:
            segments.append(self._half_blocks(run, *before, black))
        return Strip(segments, window.columns)

    def _half_blocks(self, run: int, upper: int, lower: int, bar: bool, black: Keys) -> Segment:
        return Segment("▀" * run, self._style(upper, lower, "bar" if bar else "", black))

    def crossed(self, strip: Strip, drawn: Raster, window: Viewport, row: int, place: int) -> Strip:
        """A row with the playhead over it."""
        upper, lower = drawn.cells[2 * row][place], drawn.cells[2 * row + 1][place]
        style = self._style(upper, lower, "playhead", _row_keys(window, row))
        cell = Strip([Segment("▀", style)])
        return Strip.join([strip.crop(0, place), cell, strip.crop(place + 1, window.columns)])

    def label(self, window: Viewport, row: int, sounding: frozenset[int]) -> Strip:
        """The name of a C, or of keys that sound, and the two keys of the keyboard."""
        upper = window.high - 2 * row
        lower = upper - 1
        lit = [key for key in (upper, lower) if key in sounding]
        words = pitch_name(lit[-1]) if lit else pitch_name(lower) if lower % 12 == 0 else ""
        colours = []
        for key in (upper, lower):
            plain = _BLACK_KEY if is_black(key) else _WHITE_KEY
            colours.append((self.theme.accent if key in sounding else plain).rich_color)
        return Strip([
            Segment(f"{words:>{LEFT - 4}} ", self.strong if lit else self.text),
            Segment("▀▀", Style(color=colours[0], bgcolor=colours[1])),
            Segment(" ", self.text),
        ])  # fmt: skip

    def _make(self, upper: int, lower: int, line: str, black: Keys) -> Style:
        return Style(
            color=self._colour(upper, line, black[0]).rich_color,
            bgcolor=self._colour(lower, line, black[1]).rich_color,
        )

    def _colour(self, code: int, line: str, black: bool) -> Color:
        """The colour of a key in a column."""
        theme = self.theme
        row = theme.black if black else theme.white
        if not code:
            share = {"": 0.0, "bar": _BAR, "playhead": _PLAYHEAD}[line]
            return row.blend(theme.text, share)
        colour = _note(theme, code, row)
        return colour.blend(theme.text, _UNDER) if line == "playhead" else colour


def _note(theme: RollTheme, code: int, row: Color) -> Color:
    """The colour of a note: brighter the harder it is struck, and brightest where it begins."""
    assert 0 < code < CODES
    given, rest = divmod(code - 1, GIVEN)
    onset, level = divmod(rest, ONSET)
    strength = _FAINTEST + (1 - _FAINTEST) * level / (LEVELS - 1)
    colour = row.blend(theme.given, strength / 2) if given else row.blend(theme.note, strength)
    return colour.blend(theme.text, _ONSET) if onset else colour


def _row_keys(window: Viewport, row: int) -> Keys:
    """Whether the upper and the lower key of a row are black."""
    upper = window.high - 2 * row
    return is_black(upper), is_black(upper - 1)
