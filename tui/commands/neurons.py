"""The units of a network that keep track of something in a song, as after Karpathy 2015."""

import argparse
import sys
from pathlib import Path

from engine.errors import InputError
from tui.commands import output

_BEST = 3  # units shown for each feature; in JSON ten


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("--model", metavar="M", help="a model's or a run's name, or a path")
    song = parser.add_mutually_exclusive_group()
    song.add_argument(
        "--text",
        metavar="FILE",
        type=Path,
        help="read this text, or MIDI file; else a song that the model never saw",
    )
    song.add_argument(
        "--song",
        metavar="N",
        type=int,
        default=0,
        help="which of the songs it never saw, counted on from the first after the last (0)",
    )
    parser.add_argument("--artist", metavar="NAME", help="read it as a song of this artist")
    parser.add_argument("--json", action="store_true", help="one JSON object a feature")


def run(arguments: argparse.Namespace) -> int:
    """Print each feature with the units that go with it, as layer:unit and the correlation."""
    from engine.analysis import neurons
    from engine.analysis.song_input import SongRequest
    from engine.inference import models

    model = models.load(arguments.model, kind="lyrics")
    lyrics = model.meta["kind"] == "lyrics"
    file = arguments.text
    text = _read(file) if file is not None and lyrics else None
    asked = SongRequest(text, None if lyrics else file, arguments.artist, arguments.song)
    reading = neurons.read_song(model, asked)
    assert reading is not None  # nobody stops it
    rows: list[dict[str, object]] = []
    for name in reading.correlations:
        units = reading.best(name, neurons.MAX_UNITS if arguments.json else _BEST)
        if arguments.json:
            told = [[layer, unit, round(r, 4)] for layer, unit, r in units]
            rows.append({"feature": name, "units": told, "model": model.name})
        else:
            shown = [f"{layer}:{unit} {r:+.2f}" for layer, unit, r in units]
            rows.append({"feature": name, "units": "   ".join(shown) or "never changes here"})
    example = reading.example
    said = f"{example.title}: {len(example.frames):,} {'characters' if lyrics else 'frames'}"
    print(" · ".join(filter(None, (said, example.note))), file=sys.stderr)
    output.table(rows, arguments.json)
    return 0


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"Cannot read {file} ({error.strerror}): give another file.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is no text in UTF-8: convert it.") from error
