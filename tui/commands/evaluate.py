"""Score a model on songs, in bits per character."""

import argparse
import json


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("--model", metavar="M", help="a model's or a run's name, or a path")
    parser.add_argument("--data", metavar="D", default="", help="other songs than it learned from")
    parser.add_argument("--split", choices=["train", "valid", "test"], default="test")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the score."""
    from engine.sample import models
    from engine.train import scoring

    model = models.load(arguments.model)
    score = scoring.score(model, arguments.data, arguments.split)
    result = {
        "metric": "bits_per_character",
        "value": score.bits,
        "frames": score.frames,
        "split": arguments.split,
        "model": model.name,
    }
    if arguments.json:
        print(json.dumps(result))
    else:
        print(
            f"{score.bits:.4f} bits per character on {score.frames:,} characters, "
            f"{arguments.split} songs ({model.name}, {model.config.words})"
        )
    return 0
