"""Piano rolls: which keys sound, and which are struck, in frames of equal length."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from engine.errors import InputError
from engine.frame_spec import KEYS
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.score import Note, Score

MAX_FRAMES = 1 << 18
Keys = npt.NDArray[np.bool_]  # (T, 88): T frames, 88 keys
T = TypeVar("T", bound=np.generic)


def shift_keys(keys: npt.NDArray[T], semitones: int) -> npt.NDArray[T]:
    """Return keys (…, 88) shifted in pitch, without those that are then not on the piano."""
    shifted = np.zeros_like(keys)
    target = slice(max(semitones, 0), max(KEYS + min(semitones, 0), 0))
    source = slice(max(-semitones, 0), max(KEYS - max(semitones, 0), 0))
    shifted[..., target] = keys[..., source]
    return shifted


def shift_frames(frames: npt.NDArray[T], semitones: int) -> npt.NDArray[T]:
    """Return a model's frames (…, 88 · planes) shifted in pitch, as `shift_keys` does."""
    return shift_keys(frames.reshape(-1, KEYS), semitones).reshape(frames.shape)


@dataclass(frozen=True, eq=False)
class Roll:
    """T frames of the 88 keys, the lowest key first.

    A key has an onset in the frame in which it begins to sound, and in each frame in which it is
    struck again while it sounds, so that repeated notes can be distinguished from held ones. Raises
    ValueError for arrays that break this rule; `from_frames` accepts any arrays.
    """

    sounding: Keys
    onset: Keys
    frame_seconds: float = 0.3
    tempo: float = 120.0  # of the music, in beats per minute

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
        """Length of the roll in seconds."""
        return len(self) * self.frame_seconds

    def notes(self) -> npt.NDArray[np.int64]:
        """Return the notes as sorted rows (n, 3): first frame, frame after the last, key."""
        after = np.zeros((1, KEYS), np.bool_)
        held_next = np.concatenate([(self.sounding & ~self.onset)[1:], after])  # (T, 88)
        # By key, then by time: the i-th first frame belongs to the i-th last frame.
        keys, first = np.nonzero(self.onset.T)
        _, last = np.nonzero((self.sounding & ~held_next).T)
        return np.array(sorted(zip(first, last + 1, keys, strict=True)), np.int64).reshape(-1, 3)

    def frames(self, planes: int) -> npt.NDArray[np.uint8]:
        """Return the frames of a model, (T, 88 · planes), with values 0 and 1.

        planes: 1 for the keys that sound; 2 for these and then the onsets.
        """
        return np.concatenate([self.sounding, self.onset][:planes], axis=1).astype(np.uint8)

    def transposed(self, semitones: int) -> "Roll":
        """Return the roll shifted in pitch, without the notes that are then not on the piano."""
        sounding, onset = (shift_keys(keys, semitones) for keys in (self.sounding, self.onset))
        return replace(self, sounding=sounding, onset=onset)

    def score(self, velocity: int | npt.NDArray[np.integer] = 80, program: int = 0) -> Score:
        """Return the notes of the roll as a score.

        velocity: one for all notes, or an array (T, 88) in which each note's velocity is at its
        first frame and its key.
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
    """Return which keys sound that were silent in the frame before, (T, 88)."""
    starts = sounding.copy()
    starts[1:] &= ~sounding[:-1]
    return starts


def from_frames(frames: npt.ArrayLike, frame_seconds: float = 0.3, tempo: float = 120.0) -> Roll:
    """Return the roll of a model's frames, (T, 88) or (T, 176): see `Roll.frames`.

    Frames that break the rule of `Roll` are completed: a key with an onset also sounds, and a key
    that begins to sound gets an onset. Without onsets, repeated notes become held ones.
    """
    planes = np.asarray(frames) != 0
    sounding, onset = planes[:, :KEYS], planes[:, KEYS:]
    if onset.shape[1]:
        sounding = sounding | onset
        return Roll(sounding, onset | _starts(sounding), frame_seconds, tempo)
    return Roll(sounding, _starts(sounding), frame_seconds, tempo)


def from_score(score: Score, frame_seconds: float = 0.3, frame_beats: float = 0.0) -> Roll:
    """Return the roll of a score.

    frame_beats: the length of a frame in beats, which unless 0 is used instead of `frame_seconds`.
    Such frames follow all tempo changes of the score; the roll's `frame_seconds` is then that of
    the tempo at the first note.

    A note sounds in the frames whose middles it covers; if it covers no middle, in the frame in
    which it begins. Thus short notes are kept, and inaccuracies of less than half a frame have no
    effect. Notes of one key that begin in the same frame are merged; if all notes are on the piano,
    that removes `len(score.notes) - roll.onset.sum()` notes. Silence after the last note is left
    out. Raises InputError for a roll of over 262,144 frames.
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
    tempo = score.first_note_tempo
    seconds = frame_beats * 60 / tempo if frame_beats else frame_seconds
    np.cumsum(change, axis=0, out=change)
    return Roll(change[:-1] > 0, onset, seconds, tempo)


def off_grid_share(score: Score, frame_beats: float) -> float:
    """Return the share of a score's notes that begin between two frames of a length in beats.

    A note begins with a frame if it is at most a twentieth of a frame away from its beginning.
    """
    positions = score.tempo_map.beats([note.start for note in score.notes]) / frame_beats
    return float(np.mean(np.abs(positions - positions.round()) > 0.05)) if score.notes else 0.0


class NoteBuilder:
    """Builds the notes of `from_frames(…).score()` from frames that arrive one by one.

    `add` returns each note when it has ended, and `finish` the notes that still sound.
    """

    def __init__(self, frame_seconds: float, velocity: int = 80) -> None:
        self.frame_seconds = frame_seconds
        self.velocity = velocity
        self.frame_count = 0  # number of frames so far
        self._onsets: dict[int, int] = {}  # of each pitch that sounds: the frame of its onset

    @property
    def seconds(self) -> float:
        """Length of the frames so far."""
        return self.frame_count * self.frame_seconds

    @property
    def complete_until(self) -> float:
        """Time in seconds: all notes that start before it have been returned."""
        return min(self._onsets.values(), default=self.frame_count) * self.frame_seconds

    def add(self, keys: Collection[int], onsets: Collection[int] | None = None) -> list[Note]:
        """Add a frame and return the notes that end at its beginning.

        keys: the pitches that sound. onsets: the pitches struck in this frame; None: not known, and
        a pitch that sounded in the frame before is held.
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
        """Return the notes that still sound, as if they ended after the last frame."""
        return [self._note(pitch, onset) for pitch, onset in self._onsets.items()]

    def finish(self) -> list[Note]:
        """End the notes that still sound and return them."""
        notes = self.open_notes()
        self._onsets.clear()
        return notes

    def _note(self, pitch: int, onset: int) -> Note:
        end = self.frame_count * self.frame_seconds
        return Note(onset * self.frame_seconds, end, pitch, self.velocity)
