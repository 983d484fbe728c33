"""What the sampler tells of a network's units, as values for the page."""

from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True)
class NeuronsRequest:
    """A song to be read; without a text and a file one that was held out from training."""

    model: str  # a name or a path
    text: str | None = None
    path: str | None = None  # of a MIDI file
    song: int = 0  # which of those held out


class Unit(NamedTuple):
    """One unit of a network, both numbers counted from 1."""

    layer: int
    number: int

    def __str__(self) -> str:
        return f"{self.layer}:{self.number}"


@dataclass(frozen=True)
class Feature:
    """Something a unit may keep track of."""

    name: str
    units: tuple[tuple[Unit, float], ...]  # the best with their correlations; none: never changes


@dataclass(frozen=True)
class Reading:
    """A song that a network has read."""

    title: str
    text: str  # of lyrics
    frames: tuple[frozenset[int], ...]  # of music: the pitches that sound
    bar: float  # of music: frames
    song: int  # its place among
    songs: int  # so many; 0: there is no end to them
    note: str  # a sentence, where not all of it was read
    layers: int
    hidden: int  # units a layer
    features: tuple[Feature, ...]

    @property
    def size(self) -> int:
        """How many characters or frames it has."""
        return len(self.text or self.frames)


@dataclass(frozen=True)
class Told:
    """What a unit holds after each character or frame of the song last read."""

    unit: Unit
    activations: tuple[float, ...]  # −1 … 1
    correlations: dict[str, float]  # with the features that change in the song


def reading(values: dict[str, Any]) -> Reading:
    """The song that an answer tells of."""
    features = tuple(
        Feature(
            str(feature["name"]),
            tuple((Unit(int(layer), int(unit)), float(r)) for layer, unit, r in feature["units"]),
        )
        for feature in values["features"]
    )
    return Reading(
        str(values["title"]),
        str(values["text"] or ""),
        tuple(frozenset(frame) for frame in values["frames"] or ()),
        float(values["bar"] or 1),
        int(values["song"]),
        int(values["songs"]),
        str(values["note"]),
        int(values["layers"]),
        int(values["hidden"]),
        features,
    )


def told(values: dict[str, Any]) -> Told:
    """The unit that an answer tells of."""
    return Told(
        Unit(int(values["layer"]), int(values["unit"])),
        tuple(map(float, values["activations"])),
        {str(name): float(r) for name, r in values["correlations"].items()},
    )
