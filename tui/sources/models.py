"""The models from which the user can choose, included or trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tui.formatting import LOSS_UNITS


@dataclass(frozen=True)
class ModelChoice:
    """A model from which to sample, with what `rnn-tui models --json` prints about it."""

    name: str
    source: str  # "bundled" or "run"
    path: str
    summary: str  # for example "lstm 2 × 256"
    score: str  # on held-out songs, for example "1.71 bits/char"; "": unknown
    match_memory: bool = False  # whether it has a match memory

    @property
    def key(self) -> str:
        """What identifies the model. A path would not: that of a run's best checkpoint changes."""
        return f"{self.source}/{self.name}"


def models_of_kind(rows: Sequence[Mapping[str, Any]], kind: str) -> list[ModelChoice]:
    """Return the models of one kind, "lyrics" or "music".

    rows: the objects that `rnn-tui models --json` printed.
    """
    unit = LOSS_UNITS[kind]
    score = unit.words.replace(" ", "_")
    return [
        ModelChoice(
            name=str(row["name"]),
            source=str(row.get("source", "")),
            path=str(row["path"]),
            summary=str(row.get("words", "")),
            score="" if row.get(score) is None else f"{row[score]:.2f} {unit.short}",
            match_memory=bool(row.get("memory")),
        )
        for row in rows
        if row.get("kind") == kind
    ]
