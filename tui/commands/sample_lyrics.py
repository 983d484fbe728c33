"""Write song lyrics."""

import argparse
import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.options import LYRICS_EXTRA_OPTIONS, LYRICS_OPTIONS, LYRICS_SAMPLING_OPTIONS
from tui.commands import output
from tui.commands.arguments import add_model, add_option, add_options

if TYPE_CHECKING:
    from engine.protocol import Character, LyricsDone


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)
    parser.add_argument(
        "--prime", metavar="TEXT", default="", help="Prompt: how the song begins (default: empty)."
    )
    style = parser.add_mutually_exclusive_group()
    style.add_argument(
        "--artist", metavar="NAME",
        help="Write in this artist's style (default: no artist); "
        "'rnn-tui models info M' lists the artists.",
    )  # fmt: skip
    style.add_argument(
        "--mix", metavar="A=0.7,B=0.3",
        help="Mix the styles of several artists; the weights must sum to 1.",
    )  # fmt: skip
    raw = LYRICS_SAMPLING_OPTIONS["raw"]
    add_options(parser, [option for option in LYRICS_SAMPLING_OPTIONS.values() if option != raw])
    add_option(parser, raw, nargs="?", const="on", metavar="on|off")
    add_option(parser, LYRICS_OPTIONS["length"])
    songs = parser.add_mutually_exclusive_group()
    add_option(songs, LYRICS_OPTIONS["count"])
    add_option(songs, LYRICS_EXTRA_OPTIONS["best"])
    add_option(parser, LYRICS_OPTIONS["seed"])
    parser.add_argument(
        "--precision", choices=["fast", "full"], default="fast",
        help="Arithmetic (default fast): fast uses 8-bit integers, full float32.",
    )  # fmt: skip
    novelty = LYRICS_EXTRA_OPTIONS["novelty"]
    add_option(parser, novelty, nargs="?", const=novelty.low)
    parser.add_argument(
        "--json", action="store_true", help="Print one JSON object for each character."
    )
    parser.add_argument(
        "--bits", action="store_true",
        help="With --json, add the surprise of each character in bits.",
    )  # fmt: skip
    add_option(parser, LYRICS_EXTRA_OPTIONS["alternatives"])


def run(arguments: argparse.Namespace) -> int:
    """Print the songs while they are written."""
    if (arguments.bits or arguments.alternatives) and not arguments.json:
        raise InputError("--bits and --alternatives need --json: add it.")
    from engine import protocol
    from engine.analysis import annotation, novelty
    from engine.inference import models
    from engine.protocol import LyricsDone
    from engine.sampling import lyrics
    from engine.sampling.conditioning import parse_mix
    from engine.sampling.decoding import SamplingParams

    keep_best = arguments.best is not None
    request = lyrics.LyricsRequest(
        arguments.prime,
        arguments.artist,
        SamplingParams(**{name: getattr(arguments, name) for name in LYRICS_SAMPLING_OPTIONS}),
        arguments.seed,
        arguments.length,
        None if arguments.mix is None else parse_mix(arguments.mix),
        arguments.best if keep_best else arguments.count,
        arguments.alternatives,
    )
    model = models.load(arguments.model, arguments.precision, "lyrics")
    stream = lyrics.stream(model, request)
    copies = None
    if arguments.novelty is not None:
        copies = novelty.copy_detectors(model, arguments.novelty, request.count)
    answers = annotation.annotate(stream, keep_best, arguments.bits, copies)
    if not arguments.json:
        _print(stream.prime, answers)
        return 0
    about = {"prime": stream.prime, "artist": arguments.artist, "model": model.name}
    for answer in answers:
        more = about if isinstance(answer, LyricsDone) else {}
        output.echo_json(protocol.encode_output(answer, **more))
    return 0


def _print(prime: str, answers: "Iterable[Character | LyricsDone]") -> None:
    """Print the first song while it is written, and the others after it; novelty to stderr."""
    from engine.analysis.novelty import Novelty
    from engine.protocol import LyricsDone

    output.echo(prime, end="")
    others: dict[int, list[str]] = {}
    ends: dict[int, LyricsDone] = {}
    for answer in answers:
        song = answer.song or 0
        if isinstance(answer, LyricsDone):
            ends[song] = answer
        elif song:
            others.setdefault(song, []).append(answer.text)
        else:
            output.echo(answer.text, end="")
    for song, end in sorted(ends.items()):
        output.echo("\n\n" + prime + "".join(others.get(song, ())) if song else "")
        if end.novelty is not None:
            words = Novelty(**dataclasses.asdict(end.novelty)).words
            output.echo(f"Novelty: {words}.", err=True)
