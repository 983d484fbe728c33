"""A piece on the Music page, written by a model or opened: its notes, state, and files."""

import asyncio
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
from tui.pages.music.roll_raster import RollView
from tui.sources import music_export
from tui.sources.restarting_process import ProcessEnded
from tui.sources.sampler import Answers
from tui.widgets.file_dialog import FileDialog, file_name

STATES = {
    "waiting": "○ waiting",
    "writing": "♪ writing",
    "end": "✓ written",
    "length": "✓ written",
    "stopped": "■ stopped",
    "failed": "✗",
    "opened": "✓ opened",
}
_CELL = 0.25  # beats per column of the roll, for an opened file


@dataclass(eq=False)
class Piece:
    """A piece of music, complete or being written."""

    title: str  # the name of the model or of the file
    id: int = 0  # the id of its request; 0 for a file
    request: SampleMusic | None = None  # None for a file
    requested: float = 0.0  # time of the request, then of the start of writing (monotonic, seconds)
    state: str = "waiting"  # one of STATES
    roll: RollView = field(default_factory=RollView)
    frame_seconds: float = 0.0  # the length of a frame in seconds; 0 until it is known
    playback: PlaybackSettings = field(default_factory=PlaybackSettings)
    seed: int | None = None  # the seed used; None until it is known
    frames: int = 0  # written, without the prompt
    seconds: float = 0.0  # of writing, so far
    error: str = ""
    _builder: NoteBuilder | None = None

    @property
    def active(self) -> bool:
        """Whether more of the piece may be received."""
        return self.state in {"waiting", "writing"}

    @property
    def complete_until(self) -> float | None:
        """The second up to which all notes are known; None once the piece has ended."""
        if not self.active:
            return None
        return self._builder.complete_until if self._builder else 0.0

    def receive(self, answers: Answers, now: float) -> list[Note]:
        """Add answers; return the notes that they completed, none once the piece has ended.

        Answers to other requests are ignored.
        """
        notes: list[Note] = []
        for answer in answers:
            if not self.active:
                return notes
            if isinstance(answer, ProcessEnded) or answer.id == self.id:
                self.seconds = now - self.requested
                notes += self._receive(answer, now)
        return notes

    def _receive(self, answer: SamplerAnswer | ProcessEnded, now: float) -> list[Note]:
        match answer:
            case MusicStarted():
                self._start(answer, now)
            case MusicFrame(frame) if self._builder is not None:
                self.frames += 1
                notes = self._builder.add(frame.keys, frame.onsets)
                self._add(notes)
                return notes
            case MusicDone(reason=reason, seconds=seconds):
                self.seconds = self.seconds if seconds is None else seconds
                return self.end(reason)
            case Failed(error=error) | ProcessEnded(error=error):
                self.error = error
                return self.end("failed")
        return []

    def _start(self, started: MusicStarted, now: float) -> None:
        self.seed, self.requested, self.state = started.seed, now, "writing"
        length = self.frame_seconds = started.frame.seconds
        self._builder = builder = NoteBuilder(length)
        tempo_map = TempoMap(started.frame.tempo, started.time_signature)
        self.roll = RollView(tempo_map, len(started.prime) * length, length / 2)
        self.roll.add([Note(*row) for row in started.melody or ()])
        self._add(
            [note for frame in started.prime for note in builder.add(frame.keys, frame.onsets)]
        )

    def _add(self, notes: list[Note]) -> None:
        assert self._builder is not None
        self.roll.add(notes)
        self.roll.open_notes = tuple(self._builder.open_notes())
        self.roll.seconds = max(self.roll.seconds, self._builder.seconds)

    def end(self, state: str) -> list[Note]:
        """Set the final state, one of STATES; end and return the notes that still sound."""
        self.state = state
        notes = self._builder.finish() if self._builder else []
        self.roll.open_notes = ()
        self.roll.add(notes)
        return notes

    @property
    def score(self) -> Score:
        """The music written so far."""
        tempo_map = self.roll.tempo_map
        notes = (*self.roll.notes, *self.roll.open_notes)
        program = self.playback.program
        return Score(
            notes, tempo_map.tempo, tempo_map.time_signature, program, tempo_map.tempo_changes
        )

    @property
    def file_name(self) -> str:
        """The name suggested for its file: `<title>-<seed>.mid`."""
        seed = "" if self.seed is None else str(self.seed)
        return file_name([Path(self.title).stem, seed], ".mid", default="music")

    async def save(self, command: Sequence[str], path: Path) -> None:
        """Save the piece as played, in the format of the path's suffix."""
        playback = self.playback
        score = self.score.transposed(playback.transpose).louder(playback.velocity)
        score = score.faster(playback.tempo)
        await music_export.save(command, score, path, self.frame_seconds / playback.tempo)

    def status(self, position: str = "") -> str:
        """Return the status line, the most important part first. position: such as "2 of 3"."""
        parts = [f"{STATES[self.state]} {self.error}".rstrip()]
        if self.state != "failed" or self.frames:
            parts.append(_count(len(self.roll.notes) + len(self.roll.open_notes), "note"))
        if self.frames:
            parts.append(_count(self.frames, "frame"))
            if self.seconds > 0:
                parts.append(f"{self.frames / self.seconds:,.0f}/s")
        if self.seed is not None:
            parts.append(f"seed {self.seed}")
        parts += [f"piece {position}" if position else "", clean(self.title)]
        return " · ".join(part for part in parts if part)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def from_score(title: str, score: Score) -> Piece:
    """Return the piece of a score that was read from a file."""
    cell = _CELL * 60 / score.tempo
    roll = RollView(score.tempo_map, cell=min(max(cell, 0.05), 0.5))
    roll.add(score.notes)
    playback = PlaybackSettings(program=score.program)
    return Piece(title, state="opened", roll=roll, frame_seconds=cell / 2, playback=playback)


async def ask_to_open(app: App[None]) -> Piece | None:
    """Ask for a MIDI or MusicXML file; return its piece, or None if the dialog was cancelled."""
    pieces: list[Piece] = []

    async def read(path: Path) -> None:
        from engine.music import score_file

        score = await asyncio.to_thread(score_file.read, path)
        pieces.append(from_score(path.name, score))

    hint = "enter: open · right: accept the suggestion · escape: cancel"
    await app.push_screen_wait(FileDialog("Open a MIDI or MusicXML file", hint, read))
    return pieces[-1] if pieces else None
