"""Readers of lyrics, from a CSV file, a JSONL file or a folder of artist/song.txt files."""

import codecs
import csv
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.data.splits import ANY, SPLITS
from engine.errors import InputError
from engine.files import explain_read_errors
from engine.suggestions import missing_path

MAX_FIELD = 1 << 24  # characters of a field of a CSV file
_QUOTING = "put texts into quotes, and double the quotes inside them."
_COLUMNS = ("artist", "song", "text", "split")
# JSON may have "\ud800", and Python reads names of files that are not UTF-8 with such characters.
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class LyricsSong:
    """One song in NFC; its lines have no trailing blanks, its first and last line are not empty."""

    artist: str  # "": no artist
    title: str
    text: str
    split: int = ANY  # an index into SPLITS; ANY: the source does not set it


def _song(artist: str, title: str, text: str, split: int = ANY) -> LyricsSong:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    # In the data set songlyrics every line ends in two blanks.
    text = "\n".join(map(str.rstrip, text.split("\n"))).strip("\n")
    artist, title = " ".join(artist.split()), " ".join(title.split())
    if _SURROGATE.search(artist + title + text):
        artist, title, text = (_SURROGATE.sub("\ufffd", part) for part in (artist, title, text))
    artist, title, text = (unicodedata.normalize("NFC", part) for part in (artist, title, text))
    return LyricsSong(artist, title, text, split)


def _parse_split(name: str, where: str) -> int:
    """Return the index of a split; a blank name means ANY. Raises InputError for another name."""
    name = name.strip().lower()
    if name and name not in SPLITS:
        raise InputError(f"{where}: split is {name!r:.60}; write train, valid, test or nothing.")
    return SPLITS.index(name) if name else ANY


def list_files(source: Path) -> list[Path]:
    """Return the files of a source: the file itself, or a folder's artist/song.txt files, sorted.

    Raises InputError for a folder without such files and for a path that does not exist.
    """
    with explain_read_errors(source):
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
                    f"The folder {source} has no songs: put them in files artist/song.txt."
                )
            return songs
        if source.is_file():
            return [source]
        raise missing_path(source, "give a CSV file, a JSONL file or a folder")


def read_songs(source: Path) -> Iterator[LyricsSong]:
    """Yield the songs of a source in its order, without holding all of them in memory.

    A .jsonl or .ndjson file has on each line an object with `artist`, `text` and optionally `song`
    (the title) and `split` (train, valid, test or empty), null counting as empty; any other file is
    a CSV with columns of these names. Raises InputError, with the position in the file where
    possible, for rows with missing or excess fields, invalid files and text that is not UTF-8.
    """
    found = list_files(source)
    if source.is_dir():
        yield from _read_files(_read_text, found)
    else:
        yield from _read_files(_READERS.get(source.suffix.lower(), _read_csv), found)


def _read_files(
    read: Callable[[Path], Iterator[LyricsSong]], found: list[Path]
) -> Iterator[LyricsSong]:
    for file in found:
        try:
            with explain_read_errors(file):
                yield from read(file)
        except UnicodeDecodeError as error:
            raise InputError(
                f"{file} is not UTF-8 text ({_first_invalid_byte(file)}): convert it to UTF-8."
            ) from error


def _first_invalid_byte(path: Path) -> str:
    """Return the position of a file's first invalid byte, for example "byte 7, line 2"."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset, line = 0, 1
    with path.open("rb") as file:
        while True:
            block = file.read(1 << 20)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                pending = len(error.object) - len(block)  # bytes kept from the block before
                offset += error.start - pending
                line += error.object[: error.start].count(b"\n")
                break
            offset += len(block)
            line += block.count(b"\n")
            if not block:
                break
    return f"byte {offset}, line {line}"


def _read_text(path: Path) -> Iterator[LyricsSong]:
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
                    f"Line {number} of {path} is not JSON: write one object on each line."
                ) from error
            yield _song(*_fields(values, f"Line {number} of {path}"))
    if not line:
        raise InputError(f"{path} is empty: choose a file with songs.")


def _fields(values: Any, where: str) -> tuple[str, str, str, int]:
    if not isinstance(values, dict):
        raise InputError(f'{where} is not an object: write it as {{"artist": …, "text": …}}.')
    values = {"song": "", "split": "", **values}
    fields = []
    for name in _COLUMNS:
        field = values.get(name)
        if field is None and name in values:
            field = ""  # null, as an empty field of a CSV file
        if not isinstance(field, str):
            problem = f"{name!r} is not a string" if name in values else f"{name!r} is missing"
            raise InputError(f'{where}: {problem}; write it as "{name}": "…".')
        fields.append(field)
    artist, title, text, split = fields
    return artist, title, text, _parse_split(split, where)


def _read_csv(path: Path) -> Iterator[LyricsSong]:
    with path.open("rb") as binary:
        start = binary.read(1 << 16)
    if not start.strip():
        raise InputError(f"{path} is empty: choose a CSV file with the columns artist and text.")
    if b"\0" in start:
        raise InputError(
            f"{path} is binary or not UTF-8 text: unpack or convert it to a CSV file in UTF-8."
        )
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"[", b"{")):
        raise InputError(
            f"{path} is JSON, not CSV: write it as a .jsonl file, with one object on each line."
        )
    csv.field_size_limit(MAX_FIELD)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        line = 0  # the last one that was read
        try:
            header = next(reader, [])
            indices = _column_indices(header, path)
            line = reader.line_num
            for row in reader:
                if len(row) != len(header) and any(map(str.strip, row)):
                    raise InputError(
                        f"Line {line + 1} of {path} has {len(row)} field{'s' * (len(row) != 1)}, "
                        f"but its header has {len(header)}: {_QUOTING}"
                    )
                if len(row) == len(header):
                    fields = ["" if index is None else row[index] for index in indices]
                    artist, title, text, split = fields
                    number = _parse_split(split, f"Line {line + 1} of {path}")
                    yield _song(artist, title, text, number)
                line = reader.line_num
        except csv.Error as error:
            raise InputError(
                f"{path} is not valid CSV in the row that begins on line {line + 1} ({error}): "
                f"{_QUOTING}"
            ) from error


def _column_indices(header: list[str], path: Path) -> list[int | None]:
    """Return the indices of the columns in `_COLUMNS`; None: there is no such column."""
    names = [name.strip().casefold() for name in header]
    if len(names) < 2:
        raise InputError(
            f"{path} is not a CSV file, as its first line has no comma: choose a CSV file with the "
            "columns artist and text."
        )
    for name in ("artist", "text"):
        if name not in names:
            present = ", ".join(f"{column:.40}" for column in header[:10])
            more = f" and {len(header) - 10} more" if len(header) > 10 else ""
            raise InputError(
                f"{path} has no column {name!r} (it has {present}{more}): rename a column."
            )
    return [names.index(name) if name in names else None for name in _COLUMNS]


_READERS: dict[str, Callable[[Path], Iterator[LyricsSong]]] = {
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
}
