"""A piece of music as a strip of frames, with a curve of what a unit holds above it."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from engine.music.pitch import pitch_name
from engine.protocol import SongReading
from tui.pages.lyrics.text import LyricsText
from tui.pages.neurons import units
from tui.pages.neurons.units import LEVELS
from tui.roll_text import HALF_BLOCKS

LEFT = 5  # cells before the frames: the names of keys


class NeuronRoll(Widget, can_focus=True):
    """A frame a column: bars, the curve from −1 to 1, and two keys a row."""

    BINDING_GROUP_TITLE = "The music"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "neuron-roll--above", "neuron-roll--below", "neuron-roll--note", "neuron-roll--faint",
        "neuron-roll--looked",
    }  # fmt: skip
    DEFAULT_CSS = """
    NeuronRoll {
        & > .neuron-roll--above { color: $primary; }
        & > .neuron-roll--below { color: $warning; }
        & > .neuron-roll--note { color: $foreground 75%; }
        & > .neuron-roll--faint { color: $text-muted; }
        & > .neuron-roll--looked { text-style: reverse; }
    }
    """

    class Looked(Message):
        """Another frame is looked at."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self) -> None:
        super().__init__()
        self._reading: SongReading | None = None
        self._values: Sequence[float] = ()
        self._start = 0  # the first frame in sight
        self._looked: int | None = None

    def show(self, reading: SongReading) -> None:
        """Show another piece from its beginning."""
        self._reading, self._values = reading, ()
        self._start, self._looked = 0, None
        self.refresh()

    def shade(self, values: Sequence[float]) -> None:
        """Show what another unit holds after each frame."""
        self._values = values
        self.refresh()

    def action_look(self, steps: int) -> None:
        """Look at another frame; it is kept in sight."""
        if self._reading is None or not self._values:
            return
        place = self._start if self._looked is None else self._looked + steps
        self._looked = min(max(place, 0), len(self._values) - 1)
        room = max(self.size.width - LEFT, 1)
        if not self._start <= self._looked < self._start + room:  # go on by half of what is seen
            self._start = max(0, self._looked - room // 2)
        self.refresh()
        self.post_message(self.Looked(self._looked))

    # ── drawing ──────────────────────────────────────────────────────────────────────────────────

    @property
    def _curve(self) -> int:
        """How many rows the curve has."""
        return max(1, min(6, self.size.height // 3))

    def _top(self, reading: SongReading, rows: int) -> int:
        """The upper key of the highest row: the keys of the piece are in the middle."""
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
        elif y <= self._curve:
            label = {1: "+1", self._curve: "−1"}.get(y, "")
            cells = units.columns(self._values[self._start : end], self._curve)[y - 1]
        else:
            label, cells = self._keys(reading, end, y - self._curve - 1)
        segments = [Segment(f"{label:>{LEFT - 1}} ", self._style("faint"))]
        for place, cell in enumerate(cells, self._start):
            style = self._style(self._kind(y, place))
            if place == self._looked:
                style += self._style("looked")
            segments.append(Segment(cell, style))
        return Strip(segments).simplify().crop_extend(0, width, self.rich_style)

    def _style(self, kind: str) -> Style:
        return self.get_component_rich_style(f"neuron-roll--{kind}")

    def _kind(self, y: int, place: int) -> str:
        """How a cell of a row is drawn."""
        if y == 0:
            return "faint"
        if y > self._curve:
            return "note"
        return "below" if self._values[place] < 0 else "above"

    def _bars(self, reading: SongReading, end: int) -> str:
        """The numbers of the bars, each where it begins, as far as there is room."""
        line = [" "] * max(end - self._start, 0)
        length = reading.bar or 1
        free = self._start
        for bar in range(int(end / length) + 1):
            place = int(bar * length + 1 - 1e-6)  # the first frame that lies in it
            words = f"│{bar + 1}"
            if free <= place and place + len(words) <= end:
                line[place - self._start : place - self._start + len(words)] = words
                free = place + len(words) + 1
        return "".join(line)

    def _keys(self, reading: SongReading, end: int, row: int) -> tuple[str, str]:
        """The name of the lower key of a row, where it is a C, and the cells of both keys."""
        upper = self._top(reading, self.size.height - self._curve - 1) - 2 * row
        lower = upper - 1
        cells = (
            HALF_BLOCKS[(lower in keys) + 2 * (upper in keys)]
            for keys in (reading.frames or ())[self._start : end]
        )
        return pitch_name(lower) if lower % 12 == 0 else "", "".join(cells)


class NeuronText(LyricsText):
    """Levels 1 … 4 are above zero, 5 … 8 below."""

    BINDING_GROUP_TITLE = "The text"
    BINDINGS: ClassVar[list[BindingType]] = []
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"lyrics-text--level{level}" for level in range(1, 2 * LEVELS + 1)
    }
    DEFAULT_CSS = """
    NeuronText {
        & > .lyrics-text--level1 { background: $primary 18%; }
        & > .lyrics-text--level2 { background: $primary 40%; }
        & > .lyrics-text--level3 { background: $primary 65%; color: auto 95%; }
        & > .lyrics-text--level4 { background: $primary 95%; color: auto 95%; }
        & > .lyrics-text--level5 { background: $warning 14%; text-style: none; }
        & > .lyrics-text--level6 { background: $warning 30%; text-style: underline; }
        & > .lyrics-text--level7 { background: $warning 48%; text-style: underline; }
        & > .lyrics-text--level8 { background: $warning 70%; text-style: underline; }
    }
    """

    def action_look(self, steps: int) -> None:
        """Look at another character, from the first one in sight on."""
        rows = self._wrapped.rows
        if self._looked is None and self._levels:
            top = rows[min(self.scroll_offset.y, len(rows) - 1)][0]
            self._looked = top - steps if steps > 0 else top + 1
        super().action_look(steps)
