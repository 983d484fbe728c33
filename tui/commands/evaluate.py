"""Score a model on songs: bits per character, or nats per frame."""

import argparse
import json
from typing import TYPE_CHECKING

from engine.errors import InputError

if TYPE_CHECKING:
    from engine.analysis.novelty import Novelty
    from engine.inference.models import Model


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("--model", metavar="M", help="a model's or a run's name, or a path")
    parser.add_argument("--data", metavar="D", default="", help="other songs than it learned from")
    parser.add_argument("--split", choices=["train", "valid", "test"], default="test")
    parser.add_argument(
        "--dynamic", action="store_true", help="let it learn from each song while it is scored"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the score."""
    from engine.data import datasets
    from engine.inference import models
    from engine.train import evaluate_model

    kind = datasets.guess_kind(arguments.data) if arguments.data else "lyrics"
    model = models.load(arguments.model, kind=kind)
    score = evaluate_model.score_model(model, arguments.data, arguments.split, arguments.dynamic)
    music = model.meta["kind"] == "music"
    value = score.loss if music else score.bits
    result = {
        "metric": "nats_per_frame" if music else "bits_per_character",
        "value": value,
        "frames": score.frames,
        "split": arguments.split,
        "dynamic": arguments.dynamic,
        "model": model.name,
    }
    copying, unknown = (None, "") if music else _novelty(model)
    if not music:
        result["novelty"] = copying.to_json() if copying else None
    if music:  # papers differ in what they average over
        result |= {
            "without_first_frames": score.loss_after_first,
            "per_song": score.loss_per_song,
            "without_copies": score.loss_without_copies,
            "copies": score.near_copies,
        }
    if arguments.json:
        print(json.dumps(result))
        return 0
    metric, frames = ("nats a frame", "frames") if music else ("bits per character", "characters")
    learning = "learning from each song, " if arguments.dynamic else ""
    print(
        f"{value:.4f} {metric} on {score.frames:,} {frames}, {learning}"
        f"{arguments.split} songs ({model.name}, {model.config.words})"
    )
    if copying:
        print(f"Of songs it writes, {copying.words}")
    if unknown:
        print(f"How much it copies is not known: {unknown}")
    if music:
        print(
            f"{score.loss_after_first:.4f} without each song's first frame, "
            f"{score.loss_per_song:.4f} averaged by song"
        )
        copies = score.near_copies
        if copies and score.loss_without_copies is not None:
            songs = "song that is a near copy" if copies == 1 else "songs that are near copies"
            print(f"{score.loss_without_copies:.4f} without {copies} {songs} of training songs")
    return 0


def _novelty(model: "Model") -> tuple["Novelty | None", str]:
    """How much it copies from the songs it learned from, or why that is not known."""
    from engine.analysis import novelty

    try:
        return novelty.model_novelty(model), ""
    except InputError as error:
        return None, str(error)
