"""The Music page: have a model write piano music, see it, hear it, take it away."""

import dataclasses
import time
from typing import ClassVar

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from engine.errors import InputError
from engine.protocol import Failed, Loaded
from tui.formatting import clean
from tui.pages.hints import music_hint, status
from tui.pages.model_page import ModelPage, SamplerAnswered
from tui.pages.music.controls import MusicControls
from tui.pages.music.piece import Piece, ask_to_open, ask_to_save
from tui.pages.music.player_panel import PlayerPanel
from tui.sources.process import ProcessEnded
from tui.sources.programs import INSTALLED, Programs
from tui.sources.sampler import Answers
from tui.widgets.footer import Footer

MAX_PIECES = 100  # pieces of this visit


class MusicScreen(ModelPage):
    """The page that writes and plays piano music."""

    AUTO_FOCUS = "PianoRoll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "write", "Write", id="music.write",
                tooltip="Write music, with a new seed unless one is kept"),
        Binding("enter", "write", "Write", show=False, id="music.write_enter",
                tooltip="Write music, as g does"),
        Binding("G,shift+enter", "again", "Same seed", show=False, id="music.again",
                tooltip="Write again with the seed of the piece in view"),
        Binding("escape", "halt", "Stop", id="music.halt",
                tooltip="Stop writing at once; where nothing is written, leave the field"),
        Binding("o", "open", "Open", id="music.open", tooltip="Open a MIDI file to see and play"),
        Binding("S,ctrl+s", "save", "Save", id="music.save",
                tooltip="Save the piece, as it is played: MIDI, WAV or a picture (PNG)"),
        Binding("left_square_bracket", "step('temperature',-1)", "Cooler", show=False,
                id="music.cooler", tooltip="Temperature a tenth lower"),
        Binding("right_square_bracket", "step('temperature',1)", "Warmer", show=False,
                id="music.warmer", tooltip="Temperature a tenth higher"),
        Binding("left_curly_bracket", "step('tempo',-1)", "Slower", show=False,
                id="music.slower", tooltip="Play a tenth slower"),
        Binding("right_curly_bracket", "step('tempo',1)", "Faster", show=False,
                id="music.faster", tooltip="Play a tenth faster"),
        Binding("less_than_sign", "step('transpose',-1)", "Transpose down", show=False,
                id="music.down", tooltip="Play a semitone lower"),
        Binding("greater_than_sign", "step('transpose',1)", "Transpose up", show=False,
                id="music.up", tooltip="Play a semitone higher"),
        Binding("comma", "walk(-1)", "Earlier", show=False, id="music.earlier",
                tooltip="The piece before, of this visit"),
        Binding("full_stop", "walk(1)", "Later", show=False, id="music.later",
                tooltip="The piece after, of this visit"),
        Binding("x", "clear", "Clear", show=False, id="music.clear",
                tooltip="Clear the page; the piece stays among the earlier ones"),
        Binding("k", "keep", "Keep seed", show=False, id="music.keep",
                tooltip="Keep the seed of the piece in view, or let go of a kept one"),
        Binding("z", "alone", "Roll alone", show=False, id="music.alone",
                tooltip="Hide the panel, so that more of the roll is seen, or show it"),
        Binding("p", "field('begins')", "Beginning", show=False, id="music.begins",
                tooltip="Go to how the music begins"),
        Binding("t", "field('temperature')", "Temperature", show=False, id="music.temperature",
                tooltip="Go to the temperature"),
        Binding("n", "field('length')", "Length", show=False, id="music.length",
                tooltip="Go to the length"),
        Binding("m", "field('model')", "Model", show=False, id="music.model",
                tooltip="Go to the model"),
        Binding("P", "field('port')", "Port", show=False, id="music.port",
                tooltip="Go to the port that it is played on"),
        Binding("i", "field('program')", "Instrument", show=False, id="music.instrument",
                tooltip="Go to the instrument"),
        Binding("v", "field('velocity')", "Velocity", show=False, id="music.velocity",
                tooltip="Go to how hard it is struck"),
        Binding("r", "reload", "Reload models", show=False, id="music.reload",
                tooltip="Look again for models"),
    ]  # fmt: skip
    _controls = getters.query_one(MusicControls)
    _stage = getters.query_one(PlayerPanel)

    def __init__(self, programs: Programs = INSTALLED) -> None:
        super().__init__(programs, "music")
        self.pieces: list[Piece] = []
        self.shown: Piece | None = None
        self._plays = False  # the next piece as soon as it begins
        self._sound = ""  # one about what there is to be heard

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        with Horizontal(id="page"):
            yield MusicControls()
            with Vertical(id="sheet"):
                yield PlayerPanel(self.programs.player)
                yield Static(id="status", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Look for ports once; R looks again."""
        self._stage.action_rescan()

    # ── models ───────────────────────────────────────────────────────────────────────────────────

    @property
    def chooser(self) -> MusicControls:
        """The controls that choose the model."""
        return self._controls

    def refresh_words(self) -> None:
        """Say anew what there is to say about the models."""
        self._show()

    @on(MusicControls.ModelChosen)
    def _model_chosen(self) -> None:
        self.load()

    # ── writing ──────────────────────────────────────────────────────────────────────────────────

    @property
    def _writing(self) -> Piece | None:
        """The piece being written."""
        return next((piece for piece in reversed(self.pieces) if piece.under_way), None)

    @on(Input.Submitted)
    def action_write(self) -> None:
        """Write music as the fields say."""
        self._write(None)

    def action_again(self) -> None:
        """Write again with the seed of the piece in view."""
        self._write(self.shown.seed if self.shown else None)

    def _write(self, seed: int | None) -> None:
        controls = self._controls
        try:
            request = controls.request()
        except InputError as error:
            if not self._looking:
                self.notify(str(error), severity="error", markup=False)
            if name := controls.wrong_field():
                self.action_field(name)
            return
        if seed is not None:
            request = dataclasses.replace(request, seed=seed)
        self._end()
        self._problem = ""
        model = controls.model
        assert model is not None
        number = self.sampler.request(request)
        self._keep(Piece(model.name, number, request, time.monotonic()))

    def _keep(self, piece: Piece) -> None:
        """Put a piece at the end of those of this visit, and into view."""
        self.pieces = [*self.pieces[1 - MAX_PIECES :], piece]
        self._leave_fields()
        self._show(piece)

    def _end(self) -> None:
        """Stop the piece under way at once: what is still in the pipe is not taken in."""
        piece = self._writing
        if piece is not None:
            self.sampler.stop()
            notes = piece.end("stopped")
            if piece is self.shown:
                self._stage.grew(notes)

    def action_halt(self) -> None:
        """Stop writing; where nothing is being written, leave the field."""
        if self._writing is not None:
            self._end()
            self._show_status()
        else:
            self._leave_fields()

    def on_sampler_answered(self, event: SamplerAnswered) -> None:
        """Add what was written."""
        with self.app.batch_update():
            if piece := self._writing:
                self._receive(piece, event.answers)
            for answer in event.answers:
                match answer:
                    case Loaded() | Failed() if self.loaded(answer):
                        self._controls.frame = answer.frame if isinstance(answer, Loaded) else None
                        self.begin_once()
                    case ProcessEnded(error):
                        self._loading = 0
                        if piece is None:
                            self._problem = error
            self._show_status()

    def _receive(self, piece: Piece, answers: Answers) -> None:
        waiting = piece.state == "waiting"
        notes = piece.receive(answers, time.monotonic())
        if piece is not self.shown:
            return
        if waiting and piece.seed is not None:  # it has started
            self._stage.show(piece)
            if self._plays:
                self._stage.action_play()
            self._plays = False
        else:
            self._stage.grew(notes)

    def begin(self) -> None:
        """Write and play something to begin with."""
        if not self.pieces:
            self.action_write()
            self._plays = True

    @on(Input.Changed, "#begins")
    def _beginning_changed(self) -> None:
        if self.shown is None:
            self._show()

    # ── what is in view ──────────────────────────────────────────────────────────────────────────

    def _show(self, piece: Piece | None = None) -> None:
        """Bring a piece into view; without one, what to do, unless there is one in view."""
        self.shown = piece or self.shown
        if piece is not None or self.shown is None:
            self._stage.show(piece, self._hint())
        self._show_status()

    def _hint(self) -> str:
        begins = self._controls.query_one("#begins", Input).value.strip()
        return music_hint(self._controls.model, begins, self._looking, bool(self._problem))

    def _show_status(self) -> None:
        piece, model = self.shown, self._controls.model
        failed = bool(self._problem or (piece and piece.error))
        if self._problem:
            words = f"✗ {self._problem}"
        elif piece is not None:
            place = f"piece {self.pieces.index(piece) + 1} of {len(self.pieces)}"
            words = piece.status(place if len(self.pieces) > 1 else "")
        else:
            words = status(model, looking=self._looking or self._loading > 0)
        lines = (words, f"♪ silent: {self._sound}" if self._sound else "")
        line = self.query_one("#status", Static)
        line.update(clean("\n".join(filter(None, lines))))
        line.set_class(failed, "-failed")

    def action_walk(self, steps: int) -> None:
        """Bring an earlier or a later piece into view."""
        if not self.pieces:
            return
        place = self.pieces.index(self.shown) if self.shown else len(self.pieces)
        place = min(max(place + steps, 0), len(self.pieces) - 1)
        if self.pieces[place] is not self.shown:
            self._problem = ""
            self._show(self.pieces[place])

    def action_clear(self) -> None:
        """Clear the page, and end the piece under way."""
        self._end()
        self.shown, self._problem = None, ""
        self._show()

    # ── fields ───────────────────────────────────────────────────────────────────────────────────

    def action_field(self, name: str) -> None:
        """Go to a field; where the panel is hidden it opens for it."""
        self._controls.add_class("-open")
        field = self._controls.query_one(f"#{name}")
        field.call_after_refresh(field.focus)  # what is not laid out yet cannot be scrolled to

    def _leave_fields(self) -> None:
        self._controls.remove_class("-open")
        self._stage.roll.focus()

    def action_alone(self) -> None:
        """Show the roll without the panel, or with it."""
        self.toggle_class("-alone")
        self._leave_fields()

    def action_step(self, name: str, steps: int) -> None:
        """Change a number by so many steps."""
        self._controls.step(name, steps)

    def action_keep(self) -> None:
        """Keep the seed of the piece in view for those to come, or let go of a kept one."""
        self._controls.keep(self.shown.seed if self.shown else None)

    # ── playing ──────────────────────────────────────────────────────────────────────────────────

    @on(MusicControls.PlayingChanged)
    def _play_so(self, event: MusicControls.PlayingChanged) -> None:
        self._stage.play_so(event.playing)

    @on(MusicControls.PortChosen)
    def _choose_port(self, event: MusicControls.PortChosen) -> None:
        self._stage.choose_port(event.name)

    @on(PlayerPanel.Ports)
    def _ports_found(self, event: PlayerPanel.Ports) -> None:
        self._controls.set_ports(event.ports)

    @on(PlayerPanel.Told)
    def _told(self, event: PlayerPanel.Told) -> None:
        self._sound = event.sentence
        self._show_status()

    # ── files ────────────────────────────────────────────────────────────────────────────────────

    @work(exclusive=True, group="file")
    async def action_open(self) -> None:
        """Ask for a MIDI file, and show it."""
        piece = await ask_to_open(self.app)
        if piece is not None:
            self._problem = ""
            self._controls.set_program(piece.program)
            self._keep(piece)

    @work(exclusive=True, group="file")
    async def action_save(self) -> None:
        """Ask for a name, and save the piece in view as it is played."""
        if self.shown is None or not self.shown.frame:
            self.notify("There is no music to save yet: press g to write some.")
            return
        path = await ask_to_save(
            self.app, self.programs.music_export, self.shown, self._controls.playing
        )
        if path is not None:
            self.notify(f"Saved {path}.", markup=False)
