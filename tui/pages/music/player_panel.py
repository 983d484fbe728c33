"""The roll of the Music page, the process that plays it, and the line that says how."""

import asyncio
from collections.abc import Sequence
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
from tui.pages.music.piece import Piece
from tui.pages.music.roll import PianoRoll
from tui.sources.player import Answers, Player
from tui.sources.process import ProcessEnded

_HEARD = {"port", "synth"}  # the kinds of ports that one can hope to hear


@dataclass
class PlayerAnswered(Message):
    """Answers of the player, in order."""

    answers: Answers


class PlayerPanel(Vertical):
    """Shows one piece and plays it; how it is played is kept from piece to piece."""

    BINDING_GROUP_TITLE = "Playing"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play", "Play", id="music.play",
                tooltip="Play, also while it is being written; or pause"),
        Binding("s", "stop", "Rest", show=False, id="music.rest",
                tooltip="Stop playing, and go back to the beginning"),
        Binding("l", "loop(False)", "Loop", show=False, id="music.loop",
                tooltip="Play all of it again and again, or no longer"),
        Binding("L", "loop(True)", "Loop a part", show=False, id="music.loop_part",
                tooltip="Play again and again what is in view, or no longer"),
        Binding("exclamation_mark", "panic", "Panic", show=False, id="music.panic",
                tooltip="Let go of every key there is, and pause"),
        Binding("R", "rescan", "Rescan ports", show=False, id="music.rescan",
                tooltip="Look again for ports to play on"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    PlayerPanel {
        width: 1fr;
        height: 1fr;
        & #transport { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """

    class Told(Message):
        """Something is wrong with the playing, in a sentence, or no longer: then an empty one."""

        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    class Ports(Message):
        """The ports that there are now."""

        def __init__(self, ports: Sequence[Port]) -> None:
            super().__init__()
            self.ports = ports

    roll = getters.query_one(PianoRoll)

    def __init__(self, command: Sequence[str]) -> None:
        super().__init__()
        self.player = Player(command, lambda answers: self.post_message(PlayerAnswered(answers)))
        self.port: Port | None = None  # the open one
        self.at: PlaybackStatus | None = None  # where the player is in the piece shown
        self._piece: Piece | None = None
        self._loaded = 0  # the song's number in the player, 0 where it has none of ours
        self._how = PlaybackSettings()
        self._loop: tuple[float, float | None] | None = None
        self._resort = False  # the silent port was opened for want of another

    def compose(self) -> ComposeResult:
        """The roll above the line."""
        yield PianoRoll()
        yield Static(id="transport", markup=False)

    async def on_unmount(self) -> None:
        """End the player's process."""
        await asyncio.to_thread(self.player.close)

    # ── the piece ────────────────────────────────────────────────────────────────────────────────

    def show(self, piece: Piece | None, hint: str = "") -> None:
        """Show and load a piece, at rest at its beginning; without one, a hint."""
        self._piece, self.at = piece, None
        self.roll.show(piece.sheet if piece else None, hint)
        if self._loaded or piece is not None:
            self._load()
        if piece is not None and piece.under_way:
            self.roll.reveal(piece.sheet.seconds)
        self._show_transport()

    def grew(self, notes: Sequence[Note]) -> None:
        """Add what was written since; the roll shows where writing is, unless it is played."""
        piece = self._piece
        if piece is None:
            return
        if self._loaded:
            self.player.append(notes, piece.until)
        self.roll.grown()
        if not (self.at and self.at.playing) and self.roll.window.following:
            if piece.under_way:
                self.roll.reveal(piece.sheet.seconds)
            else:
                self.roll.action_follow()  # all is there: back to where it will be played from
        self._show_transport()

    def _load(self) -> None:
        """Give the player the piece, as far as it has come."""
        piece = self._piece
        notes, until = (piece.sheet.notes, piece.until) if piece else ((), None)
        self._loaded = self.player.load(notes, until)

    def _ready(self) -> bool:
        """Whether there is a piece to play; a player that died is given it again, as it was."""
        if self._piece is None:
            return False
        if not self._loaded:
            self._load()
            if self._loop is not None:
                self.player.request(Loop(True, *self._loop))
            self.player.request(Seek(self.roll.moment))
        return True

    # ── how it is played ─────────────────────────────────────────────────────────────────────────

    def play_so(self, how: PlaybackSettings) -> None:
        """Play in this way from now on."""
        before, self._how = self._how, how
        if how.tempo != before.tempo:
            self.player.request(SetTempo(how.tempo))
        if how.transpose != before.transpose:
            self.player.request(Transpose(how.transpose))
        if how.velocity != before.velocity:
            self.player.request(SetVelocity(how.velocity))
        if how.program != before.program:
            self.player.request(SetProgram(how.program))
        self._show_transport()

    def choose_port(self, name: str | None) -> None:
        """Open a port; None is the best there is."""
        self._resort = False
        self.player.request(OpenPort(name))

    def action_play(self) -> None:
        """Play, or pause."""
        if not self._ready():
            self.notify("There is nothing to play yet: press g to write, or o to open a file.")
        elif self.at and self.at.playing:
            self.player.request(Pause())
        else:
            self.roll.follow()
            self.player.request(Play())

    def action_stop(self) -> None:
        """Rest at the beginning."""
        if self._ready():
            self.player.request(StopPlaying())

    def action_loop(self, part: bool) -> None:
        """Loop all of it or the part in view, or no longer."""
        if not self._ready():
            return
        if self._loop is not None:
            self._loop = None
        else:
            self._loop = self.roll.window.seconds if part else (0.0, None)
        start, end = self._loop or (0.0, None)
        self.player.request(Loop(self._loop is not None, start, end))
        if part and self._loop is not None:
            self.player.request(Seek(start))
        self._show_transport()

    def action_panic(self) -> None:
        """Silence, whatever it takes."""
        self.player.request(Pause())
        self.player.request(Panic())
        self.notify("Every key is let go.")

    def action_rescan(self) -> None:
        """Look for ports anew."""
        self.player.request(ListPorts())

    @on(PianoRoll.Sought)
    def _sought(self, event: PianoRoll.Sought) -> None:
        event.stop()
        if self._ready():
            self.player.request(Seek(event.seconds))

    # ── what the player says ─────────────────────────────────────────────────────────────────────

    def on_player_answered(self, event: PlayerAnswered) -> None:
        """Show where playing is, and what failed."""
        event.stop()
        for answer in event.answers:
            match answer:
                case PlaybackStatus() if answer.id == self._loaded:
                    # Also while it is paused, a status follows each request, as for more notes.
                    if answer.playing or answer.position != self.roll.moment:
                        self.roll.move(answer.position)
                    self.at = answer
                case PortOpened(port):
                    self.port, self._resort = port, self._resort and port.kind == "silent"
                    if not self._resort:
                        self.post_message(self.Told(""))
                case PortList(ports):
                    self._listed(ports)
                case PlayerFailed(error, do):
                    self._failed(error, do)
                case ProcessEnded(error):
                    self._loaded, self.at, self.port, self._resort = 0, None, None, False
                    self.post_message(self.Told(error))
        self._show_transport()

    def _listed(self, ports: Sequence[Port]) -> None:
        self.post_message(self.Ports(ports))
        if self._resort and any(port.kind in _HEARD for port in ports):
            self.player.request(OpenPort())

    def _failed(self, error: str, do: str | None) -> None:
        if do == Play.DO and self.port is None:
            # Nothing to hear it by: then at least it is seen.
            self._resort = True
            self.player.request(OpenPort(SILENT.name))
            self.player.request(Play())
        elif do == OpenPort.DO:
            if self._resort:  # still no other
                return
            self.port = None
        self.post_message(self.Told(error))

    def _show_transport(self) -> None:
        self.query_one("#transport", Static).update(clean(self._words()))

    def _words(self) -> str:
        piece, at = self._piece, self.at
        if piece is None:
            return ""
        sheet = piece.sheet
        moment = self.roll.moment
        state = "■"
        if at and at.playing:
            state = "… waiting for notes" if at.waiting else "▶"
        elif moment:
            state = "‖"
        bar, beat = sheet.tempo_map.bar_and_beat(moment)
        parts = [
            f"{state} {minutes_seconds(moment)} / {minutes_seconds(sheet.seconds)}",
            f"bar {bar}.{beat}",
        ]
        how = self._how
        if self._loop is not None:
            start, end = self._loop
            parts.append(
                "loop" if end is None else f"loop {minutes_seconds(start)}–{minutes_seconds(end)}"
            )
        if how.tempo != 1:
            parts.append(f"× {how.tempo:g}")
        if how.transpose:
            parts.append(f"{how.transpose:+d} st")
        if how.velocity != 1:
            parts.append(f"velocity × {how.velocity:g}")
        if self.port is not None:
            parts.append(f"on {self.port.name}" if self.port.kind != "silent" else "silent")
        parts.append(INSTRUMENTS[how.program])
        return " · ".join(parts)
