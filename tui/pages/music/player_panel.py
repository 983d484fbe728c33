"""The panel of the Music page that shows a piano roll, plays it, and shows how it is played."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widgets import Static

from engine.music.general_midi import INSTRUMENTS
from engine.music.ports import SILENT
from engine.music.score import Note
from engine.music.tempo_map import TempoMap
from engine.protocol import (
    Listen,
    ListPorts,
    Loop,
    OpenPort,
    Panic,
    Pause,
    Play,
    PlaybackEnded,
    PlaybackStatus,
    PlayerFailed,
    Port,
    PortList,
    PortOpened,
    Seek,
    SetMetronome,
    SetProgram,
    SetTempo,
    SetVelocity,
    StopPlaying,
    Transpose,
)
from tui.formatting import clean, minutes_seconds
from tui.pages.music.controls import PlaybackSettings
from tui.pages.music.piano_roll import PianoRoll
from tui.pages.music.piece import Piece
from tui.pages.music.roll_colors import BY_VELOCITY
from tui.pages.music.roll_raster import LEVELS, VOICES
from tui.sources.player import Answers, Player, metronome_request
from tui.sources.restarting_process import ProcessEnded

_AUDIBLE = {"port", "synth"}  # kinds of ports that make a sound
_WHOLE = (0.0, None)  # the loop of the whole piece


@dataclass
class PlayerAnswered(Message):
    """Answers of the player process, in order."""

    answers: Answers


class ClickableLine(Static):
    """A line whose parts can be clicked, each in its own color."""

    auto_links = False

    def __init__(self, id: str, tooltip: str) -> None:  # noqa: A002 (as in Widget)
        super().__init__(id=id, markup=False)
        self.tooltip = tooltip


def clickable(text: str, action: str, style: str = "") -> Content:
    """Return a text that runs an action when it is clicked."""
    return Content.styled(text, style).stylize(Style.from_meta({"@click": action}))


class PlayerPanel(Vertical):
    """A panel that shows and plays one piece."""

    BINDING_GROUP_TITLE = "Playback"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play", "Play", id="music.play",
                tooltip="Play or pause, also while the piece is being written"),
        Binding("s", "stop", "Stop", show=False, id="music.stop_playback",
                tooltip="Stop playback, and return to the beginning"),
        Binding("l", "loop(False)", "Loop", show=False, id="music.loop",
                tooltip="Loop the whole piece (on/off)"),
        Binding("L", "loop(True)", "Loop visible", show=False, id="music.loop_visible",
                tooltip="Loop the visible bars (on/off); or drag the mouse over the bars' numbers"),
        Binding("a", "loop_from", "Loop from", show=False, id="music.loop_from",
                tooltip="Loop from the bar of the playhead on"),
        Binding("b", "loop_to", "Loop to", show=False, id="music.loop_to",
                tooltip="Loop up to the end of the playhead's bar"),
        Binding("exclamation_mark", "panic", "Panic", show=False, id="music.panic",
                tooltip="All notes off, and pause"),
        Binding("R", "rescan", "Rescan ports", show=False, id="music.rescan",
                tooltip="Look for MIDI ports again"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    PlayerPanel {
        width: 1fr;
        height: 1fr;
        & ClickableLine { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & #legend { color: $text-muted; }
    }
    """

    class ProblemChanged(Message):
        """Playback has a problem; an empty text: the problem is gone."""

        def __init__(self, problem: str) -> None:
            super().__init__()
            self.problem = problem

    class PortsListed(Message):
        """The ports were listed."""

        def __init__(self, ports: Sequence[Port]) -> None:
            super().__init__()
            self.ports = ports

    roll = getters.query_one(PianoRoll)

    def __init__(self, command: Sequence[str]) -> None:
        super().__init__()
        self.player = Player(command, lambda answers: self.post_message(PlayerAnswered(answers)))
        self.port: Port | None = None  # the open port; None while none is open
        self.status: PlaybackStatus | None = None  # None until the player reports one
        self._piece: Piece | None = None
        self._loaded = 0  # the id of the piece in the player, 0 if it is not loaded
        self._playback = PlaybackSettings()
        self._loop: tuple[float, float | None] | None = None  # seconds; None: the piece's end
        self.metronome = False  # whether it clicks
        self._beats = SetMetronome(False)  # the last request for it
        self._starting = False  # playback was requested, and is not reported yet
        self.listener: Callable[[Answers], object] | None = None  # is passed all answers too
        self._fallback = False  # the silent port was opened because there is no other

    def compose(self) -> ComposeResult:
        """Lay out the roll and, below it, the line on playback."""
        yield PianoRoll()
        yield ClickableLine(
            "legend", "Colors of the notes: by voice or by velocity (c); ♩: metronome (M)"
        )
        yield ClickableLine("transport", "Playback: the sign plays and pauses")

    async def on_unmount(self) -> None:
        """End the player process."""
        await asyncio.to_thread(self.player.close)

    # ── the piece ────────────────────────────────────────────────────────────────────────────────

    def show(self, piece: Piece | None, hint: str = "") -> None:
        """Show a piece, stopped at its beginning, and load it; None: show the hint."""
        if piece is not self._piece and self._loop not in (None, _WHOLE):
            self._set_loop(None)  # it was a part of another piece
        self._piece, self.status, self._starting = piece, None, False
        self._set_metronome()
        self._fit_roll()
        self.roll.show(piece.roll if piece else None, hint)
        if self._loaded or piece is not None:
            self._load()
        if piece is not None and piece.active:
            self.roll.reveal(piece.roll.seconds)
        self.show_legend()
        self._show_transport()

    def append(self, notes: Sequence[Note]) -> None:
        """Add notes that were written; the roll shows them, unless it follows playback."""
        piece = self._piece
        if piece is None:
            return
        if self._loaded:
            self.player.append(notes, piece.complete_until)
        self.roll.refresh_notes()
        self.show_legend()
        if not self.playing and self.roll.viewport.following:
            if piece.active:
                self.roll.reveal(piece.roll.seconds)
            else:
                self.roll.fit()
                self.roll.action_follow()  # back to the playhead, where playback starts
        self._show_transport()

    def _load(self) -> None:
        """Load the notes written so far into the player."""
        piece = self._piece
        notes, complete_until = (piece.roll.notes, piece.complete_until) if piece else ((), None)
        self._loaded = self.player.load(notes, complete_until)

    def _ready(self) -> bool:
        """Return whether there is a piece to play; load it again if the player was restarted."""
        if self._piece is None:
            return False
        if not self._loaded:
            self._load()
            if self._loop is not None:
                self.player.request(Loop(True, *self._loop))
            self.player.request(Seek(self.roll.moment))
        return True

    # ── playback ─────────────────────────────────────────────────────────────────────────────────

    def set_playback(self, settings: PlaybackSettings, metronome: bool) -> None:
        """Play with other settings: those of another piece, or changed ones."""
        before, self._playback = self._playback, settings
        self.metronome = metronome
        self._set_metronome()
        if settings.tempo != before.tempo:
            self.player.request(SetTempo(settings.tempo))
        if settings.transpose != before.transpose:
            self.player.request(Transpose(settings.transpose))
        if settings.velocity != before.velocity:
            self.player.request(SetVelocity(settings.velocity))
        if settings.program != before.program:
            self.player.request(SetProgram(settings.program))
        self._fit_roll()
        self.show_legend()
        self._show_transport()

    def _set_metronome(self) -> None:
        """Have the player click on the beats of the piece, or not."""
        tempo_map = self._piece.roll.tempo_map if self._piece else TempoMap()
        request = metronome_request(self.metronome, tempo_map)
        if request != self._beats:
            self._beats = request
            self.player.request(request)

    def _fit_roll(self) -> None:
        """Have the roll show the piece as played."""
        if self._piece is not None:
            roll, settings = self._piece.roll, self._playback
            if (roll.transpose, roll.speed) != (settings.transpose, settings.tempo):
                roll.transpose, roll.speed = settings.transpose, settings.tempo
                self.roll.refresh_notes()
                if self.roll.viewport.following:
                    self.roll.action_follow()

    def choose_port(self, name: str | None) -> None:
        """Open the port `name`; None: the best one."""
        self._fallback = False
        self.player.request(OpenPort(name))

    def action_play(self) -> None:
        """Play or pause."""
        if not self._ready():
            self.notify("There is nothing to play yet: press g to write, or o to open a file.")
        elif self.playing:
            self._halt(Pause())
        else:
            self.roll.follow()
            self._starting = True
            self.player.request(Play())
            self._show_transport()

    @property
    def playing(self) -> bool:
        """Whether the piece is played, or about to be."""
        return self._starting or (self.status is not None and self.status.playing)

    def action_stop(self) -> None:
        """Stop, and return to the beginning."""
        if self._ready():
            self._halt(StopPlaying())

    def stop(self) -> None:
        """Stop if the piece is played; a paused one keeps its position."""
        if self.playing:
            self._halt(StopPlaying())

    def _halt(self, request: Pause | StopPlaying) -> None:
        self._starting = False
        self.player.request(request)
        self._show_transport()

    def action_loop(self, visible: bool) -> None:
        """Loop the whole piece or its visible part, or end the loop."""
        if not self._ready():
            return
        if self._loop is not None:
            self._set_loop(None)
        elif visible:
            loop = self.roll.visible_bars()
            self._set_loop(loop)
            self.player.request(Seek(loop[0]))
        else:
            self._set_loop(_WHOLE)

    def action_loop_from(self) -> None:
        """Loop from the bar of the playhead on, to where the loop ended or else to the end."""
        if self._piece is not None and self._ready():
            start, _ = self._piece.roll.bar_at(self.roll.moment)
            end = self._loop[1] if self._loop else None
            self._set_loop((start, end if end is None or end > start else None))

    def action_loop_to(self) -> None:
        """Loop up to the end of the playhead's bar, from where the loop began or else the start."""
        if self._piece is not None and self._ready():
            _, end = self._piece.roll.bar_at(self.roll.moment)
            start = self._loop[0] if self._loop else 0.0
            self._set_loop((start if start < end else 0.0, end))

    @on(PianoRoll.LoopChosen)
    def _loop_chosen(self, event: PianoRoll.LoopChosen) -> None:
        event.stop()
        if self._ready():
            self._set_loop((event.start, event.end))
            if not event.start <= self.roll.moment < event.end:
                self.player.request(Seek(event.start))

    def _set_loop(self, loop: tuple[float, float | None] | None) -> None:
        self._loop = loop
        start, end = loop or _WHOLE
        self.player.request(Loop(loop is not None, start, end))
        self.roll.show_loop(loop)
        self._show_transport()

    def action_panic(self) -> None:
        """Switch all notes off, and pause."""
        self._halt(Pause())
        self.player.request(Panic())
        self.notify("All notes off.")

    def prepare(self) -> None:
        """Open a port unless one is open, the silent one if there is no other; pause playback."""
        if self.port is None:
            self._fallback = True
            self.player.request(OpenPort(SILENT.name))
            self.player.request(ListPorts())  # and then the best one
        self._halt(Pause())

    def action_rescan(self) -> None:
        """Look for ports again."""
        self.player.request(ListPorts())

    @on(PianoRoll.Sought)
    def _sought(self, event: PianoRoll.Sought) -> None:
        event.stop()
        if self._ready():
            self.player.request(Seek(event.seconds))

    # ── answers of the player ────────────────────────────────────────────────────────────────────

    def on_player_answered(self, event: PlayerAnswered) -> None:
        """Show the position of playback, and what failed."""
        event.stop()
        if self.listener is not None:
            self.listener(event.answers)
        for answer in event.answers:
            match answer:
                case PlaybackStatus() if answer.id == self._loaded:
                    self._moved(answer)
                case PlaybackEnded() if answer.id == self._loaded:
                    self._starting = False
                case PortOpened(port):
                    self.port, self._fallback = port, self._fallback and port.kind == "silent"
                    if not self._fallback:
                        self.post_message(self.ProblemChanged(""))
                case PortList(ports):
                    self._ports_listed(ports)
                case PlayerFailed(error, do):
                    self._failed(error, do)
                case ProcessEnded(error):
                    self._loaded, self.status, self.port, self._fallback = 0, None, None, False
                    self._starting = False
                    self.post_message(self.ProblemChanged(error))
        self._show_transport()

    def _moved(self, status: PlaybackStatus) -> None:
        # While playback is paused, a status still follows requests such as more notes.
        if status.playing or status.position != self.roll.moment:
            self.roll.move(status.position)
        self.status = status
        self._starting &= not status.playing

    def _ports_listed(self, ports: Sequence[Port]) -> None:
        self.post_message(self.PortsListed(ports))
        if self._fallback and any(port.kind in _AUDIBLE for port in ports):
            self.player.request(OpenPort())

    def _failed(self, error: str, do: str | None) -> None:
        if do == Listen.DO:  # no keyboard is no fault of playback; the jam's dialog lists its keys
            return
        if do == Play.DO and self.port is None:
            # The silent port makes playback at least visible.
            self._fallback = True
            self.player.request(OpenPort(SILENT.name))
            self.player.request(Play())
        elif do == Play.DO:
            self._starting = False
        elif do == OpenPort.DO:
            if self._fallback:  # there is still no audible port
                return
            self.port, self._starting = None, False
        self.post_message(self.ProblemChanged(error))

    def _show_transport(self) -> None:
        # This is called 20 times a second: the page need not be laid out again for a fixed line.
        self.query_one("#transport", Static).update(self._transport(), layout=False)
        self._name_play_key("Pause" if self.playing else "Play")

    def _name_play_key(self, name: str) -> None:
        """Change what the footer calls the key that plays and pauses."""
        by_key = self._bindings.key_to_bindings
        if all(binding.description == name for binding in by_key["space"]):
            return
        by_key["space"] = [replace(binding, description=name) for binding in by_key["space"]]
        self.refresh_bindings()

    def color_by(self, coloring: str) -> None:
        """Color the notes by one of COLORINGS, and show the legend."""
        self.roll.color_by(coloring)
        self.show_legend()

    def show_legend(self) -> None:
        """Show what the colors of the notes mean."""
        line, piece = self.query_one("#legend", Static), self._piece
        if piece is None:
            line.update("")
            return
        colors: Sequence[int] = range(VOICES)
        names: Sequence[str] = piece.roll.texture.names
        if self.roll.coloring == "velocity":
            colors, names = BY_VELOCITY, [f"–{-(-127 * n // LEVELS)}" for n in range(1, LEVELS + 1)]
        parts = [
            Content.assemble(("■", f"$voice-{color + 1}"), f" {name}")
            for color, name in zip(colors, names, strict=False)
        ]
        if self.roll.coloring == "velocity":
            parts = [Content("velocity"), *parts]
        legend = Content(" ").join(parts).stylize(Style.from_meta({"@click": "screen.color"}))
        style = "bold $accent" if self.metronome else ""
        line.update(legend + "  " + clickable("♩", "screen.step('metronome',1)", style))

    def _transport(self) -> Content:
        """Return the line on playback."""
        piece, status, settings = self._piece, self.status, self._playback
        if piece is None:
            return Content("")
        roll = piece.roll
        moment = self.roll.moment
        state = "■"
        if status and status.playing:
            state = "… waiting for notes" if status.waiting else "▶"
        elif moment:
            state = "‖"
        bar, beat = roll.tempo_map.bar_and_beat(moment)
        now, length = (minutes_seconds(time / settings.tempo) for time in (moment, roll.seconds))
        parts: list[str | Content] = [
            Content.assemble(clickable(state, "screen.playback('play')"), f" {now} / {length}"),
            f"bar {bar}.{beat}",
        ]
        if self.metronome:
            parts.append(clickable("metronome", "screen.step('metronome',1)"))
        if self._loop is not None:
            parts.append(clickable(self._loop_words(), "screen.playback('loop(False)')"))
        if settings.tempo != 1:
            parts.append(f"× {settings.tempo:g}")
        if settings.transpose:
            parts.append(f"{settings.transpose:+d} st")
        if settings.velocity != 1:
            parts.append(f"velocity × {settings.velocity:g}")
        if self.port is not None:
            parts.append(f"on {self.port.name}" if self.port.kind != "silent" else "silent")
        parts.append(INSTRUMENTS[settings.program])
        contents = (Content(clean(part)) if isinstance(part, str) else part for part in parts)
        return Content(" · ").join(contents)

    def _loop_words(self) -> str:
        """Return which bars are looped."""
        if self._loop is None or self._loop == _WHOLE or self._piece is None:
            return "loop all"
        roll, (start, end) = self._piece.roll, self._loop
        first, last = roll.bars(start, roll.seconds if end is None else end)
        bars = f"bar {first + 1}" if first == last else f"bars {first + 1}–{last + 1}"
        return f"loop {bars}"
