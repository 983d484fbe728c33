"""List the named data sets, fetch one, or show what a file of songs holds."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from engine.config import DataConfig
from engine.errors import InputError
from tui.commands import output

if TYPE_CHECKING:
    from engine.data.datasets import Dataset


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    words = parser.add_subparsers(dest="action", metavar="list|fetch|info", required=True)
    listing = words.add_parser("list", help="the data sets that go by a name")
    fetching = words.add_parser("fetch", help="bring a named data set here")
    fetching.add_argument("name", metavar="NAME")
    fetching.add_argument(
        "--timeout", type=float, default=30.0, help="seconds that the server may be silent"
    )
    info = words.add_parser("info", help="prepare songs and say what they hold")
    info.add_argument("source", metavar="NAME|PATH")
    for action in (listing, fetching, info):
        action.add_argument("--json", action="store_true", help="print JSON objects")


def run(arguments: argparse.Namespace) -> int:
    """Print the list, bring one here, or print what there is to know about one."""
    if arguments.action == "list":
        _list(arguments.json)
    elif arguments.action == "fetch":
        _fetch(arguments.name, arguments.timeout, arguments.json)
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
            here = "yes" if item.is_available else "to fetch"
            row |= {"size": _size(item), "licence": item.license, "here": here}
        rows.append(row)
    output.table(rows, as_json)


def _size(item: "Dataset") -> str | None:
    if not item.address:
        return "comes along"
    return None if item.size is None else f"{item.size / 1e6:.1f} MB"


def _fetch(name: str, timeout: float, as_json: bool) -> None:
    from engine.data import datasets, download

    if not 0 < timeout < float("inf"):
        raise InputError(f"--timeout {timeout:g} is no time to wait: give seconds over 0.")
    item = datasets.get_dataset(name)
    if item.address and not item.is_available:
        print(
            f"{item.name}: {item.about}\nfrom      {item.address}\nlicence   {item.license}\n"
            f"size      {_size(item) or 'unknown'}\nsha256    {item.sha256 or 'unknown'}",
            file=sys.stderr,
        )
    got = download.download_dataset(
        item, output.progress(f"Fetching {name}", in_bytes=True), timeout
    )
    if as_json:
        facts = {"name": name, "path": str(got.path), "fresh": got.downloaded}
        print(json.dumps(facts | {"sha256": got.sha256, "verified": got.verified}))
        return
    came = "is fetched" if got.downloaded else "is already here"
    if item.address and not got.verified:
        came += f", but could not be verified (its sha256 is {got.sha256})"
    print(f"{name} {came}: {got.path}")


def _info(source: str, as_json: bool) -> None:
    facts = _facts(source)
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    artists = facts.pop("artists", None)
    for name, value in facts.items():
        print(f"{name.replace('_', ' '):22} {value}")
    if artists:
        most = sorted(artists.items(), key=lambda item: -item[1])
        shown = ", ".join(f"{artist} ({songs})" for artist, songs in most[:12])
        more = f" and {len(most) - 12} more" if len(most) > 12 else ""
        print(f"{'artists':22} {len(most)}: {shown}{more}")


def _facts(source: str) -> dict[str, Any]:
    from engine.data import corpus as corpora
    from engine.data import datasets

    kind = datasets.guess_kind(source)
    progress = output.progress("Preparing the songs", in_bytes=kind == "lyrics")
    corpus = corpora.prepare_corpus(DataConfig(source=source), progress, kind)
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
