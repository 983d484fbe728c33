"""Songs in the history: how they are kept, shown again and exported."""

import json
from pathlib import Path

from engine import files, protocol
from engine.errors import InputError, WorkError
from engine.protocol import Character, MessageError, SampleLyrics
from tui.pages.lyrics.session import SongView
from tui.sources.history import History, Work

FORMATS = "text (.txt), Markdown (.md) or JSON with the settings (.json)"
_UNLISTED = {"do", "id", "prime", "bits", "alternatives", "novelty", "precision"}
_RESULT = ("score", "number", "continued", "state", "seed", "seconds", "bits")


def keep(history: History, song: SongView) -> None:
    """Add a song that has ended to the history; raises WorkError."""
    settings = json.loads(protocol.encode(song.request))
    result = {name: getattr(song, name) for name in _RESULT}
    history.add("lyrics", song.title, song.whole, settings, result | {"text": song.text})


def reopen(work: Work) -> SongView:
    """Return the song of a work of the history; raises InputError where it is damaged."""
    try:
        request = protocol.decode(json.dumps(work.settings).encode(), protocol.SAMPLER_REQUESTS)
        assert isinstance(request, SampleLyrics)
        text = str(work.result["text"])
        found = {name: work.result[name] for name in _RESULT}
    except (MessageError, AssertionError, KeyError) as error:
        raise InputError(
            "This song was kept by another version and cannot be shown here: export it instead."
        ) from error
    characters = [Character(character) for character in text]
    return SongView(-work.id, request, 0.0, text=text, characters=characters, kept=True, **found)


def suggested_name(work: Work) -> str:
    """Return the name suggested for the file of a work."""
    try:
        return reopen(work).file_name
    except InputError:
        return f"song-{work.id}.txt"


async def export(work: Work, path: Path) -> None:
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
