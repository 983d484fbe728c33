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
from tui.pages.music.roll_colors import COLORINGS, LEFT, RollColors, RollTheme
from tui.pages.music.roll_raster import Raster, RollView, Viewport, rasterize

FRAME_RATE = 15  # redraws a second, at most
TOP, BOTTOM = 2, 1  # rows: bars and sections above the keys, times below
_ZOOM = 1.5  # factor of one zoom step


class PianoRoll(Widget, can_focus=True):
    """The roll of one piece; only what changed is redrawn, at most FRAME_RATE times a second."""

    BINDING_GROUP_TITLE = "Piano roll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "seek_beats(-1)", "Back", show=False, id="music.roll.back",
                tooltip="Back by a beat"),
        Binding("right", "seek_beats(1)", "Forward", show=False, id="music.roll.forward",
                tooltip="Forward by a beat"),
        Binding("shift+left", "seek_bars(-1)", "Bar back", show=False, id="music.roll.bar_back",
                tooltip="Back by a bar"),
        Binding("shift+right", "seek_bars(1)", "Bar forward", show=False,
                id="music.roll.bar_forward", tooltip="Forward by a bar"),
        Binding("home", "seek_to(0)", "Beginning", show=False, id="music.roll.home",
                tooltip="Go to the beginning"),
        Binding("end", "seek_to(1)", "End", show=False, id="music.roll.end",
                tooltip="Go to the end"),
        Binding("up", "scroll(0,1)", "Higher", show=False, id="music.roll.higher",
                tooltip="Scroll to higher keys"),
        Binding("down", "scroll(0,-1)", "Lower", show=False, id="music.roll.lower",
                tooltip="Scroll to lower keys"),
        Binding("pageup,ctrl+left", "scroll(-1,0)", "Scroll back", show=False,
                id="music.roll.earlier", tooltip="Scroll back; the playhead stays"),
        Binding("pagedown,ctrl+right", "scroll(1,0)", "Scroll forward", show=False,
                id="music.roll.later", tooltip="Scroll forward; the playhead stays"),
        Binding("plus,equals_sign", "zoom(1)", "Zoom in", show=False, key_display="+",
                id="music.roll.zoom_in", tooltip="Zoom in"),
        Binding("minus", "zoom(-1)", "Zoom out", show=False, key_display="-",
                id="music.roll.zoom_out", tooltip="Zoom out"),
        Binding("f", "follow", "Follow", show=False, id="music.roll.follow",
                tooltip="Keep the playhead and all the notes in view"),
    ]  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"piano-roll--{name}" for name in RollTheme._fields}
    DEFAULT_CSS = """
    PianoRoll {
        width: 1fr;
        height: 1fr;
        & > .piano-roll--text { color: $foreground; }
        & > .piano-roll--white { color: $surface-lighten-1; }
        & > .piano-roll--black { color: $background; }
        & > .piano-roll--voice1 { color: $voice-1; }
        & > .piano-roll--voice2 { color: $voice-2; }
        & > .piano-roll--voice3 { color: $voice-3; }
        & > .piano-roll--voice4 { color: $voice-4; }
        & > .piano-roll--prompt { color: $foreground; }
        & > .piano-roll--accent { color: $accent; }
        & > .piano-roll--loop { color: $loop; }
        /* The default colors of a terminal are not usable: each is drawn as text and background. */
        &:ansi > .piano-roll--text, &:ansi > .piano-roll--prompt { color: $ansi-foreground; }
        &:ansi > .piano-roll--white, &:ansi > .piano-roll--black { color: $ansi-background; }
    }
    """

    class Sought(Message):
        """A request that playback move to another moment."""

        def __init__(self, seconds: float) -> None:
            super().__init__()
            self.seconds = seconds

    class LoopChosen(Message):
        """A request to loop a part, chosen with the mouse."""

        def __init__(self, start: float, end: float) -> None:
            super().__init__()
            self.start, self.end = start, end  # seconds

    def __init__(self) -> None:
        super().__init__()
        self.viewport = Viewport()
        self.coloring = COLORINGS[0]
        self.hint = ""  # shown where there is no piece
        self.moment = 0.0  # the playhead, in seconds
        self._roll: RollView | None = None
        self._colors: RollColors | None = None
        self._raster: Raster | None = None
        self._strips: list[Strip] = []  # the rows as drawn, without labels and playhead
        self._stale = False  # whether the strips are out of date
        self._playhead: int | None = None  # the column where it is drawn; None: not in the viewport
        self._lit: frozenset[int] = frozenset()  # pitches of the keys drawn as sounding
        self._loop: tuple[float, float | None] | None = None  # seconds; None: the piece's end
        self._drag_from: int | None = None  # the column where the mouse was pressed on the ruler
        self._dragged: tuple[float, float] | None = None  # the part chosen while dragging
        self._is_click = True  # whether the mouse was not dragged since it was pressed

    # ── what is shown ────────────────────────────────────────────────────────────────────────────

    @property
    def up_to_date(self) -> bool:
        """Whether the screen shows the current notes and playhead."""
        return not self._stale and self._playhead == self._column()

    def show(self, roll: RollView | None, hint: str = "") -> None:
        """Show another piece from its beginning; None: show the hint."""
        self._roll, self.hint, self.moment = roll, hint, 0.0
        if roll is not None:
            viewport = Viewport(self.viewport.columns, self.viewport.rows, roll.cell)
            self.viewport = viewport.fitted(roll)
        self._stale = True

    def refresh_notes(self) -> None:
        """Redraw because notes were added, or are played otherwise."""
        self._stale = True

    def show_loop(self, loop: tuple[float, float | None] | None) -> None:
        """Show the part that is looped, in seconds; None as its end: the piece's end."""
        self._loop, self._dragged, self._stale = loop, None, True

    def visible_bars(self) -> tuple[float, float]:
        """Return start and end of the bars in view, in seconds."""
        return self.viewport.whole_bars(self._roll) if self._roll else self.viewport.seconds

    def color_by(self, coloring: str) -> None:
        """Color the notes by one of COLORINGS."""
        self.coloring, self._stale = coloring, True

    def move(self, moment: float) -> None:
        """Move the playhead to a moment, and keep it in view."""
        self.moment = moment
        self.set_viewport(self.viewport.followed(moment))

    def set_viewport(self, viewport: Viewport) -> None:
        """Show another part of the piece."""
        if viewport != self.viewport:
            self.viewport = viewport
            self._stale = True

    def reveal(self, moment: float) -> None:
        """Move a viewport that follows to show a moment and, if they fit, all notes."""
        if self._roll is not None and self.viewport.following:
            viewport = self.viewport.followed(moment)
            self.set_viewport(viewport.widened(self._roll))

    def fit(self) -> None:
        """Move the viewport up or down to show all notes, however it came to where it is."""
        if self._roll is not None:
            self.set_viewport(self.viewport.fitted(self._roll))

    # ── drawing ──────────────────────────────────────────────────────────────────────────────────

    def on_mount(self) -> None:
        """Redraw what changed, FRAME_RATE times a second."""
        self.set_interval(1 / FRAME_RATE, self._draw)

    def on_resize(self) -> None:
        """Fit the viewport to the new size."""
        before = self.viewport
        columns = max(self.size.width - LEFT, 1)
        rows = max(self.size.height - TOP - BOTTOM, 1)
        if (columns, rows) != (before.columns, before.rows):
            middle = before.low + before.rows
            low = middle - rows
            viewport = Viewport(
                columns, rows, before.cell, before.start, low - low % 2, before.following
            )
            self.viewport = viewport.moved()
            if self._roll is not None and before.columns == 1:  # it was not visible before
                self.viewport = self.viewport.fitted(self._roll)
            self.move(self.moment)
        self._redraw()

    def notify_style_update(self) -> None:
        """Redraw in the colors of the new theme."""
        super().notify_style_update()
        self._stale = True

    def _column(self) -> int | None:
        """The column of the playhead in the viewport; None if it is outside."""
        column = self.viewport.column(self.moment) - self.viewport.start
        visible = self._roll is not None and 0 <= column < self.viewport.columns
        return column if visible else None

    def _sounding(self) -> frozenset[int]:
        """The pitches that sound at the playhead; empty if it is not in view."""
        if self._roll is None or self._column() is None:
            return frozenset()
        return self._roll.sounding(self.moment)

    def _draw(self) -> None:
        """Redraw what is out of date."""
        if self._stale:
            self._redraw()
            return
        column = self._column()
        if column == self._playhead or self._roll is None:
            return
        columns = [drawn for drawn in (self._playhead, column) if drawn is not None]
        self._playhead = column
        height = self.size.height
        regions = [Region(LEFT + drawn, 0, 1, height) for drawn in columns]
        lit = self._sounding()
        if lit != self._lit:
            self._lit = lit
            regions.append(Region(0, 0, LEFT, height))
        self.refresh(*regions)

    def _redraw(self) -> None:
        self._stale, self._playhead = False, self._column()
        styles = (self.get_component_styles(f"piano-roll--{name}") for name in RollTheme._fields)
        theme = RollTheme(*(style.color for style in styles))
        colors = self._colors
        if colors is None or (colors.theme, colors.coloring) != (theme, self.coloring):
            colors = self._colors = RollColors(theme, self.coloring)
        self._strips = []
        if self._roll is not None:
            self._lit = self._sounding()
            self._raster = rasterize(self._roll, self.viewport, self._shown_loop())
            rows = range(self.viewport.rows)
            self._strips = [colors.row(self._raster, self.viewport, row) for row in rows]
        self.refresh()

    def _shown_loop(self) -> tuple[float, float] | None:
        """The part that is drawn as looped: that of the mouse while it is dragged."""
        assert self._roll is not None
        if self._dragged is not None or self._loop is None:
            return self._dragged
        start, end = self._loop
        return start, self._roll.seconds if end is None else end

    def render_line(self, y: int) -> Strip:
        """Draw one row."""
        width, raster, colors = self.size.width, self._raster, self._colors
        if self._roll is None or raster is None or colors is None:
            return self._hint_line(y)
        row = y - TOP
        if 0 <= row < len(self._strips):
            strip, label = self._strips[row], colors.label(self.viewport, row, self._lit)
            if self._playhead is not None:
                strip = colors.with_playhead(strip, raster, self.viewport, row, self._playhead)
        elif row < 0:
            strip, label = self._line_above(y, raster, colors)
        else:
            words = raster.times if row == len(self._strips) else ""
            strip, label = Strip([Segment(words, colors.text)]), Strip.blank(LEFT, colors.text)
        return Strip.join([label, strip]).adjust_cell_length(width, colors.text)

    def _hint_line(self, y: int) -> Strip:
        style = self.rich_style
        lines = clean(self.hint).split("\n")
        row = y - max((self.size.height - len(lines)) // 3, 0)
        words = "  " + lines[row] if 0 <= row < len(lines) else ""
        return Strip([Segment(words, style)]).adjust_cell_length(self.size.width, style)

    def _line_above(self, y: int, raster: Raster, colors: RollColors) -> tuple[Strip, Strip]:
        """Return one of the two lines above the keys, and its label."""
        if y:
            return Strip([Segment(raster.sections, colors.text)]), Strip.blank(LEFT, colors.text)
        words = raster.ruler[:-1] + "▶" if raster.later else raster.ruler
        loop = raster.loop
        strip = Strip([
            Segment(words[: loop.start], colors.text),
            Segment(words[loop.start : loop.stop], colors.looped),
            Segment(words[loop.stop :], colors.text),
        ])  # fmt: skip
        if self._playhead is not None:
            column = self._playhead
            number = words[column : column + 1]  # that of a bar stays readable
            mark = (
                Segment(number, colors.reversed)
                if number.isdigit()
                else Segment("▼", colors.looped if column in loop else colors.strong)
            )
            strip = Strip.join([strip.crop(0, column), Strip([mark]), strip.crop(column + 1)])
        arrow = "◀".rjust(LEFT - 1) + " " if raster.earlier else " " * LEFT
        return strip, Strip([Segment(arrow, colors.text)])

    # ── scrolling and seeking ─────────────────────────────────────────────────────────────────────

    def action_scroll(self, halves: int, rows: int) -> None:
        """Scroll by `halves` of the width to the right, and by `rows` up."""
        self._scroll(halves * max(self.viewport.columns // 2, 1), rows)

    def _scroll(self, columns: int, rows: int) -> None:
        end = self._roll.seconds if self._roll else 0.0
        self.set_viewport(self.viewport.moved(columns, rows, end))

    def action_zoom(self, steps: int) -> None:
        """Zoom in, or out for negative steps."""
        start, end = self.viewport.seconds
        center = self.moment if start <= self.moment < end else (start + end) / 2
        self.set_viewport(self.viewport.zoomed(_ZOOM**-steps, center))

    def action_follow(self) -> None:
        """Follow the playhead, with all the notes in view if they fit."""
        if self._roll is not None:
            viewport = Viewport(self.viewport.columns, self.viewport.rows, self.viewport.cell)
            self.set_viewport(viewport.fitted(self._roll).followed(self.moment))

    def follow(self) -> None:
        """Show the playhead, and keep it in view."""
        self.set_viewport(replace(self.viewport, following=True).followed(self.moment))

    def action_seek_beats(self, beats: int) -> None:
        """Move the playhead by beats of the time signature."""
        if self._roll is not None:
            self._seek(beats * self._roll.tempo_map.unit_length, self._roll.tempo_map.unit_length)

    def action_seek_bars(self, bars: int) -> None:
        """Move the playhead by bars."""
        if self._roll is not None:
            self._seek(bars * self._roll.tempo_map.bar_length, self._roll.tempo_map.bar_length)

    def _seek(self, beats: float, grid: float) -> None:
        """Move the playhead by about `beats`, to the next multiple of `grid` beats."""
        assert self._roll is not None
        tempo_map = self._roll.tempo_map
        units = tempo_map.beat_at(self.moment) / grid
        step = round(beats / grid)
        nearest = round(units)
        if abs(units - nearest) < 0.05:  # already on the grid, except for rounding
            target = nearest + step
        else:
            target = int(units) + (step if step > 0 else step + 1)
        self._go(tempo_map.second_at(max(target, 0) * grid))

    def action_seek_to(self, share: int) -> None:
        """Move the playhead to the beginning (0) or the end (1)."""
        if self._roll is not None:
            self._go(self._roll.seconds * share)

    def _go(self, seconds: float) -> None:
        if self._roll is not None:
            self.viewport = replace(self.viewport, following=True)
            target = min(max(seconds, 0.0), self._roll.seconds)
            self.move(target)  # at once, so that the next key counts from there
            self.post_message(self.Sought(target))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to choose a loop, if the mouse is on the ruler."""
        offset = event.get_content_offset(self)
        self._dragged, self._is_click = None, True
        if offset is not None and offset.x >= LEFT and offset.y < TOP and self._roll is not None:
            self._drag_from = self.viewport.start + offset.x - LEFT
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Choose whole bars, from that where the mouse was pressed to that where it is."""
        roll, viewport = self._roll, self.viewport
        if self._drag_from is None or roll is None:
            return
        x = min(max(event.x - LEFT, 0), viewport.columns - 1)
        columns = sorted((self._drag_from, viewport.start + x))
        if self._dragged is None and columns[0] == columns[1]:
            return
        first, last = roll.bars(columns[0] * viewport.cell, (columns[1] + 1) * viewport.cell)
        dragged = roll.bar_line(first), roll.bar_line(last + 1)
        if dragged != self._dragged:
            self._dragged, self._is_click, self._stale = dragged, False, True

    def on_mouse_up(self) -> None:
        """Loop the part that was chosen."""
        self.release_mouse()
        self._drag_from = None
        if self._dragged is not None:
            self.post_message(self.LoopChosen(*self._dragged))

    def on_click(self, event: events.Click) -> None:
        """Move the playhead to the mouse, unless it has been dragged."""
        offset = event.get_content_offset(self)
        if offset is None or self._roll is None or not self._is_click:
            return
        if offset.x >= LEFT:
            self._go((self.viewport.start + offset.x - LEFT) * self.viewport.cell)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll back; with shift or ctrl, to higher keys."""
        event.stop()
        self._wheel(event, -1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll forward; with shift or ctrl, to lower keys."""
        event.stop()
        self._wheel(event, 1)

    def _wheel(self, event: events.MouseEvent, direction: int) -> None:
        if event.shift or event.ctrl:
            self._scroll(0, -direction)
        else:
            self._scroll(4 * direction, 0)
