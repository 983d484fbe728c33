"""Songs as people keep them: a CSV, a JSONL, or a folder artist/song.txt."""

import codecs
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.suggestions import missing_path

CHUNK_ROWS = 2000  # rows of a CSV in memory at a time
_SURROGATE = re.compile("[\ud800-\udfff]")  # JSON can say "\ud800"; UTF-8 cannot


@dataclass(frozen=True)
class LyricsSong:
    """One song, in NFC; no line of its text ends in blanks, and no empty line stands around it."""

    artist: str  # "" where the source names nobody
    title: str
    text: str


def _song(artist: str, title: str, text: str) -> LyricsSong:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = "\n".join(map(str.rstrip, text.split("\n"))).strip("\n")  # the song CSV's end in two
    artist, title = " ".join(artist.split()), " ".join(title.split())
    return LyricsSong(*(unicodedata.normalize("NFC", part) for part in (artist, title, text)))


def list_files(source: Path) -> list[Path]:
    """The files that a source consists of: itself, or a folder's artist/song.txt in order.

    Raises InputError where there are none.
    """
    try:
        if source.is_dir():
            songs = sorted(
                file
                for folder in source.iterdir()
                if folder.is_dir() and not folder.name.startswith(".")
                for file in folder.iterdir()
                if file.suffix.lower() == ".txt" and not file.name.startswith(".")
            )
            if not songs:
                raise InputError(
                    f"The folder {source} holds no songs: lay them out as artist/song.txt."
                )
            return songs
        if source.is_file():
            return [source]
        raise missing_path(source, "give a CSV, a JSONL or a folder")
    except OSError as error:
        raise InputError(f"Cannot read {source} ({error.strerror}): give another.") from error


def read_songs(source: Path) -> Iterator[LyricsSong]:
    """Give the songs of a source in its order, without ever holding all of them.

    A file ending in .jsonl or .ndjson has an object with `artist`, `text` and perhaps `song` on
    each line; any other file is a CSV with such columns. Raises InputError, saying where, for what
    is missing, of another form or not in UTF-8.
    """
    found = list_files(source)
    if source.is_dir():
        yield from _reading(_read_texts, found)
    else:
        yield from _reading(_FORMS.get(source.suffix.lower(), _read_csv), found)


def _reading(
    read: Callable[[Path], Iterator[LyricsSong]], found: list[Path]
) -> Iterator[LyricsSong]:
    for file in found:
        try:
            yield from read(file)
        except UnicodeDecodeError as error:
            raise InputError(_undecodable(file)) from error
        except OSError as error:
            raise InputError(f"Cannot read {file} ({error.strerror}): give another.") from error


def _undecodable(path: Path) -> str:
    """Say where a file first departs from UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset, line = 0, 1
    with path.open("rb") as file:
        while True:
            block = file.read(1 << 20)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                held = len(error.object) - len(block)  # bytes kept back from the block before
                offset += error.start - held
                line += error.object[: error.start].count(b"\n")
                break
            offset += len(block)
            line += block.count(b"\n")
            if not block:
                break
    return f"{path} is not in UTF-8 (byte {offset}, line {line}): convert it to UTF-8."


def _read_texts(path: Path) -> Iterator[LyricsSong]:
    text = path.read_bytes().decode("utf-8-sig")
    yield _song(path.parent.name, path.stem, text)


def _read_jsonl(path: Path) -> Iterator[LyricsSong]:
    line = b""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            if not text.strip():
                continue
            try:
                values = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise InputError(
                    f"Line {number} of {path} is not JSON: give one object a line."
                ) from error
            yield _song(*_fields(values, f"Line {number} of {path}"))
    if not line:
        raise InputError(f"{path} is empty: give a file with songs.")


def _fields(values: Any, where: str) -> tuple[str, str, str]:
    if not isinstance(values, dict):
        raise InputError(f'{where} is not an object: write it as {{"artist": …, "text": …}}.')
    values = {"song": "", **values}
    for name in ("artist", "text", "song"):
        if not isinstance(values.get(name), str):
            wrong = f"has {name!r} that is no text" if name in values else f"has no {name!r}"
            raise InputError(f"{where} {wrong}: give it one in quotes.")
    return (
        _SURROGATE.sub("\ufffd", values["artist"]),
        _SURROGATE.sub("\ufffd", values["song"]),
        _SURROGATE.sub("\ufffd", values["text"]),
    )


def _read_csv(path: Path) -> Iterator[LyricsSong]:
    with path.open("rb") as file:
        start = file.read(1 << 16)
    if not start.strip():
        raise InputError(f"{path} is empty: give a CSV with the columns artist and text.")
    if b"\0" in start:
        raise InputError(
            f"{path} is not a CSV in UTF-8 but binary or in another encoding: unpack or convert it."
        )
    import pandas as pd  # takes most of a second: only those who read a CSV wait for it

    try:
        with pd.read_csv(
            path,
            chunksize=CHUNK_ROWS,
            dtype=object,
            na_filter=False,  # a song may be called "Null"
            encoding="utf-8",
            compression=None,
        ) as reader:
            for chunk in reader:
                # pandas takes columns beyond the header's for an index, shifting all the rest.
                if not isinstance(chunk.index, pd.RangeIndex):
                    raise InputError(
                        f"The rows of {path} have more fields than its header: quote the texts."
                    )
                yield from _rows(chunk, path)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = str(error).rpartition("C error: ")[2].strip()
        raise InputError(
            f"{path} is not a CSV throughout ({reason}): quote its texts and double the quotes "
            "inside them."
        ) from error


def _rows(chunk: Any, path: Path) -> Iterator[LyricsSong]:
    columns = {str(column).strip().casefold(): column for column in reversed(chunk.columns)}
    if len(columns) == 1:
        raise InputError(
            f"{path} is not a CSV, for its first line has no comma: give one with the columns "
            "artist and text."
        )
    for name in ("artist", "text"):
        if name not in columns:
            there = ", ".join(str(column) for column in chunk.columns)
            raise InputError(f"{path} has no column {name!r} (it has {there}): rename one to it.")
    titles = chunk[columns["song"]].tolist() if "song" in columns else [""] * len(chunk)
    for row in zip(
        chunk[columns["artist"]].tolist(), titles, chunk[columns["text"]].tolist(), strict=True
    ):
        yield _song(*row)


_FORMS: dict[str, Callable[[Path], Iterator[LyricsSong]]] = {
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
}
