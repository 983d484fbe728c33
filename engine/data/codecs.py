"""The codecs: what a corpus's or a model's frames stand for."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.data.characters import CharacterCodec
from engine.errors import InputError
from engine.frames import FrameSpec
from engine.music import roll
from engine.music.roll import Roll
from engine.music.score import KEYS, Score

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

    def bar(self, metre: tuple[int, int]) -> float:
        """How many frames a bar has, by the usual tempo if a frame is so many seconds."""
        beats = metre[0] * 4 / metre[1]  # quarter notes
        return beats / (self.beats or self.seconds * self.tempo / 60)

    def quantised(self, score: Score) -> Roll:
        """The roll of a score in frames of this length."""
        return roll.from_score(score, self.seconds, self.beats or 0.0)

    def encode(self, music: Roll) -> npt.NDArray[np.uint8]:
        """The frames of a roll, (T, 88 · planes)."""
        return music.frames(self.planes)

    def decode(self, frames: npt.ArrayLike) -> Roll:
        """The roll of frames (T, 88 · planes), also of such as no roll would give."""
        return roll.from_frames(frames, self.seconds, self.tempo)

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
