"""Songs in the history: how they are kept and exported."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import files, protocol
from engine.errors import InputError, WorkError
from engine.protocol import SampleLyrics
from tui.sources.history import History, Work

FORMATS = "text (.txt), Markdown (.md) or JSON with the settings (.json)"
_UNLISTED = {"do", "id", "prime", "bits", "alternatives", "novelty", "precision"}


def title(request: SampleLyrics, whole: str) -> str:
    """Return a song's first line, its artist and its model, by which it is listed and found."""
    first = next((line for line in whole.split("\n") if line.strip()), "").strip()
    by = request.artist or request.mix or ""
    return " · ".join(filter(None, (first, by, request.model)))


def keep(history: History, request: SampleLyrics, text: str, result: Mapping[str, Any]) -> int:
    """Add a song that has ended to the history, and return its id; raises WorkError.

    text: without the prompt. result: its state, its seed and what else is to be shown again.
    """
    whole = (request.prime + text).encode(errors="replace").decode()
    settings = json.loads(protocol.encode(request))
    return history.add("lyrics", title(request, whole), whole, settings, {**result, "text": text})


def export(work: Work, path: Path) -> None:
    """Write a song in the format of the file name's suffix; raises InputError and WorkError."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        about = {"title": work.title, "text": work.text, "settings": work.settings}
        text = json.dumps(about | {"result": work.result}, ensure_ascii=False, indent=2)
    elif suffix in {".md", ".markdown"}:
        text = _markdown(work)
    elif suffix in {"", ".txt"}:
        text = work.text
    else:
        raise InputError(f"{suffix} is not a format of songs: use .txt, .md or .json.")
    try:
        files.write_atomic(path, text.encode(errors="replace") + b"\n")
    except OSError as error:
        raise WorkError(f"Cannot write {path} ({error.strerror}): choose another file.") from error


def _markdown(work: Work) -> str:
    """Return a song in Markdown: its title, its lines, and its settings as a table."""
    lines = "\n".join(f"{line}  " if line else "" for line in work.text.split("\n"))
    rows = {name: value for name, value in work.settings.items() if name not in _UNLISTED}
    rows["seed"] = work.result.get("seed")
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items() if value is not None)
    return f"# {work.title}\n\n{lines}\n\n| setting | value |\n|---|---|\n{table}"
