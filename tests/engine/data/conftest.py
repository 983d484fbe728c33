"""Songs and corpora for the tests of engine.data."""

import csv
import dataclasses
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.data.codecs import CharacterCodec
from engine.data.corpus import Corpus
from engine.data.corpus_format import SONG_DTYPE
from engine.data.lyrics_files import LyricsSong
from engine.music import midi
from engine.music.score import Note, Score

WriteCsv = Callable[..., Path]
MakeCorpus = Callable[..., Corpus]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def lyrics_csv() -> Path:
    path = Path(__file__).parents[3] / "../shared/data/lyrics/songdata_prefix2893.csv"
    if not path.exists():
        pytest.skip("the published CSV file is not on this machine")
    return path


@pytest.fixture(scope="session")
def music_data() -> Path:
    path = Path(__file__).parents[3] / "../shared/data"
    if not (path / "nottingham/Nottingham.zip").exists():
        pytest.skip("the published tunes are not on this machine")
    return path


@pytest.fixture(scope="session")
def tune() -> Callable[[int], bytes]:
    """Return a function that makes MIDI files: short tunes by number, of notes of 0.3 s."""

    def make(number: int) -> bytes:
        steps = np.random.default_rng(number).integers(0, 12, 20 + number % 7)
        notes = [Note(i * 0.3, i * 0.3 + 0.3, 60 + int(step)) for i, step in enumerate(steps)]
        return midi.encode(Score(tuple(notes), tempo=100.0 + number % 2))

    return make


@pytest.fixture(scope="session")
def write_mat() -> Callable[..., Path]:
    """Return a function that writes lists of matrices as a MATLAB file."""

    def element(kind: int, body: bytes, order: str) -> bytes:
        if 0 < len(body) <= 4:  # the short form
            number = struct.pack(order + "I", len(body) << 16 | kind)
            return number + body.ljust(4, b"\0")
        padding = b"" if kind == 15 else bytes(-len(body) % 8)
        return struct.pack(order + "II", kind, len(body)) + body + padding

    def head(kind: int, shape: Sequence[int], name: str, order: str) -> bytes:
        flags = element(6, struct.pack(order + "II", kind, 0), order)
        sizes = element(5, struct.pack(order + f"{len(shape)}i", *shape), order)
        return flags + sizes + element(1, name.encode(), order)

    def write(
        path: Path, lists: dict[str, Sequence[Any]], order: str = "<", packed: bool = True
    ) -> Path:
        data = (b"invented".ljust(124) + struct.pack(order + "H", 0x100)) + (
            b"IM" if order == "<" else b"MI"
        )
        for name, matrices in lists.items():
            body = head(1, (1, len(matrices)), name, order)
            for matrix in matrices:
                kind, code = (9, 2) if matrix.dtype == np.uint8 else (6, 9)
                values = matrix.astype(matrix.dtype.newbyteorder(order)).tobytes("F")
                inside = head(kind, matrix.shape, "", order) + element(code, values, order)
                body += element(14, inside, order)
            whole = element(14, body, order)
            data += element(15, zlib.compress(whole), order) if packed else whole
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def songs() -> list[LyricsSong]:
    """Forty different songs by five artists, no two of one length."""
    return [
        LyricsSong(
            f"Band {number % 5}",
            f"Tune {number}",
            f"Rain on tin roof {number}\nand nobody home" + " la" * number,
        )
        for number in range(40)
    ]


@pytest.fixture(scope="session")
def write_csv() -> WriteCsv:
    """Return a function that writes songs as a CSV file with an unused column."""

    def write(path: Path, songs: Sequence[LyricsSong], newline: str = "\n") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator=newline)
            writer.writerow(["artist", "song", "link", "text"])
            for song in songs:
                text = song.text.replace("\n", newline)
                writer.writerow([song.artist, song.title, "/x", text])
        return path

    return write


@pytest.fixture(scope="session")
def make_corpus() -> MakeCorpus:
    """Return a function that makes a corpus in memory of songs of given lengths.

    Every frame is a different number: 3 + the number of frames before it, in the order of the
    table; as keys, that number in binary. The songs are stored in another order than the table's.
    """

    def make(
        lengths: Sequence[int],
        conditions: Sequence[int] | None = None,
        splits: Sequence[int] | None = None,
        keys: int = 0,
    ) -> Corpus:
        count = len(lengths)
        table = np.zeros(count, SONG_DTYPE)
        table["key"] = np.arange(count)
        table["length"] = lengths
        table["start"] = (np.cumsum(lengths[::-1]) - lengths[::-1])[
            ::-1
        ]  # the last song is stored first
        table["condition"] = [1 + i % 3 for i in range(count)] if conditions is None else conditions
        table["split"] = 0 if splits is None else splits
        frames: Any = np.zeros(sum(lengths), np.uint16)
        number = 3
        for song in table:
            rows = np.arange(song["start"], song["start"] + song["length"])
            frames[rows] = np.arange(number, number + song["length"])
            number += int(song["length"])
        if keys:
            frames = (frames[:, None] >> np.arange(keys) & 1).astype(np.uint8)
        meta = {
            "name": "made",
            "codec": CharacterCodec("".join(map(chr, range(32, 32 + number)))).to_json(),
            "conditions": ["A", "B", "C"],
        }
        return Corpus(Path("made"), meta, frames, table)

    return make


@pytest.fixture(scope="session")
def fields() -> Callable[[Any], dict[str, Any]]:
    """Return a function that returns the fields of a dataclass that are not None, uncopied."""

    def fields(value: Any) -> dict[str, Any]:
        pairs = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {name: content for name, content in pairs if content is not None}

    return fields
