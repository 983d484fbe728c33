"""Piano rolls: which keys sound, and which begin to, in frames of equal length."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from engine.errors import InputError
from engine.frames import KEYS
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.score import Note, Score

MAX_FRAMES = 1 << 18
Keys = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Roll:
    """T frames of the 88 keys, the lowest first.

    A key that begins to sound has an onset, and so has each repetition of it while it sounds on:
    that tells a repeated note from a held one. Raises ValueError for arrays of which this is not
    true; `from_frames` makes any right.
    """

    sounding: Keys  # (T, 88)
    onset: Keys  # (T, 88)
    frame_seconds: float = 0.3
    tempo: float = 120.0  # beats a minute, of the music

    def __post_init__(self) -> None:
        shapes = {self.sounding.shape, self.onset.shape}
        if shapes != {(len(self.sounding), KEYS)}:
            raise ValueError(f"a roll of shapes {shapes}")
        if np.any(self.onset & ~self.sounding) or np.any(_begins(self.sounding) & ~self.onset):
            raise ValueError("a roll with onsets without sound, or sound without onset")
        if not (self.frame_seconds > 0 and self.tempo > 0):
            raise ValueError(f"a roll of frames of {self.frame_seconds} s at tempo {self.tempo}")

    def __len__(self) -> int:
        return len(self.sounding)

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self) * self.frame_seconds

    def notes(self) -> npt.NDArray[np.int64]:
        """The notes as rows (n, 3) of first frame, frame after the last, key; in this order."""
        after = np.zeros((1, KEYS), np.bool_)
        goes_on = np.concatenate([(self.sounding & ~self.onset)[1:], after])  # (T, 88)
        # By key, then by time, the i-th beginning belongs to the i-th end.
        keys, first = np.nonzero(self.onset.T)
        _, last = np.nonzero((self.sounding & ~goes_on).T)
        return np.array(sorted(zip(first, last + 1, keys, strict=True)), np.int64).reshape(-1, 3)

    def frames(self, planes: int) -> npt.NDArray[np.uint8]:
        """The frames a model sees, (T, 88 · planes) of 0 and 1: those sounding, then the onsets."""
        return np.concatenate([self.sounding, self.onset][:planes], axis=1).astype(np.uint8)

    def transposed(self, semitones: int) -> "Roll":
        """Every key so much higher; those that would leave the keyboard are left out."""
        to = slice(max(semitones, 0), max(KEYS + min(semitones, 0), 0))
        of = slice(max(-semitones, 0), max(KEYS - max(semitones, 0), 0))
        sounding, onset = np.zeros((2, len(self), KEYS), np.bool_)
        sounding[:, to], onset[:, to] = self.sounding[:, of], self.onset[:, of]
        return replace(self, sounding=sounding, onset=onset)

    def score(self, velocity: int | npt.NDArray[np.integer] = 80, program: int = 0) -> Score:
        """The notes in seconds; a velocity for all, or one for each frame and key, (T, 88)."""
        velocities = np.broadcast_to(velocity, self.sounding.shape)
        notes = tuple(
            Note(
                first * self.frame_seconds,
                stop * self.frame_seconds,
                key + LOWEST_PITCH,
                int(velocities[first, key]),
            )
            for first, stop, key in self.notes().tolist()
        )
        return Score(notes, self.tempo, program=program)


def _begins(sounding: Keys) -> Keys:
    """Where a key sounds that did not in the frame before, (T, 88)."""
    begins = sounding.copy()
    begins[1:] &= ~sounding[:-1]
    return begins


def from_frames(frames: npt.ArrayLike, frame_seconds: float = 0.3, tempo: float = 120.0) -> Roll:
    """The roll of a model's frames (T, 88) or (T, 176), whatever their zeros and ones.

    A key with an onset sounds; one that begins to sound has an onset. Without a plane of onsets
    repeated notes are held ones.
    """
    planes = np.asarray(frames) != 0
    sounding, onset = planes[:, :KEYS], planes[:, KEYS:]
    if onset.shape[1]:
        sounding = sounding | onset
        return Roll(sounding, onset | _begins(sounding), frame_seconds, tempo)
    return Roll(sounding, _begins(sounding), frame_seconds, tempo)


def from_score(score: Score, frame_seconds: float = 0.3, frame_beats: float = 0.0) -> Roll:
    """The roll of a score in frames of so many seconds, or of so many beats where `beats` is set.

    Frames of beats follow all of the score's tempos; as seconds they count by the first. A note
    sounds in the frames whose middles it covers, and one that covers none in the frame in which it
    begins: so none vanishes, and times off by less than half a frame do no harm. Notes of one key
    that would begin in one frame are one there: `len(score.notes) - roll.onset.sum()` of them, for
    a score that keeps to the keyboard. Silence after the last note is no part of the roll.
    Raises InputError for a roll of over 262,144 frames.
    """
    notes = [note for note in score.notes if LOWEST_PITCH <= note.pitch <= HIGHEST_PITCH]
    times = np.array([(note.start, note.end) for note in notes]).reshape(-1, 2)  # (n, 2)
    places = score.tempo_map.beats(times) / frame_beats if frame_beats else times / frame_seconds
    places = places.round(6)  # 3 · 0.1 is in the frame of 0.3
    if np.any(places > MAX_FRAMES):
        raise InputError(
            f"The music takes {places.max():,.0f} frames, {MAX_FRAMES:,} is the most: take longer "
            "frames (data.frame_seconds or data.frame_beats), or shorter music."
        )
    first, stop = np.ceil(places - 0.5).astype(np.int64).T  # (n,) each
    short = stop <= first
    first[short] = places[short, 0].astype(np.int64)
    stop[short] = first[short] + 1
    keys = np.array([note.pitch - LOWEST_PITCH for note in notes], np.int64)  # (n,)
    length = int(stop.max(initial=0))
    change = np.zeros((length + 1, KEYS), np.int32)
    np.add.at(change, (first, keys), 1)
    np.add.at(change, (stop, keys), -1)
    onset = np.zeros((length, KEYS), np.bool_)
    onset[first, keys] = True
    seconds = frame_beats * 60 / score.tempo if frame_beats else frame_seconds
    np.cumsum(change, axis=0, out=change)
    return Roll(change[:-1] > 0, onset, seconds, score.tempo)


class NoteBuilder:
    """Tells held notes from repeated ones while the roll grows.

    After `end`, the notes given are those of `from_frames(…).score()`, in the order of their ends.
    """

    def __init__(self, frame_seconds: float, velocity: int = 80) -> None:
        self.frame_seconds = frame_seconds
        self.velocity = velocity
        self.frame_count = 0  # frames so far
        self._began: dict[int, int] = {}  # by pitch that sounds: the frame of its onset

    @property
    def seconds(self) -> float:
        """How long the frames so far are."""
        return self.frame_count * self.frame_seconds

    @property
    def complete_until(self) -> float:
        """Every note that starts before this second has been given."""
        return min(self._began.values(), default=self.frame_count) * self.frame_seconds

    def add(self, keys: Collection[int], onsets: Collection[int] | None = None) -> list[Note]:
        """Take in a frame's pitches; gives the notes that sound no more.

        onsets: the pitches struck in this frame; None where that is not known, and a key that
        sounds on is held.
        """
        struck = set(onsets or ())
        sounding = struck.union(keys)
        over = [pitch for pitch in self._began if pitch in struck or pitch not in sounding]
        notes = [self._note(pitch, self._began.pop(pitch)) for pitch in over]
        for pitch in sounding:
            self._began.setdefault(pitch, self.frame_count)
        self.frame_count += 1
        return notes

    def open_notes(self) -> list[Note]:
        """The notes that still sound, as far as they have come."""
        return [self._note(pitch, began) for pitch, began in self._began.items()]

    def finish(self) -> list[Note]:
        """There are no more frames: gives the notes that sounded to the last."""
        notes = self.open_notes()
        self._began.clear()
        return notes

    def _note(self, pitch: int, began: int) -> Note:
        return Note(
            began * self.frame_seconds, self.frame_count * self.frame_seconds, pitch, self.velocity
        )
