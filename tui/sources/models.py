"""The models there are to choose from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_UNITS = {"lyrics": ("bits_per_character", "bits/char"), "music": ("nats_per_frame", "nats/frame")}


@dataclass(frozen=True)
class ModelChoice:
    """A model to choose, as `rnn-tui models --json` tells of it."""

    name: str
    source: str  # "bundled" or "run"
    path: str
    summary: str  # as "lstm 2 × 256"
    score: str  # how good it is on songs it never saw, in words; empty where that is not known
    match_memory: bool = False  # whether it looks up where the song had its last frames before

    @property
    def key(self) -> str:
        """What tells it from the others; its path changes as a run gets better."""
        return f"{self.source}/{self.name}"


def models_of_kind(rows: Sequence[Mapping[str, Any]], kind: str) -> list[ModelChoice]:
    """The models of a kind, "lyrics" or "music", among the rows of `rnn-tui models --json`."""
    figure, unit = _UNITS[kind]
    return [
        ModelChoice(
            str(row["name"]),
            str(row.get("source", "")),
            str(row["path"]),
            str(row.get("words", "")),
            "" if row.get(figure) is None else f"{row[figure]:.2f} {unit}",
            bool(row.get("memory")),
        )
        for row in rows
        if row.get("kind") == kind
    ]
