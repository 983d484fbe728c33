"""List the named data sets, download one, or describe a source of songs."""

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.config import DataConfig
from engine.errors import InputError
from engine.music import SCORE_SUFFIXES
from tui.commands import output
from tui.commands.arguments import add_json

if TYPE_CHECKING:
    from engine.data.datasets import Dataset

_LABELS = {  # of facts whose label differs from their key
    "different_characters": "distinct characters",
    "onsets_told_apart": "onsets known",
}
_ARTISTS_SHOWN = 12


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="list|fetch|info", required=True)
    about = "List the named data sets."
    listing = actions.add_parser("list", help=about, description=about)
    add_json(listing)
    about = "Download a named data set."
    fetching = actions.add_parser("fetch", help=about, description=about)
    fetching.add_argument("name", metavar="NAME", help="Name of the data set.")
    fetching.add_argument(
        "--timeout", type=float, default=30.0,
        help="Time-out in seconds without data from the server (default 30).",
    )  # fmt: skip
    fetching.add_argument(
        "--progress", action="store_true",
        help="Print the progress as lines on stderr, also where that is no terminal.",
    )  # fmt: skip
    about = "Prepare the songs of a data set or a path, and describe them."
    info = actions.add_parser("info", help=about, description=about)
    info.add_argument("source", metavar="NAME|PATH", help="Name of a data set, or a path.")
    for action in (fetching, info):
        action.add_argument("--json", action="store_true", help="Print one JSON object.")


def run(arguments: argparse.Namespace) -> int:
    """List the data sets, download one, or describe one."""
    if arguments.action == "list":
        _list(arguments.json)
    elif arguments.action == "fetch":
        _fetch(arguments.name, arguments.timeout, arguments.json, arguments.progress)
    else:
        _info(arguments.source, arguments.json)
    return 0


def _list(as_json: bool) -> None:
    from engine.data.datasets import DATASETS

    rows: list[dict[str, object]] = []
    for item in DATASETS.values():
        row: dict[str, object] = {"name": item.name, "kind": item.kind, "about": item.about}
        if as_json:
            row |= {"size": item.size, "licence": item.license, "here": item.is_available}
            row |= {"path": str(item.file), "address": item.address, "sha256": item.sha256}
        else:
            available = "yes" if item.is_available else "no"
            row |= {"size": _size(item), "licence": item.license, "available": available}
        rows.append(row)
    output.table(rows, as_json)


def _size(item: "Dataset") -> str | None:
    if not item.address:
        return "included"
    return None if item.size is None else f"{item.size / 1e6:.1f} MB"


def _fetch(name: str, timeout: float, as_json: bool, lines: bool) -> None:
    from engine.data import datasets, download

    if not 0 < timeout < math.inf:
        raise InputError(f"--timeout must be a finite number above 0, not {timeout:g}.")
    item = datasets.get_dataset(name)
    if item.address and not item.is_available:
        output.echo(
            f"{item.name}: {item.about}\nfrom      {item.address}\nlicence   {item.license}\n"
            f"size      {_size(item) or 'unknown'}\nsha256    {item.sha256 or 'unknown'}",
            err=True,
        )
    progress = output.progress(f"Downloading {name}", in_bytes=True, lines=lines)
    result = download.download_dataset(item, progress, timeout)
    if as_json:
        facts = {
            "name": name,
            "path": str(result.path),
            "fresh": result.downloaded,
            "sha256": result.sha256,
            "verified": result.verified,
        }
        output.echo_json(json.dumps(facts, ensure_ascii=False))
        return
    state = "has been downloaded" if result.downloaded else "is already available"
    if item.address and not result.verified:
        state += f", but could not be verified (its sha256 is {result.sha256})"
    output.echo(f"{name} {state}: {result.path}")


def _info(source: str, as_json: bool) -> None:
    facts = _facts(source)
    if as_json:
        output.echo_json(json.dumps(facts, ensure_ascii=False))
        return
    artists = facts.pop("artists", None)
    untrained = facts.pop("artists_without_training_songs", [])
    left_out = facts.pop("left_out", {})
    for name, value in facts.items():
        output.echo(f"{_LABELS.get(name, name.replace('_', ' ')):26} {_fact_text(value)}")
    for reason, songs in left_out.items():
        if songs["count"]:
            output.echo(f"{f'left out ({reason})':26} {output.left_out_text(songs)}")
    if untrained:
        names = output.first_names(untrained, len(untrained))
        output.echo(f"{'without training songs':26} {len(untrained)}: {names}")
    if artists:
        by_songs = sorted(artists.items(), key=lambda item: -item[1])
        shown = ", ".join(f"{artist} ({songs})" for artist, songs in by_songs[:_ARTISTS_SHOWN])
        hidden = len(by_songs) - _ARTISTS_SHOWN
        more = f" and {hidden} more" if hidden > 0 else ""
        output.echo(f"{'artists':26} {len(by_songs)}: {shown}{more}")


def _fact_text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):  # numbers by reason
        counts = ((name.replace("_", " "), count) for name, count in value.items() if count)
        return ", ".join(f"{count} {name}" for name, count in counts) or "0"
    if isinstance(value, list):
        return ", ".join(value)
    return str(value)


def _facts(source: str) -> dict[str, Any]:
    from engine.data import datasets
    from engine.data.corpus import prepare_corpus

    kind = datasets.guess_kind(source)
    if Path(source).suffix.lower() in SCORE_SUFFIXES and source not in datasets.DATASETS:
        return _score_facts(datasets.resolve(source, kind))
    progress = output.progress("Preparing the songs", in_bytes=kind == "lyrics")
    corpus = prepare_corpus(DataConfig(source=source), progress, kind)
    meta, report = corpus.meta, corpus.meta["report"]
    facts = {"name": corpus.name, "kind": kind, "songs": meta["songs"]}
    for split, counts in meta["splits"].items():
        facts[f"{split}_songs"] = counts["songs"]
    if kind == "lyrics":
        facts |= {
            "characters": meta["frames"] - meta["songs"],  # without the end marks
            "different_characters": len(meta["codec"]["characters"]),
            "artists": report["artists"]["found"],
            "artists_without_training_songs": report["artists"]["untrained"],
        }
    else:
        seconds, beats = meta["codec"]["frame"], meta["codec"]["beats"]
        facts |= {
            "frames": meta["frames"],
            "frame": f"{beats} beats" if seconds is None else f"{seconds} s",
            "onsets_told_apart": meta["codec"]["planes"] == 2,
            "notes_left_out": report["notes_left_out"],
        }
    return {
        **facts,
        "left_out": report["left_out"],
        "hash": corpus.hash,
        "prepared_in": str(corpus.path),
    }


def _score_facts(file: Path) -> dict[str, Any]:
    """Describe one MIDI or MusicXML file."""
    from engine.music import pitch, score_file

    score = score_file.read(file)
    numerator, denominator = score.time_signature
    pitches = [note.pitch for note in score.notes]
    parts = score.left_out.part_names
    return {
        "name": file.name,
        "kind": "music",
        "notes": len(score.notes),
        "seconds": round(score.end, 3),
        "tempo": round(score.first_note_tempo, 3),
        "metre": f"{numerator}/{denominator}",
        "lowest_key": pitch.pitch_name(min(pitches)),
        "highest_key": pitch.pitch_name(max(pitches)),
        "notes_left_out": score.left_out.counts(),
        **({"parts_left_out": list(parts)} if parts else {}),
    }
