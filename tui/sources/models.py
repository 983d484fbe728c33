"""The models that can be chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SCORES = {"lyrics": ("bits_per_character", "bits/char"), "music": ("nats_per_frame", "nats/frame")}


@dataclass(frozen=True)
class ModelChoice:
    """A model to choose, as `rnn-tui models --json` prints it."""

    name: str
    source: str  # "bundled" or "run"
    path: str
    summary: str  # as "lstm 2 × 256"
    score: str  # on held-out songs, as "1.71 bits/char"; empty if unknown
    match_memory: bool = False  # whether it copies from earlier in the song

    @property
    def key(self) -> str:
        """Return what identifies it; the path of a run's best checkpoint changes."""
        return f"{self.source}/{self.name}"


def models_of_kind(rows: Sequence[Mapping[str, Any]], kind: str) -> list[ModelChoice]:
    """Return the models of one kind, "lyrics" or "music", in rows of `rnn-tui models --json`."""
    score, unit = _SCORES[kind]
    return [
        ModelChoice(
            name=str(row["name"]),
            source=str(row.get("source", "")),
            path=str(row["path"]),
            summary=str(row.get("words", "")),
            score="" if row.get(score) is None else f"{row[score]:.2f} {unit}",
            match_memory=bool(row.get("memory")),
        )
        for row in rows
        if row.get("kind") == kind
    ]
