"""A dialog to play together with the model, on a MIDI keyboard or on the computer's keys."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Label, Static

from engine.music.jam import Accompanier, Answerer, PartnerSettings
from engine.music.pitch import pitch_name
from engine.protocol import (
    Failed,
    Hush,
    KeyPlayed,
    Listen,
    Listening,
    MusicDone,
    MusicFrame,
    Perform,
    PlayerFailed,
    PlayerRequest,
    StopListening,
    TimedKey,
)
from tui.formatting import clean
from tui.pages.model_page import SamplerAnswered
from tui.sources.player import Answers
from tui.sources.restarting_process import ProcessEnded
from tui.sources.sampler import Sampler
from tui.widgets.footer import Footer
from tui.widgets.styling import StyledOnce

# The computer's keys from C4 and from C5 up, as on a piano: letters are white keys.
LOWER, UPPER = "zsxdcvgbhnjm", "q2w3er5t6y7ui"
PITCHES = {key: 60 + i for i, key in enumerate(LOWER)} | {
    key: 72 + i for i, key in enumerate(UPPER)
}
HOLD = 0.35  # seconds that a key of the computer sounds: terminals do not report releases
VELOCITY = 90
TICK = 0.02  # seconds
_SHOWN = 12  # of the last keys
_KEYBOARD = """\
   s  d     g  h  j       2  3     5  6  7
  z  x  c  v  b  n  m   q  w  e  r  t  y  u  i"""
_MODES = {"answer": "answers your phrases", "accompany": "accompanies you"}


class JamDialog(StyledOnce, ModalScreen[None]):
    """A dialog in which the model answers what the user plays, or accompanies it.

    play: sends a request to the player, whose answers the page passes on to `receive`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "mode", "Answer/accompany", priority=True, id="jam.mode",
                tooltip="Have the model answer, or accompany"),
        Binding("escape", "close", "Close", id="jam.close", tooltip="Stop playing together"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    JamDialog {
        & .dialog { width: 56; }
        & Static { height: auto; color: $text-muted; }
        & #keyboard { color: $text; margin: 1 0; }
    }
    """

    def __init__(
        self,
        settings: PartnerSettings,
        sampler_command: Sequence[str],
        play: Callable[[PlayerRequest], object],
    ) -> None:
        super().__init__()
        self._settings, self._play = settings, play
        self._sampler = Sampler(
            sampler_command, lambda answers: self.post_message(SamplerAnswered(answers))
        )
        self._mode = "answer"
        self._partner: Answerer | Accompanier = self._make_partner()
        self._releases: dict[int, Timer] = {}  # by the pitch of a key of the computer
        self._yours: list[int] = []  # the last pitches
        self._others: list[int] = []
        self._source = "the computer's keys"
        self._problem = ""

    def compose(self) -> ComposeResult:
        """Lay out the keyboard and what is played."""
        with Vertical(classes="dialog"):
            yield Label("Play together")
            yield Static(_KEYBOARD, id="keyboard", markup=False)
            yield Static(id="message", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Use a MIDI keyboard too, if there is one."""
        self._play(Listen())
        self.set_interval(TICK, lambda: self._partner.tick(time.perf_counter()))
        self._show()

    async def on_unmount(self) -> None:
        """Silence the player, and end the sampler's process."""
        self._play(Hush())
        self._play(StopListening())
        await asyncio.to_thread(self._sampler.close)

    def _make_partner(self) -> "Answerer | Accompanier":
        if self._mode == "accompany":
            return Accompanier(self._settings, self._play, self._sampler.request)
        return Answerer(self._settings, self._play, self._sampler.request, self._sampler.stop)

    def action_mode(self) -> None:
        """Have the model answer, or accompany."""
        self._mode = "accompany" if self._mode == "answer" else "answer"
        self._sampler.stop()
        self._play(Hush())
        self._partner = self._make_partner()
        self._show()

    def action_close(self) -> None:
        """Close the dialog."""
        self.dismiss(None)

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────

    def on_key(self, event: Key) -> None:
        """Play a key of the computer; while it repeats, it is held."""
        pitch = PITCHES.get(event.character or "")
        if pitch is None:
            return
        event.stop()
        event.prevent_default()
        held = self._releases.get(pitch)
        if held is not None:
            held.reset()
            return
        self._take(KeyPlayed(pitch, VELOCITY, time.perf_counter()))
        self._perform(pitch, VELOCITY)
        self._releases[pitch] = self.set_timer(HOLD, lambda: self._release(pitch))

    def _release(self, pitch: int) -> None:
        del self._releases[pitch]
        self._perform(pitch, 0)
        self._take(KeyPlayed(pitch, 0, time.perf_counter()))

    def _perform(self, pitch: int, velocity: int) -> None:
        self._play(Perform((TimedKey(time.perf_counter(), pitch, velocity),)))

    def _take(self, key: KeyPlayed) -> None:
        self._partner.take_key(key)
        if key.velocity:
            self._yours = [*self._yours, key.pitch][-_SHOWN:]
            self._show()

    # ── answers of the processes ─────────────────────────────────────────────────────────────────

    def receive(self, answers: Answers) -> None:
        """Take answers of the player."""
        for answer in answers:
            match answer:
                case KeyPlayed():
                    self._take(answer)
                case Listening(port):
                    self._source = f"{port.name} and the computer's keys"
                case PlayerFailed(error, do) if do != Listen.DO or "gone" in error:
                    self._problem = error
                case ProcessEnded(error):
                    self._problem = error
        self._show()

    def on_sampler_answered(self, event: SamplerAnswered) -> None:
        """Take answers of the sampler."""
        event.stop()
        for answer in event.answers:
            match answer:
                case MusicFrame(frame):
                    self._others = [*self._others, *frame.keys][-_SHOWN:]
                    self._partner.receive(answer, time.perf_counter())
                case MusicDone():
                    self._partner.receive(answer, time.perf_counter())
                case Failed(error=error) | ProcessEnded(error=error):
                    self._problem = error
        self._show()

    def _show(self) -> None:
        settings = self._settings
        lines = [
            f"{settings.model} {_MODES[self._mode]}, {settings.tempo:g} beats a minute",
            f"on {self._source}",
            f"you: {' '.join(map(pitch_name, self._yours)) or '–'}",
            f"{settings.model}: {' '.join(map(pitch_name, self._others)) or '–'}",
            *([f"✗ {self._problem}"] if self._problem else []),
        ]
        for message in self.query("#message").results(Static):  # none once it is closed
            message.update(clean("\n".join(lines)))
