"""List the units of a network that track features of a song (after Karpathy et al. 2015)."""

import argparse
from pathlib import Path

from engine.errors import InputError
from tui.commands import output
from tui.commands.arguments import add_json, add_model

_SHOWN = 3  # units for each feature in the table; --json prints ten


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)
    song = parser.add_mutually_exclusive_group()
    song.add_argument(
        "--text", metavar="FILE", type=Path,
        help="Read this text file, or for a model of music MIDI or MusicXML file (default: a "
        "held-out song).",
    )  # fmt: skip
    song.add_argument(
        "--song", metavar="N", type=int, default=0,
        help="Number of the held-out song (default 0); numbers wrap around.",
    )  # fmt: skip
    parser.add_argument(
        "--artist", metavar="NAME",
        help="Read the song as one of this artist (default: the held-out song's artist, or no "
        "artist for a text).",
    )  # fmt: skip
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print each feature with the units that track it best, as layer:unit and the correlation."""
    from engine.analysis import neurons
    from engine.analysis.song_input import SongRequest
    from engine.inference import models

    model = models.load(arguments.model, kind="lyrics")
    lyrics = model.kind == "lyrics"
    file = arguments.text
    text = _read(file) if file is not None and lyrics else None
    request = SongRequest(text, None if lyrics else file, arguments.artist, arguments.song)
    reading = neurons.read_song(model, request)
    assert reading is not None  # only a stop request makes it None
    rows: list[dict[str, object]] = []
    for feature in reading.correlations:
        units = reading.best(feature, neurons.MAX_UNITS if arguments.json else _SHOWN)
        if arguments.json:
            values = [[layer, unit, round(r, 4)] for layer, unit, r in units]
            rows.append({"feature": feature, "units": values, "model": model.name})
        else:
            shown = "   ".join(f"{layer}:{unit} {r:+.2f}" for layer, unit, r in units)
            rows.append({"feature": feature, "units": shown or "not in this song"})
    song = reading.song
    size = f"{song.title}: {len(song.frames):,} {'characters' if lyrics else 'frames'}"
    output.echo(" · ".join(filter(None, (size, song.note))), err=True)
    output.table(rows, arguments.json)
    return 0


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"Cannot read {file} ({error.strerror}): name a file that exists."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text: convert it.") from error
