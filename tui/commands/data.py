"""List the named data sets, or show what a file of songs holds."""

import argparse
import json
from typing import Any

from engine.config import DataConfig
from tui import plain


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    words = parser.add_subparsers(dest="action", metavar="list|info", required=True)
    listing = words.add_parser("list", help="the data sets that go by a name")
    info = words.add_parser("info", help="prepare songs and say what they hold")
    info.add_argument("source", metavar="NAME|PATH")
    for action in (listing, info):
        action.add_argument("--json", action="store_true", help="print JSON objects")


def run(arguments: argparse.Namespace) -> int:
    """Print the list, or what there is to know about one."""
    if arguments.action == "list":
        from engine.data.catalogue import DATASETS

        rows: list[dict[str, object]] = [
            {
                "name": item.name,
                "kind": item.kind,
                "about": item.about,
                "licence": item.licence,
                "path": str(item.file),
            }
            for item in DATASETS.values()
            if item.file.exists()
        ]
        plain.table(rows, arguments.json)
        return 0
    facts = _facts(arguments.source)
    if arguments.json:
        print(json.dumps(facts, ensure_ascii=False))
        return 0
    artists = facts.pop("artists", None)
    for name, value in facts.items():
        print(f"{name.replace('_', ' '):22} {value}")
    if artists:
        most = sorted(artists.items(), key=lambda item: -item[1])
        shown = ", ".join(f"{artist} ({songs})" for artist, songs in most[:12])
        more = f" and {len(most) - 12} more" if len(most) > 12 else ""
        print(f"{'artists':22} {len(most)}: {shown}{more}")
    return 0


def _facts(source: str) -> dict[str, Any]:
    from engine.data import catalogue
    from engine.data import corpus as corpora

    kind = catalogue.kind_of(source)
    corpus = corpora.prepare(DataConfig(source=source), kind=kind)
    meta, report = corpus.meta, corpus.meta["report"]
    facts = {"name": corpus.name, "kind": kind, "songs": meta["songs"]}
    for split, counted in meta["splits"].items():
        facts[f"{split}_songs"] = counted["songs"]
    if kind == "lyrics":
        facts |= {
            "characters": meta["frames"] - meta["songs"],  # without the end marks
            "different_characters": len(meta["codec"]["characters"]),
            "left_out_as_too_short": report["short"],
            "left_out_as_duplicates": report["duplicates"],
            "artists": report["artists"]["found"],
        }
    else:
        facts |= {
            "frames": meta["frames"],
            "frame": f"{meta['codec']['frame']} s",
            "onsets_told_apart": meta["codec"]["planes"] == 2,
            "songs_that_cannot_be_read": report["bad"],
            "left_out_as_duplicates": report["duplicates"],
            "notes_left_out": report["notes_left_out"],
        }
    return {**facts, "hash": corpus.hash, "prepared_in": str(corpus.path)}
