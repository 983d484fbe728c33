"""Colors of the piano roll.

A row stands for two keys: a cell is an upper half-block whose foreground is the color of the upper
key and whose background is that of the lower key.
"""

from functools import lru_cache
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from engine.music.pitch import is_black, pitch_name
from tui.pages.music.roll_raster import (
    CODES,
    LEVELS,
    ONSET,
    PROMPT,
    VOICE,
    Raster,
    Viewport,
)

LEFT = 8  # cells left of the roll: the name of a key, the keyboard, a gap
_SOFTEST = 0.55  # opacity of the softest note
_ONSET = 0.4  # share of the text color in the color of an onset
# Shares of the text color in a bar line, the playhead, and a note under the playhead.
_BAR, _PLAYHEAD, _NOTE_UNDER_PLAYHEAD = 0.09, 0.3, 0.7
_LOOP, _EDGE, _LOOP_RULER = 0.12, 0.6, 0.35  # shares of the loop's color in its cells
_ANSI_COLORS = 8  # the number of colors before their bright variants
_WHITE_KEY, _BLACK_KEY = Color.parse("#dfe3e8"), Color.parse("#15181c")

KeyPair = tuple[bool, bool]  # whether the upper and the lower key of a row are black


COLORINGS = ("voice", "velocity")  # what the color of a note shows
BY_VELOCITY = (0, 2, 1, 3)  # the voices' colors from soft to loud: from cold to warm


class RollTheme(NamedTuple):
    """The colors of the app's theme that the roll is drawn with."""

    text: Color
    white: Color  # background of the rows of white keys
    black: Color
    voice1: Color
    voice2: Color
    voice3: Color
    voice4: Color
    prompt: Color  # notes of the prompt
    accent: Color
    loop: Color


class RollColors:
    """Draws the cells of a roll in the colors of one theme. coloring: one of COLORINGS."""

    def __init__(self, theme: RollTheme, coloring: str = COLORINGS[0]) -> None:
        self.theme, self.coloring = theme, coloring
        faint = theme.black.blend(theme.text, 0.65)
        self.text = Style(color=faint.rich_color, bgcolor=theme.black.rich_color)
        strong = theme.text.rich_color
        self.strong = Style(color=strong, bgcolor=theme.black.rich_color, bold=True)
        self.reversed = self.strong + Style(reverse=True)
        looped = theme.black.blend(theme.loop, _LOOP_RULER)
        self.looped = Style(color=strong, bgcolor=looped.rich_color, bold=True)
        self._style = lru_cache(maxsize=None)(self._make)

    def row(self, raster: Raster, viewport: Viewport, row: int) -> Strip:
        """Return the cells of a row, which stands for two keys."""
        black = _row_keys(viewport, row)
        segments: list[Segment] = []
        before, run = None, 0
        pairs = zip(raster.cells[2 * row], raster.cells[2 * row + 1], strict=True)
        for column, (upper, lower) in enumerate(pairs):
            cell = upper, lower, _line(raster, column)
            if cell != before and before is not None:
                segments.append(self._half_blocks(run, *before, black))
                run = 0
            before, run = cell, run + 1
        if before is not None:
            segments.append(self._half_blocks(run, *before, black))
        return Strip(segments, viewport.columns)

    def _half_blocks(self, run: int, upper: int, lower: int, line: str, black: KeyPair) -> Segment:
        return Segment("▀" * run, self._style(upper, lower, line, black))

    def with_playhead(
        self, strip: Strip, raster: Raster, viewport: Viewport, row: int, column: int
    ) -> Strip:
        """Return a row with the playhead over a column."""
        upper, lower = raster.cells[2 * row][column], raster.cells[2 * row + 1][column]
        style = self._style(upper, lower, "playhead", _row_keys(viewport, row))
        cell = Strip([Segment("▀", style)])
        return Strip.join([strip.crop(0, column), cell, strip.crop(column + 1, viewport.columns)])

    def label(self, viewport: Viewport, row: int, sounding: frozenset[int]) -> Strip:
        """Return the left edge of a row: a name, and the row's two keys as on a keyboard.

        The name is that of the key that sounds, the lower one if both do. If neither sounds, it is
        that of the lower key if that is a C, and otherwise blank. sounding: pitches.
        """
        upper = viewport.high - 2 * row
        lower = upper - 1
        lit = [key for key in (upper, lower) if key in sounding]
        words = pitch_name(lit[-1]) if lit else pitch_name(lower) if lower % 12 == 0 else ""
        colors = []
        for key in (upper, lower):
            plain = _BLACK_KEY if is_black(key) else _WHITE_KEY
            colors.append((self.theme.accent if key in sounding else plain).rich_color)
        return Strip([
            Segment(f"{words:>{LEFT - 4}} ", self.strong if lit else self.text),
            Segment("▀▀", Style(color=colors[0], bgcolor=colors[1])),
            Segment(" ", self.text),
        ])  # fmt: skip

    def _make(self, upper: int, lower: int, line: str, black: KeyPair) -> Style:
        return Style(
            color=self._color(upper, line, black[0]).rich_color,
            bgcolor=self._color(lower, line, black[1]).rich_color,
        )

    def _color(self, code: int, line: str, black: bool) -> Color:
        """Return the color of a key in one column. line: one of _SHARES, or "playhead"."""
        theme = self.theme
        row = theme.black if black else theme.white
        if not code:
            if line == "playhead":
                return row.blend(theme.text, _PLAYHEAD)
            loop, bar = _SHARES[line]
            mark = theme.accent if line == "edge" else theme.loop
            row = row.blend(mark, loop) if loop else row
            # One of 16 colors cannot be blended: a bar line would be as bright as the text.
            return row.blend(theme.text, bar) if bar and row.ansi is None else row
        color = self._note(code, row)
        return color.blend(theme.text, _NOTE_UNDER_PLAYHEAD) if line == "playhead" else color

    def _note(self, code: int, row: Color) -> Color:
        """Return the color of a note: stronger for a higher velocity, lighter at its onset."""
        assert 0 < code < CODES
        theme = self.theme
        voice, rest = divmod(code - 1, VOICE)
        in_prompt, rest = divmod(rest, PROMPT)
        onset, level = divmod(rest, ONSET)
        strength = _SOFTEST + (1 - _SOFTEST) * level / (LEVELS - 1)
        if in_prompt:
            color = row.blend(theme.prompt, strength / 2)
        elif self.coloring == "velocity":
            color = self.voice_colors[BY_VELOCITY[level]]
        else:
            color = row.blend(self.voice_colors[voice], strength)
        if onset and color.ansi is not None:  # one of 16 colors cannot be blended
            return _bright(color)
        return color.blend(theme.text, _ONSET) if onset else color

    @property
    def voice_colors(self) -> tuple[Color, ...]:
        """The colors of the voices, the highest first."""
        theme = self.theme
        return theme.voice1, theme.voice2, theme.voice3, theme.voice4


def _bright(color: Color) -> Color:
    """Return the bright variant of one of the 16 colors; the default color unchanged."""
    ansi = color.ansi
    if ansi is None or not 0 <= ansi < _ANSI_COLORS:
        return color
    return color._replace(ansi=ansi + _ANSI_COLORS)


# Shares of the loop's color and of the text's in a silent cell, by its kind.
_SHARES = {
    "": (0.0, 0.0), "bar": (0.0, _BAR), "loop": (_LOOP, 0.0), "loop bar": (_LOOP, _BAR),
    "edge": (_EDGE, 0.0),
}  # fmt: skip


def _line(raster: Raster, column: int) -> str:
    """Return what is in a column besides notes, one of _SHARES."""
    if column in raster.edges:
        return "edge"
    bar = "bar" if column in raster.bars else ""
    return f"loop {bar}".strip() if column in raster.loop else bar


def _row_keys(viewport: Viewport, row: int) -> KeyPair:
    """Return whether the upper and the lower key of a row are black."""
    upper = viewport.high - 2 * row
    return is_black(upper), is_black(upper - 1)
