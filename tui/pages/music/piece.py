"""One piece of a visit to the Music page: written or opened, its notes, and how it stands."""

import asyncio
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from textual.app import App

from engine.music.piano_roll import NoteBuilder
from engine.music.score import Note, Score
from engine.music.tempo_map import TempoMap
from engine.protocol import Failed, MusicDone, MusicFrame, MusicStarted, SampleMusic, SamplerAnswer
from tui.formatting import clean
from tui.pages.music.controls import PlaybackSettings
from tui.pages.music.roll_view import RollView
from tui.sources import music_export
from tui.sources.process import ProcessEnded
from tui.sources.sampler import Answers
from tui.widgets.file_dialog import FileDialog, file_name

STATES = {
    "waiting": "○ waiting",
    "writing": "♪ writing",
    "length": "✓ written",
    "stopped": "■ stopped",
    "failed": "✗",
    "opened": "✓ opened",
}
_CELL = 0.25  # beats that a column shows of an opened file


@dataclass
class Piece:
    """Music, complete or on its way."""

    title: str  # the model's name, or the file's
    id: int = 0  # of its request; 0 for a file
    request: SampleMusic | None = None  # None for a file
    asked: float = 0.0  # when, in seconds of a steady clock
    state: str = "waiting"  # one of STATES
    sheet: RollView = field(default_factory=RollView)
    frame: float = 0.0  # seconds, of what is written; 0 before that is known
    program: int = 0
    seed: int | None = None  # the one used, once known
    frames: int = 0  # written, without the prime
    seconds: float = 0.0  # of writing, so far
    error: str = ""
    _growing: NoteBuilder | None = None

    @property
    def under_way(self) -> bool:
        """Whether more of it may come."""
        return self.state in {"waiting", "writing"}

    @property
    def until(self) -> float | None:
        """Up to where its notes are known, in seconds; None: there are no others."""
        if not self.under_way:
            return None
        return self._growing.complete_until if self._growing else 0.0

    def receive(self, answers: Answers, now: float) -> list[Note]:
        """Add answers; return the notes that are now complete, none once it has ended.

        Answers to other requests are ignored.
        """
        notes: list[Note] = []
        for answer in answers:
            if not self.under_way:
                return notes
            if isinstance(answer, ProcessEnded) or answer.id == self.id:
                self.seconds = now - self.asked
                notes += self._receive(answer, now)
        return notes

    def _receive(self, answer: SamplerAnswer | ProcessEnded, now: float) -> list[Note]:
        match answer:
            case MusicStarted():
                self._start(answer, now)
            case MusicFrame(frame) if self._growing is not None:
                self.frames += 1
                notes = self._growing.add(frame.keys, frame.onsets)
                self._grow(notes)
                return notes
            case MusicDone(reason=reason, seconds=seconds):
                self.seconds = self.seconds if seconds is None else seconds
                return self.end(reason)
            case Failed(error=error) | ProcessEnded(error=error):
                self.error = error
                return self.end("failed")
        return []

    def _start(self, started: MusicStarted, now: float) -> None:
        self.seed, self.asked, self.state = started.seed, now, "writing"
        length = self.frame = started.frame.seconds
        self._growing = NoteBuilder(length)
        self.sheet = RollView(
            TempoMap(started.frame.tempo, started.time_signature),
            len(started.prime) * length,
            length / 2,
        )
        notes = [
            note for frame in started.prime for note in self._growing.add(frame.keys, frame.onsets)
        ]
        self._grow(notes)

    def _grow(self, notes: list[Note]) -> None:
        assert self._growing is not None
        self.sheet.add(notes)
        self.sheet.held = tuple(self._growing.open_notes())
        self.sheet.seconds = self._growing.seconds

    def end(self, state: str) -> list[Note]:
        """Nothing more comes, for the reason that the state says; gives the last notes."""
        self.state = state
        notes = self._growing.finish() if self._growing else []
        self.sheet.held = ()
        self.sheet.add(notes)
        return notes

    @property
    def score(self) -> Score:
        """It as music, as far as it has come."""
        tempo_map = self.sheet.tempo_map
        notes = (*self.sheet.notes, *self.sheet.held)
        return Score(
            notes, tempo_map.tempo, tempo_map.time_signature, self.program, tempo_map.tempo_changes
        )

    def status(self, place: str = "") -> str:
        """One line, the most important first; place: as "piece 2 of 3"."""
        parts = [f"{STATES[self.state]} {self.error}".rstrip()]
        if self.state != "failed" or self.frames:
            parts.append(_count(len(self.sheet.notes) + len(self.sheet.held), "note"))
        if self.frames:
            parts.append(_count(self.frames, "frame"))
            if self.seconds > 0:
                parts.append(f"{self.frames / self.seconds:,.0f}/s")
        if self.seed is not None:
            parts.append(f"seed {self.seed}")
        parts += [place, clean(self.title)]
        return " · ".join(part for part in parts if part)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def opened(title: str, score: Score) -> Piece:
    """The piece of a MIDI file."""
    cell = _CELL * 60 / score.tempo
    sheet = RollView(score.tempo_map, cell=min(max(cell, 0.05), 0.5))
    sheet.add(score.notes)
    return Piece(title, state="opened", sheet=sheet, frame=cell / 2, program=score.program)


async def ask_to_open(app: App[None]) -> Piece | None:
    """Ask for a MIDI file; gives its music."""
    pieces: list[Piece] = []

    async def read(path: Path) -> None:
        from engine.music import midi

        score = await asyncio.to_thread(midi.read, path)
        pieces.append(opened(path.name, score))

    hint = "enter: open · right: accept the suggestion · escape: cancel"
    await app.push_screen_wait(FileDialog("Open a MIDI file", hint, read))
    return pieces[-1] if pieces else None


async def ask_to_save(
    app: App[None], command: Sequence[str], piece: Piece, how: PlaybackSettings
) -> Path | None:
    """Ask for a name, and save a piece as it is played; gives the file."""

    async def write(path: Path) -> None:
        score = dataclasses.replace(piece.score, program=how.program)
        score = score.transposed(how.transpose).louder(how.velocity).faster(how.tempo)
        await music_export.save(command, score, path, piece.frame / how.tempo)

    seed = "" if piece.seed is None else str(piece.seed)
    name = file_name([Path(piece.title).stem, seed], ".mid", default="music")
    hint = "the ending sets the format: .mid, .wav or .png · escape: cancel"
    return await app.push_screen_wait(FileDialog("Save the music as", hint, write, name, new=True))
