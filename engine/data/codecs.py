"""The codecs: what a corpus's or a model's frames stand for."""

import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import InputError
from engine.frames import KEYS, FrameSpec
from engine.music import piano_roll
from engine.music.piano_roll import Roll
from engine.music.score import Score

BEGIN, END, UNKNOWN = 0, 1, 2
MARKS = 3  # the first character's index
REPLACEMENT = "\ufffd"  # how the unknown mark is shown
_CODE_POINTS = 0x110000


def code_points(text: str) -> npt.NDArray[np.uint32]:
    """The text's code points, (len(text),); a lone surrogate is one too."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _is_character(point: int) -> bool:
    """Whether a codec may hold it: a surrogate cannot be written, U+FFFD stands for the unknown."""
    return not 0xD800 <= point < 0xE000 and point != ord(REPLACEMENT)


@dataclass(frozen=True)
class CharacterCodec:
    """The characters that have an index of their own, in order of their code points.

    Character i of the string has index i + 3; below are the begin, end and unknown marks. Raises
    InputError for characters out of order.
    """

    characters: str

    def __post_init__(self) -> None:
        points = [ord(character) for character in self.characters]
        if points != sorted(set(points)) or not all(map(_is_character, points)):
            raise InputError(
                "The codec's characters are not distinct and in order: the model or corpus they "
                "come from is damaged; make it anew."
            )

    @classmethod
    def from_counts(
        cls, counts: Mapping[int, int] | npt.NDArray[np.integer[Any]], min_count: int = 1
    ) -> "CharacterCodec":
        """Give an index to every code point counted at least `rare` times.

        `counts` maps code points to how often they occur, or holds that number at each code point.
        """
        if isinstance(counts, Mapping):
            often = sorted(point for point, count in counts.items() if count >= max(1, min_count))
        else:
            often = np.flatnonzero(counts >= max(1, min_count)).tolist()
        return cls("".join(chr(point) for point in often if _is_character(point)))

    @property
    def spec(self) -> FrameSpec:
        """One of V = 3 + len(characters) indices a frame."""
        return FrameSpec("characters", MARKS + len(self.characters))

    @cached_property
    def _indices(self) -> npt.NDArray[Any]:
        """The index of each code point, (last + 2,): its final entry serves all that come after."""
        points = code_points(self.characters)
        size = int(points[-1]) + 2 if len(points) else 1
        indices = np.full(size, UNKNOWN, self.spec.dtype)
        indices[points] = np.arange(MARKS, MARKS + len(points))
        return indices

    @cached_property
    def _points(self) -> npt.NDArray[np.uint32]:
        """The code point of each index, (V,)."""
        return np.concatenate([code_points("\0\0" + REPLACEMENT), code_points(self.characters)])

    def encode(self, text: str) -> npt.NDArray[Any]:
        """The text's characters after NFC as indices, (n,) of `spec.dtype`; of the marks only
        the unknown occurs."""
        points = code_points(unicodedata.normalize("NFC", text))
        return self._indices.take(points, mode="clip")

    def decode(self, indices: npt.ArrayLike) -> str:
        """The text of (n,) indices: the unknown mark as U+FFFD, begin and end marks left out."""
        array = np.asarray(indices, dtype=np.int64)
        return self._points[array[array >= UNKNOWN]].astype("<u4").tobytes().decode("utf-32-le")

    def unknown_characters(self, text: str) -> list[str]:
        """The distinct characters of the text that have no index, in order of appearance."""
        known = set(self.characters)
        return [c for c in dict.fromkeys(unicodedata.normalize("NFC", text)) if c not in known]

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON; `from_json` is the inverse."""
        return {"kind": "characters", "characters": self.characters}

    @classmethod
    def from_json(cls, values: object) -> "CharacterCodec":
        """Build the codec from what `to_json` gave; raises InputError for anything else."""
        if isinstance(values, Mapping) and values.get("kind") == "characters":
            characters = values.get("characters")
            if isinstance(characters, str):
                return cls(characters)
        raise InputError(
            "The codec is not one of characters: the model or corpus it comes from is damaged or "
            "of another kind; give another."
        )


def index_table(old: CharacterCodec, new: CharacterCodec) -> npt.NDArray[np.int64]:
    """The index of `new` for each index of `old`, (V of old,); what `new` lacks is unknown."""
    characters = new._indices.take(code_points(old.characters), mode="clip")
    return np.concatenate([np.arange(MARKS), characters]).astype(np.int64)


_DAMAGED = (
    "The codec is not one of piano keys: the model or corpus it comes from is damaged or of "
    "another kind; give another."
)


@dataclass(frozen=True)
class KeysCodec:
    """Frames of the 88 piano keys. Raises InputError for values that make no sense."""

    planes: int  # 1: the keys that sound; 2: then those that begin to
    frame: float | None  # the length of a frame in seconds, or …
    beats: float | None  # … in beats
    tempo: float  # beats a minute, usual in the corpus

    def __post_init__(self) -> None:
        length = self.beats if self.frame is None else self.frame
        numbers = (self.planes, length, self.tempo)
        if (
            not all(isinstance(x, int | float) and 0 < x < math.inf for x in numbers)
            or self.planes not in (1, 2)
            or (self.frame is None) == (self.beats is None)
        ):
            raise InputError(_DAMAGED)

    @property
    def spec(self) -> FrameSpec:
        """88 or 176 zeros and ones a frame."""
        return FrameSpec("keys", KEYS * self.planes)

    @property
    def seconds(self) -> float:
        """The length of a frame, by the usual tempo if it is a part of a beat."""
        return self.frame or (self.beats or 0.0) * 60 / self.tempo

    def frames_per_bar(self, metre: tuple[int, int]) -> float:
        """How many frames a bar has, by the usual tempo if a frame is so many seconds."""
        beats = metre[0] * 4 / metre[1]  # quarter notes
        return beats / (self.beats or self.seconds * self.tempo / 60)

    def quantize(self, score: Score) -> Roll:
        """The roll of a score in frames of this length."""
        return piano_roll.from_score(score, self.seconds, self.beats or 0.0)

    def encode(self, music: Roll) -> npt.NDArray[np.uint8]:
        """The frames of a roll, (T, 88 · planes)."""
        return music.frames(self.planes)

    def decode(self, frames: npt.ArrayLike) -> Roll:
        """The roll of frames (T, 88 · planes), also of such as no roll would give."""
        return piano_roll.from_frames(frames, self.seconds, self.tempo)

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON; `from_json` is the inverse."""
        return {"kind": "keys", **asdict(self)}

    @classmethod
    def from_json(cls, values: object) -> "KeysCodec":
        """Build the codec from what `to_json` gave; raises InputError for anything else."""
        if isinstance(values, Mapping) and values.get("kind") == "keys":
            names = ("planes", "frame", "beats", "tempo")
            if all(name in values for name in names):
                return cls(*(values[name] for name in names))
        raise InputError(_DAMAGED)


Codec = CharacterCodec | KeysCodec

CODECS: dict[str, Callable[[object], Codec]] = {
    "characters": CharacterCodec.from_json,
    "keys": KeysCodec.from_json,
}


def codec_from_json(values: object) -> Codec:
    """Build a codec of either kind from what `to_json` gave; raises InputError for others."""
    kind = values.get("kind") if isinstance(values, Mapping) else None
    if not isinstance(kind, str) or kind not in CODECS:
        raise InputError(
            "The codec is of no known kind: the model or corpus it comes from is damaged or of a "
            "later version; give another."
        )
    return CODECS[kind](values)
