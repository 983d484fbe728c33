"""The prompt and the length of a piece, as typed on the Music page."""

import re
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError
from engine.music import SCORE_SUFFIXES, pitch

MAX_LENGTH = 1e6  # in any unit
_UNITS = {"": "length", "frame": "length", "frames": "length", "bar": "bars", "bars": "bars",
          "s": "seconds", "sec": "seconds", "second": "seconds", "seconds": "seconds"}  # fmt: skip
_LENGTH = re.compile(r"([0-9.]{1,12}) *([a-z]*)", re.IGNORECASE)


@dataclass(frozen=True)
class Prompt:
    """How a piece begins: with a file of music, with a chord, or with neither."""

    file: str | None = None
    notes: tuple[int, ...] | None = None  # MIDI pitches


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


def parse_length(text: str) -> dict[str, float]:
    """Parse a length in frames, bars or seconds to a field of SampleMusic; raises InputError.

    Blank: {}, the default.
    """
    if not text:
        return {}
    match = _LENGTH.fullmatch(text)
    unit = _UNITS.get(match[2].lower()) if match else None
    try:
        count = float(match[1]) if match else 0.0
    except ValueError:
        count = 0.0
    if unit is None or not 0 < count <= MAX_LENGTH or (unit == "length" and count != int(count)):
        raise InputError(f"Length must be like 200 frames, 16 bars or 30 s, not {text!r}.")
    return {unit: int(count) if unit == "length" else count}
