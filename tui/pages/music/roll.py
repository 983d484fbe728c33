"""The piano roll of the Music page: half-blocks, two keys a row, with a playhead."""

from dataclasses import replace
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.formatting import clean
from tui.pages.music import roll_view as windows
from tui.pages.music.roll_colors import LEFT, RollColors, RollTheme
from tui.pages.music.roll_view import Raster, RollView, Viewport, rasterize

FRAMES = 15  # pictures a second, at most
TOP, BOTTOM = 2, 1  # rows: bars and sections above the keys, the clock below
_CLOSER = 1.5


class PianoRoll(Widget, can_focus=True):
    """One piece. What changed is drawn anew up to FRAMES times a second, and only that."""

    BINDING_GROUP_TITLE = "Piano roll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "seek_beats(-1)", "Back", show=False, id="music.roll.back",
                tooltip="Play from a beat earlier"),
        Binding("right", "seek_beats(1)", "Forward", show=False, id="music.roll.forward",
                tooltip="Play from a beat later"),
        Binding("shift+left", "seek_bars(-1)", "Bar back", show=False, id="music.roll.bar_back",
                tooltip="Play from a bar earlier"),
        Binding("shift+right", "seek_bars(1)", "Bar forward", show=False,
                id="music.roll.bar_forward", tooltip="Play from a bar later"),
        Binding("home", "seek_to(0)", "To the beginning", show=False, id="music.roll.home",
                tooltip="Play from the beginning"),
        Binding("end", "seek_to(1)", "To the end", show=False, id="music.roll.end",
                tooltip="Go to the end"),
        Binding("up", "look(0,1)", "Higher", show=False, id="music.roll.higher",
                tooltip="See higher keys"),
        Binding("down", "look(0,-1)", "Lower", show=False, id="music.roll.lower",
                tooltip="See lower keys"),
        Binding("pageup,ctrl+left", "look(-1,0)", "Earlier part", show=False,
                id="music.roll.earlier", tooltip="See an earlier part; the playhead stays"),
        Binding("pagedown,ctrl+right", "look(1,0)", "Later part", show=False,
                id="music.roll.later", tooltip="See a later part; the playhead stays"),
        Binding("plus,equals_sign", "zoom(1)", "Closer", show=False, key_display="+",
                id="music.roll.closer", tooltip="See less time, and more of it"),
        Binding("minus", "zoom(-1)", "Further", show=False, key_display="-",
                id="music.roll.further", tooltip="See more time"),
        Binding("f", "follow", "Follow", show=False, id="music.roll.follow",
                tooltip="Keep the playhead in sight, and all the keys that sound"),
    ]  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"piano-roll--{name}" for name in RollTheme._fields}
    DEFAULT_CSS = """
    PianoRoll {
        width: 1fr;
        height: 1fr;
        & > .piano-roll--text { color: $foreground; }
        & > .piano-roll--white { color: $surface-lighten-1; }
        & > .piano-roll--black { color: $background; }
        & > .piano-roll--note { color: $primary; }
        & > .piano-roll--given { color: $foreground; }
        & > .piano-roll--accent { color: $accent; }
    }
    """

    class Sought(Message):
        """Playing is to be at another moment."""

        def __init__(self, seconds: float) -> None:
            super().__init__()
            self.seconds = seconds

    def __init__(self) -> None:
        super().__init__()
        self.window = Viewport()
        self.hint = ""  # what is said where there is no piece
        self.moment = 0.0  # the playhead, in seconds
        self._sheet: RollView | None = None
        self._paint: RollColors | None = None
        self._raster: Raster | None = None
        self._strips: list[Strip] = []  # of the rows, without labels and playhead
        self._stale = False  # the picture is not of the sheet as it is
        self._playhead: int | None = None  # the column drawn, in the window
        self._lit: frozenset[int] = frozenset()  # the keys drawn as sounding

    # ── what is shown ────────────────────────────────────────────────────────────────────────────

    @property
    def fresh(self) -> bool:
        """Whether the screen shows what there is."""
        return not self._stale and self._playhead == self._column()

    def show(self, sheet: RollView | None, hint: str = "") -> None:
        """Show another piece from its beginning; without one, a hint."""
        self._sheet, self.hint, self.moment = sheet, hint, 0.0
        if sheet is not None:
            window = Viewport(self.window.columns, self.window.rows, sheet.cell)
            self.window = windows.fitted(window, sheet)
        self._stale = True

    def grown(self) -> None:
        """There is more of the piece."""
        self._stale = True

    def move(self, moment: float) -> None:
        """Put the playhead at a moment; keep it in sight."""
        self.moment = moment
        self.look(windows.followed(self.window, moment))

    def look(self, window: Viewport) -> None:
        """See this part."""
        if window != self.window:
            self.window = window
            self._stale = True

    def reveal(self, moment: float) -> None:
        """Bring a moment into sight, and new keys too, while the window follows."""
        if self._sheet is not None and self.window.following:
            window = windows.followed(self.window, moment)
            self.look(windows.widened(window, self._sheet))

    # ── drawing ──────────────────────────────────────────────────────────────────────────────────

    def on_mount(self) -> None:
        """Draw what changed, FRAMES times a second."""
        self.set_interval(1 / FRAMES, self._draw)

    def on_resize(self) -> None:
        """See as much as there is room for."""
        old = self.window
        columns = max(self.size.width - LEFT, 1)
        rows = max(self.size.height - TOP - BOTTOM, 1)
        if (columns, rows) != (old.columns, old.rows):
            middle = old.low + old.rows
            low = middle - rows
            window = Viewport(columns, rows, old.cell, old.start, low - low % 2, old.following)
            self.window = windows.moved(window)
            if self._sheet is not None and old.columns == 1:  # it has never been seen
                self.window = windows.fitted(self.window, self._sheet)
            self.move(self.moment)
        self._redraw()

    def notify_style_update(self) -> None:
        """Draw in the new paint."""
        super().notify_style_update()
        self._stale = True

    def _column(self) -> int | None:
        """Where the playhead is in the window."""
        column = self.window.column(self.moment) - self.window.start
        seen = self._sheet is not None and 0 <= column < self.window.columns
        return column if seen else None

    def _sounding(self) -> frozenset[int]:
        """The keys that sound where the playhead is seen."""
        seen = self._sheet is not None and self._column() is not None
        return self._sheet.sounding(self.moment) if self._sheet and seen else frozenset()

    def _draw(self) -> None:
        """Draw what is not as it should be, if the page is in front."""
        if self._stale:
            self._redraw()
            return
        column = self._column()
        if column == self._playhead or self._sheet is None:
            return
        columns = [place for place in (self._playhead, column) if place is not None]
        self._playhead = column
        height = self.size.height
        regions = [Region(LEFT + place, 0, 1, height) for place in columns]
        lit = self._sounding()
        if lit != self._lit:
            self._lit = lit
            regions.append(Region(0, 0, LEFT, height))
        self.refresh(*regions)

    def _redraw(self) -> None:
        self._stale, self._playhead = False, self._column()
        styles = (self.get_component_styles(f"piano-roll--{name}") for name in RollTheme._fields)
        theme = RollTheme(*(style.color for style in styles))
        if self._paint is None or self._paint.theme != theme:
            self._paint = RollColors(theme)
        self._strips = []
        if self._sheet is not None:
            self._lit = self._sounding()
            self._raster = rasterize(self._sheet, self.window)
            rows = range(self.window.rows)
            self._strips = [self._paint.row(self._raster, self.window, row) for row in rows]
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row of the picture."""
        width, drawn, paint = self.size.width, self._raster, self._paint
        if self._sheet is None or drawn is None or paint is None:
            return self._hint_line(y)
        row = y - TOP
        if 0 <= row < len(self._strips):
            strip, label = self._strips[row], paint.label(self.window, row, self._lit)
            if self._playhead is not None:
                strip = paint.crossed(strip, drawn, self.window, row, self._playhead)
        elif row < 0:
            strip, label = self._over_line(y, drawn, paint)
        else:
            words = drawn.times if row == len(self._strips) else ""
            strip, label = Strip([Segment(words, paint.text)]), Strip.blank(LEFT, paint.text)
        return Strip.join([label, strip]).adjust_cell_length(width, paint.text)

    def _hint_line(self, y: int) -> Strip:
        style = self.rich_style
        lines = clean(self.hint).split("\n")
        row = y - max((self.size.height - len(lines)) // 3, 0)
        words = "  " + lines[row] if 0 <= row < len(lines) else ""
        return Strip([Segment(words, style)]).adjust_cell_length(self.size.width, style)

    def _over_line(self, y: int, drawn: Raster, paint: RollColors) -> tuple[Strip, Strip]:
        """The two lines above the keys."""
        if y:
            return Strip([Segment(drawn.sections, paint.text)]), Strip.blank(LEFT, paint.text)
        words = drawn.ruler[:-1] + "▶" if drawn.later else drawn.ruler
        segments = [Segment(words, paint.text)]
        if self._playhead is not None:
            place = self._playhead
            segments = [Segment(words[:place], paint.text), Segment("▼", paint.strong),
                        Segment(words[place + 1 :], paint.text)]  # fmt: skip
        arrow = "◀".rjust(LEFT - 1) + " " if drawn.earlier else " " * LEFT
        return Strip(segments), Strip([Segment(arrow, paint.text)])

    # ── looking about, and seeking ───────────────────────────────────────────────────────────────

    def action_look(self, parts: int, rows: int) -> None:
        """See an earlier or later part, or other keys."""
        self._scroll(parts * max(self.window.columns // 2, 1), rows)

    def _scroll(self, columns: int, rows: int) -> None:
        end = self._sheet.seconds if self._sheet else 0.0
        self.look(windows.moved(self.window, columns, rows, end))

    def action_zoom(self, steps: int) -> None:
        """See more or less of the time."""
        start, end = self.window.seconds
        centre = self.moment if start <= self.moment < end else (start + end) / 2
        self.look(windows.zoomed(self.window, _CLOSER**-steps, centre))

    def action_follow(self) -> None:
        """Keep the playhead in sight, and the keys too."""
        if self._sheet is not None:
            window = Viewport(self.window.columns, self.window.rows, self.window.cell)
            self.look(windows.followed(windows.fitted(window, self._sheet), self.moment))

    def follow(self) -> None:
        """Bring the playhead into sight, and keep it there."""
        self.look(windows.followed(replace(self.window, following=True), self.moment))

    def action_seek_beats(self, beats: int) -> None:
        """Go so many of the metre's beats forward, or back."""
        if self._sheet is not None:
            self._seek(beats * self._sheet.tempo_map.unit_length, self._sheet.tempo_map.unit_length)

    def action_seek_bars(self, bars: int) -> None:
        """Go so many bars forward, or back."""
        if self._sheet is not None:
            self._seek(bars * self._sheet.tempo_map.bar_length, self._sheet.tempo_map.bar_length)

    def _seek(self, beats: float, grid: float) -> None:
        """Go so many beats on, to the next multiple of `grid` that way."""
        assert self._sheet is not None
        tempo_map = self._sheet.tempo_map
        units = tempo_map.beat_at(self.moment) / grid
        step = round(beats / grid)
        nearest = round(units)
        if abs(units - nearest) < 0.05:  # on it, but for rounding and the player's clock
            to = nearest + step
        else:
            to = int(units) + (step if step > 0 else step + 1)
        self._go(tempo_map.second_at(max(to, 0) * grid))

    def action_seek_to(self, share: int) -> None:
        """Go to the beginning, or to the end."""
        if self._sheet is not None:
            self._go(self._sheet.seconds * share)

    def _go(self, seconds: float) -> None:
        if self._sheet is not None:
            self.window = replace(self.window, following=True)
            self.post_message(self.Sought(min(max(seconds, 0.0), self._sheet.seconds)))

    def on_click(self, event: events.Click) -> None:
        """Go to where the mouse is."""
        place = event.get_content_offset(self)
        if place is not None and place.x >= LEFT and self._sheet is not None:
            self._go((self.window.start + place.x - LEFT) * self.window.cell)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """See an earlier part; with shift or ctrl, higher keys."""
        event.stop()
        self._wheel(event, -1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """See a later part; with shift or ctrl, lower keys."""
        event.stop()
        self._wheel(event, 1)

    def _wheel(self, event: events.MouseEvent, way: int) -> None:
        if event.shift or event.ctrl:
            self._scroll(0, -way)
        else:
            self._scroll(4 * way, 0)
