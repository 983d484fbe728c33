"""Units of a network: their names and order, and their activations as text and curves."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from engine.errors import InputError
from engine.music.pitch import pitch_name
from engine.protocol import Feature, SongReading, UnitActivations
from tui.formatting import clean

STEPS = (0.12, 0.35, 0.6, 0.85)  # level i + 1 starts at this share of the largest activation
LEVELS = len(STEPS)  # 1 … LEVELS are positive, LEVELS + 1 … 2 · LEVELS negative
LEGEND = "blue: above 0; orange, underlined: below; full color = ±{largest:.2f}; ← → select"
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_UNIT = re.compile(r"(?:([0-9]{1,6})\s*:\s*)?([0-9]{1,6})")
_SHOWN = 3  # the most features described for a unit
_SIGNS = str.maketrans({"\t": " ", "\r": " "})  # `clean` would change their length
_VISIBLE = {"\n": "⏎", " ": "␣"}


class Unit(NamedTuple):
    """A unit of a network; both numbers count from 1."""

    layer: int
    number: int

    def __str__(self) -> str:
        return f"{self.layer}:{self.number}"


def printable(text: str) -> str:
    """Return a text safe for a terminal, of the same length."""
    return clean(text.translate(_SIGNS))


def levels(values: Sequence[float]) -> list[int]:
    """Return the level of shading of each value, 0 … 2 · LEVELS.

    It depends on the value's share of the largest absolute value; see LEVELS and STEPS.
    """
    maximum = largest(values)
    result = []
    for value in values:
        level = sum(abs(value) >= step * maximum for step in STEPS) if maximum else 0
        result.append(level + LEVELS if level and value < 0 else level)
    return result


def largest(values: Sequence[float]) -> float:
    """Return the largest absolute value."""
    return max(map(abs, values), default=0.0)


def columns(values: Sequence[float], rows: int) -> list[str]:
    """Return a bar chart of block characters, the top row first: −1: empty, 1: full."""
    heights = [round((1 + min(max(value, -1.0), 1.0)) / 2 * 8 * rows) for value in values]
    return [
        "".join(_EIGHTHS[min(max(height - 8 * row, 0), 8)] for height in heights)
        for row in range(rows - 1, -1, -1)
    ]


def parse(text: str, reading: SongReading, layer: int) -> Unit:
    """Parse a unit given as layer:number, or as a number alone, which is a unit of `layer`.

    Raises InputError for a text that is not a unit of the network.
    """
    match = _UNIT.fullmatch(text.strip())
    if match is None:
        raise InputError(f"Unit must be layer:number, such as 1:{reading.hidden}, not {text!r}.")
    unit = Unit(int(match[1] or layer), int(match[2]))
    if not (1 <= unit.layer <= reading.layers and 1 <= unit.number <= reading.hidden):
        raise InputError(
            f"There is no unit {unit}: layers are 1 to {reading.layers}, units 1 to "
            f"{reading.hidden}."
        )
    return unit


def step(unit: Unit, steps: int, reading: SongReading) -> Unit:
    """Return the unit `steps` further; after the last unit of a layer comes the next layer."""
    index = (unit.layer - 1) * reading.hidden + unit.number - 1 + steps
    layer, number = divmod(index % (reading.layers * reading.hidden), reading.hidden)
    return Unit(1 + layer, 1 + number)


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign, such as +0.83."""
    return f"{value:+.{digits}f}".replace("-", "−")


def line(feature: Feature, rank: int = 0) -> str:
    """Return a line of 28 cells: a feature, its best unit number `rank` from 0, the correlation."""
    if not feature.units:
        return f"{feature.name:<14} {'not in song':>13}"
    layer, number, correlation = feature.units[rank]
    return f"{feature.name:<14} {Unit(layer, number)!s:>7} {signed(correlation)}"


def about(activations: UnitActivations) -> str:
    """Describe a unit by the features that it tracks best."""
    ordered = sorted(activations.correlations.items(), key=lambda pair: -abs(pair[1]))[:_SHOWN]
    words = " · ".join(f"{name} {signed(r)}" for name, r in ordered)
    unit = Unit(activations.layer, activations.unit)
    return f"unit {unit} · {words}" if words else f"unit {unit}"


def title(reading: SongReading) -> str:
    """Return the title of the song, its number and its length."""
    what = "characters" if reading.text else "frames"
    number = f"song {reading.song + 1} of {reading.songs}" if reading.songs > 1 else ""
    parts = (clean(reading.title), number, f"{reading.size:,} {what}", reading.note)
    return " · ".join(part for part in parts if part)


def describe(reading: SongReading, activations: UnitActivations, index: int) -> str:
    """Describe the character or frame at `index`, and the activation after it was read."""
    value = signed(activations.activations[index], 3)
    if reading.text:
        character = reading.text[index]
        name = _VISIBLE.get(character, printable(character))
        return f"after {name}, character {index + 1:,}: {value}"
    keys = " ".join(map(pitch_name, sorted((reading.frames or ())[index]))) or "silence"
    bar = int((index + 1e-6) / (reading.bar or 1)) + 1
    return f"after frame {index + 1:,}, bar {bar}: {value} · {keys}"
