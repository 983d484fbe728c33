"""Lyrics, character by character."""

import argparse
import json
import sys
from collections.abc import Iterable
from typing import Any

from engine.errors import InputError


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("--model", metavar="M", help="a model's or a run's name, or a path")
    parser.add_argument("--prime", metavar="TEXT", default="", help="how the song begins")
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--artist", metavar="NAME", help="in whose manner")
    whose.add_argument("--mix", metavar="A=0.7,B=0.3", help="in the manner of several artists")
    parser.add_argument(
        "--guidance", metavar="G", type=float, default=1.0, help="follow the artist more, or less"
    )
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
        "--repetition", metavar="R", type=float, default=0.0, help="penalty on saying things again"
    )
    parser.add_argument(
        "--line",
        metavar="N",
        type=int,
        default=0,
        help="a line ends with the word that reaches N characters",
    )
    parser.add_argument(
        "--length", metavar="N", type=int, help="just so many characters; else till the song ends"
    )
    many = parser.add_mutually_exclusive_group()
    many.add_argument("--count", metavar="N", type=int, default=1, help="so many songs at once")
    many.add_argument(
        "--best", metavar="N", type=int, help="of so many the one the model finds likeliest"
    )
    parser.add_argument("--seed", metavar="N", type=int, help="the same seed, the same song")
    parser.add_argument(
        "--precision", choices=["fast", "full"], default="fast", help="of the computation"
    )
    parser.add_argument(
        "--novelty",
        metavar="N",
        type=int,
        nargs="?",
        const=20,
        help="say what is copied from the songs it learned from, in stretches of N characters (20)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a character")
    parser.add_argument("--bits", action="store_true", help="with --json: each one's surprise")
    parser.add_argument(
        "--alternatives", metavar="K", type=int, default=0, help="with --json: K for each one"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the songs character by character."""
    if (arguments.bits or arguments.alternatives) and not arguments.json:
        raise InputError("--bits and --alternatives are told in JSON only: add --json.")
    from engine.analysis import annotation, novelty
    from engine.inference import models
    from engine.sampling import lyrics
    from engine.sampling.conditioning import parse_mix
    from engine.sampling.decoding import SamplingParams

    rules = SamplingParams(
        arguments.temperature,
        arguments.top_k,
        arguments.top_p,
        arguments.min_p,
        arguments.memory,
        arguments.guidance,
        arguments.repetition,
        arguments.line,
    )
    best = arguments.best is not None
    request = lyrics.LyricsRequest(
        arguments.prime,
        arguments.artist,
        rules,
        arguments.seed,
        arguments.length,
        None if arguments.mix is None else parse_mix(arguments.mix),
        arguments.best if best else arguments.count,
        arguments.alternatives,
    )
    model = models.load(arguments.model, arguments.precision, "lyrics")
    stream = lyrics.stream(model, request)
    copies = None
    if arguments.novelty is not None:
        copies = novelty.copy_watches(model, arguments.novelty, request.count)
    told = annotation.annotate(stream, best, arguments.bits, copies)
    if not arguments.json:
        _print(stream.prime, told)
        return 0
    for answer in told:
        if "done" in answer:
            answer |= {"prime": stream.prime, "artist": arguments.artist, "model": model.name}
        print(json.dumps(answer, ensure_ascii=False), flush=True)
    return 0


def _print(prime: str, told: Iterable[dict[str, Any]]) -> None:
    """Print the first song as it is written, and the others after it."""
    from engine.analysis.novelty import Novelty

    print(prime, end="", flush=True)
    others: dict[int, list[str]] = {}
    ends = {}
    for answer in told:
        song = answer.get("song", 0)
        if "text" in answer and not song:
            sys.stdout.write(answer["text"])
            sys.stdout.flush()
        elif "text" in answer:
            others.setdefault(song, []).append(answer["text"])
        else:
            ends[song] = answer
    for song, answer in sorted(ends.items()):
        print("\n\n" + prime + "".join(others.get(song, ())) if song else "", flush=True)
        if "novelty" in answer:
            print(f"Novelty: {Novelty(**answer['novelty']).words}.", file=sys.stderr)
