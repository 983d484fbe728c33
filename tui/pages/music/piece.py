"""A piece on the Music page, written by a model or opened: its notes, state, and files."""

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from textual.app import App

from engine import protocol
from engine.errors import InputError
from engine.music.piano_roll import NoteBuilder
from engine.music.pitch import pitch_name
from engine.music.score import Note, Score
from engine.music.tempo_map import TempoMap
from engine.protocol import (
    Failed,
    MessageError,
    MusicDone,
    MusicFrame,
    MusicStarted,
    SampleMusic,
    SamplerAnswer,
)
from tui.formatting import clean, minutes_seconds
from tui.pages.music.controls import PlaybackSettings
from tui.pages.music.roll_raster import RollView
from tui.roll_text import roll_lines
from tui.sources import music_export
from tui.sources.history import History, Work
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
_KEPT = ("title", "state", "seed", "frames", "seconds", "frame_seconds", "number", "nats")
_PREVIEW_FRAMES = 60
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
    number: int = 0  # index among the pieces of its request
    nats: float | None = None  # mean surprise of a frame; None: it is not compared with others
    _builder: NoteBuilder | None = None
    _kept_id: int | None = None  # in the history; None: it is not there
    _kept_playback: PlaybackSettings | None = None  # with which it was kept

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
            if isinstance(answer, ProcessEnded) or self._is_meant(answer):
                self.seconds = now - self.requested
                notes += self._receive(answer, now)
        return notes

    def _is_meant(self, answer: SamplerAnswer) -> bool:
        """Return whether an answer is about this piece, or all pieces of its request."""
        song = answer.song if isinstance(answer, MusicFrame | MusicDone) else None
        return answer.id == self.id and song in (None, self.number)

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
                self.nats = answer.nats
                return self.end(reason)
            case Failed(error=error) | ProcessEnded(error=error):
                self.error = error
                return self.end("failed")
        return []

    def _start(self, started: MusicStarted, now: float) -> None:
        self.seed, self.requested, self.state = started.seed + self.number, now, "writing"
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

    def stop(self) -> None:
        """End it if it is active."""
        if self.active:
            self.end("stopped")

    # ── the history ──────────────────────────────────────────────────────────────────────────────

    @property
    def to_be_kept(self) -> bool:
        """Whether it was written, has ended, and is not in the history in its present form."""
        written = self.request is not None and self.frames > 0 and not self.active
        return written and self.playback != self._kept_playback

    def keep(self, history: History) -> None:
        """Add it to the history, or change its settings of playback there; raises WorkError."""
        assert self.request is not None
        tempo_map = self.roll.tempo_map
        result = {
            **{name: getattr(self, name) for name in _KEPT},
            "prompt": self.roll.prompt_seconds,
            "tempo": tempo_map.tempo,
            "metre": tempo_map.time_signature,
            "notes": [dataclasses.astuple(note) for note in self.roll.notes],
            "playback": dataclasses.asdict(self.playback),
        }
        self._kept_playback = self.playback
        if self._kept_id is not None:
            history.update(self._kept_id, result)
            return
        settings = json.loads(protocol.encode(self.request))
        title, text = self.description()
        self._kept_id = history.add("music", title, text, settings, result)

    def description(self) -> tuple[str, str]:
        """Return how it is listed in the history, and what else is known in words."""
        from engine.music.key_finding import find_key

        request, tempo_map, notes = self.request, self.roll.tempo_map, self.roll.notes
        assert request is not None
        numerator, denominator = tempo_map.time_signature
        about = [
            f"{numerator}/{denominator}, {tempo_map.tempo:g} beats per minute",
            f"{minutes_seconds(self.roll.seconds)}, {_count(len(notes), 'note')}",
            f"temperature {request.options['temperature']:g}, seed {self.seed}",
        ]
        if begins := request.prime or " ".join(map(pitch_name, request.notes or ())):
            about.append(f"prompt {begins}")
        if request.melody:
            about.append(f"melody {request.melody}")
        key = find_key(notes)
        name = f"{pitch_name(key.tonic)[:-2]} {'minor' if key.minor else 'major'}"
        bars = _count(self.roll.bars(0.0, self.roll.seconds)[1] + 1, "bar")
        return " · ".join([self.title, name, bars, f"seed {self.seed}"]), "\n".join(about)

    async def save(self, command: Sequence[str], path: Path) -> None:
        """Save the piece as played, in the format of the path's suffix."""
        playback = self.playback
        score = self.score.transposed(playback.transpose).louder(playback.velocity)
        score = score.faster(playback.tempo)
        await music_export.save(command, score, path, self.frame_seconds / playback.tempo)

    def status(self, position: str = "", best: bool = False) -> str:
        """Return the status line, the most important part first.

        position: such as "2 of 3"; best: whether it is the most probable of its request.
        """
        if self.state == "waiting" and self.request and self.request.best:
            return f"○ writing {_count(self.request.best, 'piece')}, to keep the most probable"
        parts = [f"{STATES[self.state]} {self.error}".rstrip(), *["★ most probable"] * best]
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


def most_probable(pieces: Sequence[Piece]) -> Piece | None:
    """Return the piece with the fewest nats per frame; None while any is active, or of one."""
    known = [(piece.nats, piece.number, piece) for piece in pieces if piece.nats is not None]
    if len(known) < 2 or any(piece.active for piece in pieces):
        return None
    return min(known, key=lambda item: item[:2])[2]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def from_score(title: str, score: Score) -> Piece:
    """Return the piece of a score that was read from a file."""
    cell = _CELL * 60 / score.tempo
    roll = RollView(score.tempo_map, cell=min(max(cell, 0.05), 0.5))
    roll.add(score.notes)
    playback = PlaybackSettings(program=score.program)
    return Piece(title, state="opened", roll=roll, frame_seconds=cell / 2, playback=playback)


def reopened(work: Work) -> Piece:
    """Return the piece of a work of the history; raises InputError where it is damaged."""
    try:
        request = protocol.decode(json.dumps(work.settings).encode(), protocol.SAMPLER_REQUESTS)
        assert isinstance(request, SampleMusic)
        found = {name: work.result[name] for name in _KEPT}
        assert found["state"] in STATES
        tempo_map = TempoMap(work.result["tempo"], tuple(work.result["metre"]))
        roll = RollView(tempo_map, work.result["prompt"], found["frame_seconds"] / 2)
        roll.add(Note(*row) for row in work.result["notes"])
        playback = PlaybackSettings(**work.result["playback"])
    except (MessageError, AssertionError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            "This piece was kept by another version and cannot be shown here: write it again."
        ) from error
    return Piece(
        request=request, roll=roll, playback=playback, _kept_id=work.id, _kept_playback=playback,
        **found,
    )  # fmt: skip


def preview(work: Work) -> str:
    """Return what the history shows of a piece: what is known in words, and how it begins."""
    try:
        piece = reopened(work)
    except InputError:
        return work.text
    rows = [
        (round(note.start / piece.frame_seconds), round(note.end / piece.frame_seconds), note.pitch)
        for note in piece.roll.between(0.0, _PREVIEW_FRAMES * piece.frame_seconds)
    ]
    return "\n".join([work.text, "", *roll_lines(rows, _PREVIEW_FRAMES)])


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
