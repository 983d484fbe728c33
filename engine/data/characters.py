"""The character codec: text as indices, one a character."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import InputError
from engine.frames import FrameSpec

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
    def learn(
        cls, counts: Mapping[int, int] | npt.NDArray[np.integer[Any]], rare: int = 1
    ) -> "CharacterCodec":
        """Give an index to every code point counted at least `rare` times.

        `counts` maps code points to how often they occur, or holds that number at each code point.
        """
        if isinstance(counts, Mapping):
            often = sorted(point for point, count in counts.items() if count >= max(1, rare))
        else:
            often = np.flatnonzero(counts >= max(1, rare)).tolist()
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

    def unknown(self, text: str) -> list[str]:
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


def translation(old: CharacterCodec, new: CharacterCodec) -> npt.NDArray[np.int64]:
    """The index of `new` for each index of `old`, (V of old,); what `new` lacks is unknown."""
    characters = new._indices.take(code_points(old.characters), mode="clip")
    return np.concatenate([np.arange(MARKS), characters]).astype(np.int64)
