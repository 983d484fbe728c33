"""The prompt and the length of a piece, as typed on the Music page."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError
from engine.music import SCORE_SUFFIXES, pitch
from engine.music.tempo_map import TempoMap
from engine.protocol import FrameLength

MAX_LENGTH = 1e6  # in any unit
_UNITS = {"": "frames", "frame": "frames", "frames": "frames", "bar": "bars", "bars": "bars",
          "s": "seconds", "sec": "seconds", "second": "seconds", "seconds": "seconds"}  # fmt: skip
_LENGTH = re.compile(r"([0-9.]{1,12}) *([a-z]*)", re.IGNORECASE)


@dataclass(frozen=True)
class Prompt:
    """How a piece begins: with a file of music, with a chord, or with neither."""

    file: str | None = None
    notes: tuple[int, ...] | None = None  # MIDI pitches


@dataclass(frozen=True)
class Length:
    """A length of music."""

    count: float
    unit: str = "frames"  # "frames", "bars" or "seconds"

    def frames(self, frame: FrameLength | None, tempo_map: TempoMap) -> int:
        """Return the length in frames.

        frame: the length of the model's frames; None while the model is being loaded. Raises
        InputError for None unless the unit is frames.
        """
        if self.unit == "frames":
            return int(self.count)
        if frame is None:
            raise InputError(
                f"A length in {self.unit} needs the model, which is still being loaded: wait a "
                "moment, or give the length in frames."
            )
        beats = frame.beats or frame.seconds * frame.tempo / 60
        frames = self.count / frame.seconds
        if self.unit == "bars":
            frames = self.count * tempo_map.bar_length / beats
        return max(math.ceil(frames - 1e-6), 1)


def parse_prompt(text: str) -> Prompt:
    """Parse notes such as `C4 E4 G4`, or the path of a MIDI or MusicXML file; raises InputError."""
    if not text:
        return Prompt()
    if "/" in text or "\\" in text or text.lower().endswith(SCORE_SUFFIXES):
        try:
            return Prompt(file=str(Path(text).expanduser()))
        except RuntimeError as error:
            raise InputError(f"{text!r} has no home folder: give an absolute path.") from error
    try:
        return Prompt(notes=pitch.parse_chord(text))
    except InputError as error:
        words = str(error).removesuffix(".")
        raise InputError(f"{words}, or the path of a MIDI or MusicXML file.") from error


def parse_length(text: str) -> Length | None:
    """Parse a length in frames, bars or seconds; blank: None, the default. Raises InputError."""
    if not text:
        return None
    match = _LENGTH.fullmatch(text)
    unit = _UNITS.get(match[2].lower()) if match else None
    try:
        count = float(match[1]) if match else 0.0
    except ValueError:
        count = 0.0
    if unit is None or not 0 < count <= MAX_LENGTH or (unit == "frames" and count != int(count)):
        raise InputError(f"Length must be like 200 frames, 16 bars or 30 s, not {text!r}.")
    return Length(count, unit)
