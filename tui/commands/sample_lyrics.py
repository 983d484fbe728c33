"""Lyrics, character by character."""

import argparse
import json
import sys
import time

from engine.errors import InputError


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("--model", metavar="M", help="a model's or a run's name, or a path")
    parser.add_argument("--prime", metavar="TEXT", default="", help="how the song begins")
    parser.add_argument("--artist", metavar="NAME", help="in whose manner")
    parser.add_argument(
        "--temperature", metavar="T", type=float, default=0.7, help="0: the likeliest; inf: any"
    )
    parser.add_argument("--top-k", metavar="K", type=int, default=0, help="of the K likeliest only")
    parser.add_argument(
        "--top-p", metavar="P", type=float, default=1.0, help="of the likeliest that sum to P only"
    )
    parser.add_argument(
        "--min-p", metavar="P", type=float, default=0.0, help="P times as likely as the likeliest"
    )
    parser.add_argument(
        "--memory", metavar="P", type=float, default=1.0, help="trust in the memory of the song"
    )
    parser.add_argument(
        "--length", metavar="N", type=int, help="just so many characters; else till the song ends"
    )
    parser.add_argument("--count", metavar="N", type=int, default=1, help="so many songs")
    parser.add_argument("--seed", metavar="N", type=int, help="the same seed, the same song")
    parser.add_argument("--json", action="store_true", help="one JSON object a character")


def run(arguments: argparse.Namespace) -> int:
    """Print the songs character by character."""
    from engine.sample import models
    from engine.sample.decoding import Rules
    from engine.sample.sampler import Request, stream

    if arguments.count < 1:
        raise InputError(f"--count is {arguments.count}: give 1 or more.")
    rules = Rules(
        arguments.temperature,
        arguments.top_k,
        arguments.top_p,
        arguments.min_p,
        arguments.memory,
    )
    model = models.load(arguments.model)
    for number in range(arguments.count):
        seed = None if arguments.seed is None else arguments.seed + number
        request = Request(
            arguments.prime, arguments.artist, rules, seed=seed, length=arguments.length
        )
        song = stream(model, request)
        began = time.perf_counter()
        if not arguments.json:
            print("\n\n" * bool(number) + song.prime, end="", flush=True)
        for character in song:
            text = json.dumps({"text": character}, ensure_ascii=False) + "\n"
            sys.stdout.write(text if arguments.json else character)
            sys.stdout.flush()
        if not arguments.json:
            print(flush=True)
            continue
        done = {
            "done": True,
            "reason": song.reason,
            "characters": song.characters,
            "seconds": round(time.perf_counter() - began, 4),
            "seed": song.seed,
            "prime": song.prime,
            "artist": arguments.artist,
            "model": model.name,
        }
        print(json.dumps(done, ensure_ascii=False), flush=True)
    return 0
