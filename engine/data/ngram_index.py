"""A hash index of the training songs, which finds passages of a text that are copied from them.

Every 8th frame of the songs begins a window of 13, so that any passage of 20 contains a whole
window. Windows are stored in buckets by a rolling hash (Karp & Rabin 1987). The index is built once
and stored in the corpus's folder, memory-mapped: about 4 bytes a frame.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.codecs import END, CharacterCodec
from engine.data.corpus import Corpus
from engine.errors import InputError
from engine.files import atomic_folder

SPACING, WINDOW = 8, 13
MIN_COPY = SPACING + WINDOW - 1  # frames: the shortest passage that is always found
_FACTOR, _MIX = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93  # odd
_MASK = 2**64 - 1
_POWER = pow(_FACTOR, WINDOW - 1, 2**64)
_FOLDER = "copies-1"  # raise the number with every change to the files
_ARRAYS = ("text", "starts", "places")  # names of the files


def roll_hash(value: int, entering: int, leaving: int) -> int:
    """Return the hash of the next window, from the last one's and the two frames that change."""
    return ((value - leaving * _POWER) * _FACTOR + entering) & _MASK


@dataclass(frozen=True)
class NgramIndex:
    """The index of one corpus of lyrics; see `open_index`."""

    corpus: Corpus
    text: NDArray[Any]  # (SPACING + frames,): end marks in place of padding and of other songs
    starts: NDArray[np.uint32]  # (2^bits + 1,): bucket b is offsets[starts[b] : starts[b + 1]]
    offsets: NDArray[np.uint32]  # (n,): where in the text each window begins

    @cached_property
    def bits(self) -> int:
        """The number of bits of a hash that select the bucket."""
        return (len(self.starts) - 2).bit_length()

    def candidates(self, value: int) -> NDArray[np.int64]:
        """Return the offsets of the windows in the bucket of a hash (some may have another)."""
        bucket = ((value * _MIX) & _MASK) >> (64 - self.bits)
        return self.offsets[self.starts[bucket] : self.starts[bucket + 1]].astype(np.int64)

    def song_at(self, offset: int) -> tuple[str, str]:
        """Return the artist and title of the song at an offset of the text."""
        starts, rows = self._songs
        row = int(rows[np.searchsorted(starts, offset - SPACING, side="right") - 1])
        return self.corpus.titles[row]

    @cached_property
    def _songs(self) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """The offsets where the songs begin, rising, and their rows in the table."""
        order = np.argsort(self.corpus.songs["start"])
        return self.corpus.songs["start"][order], order


def open_index(corpus: Corpus) -> NgramIndex:
    """Open the index of a corpus; build it if it is missing or damaged.

    Raises InputError for a corpus of music.
    """
    if not isinstance(corpus.codec, CharacterCodec):
        raise InputError(
            f"The corpus {corpus.name!r} is of music: copies are marked in lyrics only."
        )
    folder = corpus.path / _FOLDER
    try:
        return _open(corpus, folder)
    except (OSError, ValueError, EOFError):
        _write(corpus, folder)
    return _open(corpus, folder)


def _open(corpus: Corpus, folder: Path) -> NgramIndex:
    arrays = [  # as plain arrays: a memmap is slow to index
        np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
        for name in _ARRAYS
    ]
    if len(arrays[0]) != SPACING + len(corpus.frames) or arrays[1][-1] != len(arrays[2]):
        raise ValueError("of another corpus")
    return NgramIndex(corpus, *arrays)


def _write(corpus: Corpus, folder: Path) -> None:
    text = np.full(SPACING + len(corpus.frames), END, corpus.frames.dtype)
    for row in corpus.select("train"):
        start, length = corpus.songs["start"][row], corpus.songs["length"][row]
        text[SPACING + start : SPACING + start + length] = corpus.frames[start : start + length]
    offsets = np.arange(SPACING, max(SPACING, len(text) - WINDOW + 1), SPACING)
    values = np.zeros(len(offsets), np.uint64)  # the hash of each window
    whole = np.ones(len(offsets), np.bool_)
    for position in range(WINDOW):
        frames = text[offsets + position]
        values = values * np.uint64(_FACTOR) + frames.astype(np.uint64)
        whole &= frames != END
    offsets, values = offsets[whole], values[whole]
    bits = max(8, (4 * len(offsets)).bit_length() - 1)
    buckets = (values * np.uint64(_MIX)) >> np.uint64(64 - bits)
    order = np.argsort(buckets, kind="stable")
    counts = np.bincount(buckets.astype(np.int64), minlength=2**bits)
    starts = np.concatenate([[0], counts.cumsum()])
    with atomic_folder(folder) as draft:
        arrays = (text, starts.astype(np.uint32), offsets[order].astype(np.uint32))
        for name, array in zip(_ARRAYS, arrays, strict=True):
            np.save(draft / f"{name}.npy", array)
