"""The models there are to choose, as `rnn-tui models --json` tells of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# By kind: the key of the score on songs never seen, and its unit.
_SCORES = {
    "lyrics": ("bits_per_character", "bits/char"),
    "music": ("nats_per_frame", "nats/frame"),
}


@dataclass(frozen=True)
class Model:
    """A model to choose, as `rnn-tui models --json` tells of it."""

    name: str
    source: str  # "bundled" or "run"
    path: str
    words: str  # as "lstm 2 × 256"
    score: str  # how good it is, in words; nothing where that was not measured

    @property
    def key(self) -> str:
        """What tells it from the others; its path changes as a run gets better."""
        return f"{self.source}/{self.name}"


def models_of(rows: Sequence[Mapping[str, Any]], kind: str) -> list[Model]:
    """The models for "lyrics" or "music" among the rows of `rnn-tui models --json`."""
    key, unit = _SCORES[kind]
    return [
        Model(
            str(row["name"]),
            str(row.get("source", "")),
            str(row["path"]),
            str(row.get("words", "")),
            "" if row.get(key) is None else f"{row[key]:.2f} {unit}",
        )
        for row in rows
        if row.get("kind") == kind
    ]


def unique(model: Model, models: Sequence[Model]) -> str:
    """What the sampler calls a model: its path where another has the same name."""
    names = [other.name for other in models]
    return model.path if names.count(model.name) > 1 else model.name
