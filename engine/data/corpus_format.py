"""Filling the folder of a corpus: with songs' characters, or with frames of music."""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from engine.config import DataConfig, Kind
from engine.data import lyrics_corpus, lyrics_files, music_corpus, music_files, splits
from engine.data.codecs import END, Codec
from engine.data.splits import SPLITS
from engine.frames import FrameSpec

Progress = Callable[[int, int], None]  # how much is done and of how much: bytes, of music files

# A song: its key, its frames [start, start + length), 1 + the artist's place in the conditions (0:
# nobody), and its split as a place in SPLITS. The table is sorted by key and artist.
SONG = np.dtype(
    [
        ("key", "<u8"),
        ("start", "<i8"),
        ("length", "<i4"),
        ("condition", "<i4"),
        ("split", "u1"),
    ]
)


def _lyrics(
    draft: Path, file: IO[bytes], source: Path, config: DataConfig, progress: Progress
) -> dict[str, Any]:
    """Fill the folder `draft`, spooling the texts to `file`; gives what is to be said of it."""
    size = max(1, sum(path.stat().st_size for path in lyrics_files.list_files(source)))
    songs = lyrics_files.read_songs(source)
    spooled = lyrics_corpus.fill(
        file,
        songs,
        config.split_seed,
        config.min_length,
        lambda done: progress(min(done, size) // 2, size),  # reading is about the first half
    )
    choice = lyrics_corpus.choose(spooled, config, str(source))
    rows = choice.rows
    table = np.zeros(len(rows), SONG)
    table["key"], table["length"] = rows["key"], rows["length"] + 1  # and the end mark
    table["split"] = splits.assign_splits(rows["key"], config.valid_fraction, config.test_fraction)
    places = {artist: place for place, artist in enumerate(sorted(choice.artists.found), start=1)}
    conditions = np.array([places.get(artist, 0) for artist in spooled.artists], np.int32)
    table["condition"] = conditions[rows["artist"]]
    order = np.argsort(rows["text"])  # as the texts lie in the spool, hence in frames.npy
    table["start"][order] = np.cumsum(table["length"][order]) - table["length"][order]
    codec = lyrics_corpus.learn(spooled.texts(rows, order), config.min_count)

    with (draft / "frames.npy").open("wb") as out:
        _header(out, codec.spec, int(table["length"].sum(dtype=np.int64)))
        end = np.array([END], codec.spec.dtype).tobytes()
        for number, text in enumerate(spooled.texts(rows, order)):
            out.write(codec.encode(text).tobytes() + end)
            if number % 256 == 0:
                progress((size + size * number // len(rows)) // 2, size)
    _write_songs(
        draft, table, ((spooled.artists[row["artist"]], spooled.title(row)) for row in rows)
    )
    report = {
        "artists": dataclasses.asdict(choice.artists),
        "short": spooled.short,
        "duplicates": choice.duplicates,
        "filtered": choice.filtered,
    }
    progress(size, size)
    return _said(source, config, codec, list(places), table, rows["digest"], report)


def _music(
    draft: Path, file: IO[bytes], source: Path, config: DataConfig, progress: Progress
) -> dict[str, Any]:
    """Fill the folder `draft`, spooling the frames to `file`; gives what is to be said of it."""
    spooled = music_corpus.fill(file, source, config, progress)
    keys, lengths = spooled.keys, spooled.lengths
    table = np.zeros(len(keys), SONG)
    table["key"], table["length"] = keys, lengths
    table["start"] = np.cumsum(lengths) - lengths
    table["split"] = music_corpus.assign(spooled, config, str(source))
    order = np.argsort(keys, kind="stable")
    table = table[order]
    with (draft / "frames.npy").open("wb") as out:
        _header(out, spooled.codec.spec, int(lengths.sum()))
        file.seek(0)
        shutil.copyfileobj(file, out)
    _write_songs(draft, table, (("", spooled.names[place]) for place in order))
    train = table["key"][table["split"] == 0]
    report = {
        "artists": {"found": {}, "few": {}, "missing": {}},
        "short": 0,
        "filtered": 0,
        **spooled.report,
        "also_in_train": {  # songs that equal one of those to train on
            split: int(np.isin(table["key"][table["split"] == place], train).sum())
            for place, split in enumerate(SPLITS)
            if place
        },
    }
    return _said(source, config, spooled.codec, [], table, table["key"], report)


def _header(out: IO[bytes], spec: FrameSpec, size: int) -> None:
    """Begin an .npy of `size` frames, written after: a full disk would kill a memory map."""
    descr = np.lib.format.dtype_to_descr(spec.dtype)
    header = {"descr": descr, "fortran_order": False, "shape": (size, *spec.shape)}
    np.lib.format.write_array_header_1_0(out, header)


def _write_songs(draft: Path, table: npt.NDArray[Any], names: Iterable[tuple[str, str]]) -> None:
    """Write the table, and the artist and title of each song in it."""
    np.save(draft / "songs.npy", table)
    with (draft / "titles.txt").open("w", encoding="utf-8", newline="\n") as lines:
        lines.writelines(f"{artist}\t{title}\n" for artist, title in names)


def _said(
    source: Path,
    config: DataConfig,
    codec: Codec,
    conditions: list[str],
    table: npt.NDArray[Any],
    digests: npt.NDArray[np.uint64],
    report: dict[str, Any],
) -> dict[str, Any]:
    """What meta.json says of a corpus of either kind; `digests` (S,) tell its songs apart."""
    lengths = {split: table["length"][table["split"] == i] for i, split in enumerate(SPLITS)}
    return {
        "source": str(source.resolve()),
        "config": dataclasses.asdict(config),
        "codec": codec.to_json(),
        "conditions": conditions,
        "songs": len(table),
        "frames": int(table["length"].sum(dtype=np.int64)),
        "splits": {
            split: {"songs": len(column), "frames": int(column.sum(dtype=np.int64))}
            for split, column in lengths.items()
        },
        "report": report,
        "hash": _hash(table, digests, codec, conditions),
    }


def _hash(
    table: npt.NDArray[Any],
    digests: npt.NDArray[np.uint64],
    codec: Codec,
    conditions: list[str],
) -> str:
    state = hashlib.sha256(json.dumps([codec.to_json(), conditions]).encode())
    for column in (table["key"], digests, table["condition"], table["split"]):
        state.update(column.tobytes())
    return state.hexdigest()


# Of each kind of song: what its source's files are, and what fills a corpus with them.
Fill = Callable[[Path, IO[bytes], Path, DataConfig, Progress], dict[str, Any]]
KINDS: dict[Kind, tuple[Callable[[Path], list[Path]], Fill]] = {
    "lyrics": (lyrics_files.list_files, _lyrics),
    "music": (music_files.list_files, _music),
}
