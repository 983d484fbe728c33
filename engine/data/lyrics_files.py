"""Readers of lyrics, from a CSV file, a JSONL file or a folder of artist/song.txt files."""

import codecs
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

CHUNK_ROWS = 2000  # rows of a CSV file that are in memory at a time
_SURROGATE = re.compile("[\ud800-\udfff]")  # JSON may have "\ud800", UTF-8 cannot


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
    (the title) and `split` (train, valid, test, or empty); any other file is a CSV with columns of
    these names. Raises InputError, with the
    position in the file where possible, for missing fields, invalid files and text that is not
    UTF-8.
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
    for name in ("artist", "text", "song", "split"):
        if not isinstance(values.get(name), str):
            problem = f"{name!r} is not a string" if name in values else f"{name!r} is missing"
            raise InputError(f'{where}: {problem}; write it as "{name}": "…".')
    return (
        _SURROGATE.sub("\ufffd", values["artist"]),
        _SURROGATE.sub("\ufffd", values["song"]),
        _SURROGATE.sub("\ufffd", values["text"]),
        _parse_split(values["split"], where),
    )


def _read_csv(path: Path) -> Iterator[LyricsSong]:
    with path.open("rb") as file:
        start = file.read(1 << 16)
    if not start.strip():
        raise InputError(f"{path} is empty: choose a CSV file with the columns artist and text.")
    if b"\0" in start:
        raise InputError(
            f"{path} is binary or not UTF-8 text: unpack or convert it to a CSV file in UTF-8."
        )
    import pandas as pd  # takes most of a second to import: only for CSV files

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
                # pandas uses columns beyond the header as an index, which shifts all others.
                if not isinstance(chunk.index, pd.RangeIndex):
                    raise InputError(
                        f"The rows of {path} have more fields than its header: quote the texts."
                    )
                yield from _rows(chunk, path)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = str(error).rpartition("C error: ")[2].strip()
        raise InputError(
            f"{path} is not a valid CSV file ({reason}): quote its texts and double the quotes "
            "inside them."
        ) from error


def _rows(chunk: Any, path: Path) -> Iterator[LyricsSong]:
    columns = {str(column).strip().casefold(): column for column in reversed(chunk.columns)}
    if len(columns) == 1:
        raise InputError(
            f"{path} is not a CSV file, as its first line has no comma: choose a CSV file with the "
            "columns artist and text."
        )
    for name in ("artist", "text"):
        if name not in columns:
            present = ", ".join(str(column) for column in chunk.columns)
            raise InputError(f"{path} has no column {name!r} (it has {present}): rename a column.")
    names = ("artist", "song", "text", "split")
    values = [
        chunk[columns[name]].tolist() if name in columns else [""] * len(chunk) for name in names
    ]
    for number, (artist, title, text, split) in enumerate(
        zip(*values, strict=True), chunk.index.start + 1
    ):
        where = f"Song {number} of {path}"
        yield _song(artist, title, text, _parse_split(split, where) if split else ANY)


_READERS: dict[str, Callable[[Path], Iterator[LyricsSong]]] = {
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
}
