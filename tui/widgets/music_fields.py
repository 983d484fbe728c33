"""What may stand in the fields of the Music page, and what it means."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError
from tui.model import pitch
from tui.model.measure import Measure
from tui.sources.answers import Pace

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

    def frames(self, pace: Pace | None, measure: Measure) -> int:
        """That in frames; raises InputError where the model has not yet said how long one is."""
        if self.unit == "frames":
            return int(self.count)
        if pace is None:
            raise InputError(
                f"The length is in {self.unit}, and how long a frame is will be known when the "
                "model is loaded: wait a moment, or give frames."
            )
        beats = pace.beats or pace.seconds * pace.tempo / 60
        frames = self.count / pace.seconds
        if self.unit == "bars":
            frames = self.count * measure.bar / beats
        return max(math.ceil(frames - 1e-6), 1)


def begins(text: str) -> Beginning:
    """Notes, as `C4 E4 G4`, or else a MIDI file's path; blank is neither."""
    if not text:
        return Beginning()
    if "/" in text or "\\" in text or text.lower().endswith((".mid", ".midi")):
        path = Path(text)
        try:
            return Beginning(file=str(path.expanduser()))
        except RuntimeError as error:
            raise InputError(f"There is no home folder for {text!r}: give a whole path.") from error
    try:
        return Beginning(notes=pitch.pitches(text))
    except InputError as error:
        words = str(error).removesuffix(".")
        raise InputError(f"{words}, or a MIDI file's path.") from error


def number(name: str, text: str, usual: float, low: float, high: float) -> float:
    """A number in a range; blank is the usual one."""
    value = usual
    if text:
        try:
            value = float(text.lstrip("×"))
        except ValueError:
            value = math.nan
    if not low <= value <= high:  # not <=: NaN is refused too
        to = "up to inf" if high == math.inf else f"to {high:g}"
        raise InputError(f"{name} is {text!r}: give a number from {low:g} {to}.")
    return value


def whole(name: str, text: str, usual: int, low: int, high: int) -> int:
    """A whole number in a range; blank is the usual one."""
    value = number(name, text, usual, low, high)
    if value != int(value):
        raise InputError(f"{name} is {text!r}: give a whole number from {low} to {high}.")
    return int(value)


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


def stepped(value: float, steps: int, step: float, low: float, high: float) -> str:
    """The multiple of `step` so many steps away, within a range, as short as it can be."""
    units = value / step
    # A typed 0.75 goes to its neighbours. The margin is for 0.7 / 0.1 = 6.999….
    place = math.floor(units + 1e-6) if steps > 0 else math.ceil(units - 1e-6)
    return f"{round(min(max((place + steps) * step, low), high), 6):g}"
