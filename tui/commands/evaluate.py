"""Score a model on songs: bits per character, or nats per frame."""

import argparse
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import InputError
from tui.commands import output
from tui.commands.arguments import add_model
from tui.formatting import LOSS_UNITS

if TYPE_CHECKING:
    from engine.analysis.novelty import Novelty
    from engine.inference.models import Model
    from engine.train.evaluate import Score


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)
    parser.add_argument(
        "--data", metavar="D", default="",
        help="Data set or path of the songs (default: those the model was trained with).",
    )  # fmt: skip
    parser.add_argument(
        "--split", choices=["train", "valid", "test"],
        help="Split of the songs to score (default: test; of other songs than the model's own all, "
        "if they are not split).",
    )  # fmt: skip
    parser.add_argument(
        "--dynamic", action="store_true",
        help="Train on each song while it is scored (dynamic evaluation).",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")


@dataclass(frozen=True)
class Evaluation:
    """A model's score, and for lyrics how much it copies from its training songs."""

    model: "Model"
    score: "Score"
    dynamic: bool  # whether it was trained on each song while this was scored
    novelty: "Novelty | None"  # None: unknown, or a model of music
    novelty_error: str  # why the novelty is unknown; empty otherwise

    @property
    def music(self) -> bool:
        """Whether the model is one of music."""
        return self.model.kind == "music"

    @property
    def value(self) -> float:
        """The score in nats per frame of music, or bits per character of lyrics."""
        return self.score.loss if self.music else self.score.bits


def run(arguments: argparse.Namespace) -> int:
    """Print the score."""
    from engine.data import datasets
    from engine.inference import models
    from engine.train import evaluate_model

    kind = datasets.guess_kind(arguments.data) if arguments.data else "lyrics"
    model = models.load(arguments.model, kind=kind)
    score = evaluate_model.score_model(model, arguments.data, arguments.split, arguments.dynamic)
    novelty = (None, "") if model.kind == "music" else _novelty(model)
    result = Evaluation(model, score, arguments.dynamic, *novelty)
    if arguments.json:
        output.echo_json(json.dumps(_to_json(result)))
    else:
        _print(result)
    return 0


def _novelty(model: "Model") -> tuple["Novelty | None", str]:
    """Return how much a model copies and "", or None and the reason why it is unknown."""
    from engine.analysis.novelty import model_novelty

    try:
        return model_novelty(model), ""
    except InputError as error:
        return None, str(error)


def _to_json(result: Evaluation) -> dict[str, Any]:
    score = result.score
    common = {
        "metric": "nats_per_frame" if result.music else "bits_per_character",
        "value": result.value,
        "frames": score.frames,
        "split": score.split,
        "dynamic": result.dynamic,
        "model": result.model.name,
    }
    if not result.music:
        return {**common, "novelty": result.novelty.to_json() if result.novelty else None}
    return {  # papers differ in what they average over
        **common,
        "without_first_frames": score.loss_after_first,
        "per_song": score.loss_per_song,
        "without_copies": score.loss_without_copies,
        "copies": score.near_copies,
    }


def _print(result: Evaluation) -> None:
    score, model = result.score, result.model
    metric = LOSS_UNITS[model.kind].words
    songs = "all songs" if score.split == "all" else f"the {score.split} songs"
    dynamic = ", trained on each while it is scored" if result.dynamic else ""
    output.echo(
        f"{result.value:.4f} {metric} on {score.frames:,} "
        f"{'frames' if result.music else 'characters'} of {songs}{dynamic} "
        f"({model.name}, {model.config.words})"
    )
    if result.novelty:
        output.echo(f"Songs it writes: {result.novelty.words}.")
    if result.novelty_error:
        output.echo(f"How much it copies is unknown: {result.novelty_error}")
    if not result.music:
        return
    output.echo(
        f"{score.loss_after_first:.4f} without the first frame of each song, "
        f"{score.loss_per_song:.4f} averaged over songs"
    )
    copies = score.near_copies
    if copies and score.loss_without_copies is not None:
        songs = "near copy" if copies == 1 else "near copies"
        output.echo(f"{score.loss_without_copies:.4f} without {copies} {songs} of training songs")
