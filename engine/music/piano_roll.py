"""Piano rolls: which keys sound, and which are struck, in frames of equal length."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from engine.errors import InputError
from engine.frames import KEYS
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.score import Note, Score

MAX_FRAMES = 1 << 18
Keys = npt.NDArray[np.bool_]  # (T, 88)


@dataclass(frozen=True, eq=False)
class Roll:
    """T frames of the 88 keys, the lowest key first.

    The onsets distinguish repeated notes from held ones: a key has one where it begins to sound and
    where it is struck again while it sounds. Raises ValueError for arrays that break this rule;
    `from_frames` accepts any.
    """

    sounding: Keys
    onset: Keys
    frame_seconds: float = 0.3
    tempo: float = 120.0  # of the music, in beats a minute

    def __post_init__(self) -> None:
        shapes = {self.sounding.shape, self.onset.shape}
        if shapes != {(len(self.sounding), KEYS)}:
            raise ValueError(f"a roll of shapes {shapes}")
        if np.any(self.onset & ~self.sounding) or np.any(_starts(self.sounding) & ~self.onset):
            raise ValueError("a roll with onsets without sound, or sound without onset")
        if not (self.frame_seconds > 0 and self.tempo > 0):
            raise ValueError(f"a roll of frames of {self.frame_seconds} s at tempo {self.tempo}")

    def __len__(self) -> int:
        return len(self.sounding)

    @property
    def seconds(self) -> float:
        """Its length in seconds."""
        return len(self) * self.frame_seconds

    def notes(self) -> npt.NDArray[np.int64]:
        """Return the notes as sorted rows (n, 3) of first frame, frame after the last, key."""
        after = np.zeros((1, KEYS), np.bool_)
        held_next = np.concatenate([(self.sounding & ~self.onset)[1:], after])  # (T, 88)
        # By key, then by time: the i-th first frame belongs to the i-th last frame.
        keys, first = np.nonzero(self.onset.T)
        _, last = np.nonzero((self.sounding & ~held_next).T)
        return np.array(sorted(zip(first, last + 1, keys, strict=True)), np.int64).reshape(-1, 3)

    def frames(self, planes: int) -> npt.NDArray[np.uint8]:
        """Return a model's frames, (T, 88 · planes) of 0 and 1: keys that sound, then onsets."""
        return np.concatenate([self.sounding, self.onset][:planes], axis=1).astype(np.uint8)

    def transposed(self, semitones: int) -> "Roll":
        """Return the roll shifted in pitch, without the notes that leave the keyboard."""
        target = slice(max(semitones, 0), max(KEYS + min(semitones, 0), 0))
        source = slice(max(-semitones, 0), max(KEYS - max(semitones, 0), 0))
        sounding, onset = np.zeros((2, len(self), KEYS), np.bool_)
        sounding[:, target] = self.sounding[:, source]
        onset[:, target] = self.onset[:, source]
        return replace(self, sounding=sounding, onset=onset)

    def score(self, velocity: int | npt.NDArray[np.integer] = 80, program: int = 0) -> Score:
        """Return the notes in seconds.

        velocity: one for all notes, or one for each frame and key, (T, 88).
        """
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


def _starts(sounding: Keys) -> Keys:
    """Return where a key sounds that was silent in the frame before, (T, 88)."""
    starts = sounding.copy()
    starts[1:] &= ~sounding[:-1]
    return starts


def from_frames(frames: npt.ArrayLike, frame_seconds: float = 0.3, tempo: float = 120.0) -> Roll:
    """Return the roll of a model's frames, (T, 88) or (T, 176), whatever their zeros and ones.

    A key with an onset is made to sound, and one that begins to sound gets an onset. Without a
    plane of onsets, a repeated note becomes a held one.
    """
    planes = np.asarray(frames) != 0
    sounding, onset = planes[:, :KEYS], planes[:, KEYS:]
    if onset.shape[1]:
        sounding = sounding | onset
        return Roll(sounding, onset | _starts(sounding), frame_seconds, tempo)
    return Roll(sounding, _starts(sounding), frame_seconds, tempo)


def from_score(score: Score, frame_seconds: float = 0.3, frame_beats: float = 0.0) -> Roll:
    """Return the roll of a score.

    frame_beats: the length of a frame in beats, in place of `frame_seconds` unless 0. Such frames
    follow all tempo changes of the score; the roll's `frame_seconds` is by the first tempo.

    A note sounds in the frames whose middles it covers, or if it covers none in the frame in which
    it begins: no note vanishes, and times off by less than half a frame do no harm. Notes of one
    key that begin in one frame become one: `len(score.notes) - roll.onset.sum()` notes disappear
    so, if all are on the keyboard. Silence after the last note is left out. Raises InputError for
    a roll of over 262,144 frames.
    """
    notes = [note for note in score.notes if LOWEST_PITCH <= note.pitch <= HIGHEST_PITCH]
    times = np.array([(note.start, note.end) for note in notes]).reshape(-1, 2)  # (n, 2)
    positions = score.tempo_map.beats(times) / frame_beats if frame_beats else times / frame_seconds
    positions = positions.round(6)  # in frames; 3 · 0.1 s is in the frame that begins at 0.3 s
    if np.any(positions > MAX_FRAMES):
        raise InputError(
            f"The music takes {positions.max():,.0f} frames, more than {MAX_FRAMES:,}: use longer "
            "frames (data.frame_seconds or data.frame_beats), or shorter music."
        )
    first, stop = np.ceil(positions - 0.5).astype(np.int64).T  # (n,) each
    short = stop <= first
    first[short] = positions[short, 0].astype(np.int64)
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
    """Incremental `from_frames(…).score()`, for frames that arrive one by one.

    A note is returned when it ends; after `finish` all have been.
    """

    def __init__(self, frame_seconds: float, velocity: int = 80) -> None:
        self.frame_seconds = frame_seconds
        self.velocity = velocity
        self.frame_count = 0  # frames so far
        self._onsets: dict[int, int] = {}  # by pitch that sounds: the frame of its onset

    @property
    def seconds(self) -> float:
        """Length of the frames so far."""
        return self.frame_count * self.frame_seconds

    @property
    def complete_until(self) -> float:
        """The second before which every note that starts has been returned."""
        return min(self._onsets.values(), default=self.frame_count) * self.frame_seconds

    def add(self, keys: Collection[int], onsets: Collection[int] | None = None) -> list[Note]:
        """Add the pitches of a frame and return the notes that have ended.

        onsets: the pitches struck in this frame; None if unknown, then a key that keeps sounding is
        held.
        """
        struck = set(onsets or ())
        sounding = struck.union(keys)
        ended = [pitch for pitch in self._onsets if pitch in struck or pitch not in sounding]
        notes = [self._note(pitch, self._onsets.pop(pitch)) for pitch in ended]
        for pitch in sounding:
            self._onsets.setdefault(pitch, self.frame_count)
        self.frame_count += 1
        return notes

    def open_notes(self) -> list[Note]:
        """Return the notes that still sound, up to the last frame."""
        return [self._note(pitch, onset) for pitch, onset in self._onsets.items()]

    def finish(self) -> list[Note]:
        """End the notes that still sound and return them."""
        notes = self.open_notes()
        self._onsets.clear()
        return notes

    def _note(self, pitch: int, onset: int) -> Note:
        end = self.frame_count * self.frame_seconds
        return Note(onset * self.frame_seconds, end, pitch, self.velocity)
