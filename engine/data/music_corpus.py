"""Preparation of music corpora: read the songs, choose the splits, write the frames.

One pass over the source writes the frames of all songs to a scratch file; in memory it keeps only
what the corpus's table of songs needs. S is the number of songs.
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from engine.config import DataConfig
from engine.data import datasets, music_files
from engine.data.codecs import KeysCodec
from engine.data.corpus_format import (
    SONG_DTYPE,
    LeftOutSongs,
    PreparedSongs,
    Progress,
    write_frames_header,
)
from engine.data.datasets import Grid
from engine.data.music_files import MusicSong, SongEntry
from engine.data.splits import ANY, SPLITS, TEST, TRAIN, VALID, choose_splits, digest
from engine.errors import InputError
from engine.frame_spec import KEYS
from engine.music import SCORE_SUFFIXES


def write_frames(
    folder: Path, scratch: IO[bytes], source: Path, config: DataConfig, progress: Progress
) -> PreparedSongs:
    """Write frames.npy, the frames of all songs; return the other contents of the corpus.

    scratch: an empty file for the frames. Raises InputError if no song can be read.
    """
    stored = store_songs(scratch, source, config, progress)
    table = np.zeros(len(stored.keys), SONG_DTYPE)
    table["key"], table["length"] = stored.keys, stored.lengths
    table["start"] = np.cumsum(stored.lengths) - stored.lengths
    table["split"] = choose_splits(
        stored.source_splits, stored.keys, config.valid_fraction, config.test_fraction
    )
    order = np.argsort(stored.keys, kind="stable")
    table = table[order]
    with (folder / "frames.npy").open("wb") as file:
        write_frames_header(file, stored.codec.spec, int(stored.lengths.sum()))
        scratch.seek(0)
        shutil.copyfileobj(scratch, file)
    train_keys = table["key"][table["split"] == TRAIN]
    return PreparedSongs(
        table=table,
        digests=table["key"],
        names=(("", stored.names[index]) for index in order),
        codec=stored.codec,
        conditions=[],
        report={
            **stored.report,
            "also_in_train": {  # songs that equal a training song
                SPLITS[split]: int(np.isin(table["key"][table["split"] == split], train_keys).sum())
                for split in (VALID, TEST)
            },
        },
    )


@dataclass(frozen=True, eq=False)
class StoredSongs:
    """The songs of a source, in its order, whose frames are in the scratch file, end to end."""

    names: list[str]
    keys: npt.NDArray[np.uint64]  # (S,): the split keys, equal for songs with equal frames
    lengths: npt.NDArray[np.int64]  # (S,), in frames
    source_splits: npt.NDArray[np.uint8]  # (S,): an index into SPLITS, or ANY
    codec: KeysCodec
    report: dict[str, Any]  # what was left out, by reason


@dataclass(frozen=True)
class _Row:
    """What is kept in memory of a song."""

    name: str
    key: int
    length: int  # frames
    split: int  # an index into SPLITS, or ANY
    planes: int
    tempo: float  # beats per minute
    time_signature: tuple[int, int]
    left_out: dict[str, int]  # numbers of notes, by reason


def store_songs(
    file: IO[bytes], source: Path, config: DataConfig, progress: Progress
) -> StoredSongs:
    """Write the frames of a source's songs to `file`.

    Songs that cannot be read are left out and counted in the report. Of songs with equal frames
    only the first is kept, unless the source sets the splits: then all are kept, so that results
    are comparable with published ones.
    progress: called with the number of songs that are read and the number of all songs. Raises
    InputError if no song can be read.
    """
    rows: list[_Row] = []
    unreadable, duplicates, off_grid = LeftOutSongs(), LeftOutSongs(), LeftOutSongs()
    keys: set[int] = set()
    grid = datasets.find_grid(source)
    seconds, beats = _frame_length(config, grid)
    with music_files.open_songs(source) as entries:
        keep_equal = any(entry.split != ANY for entry in entries)
        for number, entry in enumerate(entries):
            progress(number, len(entries))
            try:
                song = music_files.load_song(entry, seconds or 0.0, beats or 0.0, grid)
            except InputError as error:
                unreadable.add(str(error))
                continue
            if song.off_grid > config.max_off_grid:
                off_grid.add(f"{entry.name} ({song.off_grid:.0%} of the notes)")
                continue
            key = _key(song.frames, config.split_seed)
            if key in keys and not keep_equal:
                duplicates.add(entry.name)
                continue
            keys.add(key)
            file.write(song.frames.tobytes())
            rows.append(_row(entry, song, key))
        progress(len(entries), len(entries))
    if not rows and off_grid.count:
        raise InputError(
            f"All {off_grid.count} songs of {source} have a greater share of notes off the grid "
            "than data.max_off_grid: set it higher, or choose other frames (data.frame_beats)."
        )
    if not rows:
        raise InputError(
            unreadable.names[0]
            if unreadable.count == 1
            else f"None of the {unreadable.count} songs of {source} can be used; the first: "
            f"{unreadable.names[0]}"
        )
    left_out = {"unreadable": asdict(unreadable), "duplicates": asdict(duplicates)}
    if off_grid.count:
        left_out["off the grid"] = asdict(off_grid)
    return _summarize(rows, left_out, seconds, beats)


def _frame_length(config: DataConfig, grid: Grid) -> tuple[float | None, float | None]:
    """Return the length of a frame in seconds, or else None, and in beats, or else None.

    grid: that of the source. Piano rolls have frames already: the settings describe their length.
    """
    if config.frame_beats or not config.frame_seconds:
        return None, config.frame_beats or grid.beats
    return config.frame_seconds, None


def _key(frames: npt.NDArray[np.uint8], seed: int) -> int:
    """Return the split key of a song: a 64-bit hash of its frames, which changes with the seed."""
    return digest(f"{seed} {frames.shape}\n".encode(), np.packbits(frames).tobytes())


def _row(entry: SongEntry, song: MusicSong, key: int) -> _Row:
    has_suffix = entry.name.lower().endswith(SCORE_SUFFIXES)
    return _Row(
        name=entry.name.rpartition(".")[0] if has_suffix else entry.name,
        key=key,
        length=len(song.frames),
        split=entry.split,
        planes=song.frames.shape[1] // KEYS,
        tempo=song.tempo,
        time_signature=song.time_signature,
        left_out=song.left_out,
    )


def _summarize(
    rows: Sequence[_Row],
    left_out_songs: dict[str, Any],
    frame_seconds: float | None,
    frame_beats: float | None,
) -> StoredSongs:
    left_out: Counter[str] = Counter()
    for row in rows:
        left_out.update(row.left_out)
    return StoredSongs(
        names=[row.name for row in rows],
        keys=np.array([row.key for row in rows], np.uint64),
        lengths=np.array([row.length for row in rows], np.int64),
        source_splits=np.array([row.split for row in rows], np.uint8),
        codec=KeysCodec(
            rows[-1].planes,
            frame_seconds,
            frame_beats,
            round(float(np.median([row.tempo for row in rows])), 3),
            Counter(row.time_signature for row in rows).most_common(1)[0][0],
        ),
        report={
            "left_out": left_out_songs,
            "notes_left_out": dict(left_out),
        },
    )
