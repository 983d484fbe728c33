"""The client of the player's process (`engine.music.player`), which plays to the MIDI port."""

import contextlib
import subprocess
from collections.abc import Callable, Iterable, Sequence

from engine import protocol
from engine.music.score import Note
from engine.music.tempo_map import TempoMap
from engine.protocol import (
    MIN_BEAT,
    AppendNotes,
    BeatRow,
    LoadNotes,
    NoteRow,
    OpenPort,
    Panic,
    PlayerAnswer,
    PlayerRequest,
    Port,
    PortOpened,
    SetMetronome,
    SetProgram,
    SetTempo,
    SetVelocity,
    Transpose,
)
from tui.sources.restarting_process import ProcessEnded, RestartingProcess

Answers = tuple[PlayerAnswer | ProcessEnded, ...]

_SILENCE_TIMEOUT = 30.0  # seconds that silencing the port may take
# A new process is sent the last request of each of these kinds.
_SETTINGS = (OpenPort, SetProgram, SetTempo, SetMetronome, Transpose, SetVelocity)


class Player(RestartingProcess[PlayerRequest, PlayerAnswer]):
    """Plays one song at a time; failures are delivered as `PlayerFailed`."""

    NAME = "player"
    ANSWERS = protocol.PLAYER_ANSWERS
    PATIENCE = 4.0  # the sound is faded out first

    def __init__(self, command: Sequence[str], deliver: Callable[[Answers], object]) -> None:
        super().__init__(command, deliver)
        self._settings: dict[type, PlayerRequest] = {}
        self._last = 0  # the newest song's id
        self._opened: Port | None = None

    def load(self, notes: Iterable[Note], until: float | None = None) -> int:
        """Load a song, stopped at its beginning; return its id.

        until: the second up to which the notes are complete; `append` adds later ones. None: no
        more follow.
        """
        self._last += 1
        self._send(LoadNotes(_rows(notes), until, id=self._last))
        return self._last

    def append(self, notes: Iterable[Note], until: float | None) -> None:
        """Add notes to the song; until: see `load`."""
        self._send(AppendNotes(_rows(notes), until))

    def request(self, request: PlayerRequest) -> None:
        """Send a request other than to load or append notes."""
        self._send(request)
        if isinstance(request, _SETTINGS):
            self._settings[type(request)] = request

    def _first_requests(self) -> Iterable[PlayerRequest]:
        return self._settings.values()

    def _decode(self, lines: Iterable[bytes]) -> tuple[PlayerAnswer, ...]:
        answers = super()._decode(lines)
        for answer in answers:
            if isinstance(answer, PortOpened):
                self._opened = answer.port
        return answers

    def _died(self) -> None:
        """Start another process that releases the notes left sounding on a MIDI port."""
        if self._opened is None or self._opened.kind != "port":  # others end with the process
            return
        requests = (OpenPort(self._opened.name), Panic())
        lines = "".join(protocol.encode(request) + "\n" for request in requests)
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                self._command,
                input=lines.encode(),
                capture_output=True,
                check=False,
                timeout=_SILENCE_TIMEOUT,
            )


def metronome_request(on: bool, tempo_map: TempoMap) -> SetMetronome:
    """Return the request to click on the beats of a piece, or not to click."""
    if not on:
        return SetMetronome(False)
    tempos = ((0.0, tempo_map.tempo), *tempo_map.tempo_changes)
    beats = tempo_map.pulse * tempo_map.unit_length  # in quarter notes
    rows = tuple(BeatRow(second, max(beats * 60 / tempo, MIN_BEAT)) for second, tempo in tempos)
    return SetMetronome(True, rows, tempo_map.time_signature[0] // tempo_map.pulse)


def _rows(notes: Iterable[Note]) -> tuple[NoteRow, ...]:
    return tuple(NoteRow(note.start, note.end, note.pitch, note.velocity) for note in notes)
