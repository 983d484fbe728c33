"""One pass over the songs of a source of music: their frames to a file, a row of each in memory."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from engine.config import DataConfig
from engine.data import music_files, splits
from engine.data.codecs import KeysCodec
from engine.data.music_files import ANY, TEST, TRAIN, VALID
from engine.errors import InputError
from engine.frames import KEYS

_NAMED = 20  # bad songs in the report by name
_TEMPO = 120.0  # where the source has none


@dataclass(frozen=True, eq=False)
class Spool:
    """The songs of a source, in its order; their frames are in a file, one after the other."""

    names: list[str]
    keys: npt.NDArray[np.uint64]  # (S,): equal for equal frames
    lengths: npt.NDArray[np.int64]  # (S,), in frames
    given: npt.NDArray[np.uint8]  # (S,): the split by the source, as a place in SPLITS, or 255
    codec: KeysCodec
    report: dict[str, Any]


def fill(
    file: IO[bytes],
    source: Path,
    config: DataConfig,
    progress: Callable[[int, int], None],
) -> Spool:
    """Write the frames of a source's songs to `file`.

    Songs that cannot be read are left out, counted and named. Of equal songs the first stays, but
    where the source has its own splits all do: the numbers of others count them. `progress` is
    told how many songs are done and of how many. Raises InputError where none is left.
    """
    names: list[str] = []
    rows: list[tuple[int, int, int]] = []  # key, length, split
    tempos: list[float] = []
    bad: list[str] = []
    left_out: Counter[str] = Counter()
    seen: set[int] = set()
    planes, duplicates = 1, 0
    with music_files.open_songs(source) as entries:
        split_given = any(entry.split != ANY for entry in entries)
        for number, entry in enumerate(entries):
            progress(number, len(entries))
            try:
                song = music_files.load_song(entry, config.frame_seconds, config.frame_beats)
            except InputError as error:
                bad.append(str(error))
                continue
            key = _key(song.frames, config.split_seed)
            if key in seen and not split_given:
                duplicates += 1
                continue
            seen.add(key)
            file.write(song.frames.tobytes())
            names.append(re.sub(r"\.midi?$", "", entry.name, flags=re.IGNORECASE))
            rows.append((key, len(song.frames), entry.split))
            planes = song.frames.shape[1] // KEYS
            tempos += [song.tempo] if song.tempo else []
            left_out.update(song.left_out)
        progress(len(entries), len(entries))
    if not rows:
        raise InputError(
            bad[0]
            if len(bad) == 1
            else f"None of the {len(bad)} songs of {source} can be used; of the first: {bad[0]}"
        )
    codec = KeysCodec(  # a .mat does not tell its frames' length: it is taken for the one asked for
        planes,
        None if config.frame_beats else config.frame_seconds,
        config.frame_beats or None,
        round(float(np.median(tempos)), 3) if tempos else _TEMPO,
    )
    keys, lengths, given = zip(*rows, strict=True)
    return Spool(
        names,
        np.array(keys, np.uint64),
        np.array(lengths, np.int64),
        np.array(given, np.uint8),
        codec,
        {
            "bad": len(bad),
            "bad_songs": bad[:_NAMED],
            "duplicates": duplicates,
            "notes_left_out": dict(left_out),
        },
    )


def _key(frames: npt.NDArray[np.uint8], seed: int) -> int:
    """64 bits that two songs share when their frames are equal (BLAKE2b)."""
    state = hashlib.blake2b(f"{seed} {frames.shape}\n".encode(), digest_size=8)
    state.update(np.packbits(frames).tobytes())
    return int.from_bytes(state.digest(), "little")


def assign(spool: Spool, config: DataConfig, where: str) -> npt.NDArray[np.uint8]:
    """The split of each song, (S,) as a place in SPLITS: that of the source as far as it has one.

    What it has no songs for, validation or test, is taken from the songs to train on, by what they
    are. Raises InputError, naming `where`, when none would be left to train on.
    """
    result = spool.given.copy()
    loose = (result == TRAIN) | (result == ANY)
    if not loose.any():
        raise InputError(f"{where} holds no songs to train on: put some into a folder train.")
    valid = 0.0 if np.any(result == VALID) else config.valid_fraction
    test = 0.0 if np.any(result == TEST) else config.test_fraction
    result[loose] = splits.assign_splits(spool.keys[loose], valid, test)
    return result
