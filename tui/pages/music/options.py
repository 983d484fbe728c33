"""What may stand in the fields of the Music page, and what it means."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError
from engine.music import MIDI_SUFFIXES, pitch
from engine.music.tempo_map import TempoMap
from engine.protocol import FrameLength
from tui.widgets.fields import number, whole

USUAL_LENGTH = 200  # frames
_UNITS = {"": "frames", "frame": "frames", "frames": "frames", "bar": "bars", "bars": "bars",
          "s": "seconds", "sec": "seconds", "second": "seconds", "seconds": "seconds"}  # fmt: skip
_LENGTH = re.compile(r"([0-9.]{1,12}) *([a-z]*)", re.IGNORECASE)


@dataclass(frozen=True)
class Beginning:
    """How music is to begin: with a MIDI file, with a chord, or with nothing."""

    file: str | None = None
    notes: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Length:
    """How long music is to be."""

    count: float = USUAL_LENGTH
    unit: str = "frames"  # or "bars", "seconds"

    def frames(self, frame: FrameLength | None, tempo_map: TempoMap) -> int:
        """That in frames; raises InputError where the model has not yet said how long one is."""
        if self.unit == "frames":
            return int(self.count)
        if frame is None:
            raise InputError(
                f"The length is in {self.unit}, and how long a frame is will be known when the "
                "model is loaded: wait a moment, or give frames."
            )
        beats = frame.beats or frame.seconds * frame.tempo / 60
        frames = self.count / frame.seconds
        if self.unit == "bars":
            frames = self.count * tempo_map.bar_length / beats
        return max(math.ceil(frames - 1e-6), 1)


def begins(text: str) -> Beginning:
    """Notes, as `C4 E4 G4`, or else a MIDI file's path; blank is neither."""
    if not text:
        return Beginning()
    if "/" in text or "\\" in text or text.lower().endswith(MIDI_SUFFIXES):
        path = Path(text)
        try:
            return Beginning(file=str(path.expanduser()))
        except RuntimeError as error:
            raise InputError(f"There is no home folder for {text!r}: give a whole path.") from error
    try:
        return Beginning(notes=pitch.parse_chord(text))
    except InputError as error:
        words = str(error).removesuffix(".")
        raise InputError(f"{words}, or a MIDI file's path.") from error


def temperature(text: str) -> float:
    """0 or more, or `inf`; blank is 1."""
    return number("Temperature", text, 1.0, 0.0, math.inf)


def memory(text: str) -> float:
    """How far the model's memory of the song is believed, 0 to 1; blank is 1."""
    return number("Memory", text, 1.0, 0.0, 1.0)


def least(text: str) -> int:
    """How many notes a frame has at least; blank is 0."""
    return whole("Least notes", text, 0, 0, 10)


def length(text: str) -> Length:
    """So many frames, bars or seconds; blank is the usual length."""
    if not text:
        return Length()
    match = _LENGTH.fullmatch(text)
    unit = _UNITS.get(match[2].lower()) if match else None
    try:
        count = float(match[1]) if match else 0.0
    except ValueError:
        count = 0.0
    if unit is None or not 0 < count <= 1e6 or (unit == "frames" and count != int(count)):
        raise InputError(f"Length is {text!r}: give it as 200 frames, 16 bars or 30 s.")
    return Length(count, unit)


def tempo(text: str) -> float:
    """So many times as fast as written; blank is 1."""
    return number("Tempo", text, 1.0, 0.1, 10.0)


def transpose(text: str) -> int:
    """So many semitones higher; blank is 0."""
    return whole("Transpose", text, 0, -60, 60)


def velocity(text: str) -> float:
    """So many times as hard as written; blank is 1."""
    return number("Velocity", text, 1.0, 0.1, 10.0)
