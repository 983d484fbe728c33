"""Codecs, which convert lyrics or piano rolls to the frames of a model, and back.

A frame of lyrics is the index of a character; a frame of music has a bit for each piano key.
V: number of indices; T: number of frames.
"""

import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import InputError
from engine.frame_spec import KEYS, FrameSpec
from engine.music import piano_roll
from engine.music.piano_roll import Roll
from engine.music.score import Score
from engine.music.tempo_map import is_time_signature

END, UNKNOWN = 1, 2  # indices of the end mark and of the unknown mark; BEGIN is 0
MARKS = 3  # the index of the first character
REPLACEMENT = "\ufffd"  # the character to which the unknown mark is decoded


def code_points(text: str) -> npt.NDArray[np.uint32]:
    """Return the code points of a text, (len(text),); the text may contain lone surrogates."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _is_character(point: int) -> bool:
    """Return whether a codec may contain a code point: no surrogate, and not U+FFFD (unknown)."""
    return not 0xD800 <= point < 0xE000 and point != ord(REPLACEMENT)


@dataclass(frozen=True)
class CharacterCodec:
    """Converts text to indices, one per character, and back.

    The indices 0, 1 and 2 are the begin, end and unknown marks; `characters[i]` has index i + 3.
    Raises InputError if `characters` are not distinct and in the order of their code points.
    """

    characters: str

    def __post_init__(self) -> None:
        points = [ord(character) for character in self.characters]
        if points != sorted(set(points)) or not all(map(_is_character, points)):
            raise InputError(
                "The codec's characters are not distinct and in order: its model or corpus is "
                "damaged; train the model or prepare the corpus again."
            )

    @classmethod
    def from_counts(
        cls, counts: Mapping[int, int] | npt.NDArray[np.integer[Any]], min_count: int = 1
    ) -> "CharacterCodec":
        """Return the codec of the characters that occur at least `min_count` times.

        counts: occurrences by code point, as a mapping or as an array.
        """
        least = max(1, min_count)
        if isinstance(counts, Mapping):
            points = sorted(point for point, count in counts.items() if count >= least)
        else:
            points = np.flatnonzero(counts >= least).tolist()
        return cls("".join(chr(point) for point in points if _is_character(point)))

    @property
    def spec(self) -> FrameSpec:
        """The format of a frame: an index below V = 3 + len(characters)."""
        return FrameSpec("characters", MARKS + len(self.characters))

    @cached_property
    def _indices(self) -> npt.NDArray[Any]:
        """Table from code point to index, up to the highest code point in the alphabet.

        Code points outside the alphabet have the index of the unknown mark; so has one extra last
        entry, which serves all higher code points.
        """
        points = code_points(self.characters)
        size = int(points[-1]) + 2 if len(points) else 1
        indices = np.full(size, UNKNOWN, self.spec.dtype)
        indices[points] = np.arange(MARKS, MARKS + len(points))
        return indices

    @cached_property
    def _points(self) -> npt.NDArray[np.uint32]:
        """A lookup table from index to code point, (V,)."""
        return np.concatenate([code_points("\0\0" + REPLACEMENT), code_points(self.characters)])

    def encode(self, text: str) -> npt.NDArray[Any]:
        """Normalize a text to NFC and return the indices of its n characters, (n,) `spec.dtype`.

        Characters that the codec lacks become the unknown mark.
        """
        points = code_points(unicodedata.normalize("NFC", text))
        return self._indices.take(points, mode="clip")

    def decode(self, indices: npt.ArrayLike) -> str:
        """Return the text of indices (n,): U+FFFD for unknown marks, nothing for begin and end."""
        array = np.asarray(indices, dtype=np.int64)
        return self._points[array[array >= UNKNOWN]].astype("<u4").tobytes().decode("utf-32-le")

    def unknown_characters(self, text: str) -> list[str]:
        """Return the distinct characters of a text that the codec lacks, in order of appearance."""
        known = set(self.characters)
        return [c for c in dict.fromkeys(unicodedata.normalize("NFC", text)) if c not in known]

    def to_json(self) -> dict[str, Any]:
        """Return the codec as an object for JSON; `from_json` is the inverse."""
        return {"kind": "characters", "characters": self.characters}

    @classmethod
    def from_json(cls, values: object) -> "CharacterCodec":
        """Build the codec from what `to_json` returned; raises InputError for anything else."""
        if isinstance(values, Mapping) and values.get("kind") == "characters":
            characters = values.get("characters")
            if isinstance(characters, str):
                return cls(characters)
        raise InputError(
            "The codec is not one of characters: its model or corpus is damaged or of another "
            "kind; choose another model or corpus."
        )


def index_table(old: CharacterCodec, new: CharacterCodec) -> npt.NDArray[np.int64]:
    """Return the table, (V of `old`,), that maps each index of `old` to the index in `new`.

    Characters that `new` lacks are mapped to the unknown mark.
    """
    characters = new._indices.take(code_points(old.characters), mode="clip")
    return np.concatenate([np.arange(MARKS), characters]).astype(np.int64)


_DAMAGED = (
    "The codec is not one of piano keys: its model or corpus is damaged or of another kind; choose "
    "another model or corpus."
)


@dataclass(frozen=True)
class KeysCodec:
    """Converts piano rolls to frames of piano keys, and back.

    A frame has one or two planes; a plane has a zero or a one for each of the 88 keys. Raises
    InputError for values out of range.
    """

    planes: int  # 1: the keys that sound; 2: these, then the keys that begin to sound
    frame: float | None  # the length of a frame in seconds; None: `beats` is set
    beats: float | None  # the length of a frame in beats (quarter notes); None: `frame` is set
    tempo: float  # beats per minute: the median of the corpus
    metre: tuple[int, int] = (4, 4)  # the time signature that is most common in the corpus

    def __post_init__(self) -> None:
        length = self.beats if self.frame is None else self.frame
        numbers = (self.planes, length, self.tempo)
        if (
            not all(isinstance(x, int | float) and 0 < x < math.inf for x in numbers)
            or self.planes not in (1, 2)
            or not is_time_signature(self.metre)
            or (self.frame is None) == (self.beats is None)
        ):
            raise InputError(_DAMAGED)

    @property
    def spec(self) -> FrameSpec:
        """The format of a frame: 88 zeros and ones for each plane."""
        return FrameSpec("keys", KEYS * self.planes)

    @property
    def seconds(self) -> float:
        """The length of a frame in seconds; a length in beats is converted at `tempo`."""
        return self.frame or (self.beats or 0.0) * 60 / self.tempo

    def frames_per_bar(self, metre: tuple[int, int]) -> float:
        """Return the number of frames in a bar of a time signature, for example (3, 4).

        A frame's length in seconds is converted to beats at `tempo`.
        """
        beats = metre[0] * 4 / metre[1]  # quarter notes
        return beats / (self.beats or self.seconds * self.tempo / 60)

    def at_tempo(self, tempo: float) -> "KeysCodec":
        """Return the codec with another tempo: its frames are the same."""
        return replace(self, tempo=tempo)

    def quantize(self, score: Score) -> Roll:
        """Return the piano roll of a score, in frames of the codec's length."""
        return piano_roll.from_score(score, self.seconds, self.beats or 0.0)

    def encode(self, music: Roll) -> npt.NDArray[np.uint8]:
        """Return the frames of a piano roll, (T, 88 · planes)."""
        return music.frames(self.planes)

    def decode(self, frames: npt.ArrayLike) -> Roll:
        """Return the piano roll of frames (T, 88 · planes); any zeros and ones are valid."""
        return piano_roll.from_frames(frames, self.seconds, self.tempo)

    def to_json(self) -> dict[str, Any]:
        """Return the codec as an object for JSON; `from_json` is the inverse."""
        return {"kind": "keys", **asdict(self)}

    @classmethod
    def from_json(cls, values: object) -> "KeysCodec":
        """Build the codec from what `to_json` returned; raises InputError for anything else."""
        if isinstance(values, Mapping) and values.get("kind") == "keys":
            names = ("planes", "frame", "beats", "tempo", "metre")
            if all(name in values for name in names):
                planes, frame, beats, tempo, metre = (values[name] for name in names)
                metre = tuple(metre) if isinstance(metre, list) else metre
                return cls(planes, frame, beats, tempo, metre)
        raise InputError(_DAMAGED)


Codec = CharacterCodec | KeysCodec

CODECS: dict[str, Callable[[object], Codec]] = {
    "characters": CharacterCodec.from_json,
    "keys": KeysCodec.from_json,
}


def codec_from_json(values: object) -> Codec:
    """Build a codec of either kind from what `to_json` returned; raises InputError otherwise."""
    kind = values.get("kind") if isinstance(values, Mapping) else None
    if not isinstance(kind, str) or kind not in CODECS:
        raise InputError(
            "The codec is of an unknown kind: its model or corpus is damaged or from a later "
            "version; choose another model or corpus."
        )
    return CODECS[kind](values)
