"""The panel of the Music page that shows a piano roll, plays it, and shows how it is played."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from engine.music.general_midi import INSTRUMENTS
from engine.music.ports import SILENT
from engine.music.score import Note
from engine.protocol import (
    ListPorts,
    Loop,
    OpenPort,
    Panic,
    Pause,
    Play,
    PlaybackStatus,
    PlayerFailed,
    Port,
    PortList,
    PortOpened,
    Seek,
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
from tui.sources.player import Answers, Player
from tui.sources.restarting_process import ProcessEnded

_AUDIBLE = {"port", "synth"}  # kinds of ports that make a sound


@dataclass
class PlayerAnswered(Message):
    """Answers of the player process, in order."""

    answers: Answers


class PlayerPanel(Vertical):
    """A panel that shows and plays one piece; the settings of playback hold for all pieces."""

    BINDING_GROUP_TITLE = "Playback"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play", "Play", id="music.play",
                tooltip="Play or pause, also while the piece is being written"),
        Binding("s", "stop", "Stop", show=False, id="music.stop_playback",
                tooltip="Stop playback, and return to the beginning"),
        Binding("l", "loop(False)", "Loop", show=False, id="music.loop",
                tooltip="Loop the whole piece (on/off)"),
        Binding("L", "loop(True)", "Loop visible", show=False, id="music.loop_visible",
                tooltip="Loop the visible part (on/off)"),
        Binding("exclamation_mark", "panic", "Panic", show=False, id="music.panic",
                tooltip="All notes off, and pause"),
        Binding("R", "rescan", "Rescan ports", show=False, id="music.rescan",
                tooltip="Look for MIDI ports again"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    PlayerPanel {
        width: 1fr;
        height: 1fr;
        & #transport { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
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
        self._loop: tuple[float, float | None] | None = None
        self.listener: Callable[[Answers], object] | None = None  # is passed all answers too
        self._fallback = False  # the silent port was opened because there is no other

    def compose(self) -> ComposeResult:
        """Lay out the roll and, below it, the line on playback."""
        yield PianoRoll()
        yield Static(id="transport", markup=False)

    async def on_unmount(self) -> None:
        """End the player process."""
        await asyncio.to_thread(self.player.close)

    # ── the piece ────────────────────────────────────────────────────────────────────────────────

    def show(self, piece: Piece | None, hint: str = "") -> None:
        """Show a piece, stopped at its beginning, and load it; None: show the hint."""
        self._piece, self.status = piece, None
        self.roll.show(piece.roll if piece else None, hint)
        if self._loaded or piece is not None:
            self._load()
        if piece is not None and piece.active:
            self.roll.reveal(piece.roll.seconds)
        self._show_transport()

    def append(self, notes: Sequence[Note]) -> None:
        """Add notes that were written; the roll shows them, unless it follows playback."""
        piece = self._piece
        if piece is None:
            return
        if self._loaded:
            self.player.append(notes, piece.complete_until)
        self.roll.refresh_notes()
        if not (self.status and self.status.playing) and self.roll.viewport.following:
            if piece.active:
                self.roll.reveal(piece.roll.seconds)
            else:
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

    def set_playback(self, settings: PlaybackSettings) -> None:
        """Apply changed settings of playback."""
        before, self._playback = self._playback, settings
        if settings.tempo != before.tempo:
            self.player.request(SetTempo(settings.tempo))
        if settings.transpose != before.transpose:
            self.player.request(Transpose(settings.transpose))
        if settings.velocity != before.velocity:
            self.player.request(SetVelocity(settings.velocity))
        if settings.program != before.program:
            self.player.request(SetProgram(settings.program))
        self._show_transport()

    def choose_port(self, name: str | None) -> None:
        """Open the port `name`; None: the best one."""
        self._fallback = False
        self.player.request(OpenPort(name))

    def action_play(self) -> None:
        """Play or pause."""
        if not self._ready():
            self.notify("There is nothing to play yet: press g to write, or o to open a file.")
        elif self.status and self.status.playing:
            self.player.request(Pause())
        else:
            self.roll.follow()
            self.player.request(Play())

    def action_stop(self) -> None:
        """Stop, and return to the beginning."""
        if self._ready():
            self.player.request(StopPlaying())

    def action_loop(self, visible: bool) -> None:
        """Loop the whole piece or its visible part, or end the loop."""
        if not self._ready():
            return
        if self._loop is not None:
            self._loop = None
        else:
            self._loop = self.roll.viewport.seconds if visible else (0.0, None)
        start, end = self._loop or (0.0, None)
        self.player.request(Loop(self._loop is not None, start, end))
        if visible and self._loop is not None:
            self.player.request(Seek(start))
        self._show_transport()

    def action_panic(self) -> None:
        """Switch all notes off, and pause."""
        self.player.request(Pause())
        self.player.request(Panic())
        self.notify("All notes off.")

    def prepare(self) -> None:
        """Open a port unless one is open, the silent one if there is no other; pause playback."""
        if self.port is None:
            self._fallback = True
            self.player.request(OpenPort(SILENT.name))
            self.player.request(ListPorts())  # and then the best one
        self.player.request(Pause())

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
                    # While playback is paused, a status still follows requests such as more notes.
                    if answer.playing or answer.position != self.roll.moment:
                        self.roll.move(answer.position)
                    self.status = answer
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
                    self.post_message(self.ProblemChanged(error))
        self._show_transport()

    def _ports_listed(self, ports: Sequence[Port]) -> None:
        self.post_message(self.PortsListed(ports))
        if self._fallback and any(port.kind in _AUDIBLE for port in ports):
            self.player.request(OpenPort())

    def _failed(self, error: str, do: str | None) -> None:
        if do == Play.DO and self.port is None:
            # The silent port makes playback at least visible.
            self._fallback = True
            self.player.request(OpenPort(SILENT.name))
            self.player.request(Play())
        elif do == OpenPort.DO:
            if self._fallback:  # there is still no audible port
                return
            self.port = None
        self.post_message(self.ProblemChanged(error))

    def _show_transport(self) -> None:
        # This is called 20 times a second: the page need not be laid out again for a fixed line.
        self.query_one("#transport", Static).update(clean(self._transport()), layout=False)

    def _transport(self) -> str:
        """Return the line on playback."""
        piece, status, settings = self._piece, self.status, self._playback
        if piece is None:
            return ""
        roll = piece.roll
        moment = self.roll.moment
        state = "■"
        if status and status.playing:
            state = "… waiting for notes" if status.waiting else "▶"
        elif moment:
            state = "‖"
        bar, beat = roll.tempo_map.bar_and_beat(moment)
        parts = [
            f"{state} {minutes_seconds(moment)} / {minutes_seconds(roll.seconds)}",
            f"bar {bar}.{beat}",
        ]
        if self._loop is not None:
            start, end = self._loop
            parts.append(
                "loop" if end is None else f"loop {minutes_seconds(start)}–{minutes_seconds(end)}"
            )
        if settings.tempo != 1:
            parts.append(f"× {settings.tempo:g}")
        if settings.transpose:
            parts.append(f"{settings.transpose:+d} st")
        if settings.velocity != 1:
            parts.append(f"velocity × {settings.velocity:g}")
        if self.port is not None:
            parts.append(f"on {self.port.name}" if self.port.kind != "silent" else "silent")
        parts.append(INSTRUMENTS[settings.program])
        return " · ".join(parts)
