"""Views of a unit's activation along a song: a curve above a piano roll, or a shaded text."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from engine.music.pitch import pitch_name
from engine.protocol import SongReading
from tui.pages.neurons import units
from tui.pages.neurons.units import LEVELS
from tui.roll_text import HALF_BLOCKS
from tui.widgets.song_text import SongText

LEFT = 5  # cells left of the roll, for the names of keys


class NeuronRoll(Widget, can_focus=True):
    """A piece, one frame per column: bar numbers, a curve (−1 to 1), and a roll."""

    BINDING_GROUP_TITLE = "Music"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "neuron-roll--above", "neuron-roll--below", "neuron-roll--note", "neuron-roll--faint",
        "neuron-roll--selected",
    }  # fmt: skip
    DEFAULT_CSS = """
    NeuronRoll {
        & > .neuron-roll--above { color: $primary; }
        & > .neuron-roll--below { color: $warning; }
        & > .neuron-roll--note { color: $foreground 75%; }
        & > .neuron-roll--faint { color: $text-muted; }
        & > .neuron-roll--selected { text-style: reverse; }
    }
    """

    class Selected(Message):
        """Another frame was selected."""

        def __init__(self, frame: int) -> None:
            super().__init__()
            self.frame = frame

    def __init__(self) -> None:
        super().__init__()
        self._reading: SongReading | None = None
        self._values: Sequence[float] = ()
        self._start = 0  # the first frame in view
        self._selected: int | None = None

    def show(self, reading: SongReading) -> None:
        """Show another piece from its beginning."""
        self._reading, self._values = reading, ()
        self._start, self._selected = 0, None
        self.refresh()

    def shade(self, values: Sequence[float]) -> None:
        """Show the activations of another unit; values: one for each frame, after it was read."""
        self._values = values
        self.refresh()

    def action_select(self, steps: int) -> None:
        """Move the selection by `steps` frames and show it; at first, select the first in view."""
        if self._reading is None or not self._values:
            return
        frame = self._start if self._selected is None else self._selected + steps
        self._selected = min(max(frame, 0), len(self._values) - 1)
        width = max(self.size.width - LEFT, 1)  # frames in view
        if not self._start <= self._selected < self._start + width:
            self._start = max(0, self._selected - width // 2)
        self.refresh()
        self.post_message(self.Selected(self._selected))

    # ── drawing ──────────────────────────────────────────────────────────────────────────────────

    @property
    def _curve_height(self) -> int:
        """The height of the curve in rows."""
        return max(1, min(6, self.size.height // 3))

    def _top(self, reading: SongReading, rows: int) -> int:
        """Return the upper pitch of the top row, such that the range of the piece is centered."""
        pitches = {pitch for keys in reading.frames or () for pitch in keys} or {60}
        middle = (max(pitches) + min(pitches)) // 2
        return min(max(pitches), middle + rows) // 2 * 2 + 1

    def render_line(self, y: int) -> Strip:
        """Draw the row that is `y` rows below the top."""
        width, reading = self.size.width, self._reading
        if reading is None:
            return Strip.blank(width, self.rich_style)
        end = min(self._start + max(width - LEFT, 0), reading.size)
        if y == 0:
            label, cells = "bar", self._bars(reading, end)
        elif y <= self._curve_height:
            label = {1: "+1", self._curve_height: "−1"}.get(y, "")
            cells = units.columns(self._values[self._start : end], self._curve_height)[y - 1]
        else:
            label, cells = self._keys(reading, end, y - self._curve_height - 1)
        segments = [Segment(f"{label:>{LEFT - 1}} ", self._style("faint"))]
        for frame, cell in enumerate(cells, self._start):
            style = self._style(self._kind(y, frame))
            if frame == self._selected:
                style += self._style("selected")
            segments.append(Segment(cell, style))
        return Strip(segments).simplify().crop_extend(0, width, self.rich_style)

    def _style(self, kind: str) -> Style:
        return self.get_component_rich_style(f"neuron-roll--{kind}")

    def _kind(self, y: int, frame: int) -> str:
        """Return the component class of a cell."""
        if y == 0:
            return "faint"
        if y > self._curve_height:
            return "note"
        return "below" if self._values[frame] < 0 else "above"

    def _bars(self, reading: SongReading, end: int) -> str:
        """Return a line with bar numbers where the bars start, leaving out those without room."""
        line = [" "] * max(end - self._start, 0)
        length = reading.bar or 1
        free = self._start
        for bar in range(int(end / length) + 1):
            first = int(bar * length + 1 - 1e-6)  # frame of the bar
            words = f"│{bar + 1}"
            if free <= first and first + len(words) <= end:
                line[first - self._start : first - self._start + len(words)] = words
                free = first + len(words) + 1
        return "".join(line)

    def _keys(self, reading: SongReading, end: int, row: int) -> tuple[str, str]:
        """Return the name of a row's lower key (empty unless it is a C), and the row's cells."""
        upper = self._top(reading, self.size.height - self._curve_height - 1) - 2 * row
        lower = upper - 1
        cells = (
            HALF_BLOCKS[(lower in keys) + 2 * (upper in keys)]
            for keys in (reading.frames or ())[self._start : end]
        )
        return pitch_name(lower) if lower % 12 == 0 else "", "".join(cells)


class NeuronText(SongText):
    """A text shaded by activation: levels 1 … LEVELS are positive, the levels above negative."""

    BINDING_GROUP_TITLE = "Text"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"song-text--level{level}" for level in range(1, 2 * LEVELS + 1)
    }
    DEFAULT_CSS = """
    NeuronText {
        & > .song-text--level1 { background: $primary 18%; }
        & > .song-text--level2 { background: $primary 40%; }
        & > .song-text--level3 { background: $primary 65%; color: auto 95%; }
        & > .song-text--level4 { background: $primary 95%; color: auto 95%; }
        & > .song-text--level5 { background: $warning 14%; text-style: none; }
        & > .song-text--level6 { background: $warning 30%; text-style: underline; }
        & > .song-text--level7 { background: $warning 48%; text-style: underline; }
        & > .song-text--level8 { background: $warning 70%; text-style: underline; }
    }
    """

    def first_selected(self) -> int:
        """Return the index of the character that is selected first: the first one in view."""
        rows = self.wrapped.rows
        return rows[min(self.scroll_offset.y, len(rows) - 1)][0]
