"""The units of a network as they are named, stepped through, and shown along a song."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from engine.errors import InputError
from engine.music.pitch import pitch_name
from engine.protocol import Feature, SongReading, UnitActivations
from tui.formatting import clean

STEPS = (0.12, 0.35, 0.6, 0.85)  # shares of a unit's largest value from which it is a level darker
LEVELS = len(STEPS)  # 1 … LEVELS are positive, LEVELS + 1 … 2 · LEVELS negative
LEGEND = "blue: above 0; orange, underlined: below; darkest ±{most:.2f} · ← → look closer"
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_UNIT = re.compile(r"(?:([0-9]{1,6})\s*:\s*)?([0-9]{1,6})")
_SHOWN = 3  # features that are named for a unit
_SIGNS = str.maketrans({"\t": " ", "\r": " "})  # what would not be one character when shown
_SEEN = {"\n": "⏎", " ": "␣"}


class Unit(NamedTuple):
    """One unit of a network, both numbers counted from 1."""

    layer: int
    number: int

    def __str__(self) -> str:
        return f"{self.layer}:{self.number}"


def shown(text: str) -> str:
    """A text safe for a terminal, each of its characters one there."""
    return clean(text.translate(_SIGNS))


def levels(values: Sequence[float]) -> list[int]:
    """How dark each value is, by its share of the largest: 0, or one of the levels."""
    most = largest(values)
    result = []
    for value in values:
        level = sum(abs(value) >= step * most for step in STEPS) if most else 0
        result.append(level + LEVELS if level and value < 0 else level)
    return result


def largest(values: Sequence[float]) -> float:
    """The largest value by size."""
    return max(map(abs, values), default=0.0)


def columns(values: Sequence[float], rows: int) -> list[str]:
    """A curve of block characters, a row a string, the highest first: −1 is empty, 1 is full."""
    heights = [round((1 + min(max(value, -1.0), 1.0)) / 2 * 8 * rows) for value in values]
    return [
        "".join(_EIGHTHS[min(max(height - 8 * row, 0), 8)] for height in heights)
        for row in range(rows - 1, -1, -1)
    ]


def parse(text: str, reading: SongReading, layer: int) -> Unit:
    """The unit that a text names, as 2:117, or 117 in the layer in view.

    Raises InputError where there is none.
    """
    match = _UNIT.fullmatch(text.strip())
    if match is None:
        raise InputError(f"Unit is {text!r}: give its layer and number, as 1:{reading.hidden}.")
    unit = Unit(int(match[1] or layer), int(match[2]))
    if not (1 <= unit.layer <= reading.layers and 1 <= unit.number <= reading.hidden):
        raise InputError(
            f"There is no unit {unit}: layers are 1 to {reading.layers}, units 1 to "
            f"{reading.hidden}."
        )
    return unit


def stepped(unit: Unit, steps: int, reading: SongReading) -> Unit:
    """The unit so many further; after a layer's last comes the first of the next."""
    place = (unit.layer - 1) * reading.hidden + unit.number - 1 + steps
    layer, number = divmod(place % (reading.layers * reading.hidden), reading.hidden)
    return Unit(1 + layer, 1 + number)


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign, as +0.83."""
    return f"{value:+.{digits}f}".replace("-", "−")


def line(feature: Feature, rank: int = 0) -> str:
    """A feature with its best unit, or one of those after it, in 28 cells."""
    if not feature.units:
        return f"{feature.name:<14} {'never changes':>13}"
    layer, number, correlation = feature.units[rank]
    return f"{feature.name:<14} {Unit(layer, number)!s:>7} {signed(correlation)}"


def about(activations: UnitActivations) -> str:
    """A unit, and what it goes with most."""
    ordered = sorted(activations.correlations.items(), key=lambda pair: -abs(pair[1]))[:_SHOWN]
    words = " · ".join(f"{name} {signed(r)}" for name, r in ordered)
    unit = Unit(activations.layer, activations.unit)
    return f"unit {unit} · {words}" if words else f"unit {unit}"


def title(reading: SongReading) -> str:
    """What is read."""
    what = "characters" if reading.text else "frames"
    place = f"song {reading.song + 1} of {reading.songs}" if reading.songs > 1 else ""
    parts = (clean(reading.title), place, f"{reading.size:,} {what}", reading.note)
    return " · ".join(part for part in parts if part)


def closely(reading: SongReading, activations: UnitActivations, place: int) -> str:
    """What there is to tell of one character or frame."""
    value = signed(activations.activations[place], 3)
    if reading.text:
        character = reading.text[place]
        return f"after {_SEEN.get(character, shown(character))}, character {place + 1:,}: {value}"
    keys = " ".join(map(pitch_name, sorted((reading.frames or ())[place]))) or "silence"
    bar = int((place + 1e-6) / (reading.bar or 1)) + 1
    return f"after frame {place + 1:,}, bar {bar}: {value} · {keys}"
