"""The Music page: a model writes piano music, which is shown, played and saved."""

import dataclasses
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from engine.errors import InputError
from engine.protocol import Failed, Loaded
from tui.pages.hints import music_hint
from tui.pages.model_page import SamplerAnswered, Session, WritingPage
from tui.pages.music.controls import MusicControls, PlaybackSettings
from tui.pages.music.jam_dialog import JamDialog
from tui.pages.music.piece import Piece, ask_to_open, most_probable, preview, reopened
from tui.pages.music.player_panel import PlayerPanel
from tui.pages.music.roll_colors import COLORINGS
from tui.sources.child_commands import INSTALLED, Programs
from tui.sources.history import Work
from tui.sources.restarting_process import ProcessEnded
from tui.sources.sampler import Answers
from tui.sources.settings import State
from tui.widgets.footer import Footer


class MusicScreen(WritingPage[MusicControls, Piece]):
    """The page that writes and plays piano music."""

    AUTO_FOCUS = "PianoRoll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "generate", "Write", id="music.write",
                tooltip="Write music, with a new seed unless one is locked"),
        Binding("enter", "generate", "Write", show=False, id="music.write_enter",
                tooltip="Write music, like g"),
        Binding("G,shift+enter", "again", "Same seed", show=False, id="music.again",
                tooltip="Write again with the seed of the piece in view"),
        Binding("escape", "stop", "Stop", id="music.stop",
                tooltip="Leave the field; otherwise stop writing and playback"),
        Binding("o", "open", "Open", id="music.open",
                tooltip="Open a MIDI or MusicXML file to see and play"),
        Binding("S,ctrl+s", "save", "Save", id="music.save",
                tooltip="Save the piece as played: MIDI, MusicXML, WAV or a picture (PNG)"),
        Binding("y", "history", "History", id="music.history",
                tooltip="All pieces written: find, star, reopen, export or delete them"),
        Binding("left_square_bracket", "step('temperature',-1)", "Cooler", show=False,
                id="music.cooler", tooltip="Lower the temperature by 0.1"),
        Binding("right_square_bracket", "step('temperature',1)", "Warmer", show=False,
                id="music.warmer", tooltip="Raise the temperature by 0.1"),
        Binding("left_curly_bracket", "step('tempo',-1)", "Slower", show=False,
                id="music.slower", tooltip="Lower the speed factor by 0.1"),
        Binding("right_curly_bracket", "step('tempo',1)", "Faster", show=False,
                id="music.faster", tooltip="Raise the speed factor by 0.1"),
        Binding("less_than_sign", "step('transpose',-1)", "Transpose down", show=False,
                id="music.down", tooltip="Play a semitone lower"),
        Binding("greater_than_sign", "step('transpose',1)", "Transpose up", show=False,
                id="music.up", tooltip="Play a semitone higher"),
        Binding("comma", "browse(-1)", "Previous", show=False, id="music.previous",
                tooltip="Show the previous piece of this session"),
        Binding("full_stop", "browse(1)", "Next", show=False, id="music.next",
                tooltip="Show the next piece of this session"),
        Binding("C", "clear", "Clear", show=False, id="music.clear",
                tooltip="Clear the page; the comma key shows the piece again"),
        Binding("k", "lock_seed", "Lock seed", show=False, id="music.lock_seed",
                tooltip="Lock the seed of the piece in view, or unlock the seed"),
        Binding("z", "toggle_form", "Roll only", show=False, id="music.roll_only",
                tooltip="Hide or show the panel on the left"),
        Binding("p", "field('begins')", "Prompt", show=False, id="music.begins",
                tooltip="Go to the prompt: how the music begins"),
        Binding("t", "field('temperature')", "Temperature", show=False, id="music.temperature",
                tooltip="Go to the temperature"),
        Binding("N", "field('length')", "Length", show=False, id="music.length",
                tooltip="Go to the length"),
        Binding("m", "field('model')", "Model", show=False, id="music.model",
                tooltip="Go to the model"),
        Binding("P", "field('port')", "Port", show=False, id="music.port",
                tooltip="Go to the MIDI port"),
        Binding("i", "field('program')", "Instrument", show=False, id="music.instrument",
                tooltip="Go to the instrument"),
        Binding("V", "field('velocity')", "Velocity", show=False, id="music.velocity",
                tooltip="Go to the velocity factor"),
        Binding("c", "color", "Color", show=False, id="music.color",
                tooltip="Color the notes by voice or by velocity"),
        Binding("M", "step('metronome',1)", "Metronome", show=False, id="music.metronome",
                tooltip="Click on the beats as a metronome (on/off)"),
        Binding("J", "jam", "Play together", show=False, id="music.jam",
                tooltip="Play together with the model, on a MIDI keyboard or the computer's keys"),
        Binding("r", "reload", "Reload models", show=False, id="music.reload",
                tooltip="Look for models again"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    MusicScreen {
        & #status { min-height: 1; max-height: 7; }
        & #status.-failed { max-height: 8; }
        &.-roll-only MusicControls { display: none; }
        &.-roll-only MusicControls.-open { display: block; }
        &.-narrow #status { max-height: 2; }
        &.-short #status { max-height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        &.-short #status.-silent { max-height: 2; text-wrap: wrap; }
        &.-short #status.-failed { max-height: 8; text-wrap: wrap; }
    }
    """
    FORMATS = "MIDI (.mid), sheet music (.musicxml), sound (.wav) or a picture (.png)"
    _player_panel = getters.query_one(PlayerPanel)

    def __init__(self, programs: Programs = INSTALLED) -> None:
        super().__init__(programs, MusicControls(), "music", Session())
        self._shown: Piece | None = None
        self._playback_problem = ""

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        with Horizontal(id="page"):
            yield self.form
            with Vertical(id="sheet"):
                yield PlayerPanel(self.programs.player)
                yield Static(id="status", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Look for MIDI ports once; the key R looks again."""
        self._player_panel.action_rescan()

    # ── writing ──────────────────────────────────────────────────────────────────────────────────

    @on(Input.Submitted)
    def action_generate(self) -> None:
        """Write music with the values of the fields."""
        self._generate(None)

    def action_again(self) -> None:
        """Write again with the seed of the piece in view."""
        self._generate(self.shown.seed if self.shown else None)

    def _generate(self, seed: int | None) -> None:
        if self.postpone(partial(self._generate, seed)):
            return
        try:
            request = self.form.request()
        except InputError as error:
            self.refuse(error, self.form.wrong_field())
            return
        if seed is not None:
            request = dataclasses.replace(request, seed=seed)
        self.stop()
        self._problem = ""
        model = self.form.model
        assert model is not None
        request_id = self.sampler.request(request)
        playback = self.form.playback
        if self.shown is not None:  # the settings in the fields are that piece's
            playback = PlaybackSettings(program=playback.program)
        now = time.monotonic()
        self._add(
            *(
                Piece(model.name, request_id, request, now, playback=playback, number=number)
                for number in range(request.count)
            )
        )

    def _add(self, *pieces: Piece) -> None:
        """Add pieces to the session, and show the first."""
        self.session.add(*pieces)
        self.leave_fields()
        self.show(pieces[0])

    def stop(self) -> None:
        """Stop the active piece at once, and ignore answers about it that are still to come."""
        if active := self.session.active:
            self.sampler.stop()
        for piece in active:
            notes = piece.end("stopped")
            if piece is self.shown:
                self._player_panel.append(notes)
            self.keep([piece])

    def action_stop(self) -> None:
        """Stop writing and playback; in a field, leave it and let the music play."""
        in_form = self.focused is not None and self.form in self.focused.ancestors
        if in_form:
            self.leave_fields()
        else:
            self._player_panel.stop()
        if self.session.active:
            self.stop()
            self.refresh_status()

    def on_sampler_answered(self, event: SamplerAnswered) -> None:
        """Show what was written."""
        with self.app.batch_update():
            active = self.session.active
            for piece in active:
                self._receive(piece, event.answers)
            self.keep(active)
            for answer in event.answers:
                match answer:
                    case Loaded() | Failed() if self.loaded(answer):
                        self.form.frame = answer.frame if isinstance(answer, Loaded) else None
                        self.start_once()
                    case ProcessEnded(error):
                        self._load_id = 0
                        if not active:
                            self._problem = error
            self.refresh_status()

    def _receive(self, piece: Piece, answers: Answers) -> None:
        waiting = piece.state == "waiting"
        notes = piece.receive(answers, time.monotonic())
        if piece is not self.shown:
            return
        if waiting and piece.seed is not None:  # it has started
            self._player_panel.show(piece)
        else:
            self._player_panel.append(notes)

    def start(self) -> None:
        """Write a piece; the user plays it."""
        if not self.session.items:
            self.action_generate()

    @on(Input.Changed, "#begins")
    def _prompt_changed(self) -> None:
        if self.shown is None:
            self.show(None)

    # ── the history ──────────────────────────────────────────────────────────────────────────────

    def reopened(self, work: Work) -> Piece:
        """Return the piece of a work of the history; raises InputError where it is damaged."""
        return reopened(work)

    async def export(self, work: Work, path: Path) -> None:
        """Save a piece as it was played, in the format of the file name's suffix."""
        await reopened(work).save(self.programs.music_export, path)

    def preview(self, work: Work) -> str:
        """Return what the list shows of a piece: what is known in words, and how it begins."""
        return preview(work)

    def reopen(self, item: Piece) -> None:
        """Fill in the fields as they were for a piece, and show it."""
        if item.request is not None:
            self.form.fill(item.request)
        self.show(item)

    # ── what is shown ────────────────────────────────────────────────────────────────────────────

    @property
    def shown(self) -> Piece | None:
        """The piece in view; None without one."""
        return self._shown

    def show(self, item: Piece | None) -> None:
        """Show a piece; None: show a hint on what to do."""
        form = self.form
        if item is not self._shown:
            form.show_playback(
                PlaybackSettings(program=form.playback.program) if item is None else item.playback
            )
            self._player_panel.set_playback(form.playback, form.metronome)
        self._shown = item
        hint = music_hint(form.model, form.prompt, self._searching, bool(self._problem))
        self._player_panel.show(item, "" if item else hint)
        self.refresh_status()

    def refresh_status(self) -> None:
        """Update the status line."""
        piece = self.shown
        if self._problem:
            words = f"✗ {self._problem}"
        elif piece is not None:
            best = most_probable([one for one in self.session.items if one.id == piece.id])
            words = piece.status(self.session.position(piece), piece is best)
        else:
            words = self.model_status()
        silent = f"♪ silent: {self._playback_problem}" if self._playback_problem else ""
        failed = bool(self._problem or (piece and piece.error))
        self.show_status("\n".join(filter(None, (words, silent))), failed)
        self.query_one("#status").set_class(bool(silent), "-silent")

    def focus_view(self) -> None:
        """Focus the piano roll."""
        self._player_panel.roll.focus()

    def action_toggle_form(self) -> None:
        """Hide or show the form."""
        self.toggle_class("-roll-only")
        self.leave_fields()

    def action_color(self) -> None:
        """Color the notes by voice or by velocity."""
        index = COLORINGS.index(self._player_panel.roll.coloring) + 1
        self._player_panel.color_by(COLORINGS[index % len(COLORINGS)])

    def kept_state(self) -> dict[str, State]:
        """Return what is kept of the form, and what the colors of notes show."""
        return super().kept_state() | {"": {"colors": self._player_panel.roll.coloring}}

    def restore_state(self, saved: Mapping[str, State]) -> None:
        """Fill in the form, and choose the colors."""
        super().restore_state(saved)
        if (coloring := saved.get("", {}).get("colors")) in COLORINGS:
            self._player_panel.color_by(str(coloring))

    # ── playback ─────────────────────────────────────────────────────────────────────────────────

    @on(MusicControls.PlaybackChanged)
    def _playback_changed(self) -> None:
        if self.shown is not None:
            self.shown.playback = self.form.playback
        self._player_panel.set_playback(self.form.playback, self.form.metronome)

    async def action_playback(self, action: str) -> None:
        """Run an action of playback, for a part of its line that was clicked."""
        await self._player_panel.run_action(action)

    @on(MusicControls.PortChosen)
    def _port_chosen(self, event: MusicControls.PortChosen) -> None:
        self._player_panel.choose_port(event.name)

    @on(PlayerPanel.PortsListed)
    def _ports_listed(self, event: PlayerPanel.PortsListed) -> None:
        self.form.set_ports(event.ports)

    @on(PlayerPanel.ProblemChanged)
    def _problem_changed(self, event: PlayerPanel.ProblemChanged) -> None:
        self._playback_problem = event.problem
        self.refresh_status()

    @work(exclusive=True, group="jam")
    async def action_jam(self) -> None:
        """Play together with the model in a dialog."""
        try:
            settings = self.form.partner_settings()
        except InputError as error:
            self.refuse(error, self.form.wrong_field())
            return
        panel = self._player_panel
        panel.prepare()
        dialog = JamDialog(settings, self.programs.sampler, panel.player.request)
        panel.listener = dialog.receive
        await self.app.push_screen_wait(dialog)
        panel.listener = None

    # ── files ────────────────────────────────────────────────────────────────────────────────────

    @work(exclusive=True, group="file")
    async def action_open(self) -> None:
        """Ask for a MIDI or MusicXML file, and show it."""
        piece = await ask_to_open(self.app)
        if piece is not None:
            self._problem = ""
            self._add(piece)

    @work(exclusive=True, group="file")
    async def action_save(self) -> None:
        """Ask for a file name, and save the piece in view as played."""
        piece = self.shown
        if piece is None or not piece.frame_seconds:
            self.notify("There is no music to save yet: press g to write some.")
            return

        async def write(path: Path) -> None:
            await piece.save(self.programs.music_export, path)

        hint = "the ending sets the format: .mid .musicxml .mxl .abc .wav .png · escape: cancel"
        await self.save_as("Save the music as", hint, piece.file_name, write)
