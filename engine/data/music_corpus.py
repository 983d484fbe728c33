"""Corpora of music: one pass over the source writes the frames and keeps a row of each song."""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from engine.config import DataConfig
from engine.data import music_files
from engine.data.codecs import KeysCodec
from engine.data.corpus_format import SONG_DTYPE, PreparedSongs, Progress, write_frames_header
from engine.data.music_files import MusicSong, SongEntry
from engine.data.splits import ANY, SPLITS, TEST, TRAIN, VALID, assign_splits, digest
from engine.errors import InputError
from engine.frames import KEYS
from engine.music import MIDI_SUFFIXES

_NAMED_ERRORS = 20  # unreadable songs that the report names
_DEFAULT_TEMPO = 120.0  # beats a minute, if the source has no tempo


def write_frames(
    folder: Path, scratch: IO[bytes], source: Path, config: DataConfig, progress: Progress
) -> PreparedSongs:
    """Write frames.npy of a corpus of music.

    scratch: an empty file for the frames. Raises InputError if no song can be read, or none would
    be left to train on.
    """
    stored = store_songs(scratch, source, config, progress)
    table = np.zeros(len(stored.keys), SONG_DTYPE)
    table["key"], table["length"] = stored.keys, stored.lengths
    table["start"] = np.cumsum(stored.lengths) - stored.lengths
    table["split"] = choose_splits(stored, config, str(source))
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
            "artists": {"found": {}, "few": {}, "missing": {}},
            "short": 0,
            "filtered": 0,
            **stored.report,
            "also_in_train": {  # songs that equal a training song
                SPLITS[split]: int(np.isin(table["key"][table["split"] == split], train_keys).sum())
                for split in (VALID, TEST)
            },
        },
    )


@dataclass(frozen=True, eq=False)
class StoredSongs:
    """The songs of a source, in its order; their frames are in a file, end to end."""

    names: list[str]
    keys: npt.NDArray[np.uint64]  # (S,): equal for equal frames
    lengths: npt.NDArray[np.int64]  # (S,), in frames
    source_splits: npt.NDArray[np.uint8]  # (S,): an index into SPLITS, or ANY
    codec: KeysCodec
    report: dict[str, Any]


@dataclass(frozen=True)
class _Row:
    """A song without its frames."""

    name: str
    key: int
    length: int  # frames
    split: int
    planes: int
    tempo: float | None
    left_out: dict[str, int]


def store_songs(
    file: IO[bytes], source: Path, config: DataConfig, progress: Progress
) -> StoredSongs:
    """Write the frames of a source's songs to `file`.

    Songs that cannot be read are left out, counted and named. Of equal songs the first stays; if
    the source sets the splits all stay, so that results compare with published ones. progress:
    called with the number of songs read and of all. Raises InputError if no song can be read.
    """
    rows: list[_Row] = []
    errors: list[str] = []
    keys: set[int] = set()
    duplicates = 0
    with music_files.open_songs(source) as entries:
        keep_equal = any(entry.split != ANY for entry in entries)
        for entry, song in _read(entries, config, errors, progress):
            key = _key(song.frames, config.split_seed)
            if key in keys and not keep_equal:
                duplicates += 1
                continue
            keys.add(key)
            file.write(song.frames.tobytes())
            rows.append(_row(entry, song, key))
    if not rows:
        raise InputError(
            errors[0]
            if len(errors) == 1
            else f"None of the {len(errors)} songs of {source} can be used; the first: {errors[0]}"
        )
    return _summarize(rows, errors, duplicates, config)


def _read(
    entries: Sequence[SongEntry], config: DataConfig, errors: list[str], progress: Progress
) -> Iterator[tuple[SongEntry, MusicSong]]:
    """Yield the songs that can be read; append a sentence to `errors` for each other."""
    for number, entry in enumerate(entries):
        progress(number, len(entries))
        try:
            song = music_files.load_song(entry, config.frame_seconds, config.frame_beats)
        except InputError as error:
            errors.append(str(error))
            continue
        yield entry, song
    progress(len(entries), len(entries))


def _key(frames: npt.NDArray[np.uint8], seed: int) -> int:
    """Return 64 bits that are equal for songs with equal frames."""
    return digest(f"{seed} {frames.shape}\n".encode(), np.packbits(frames).tobytes())


def _row(entry: SongEntry, song: MusicSong, key: int) -> _Row:
    is_midi = entry.name.lower().endswith(MIDI_SUFFIXES)
    return _Row(
        name=entry.name.rpartition(".")[0] if is_midi else entry.name,
        key=key,
        length=len(song.frames),
        split=entry.split,
        planes=song.frames.shape[1] // KEYS,
        tempo=song.tempo,
        left_out=song.left_out,
    )


def _summarize(
    rows: Sequence[_Row], errors: Sequence[str], duplicates: int, config: DataConfig
) -> StoredSongs:
    tempos = [row.tempo for row in rows if row.tempo]
    left_out: Counter[str] = Counter()
    for row in rows:
        left_out.update(row.left_out)
    return StoredSongs(
        names=[row.name for row in rows],
        keys=np.array([row.key for row in rows], np.uint64),
        lengths=np.array([row.length for row in rows], np.int64),
        source_splits=np.array([row.split for row in rows], np.uint8),
        codec=KeysCodec(  # a file of matrices has no frame length: the configured one is assumed
            rows[-1].planes,
            None if config.frame_beats else config.frame_seconds,
            config.frame_beats or None,
            round(float(np.median(tempos)), 3) if tempos else _DEFAULT_TEMPO,
        ),
        report={
            "bad": len(errors),
            "bad_songs": list(errors[:_NAMED_ERRORS]),
            "duplicates": duplicates,
            "notes_left_out": dict(left_out),
        },
    )


def choose_splits(stored: StoredSongs, config: DataConfig, source: str) -> npt.NDArray[np.uint8]:
    """Return the split of each song, (S,) as an index into SPLITS: that of the source, if it has.

    Validation or test songs that the source lacks are taken from its training songs, by their keys.
    Raises InputError, naming `source`, if no song would be left to train on.
    """
    splits = stored.source_splits.copy()
    free = (splits == TRAIN) | (splits == ANY)
    if not free.any():
        raise InputError(f"{source} has no songs to train on: put some into a folder train.")
    valid_fraction = 0.0 if np.any(splits == VALID) else config.valid_fraction
    test_fraction = 0.0 if np.any(splits == TEST) else config.test_fraction
    splits[free] = assign_splits(stored.keys[free], valid_fraction, test_fraction)
    return splits
