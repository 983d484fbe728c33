"""A hash index of the training songs, to find passages of a text that are copied from them.

The index has windows of 13 frames, one at every 8th frame of the songs, so that any passage of 20
frames contains an indexed window. A rolling hash (Karp & Rabin 1987) selects the bucket that a
window is in. The index is built once and stored in the corpus's folder, with about 4 bytes a frame;
its files are memory-mapped.
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
_FACTOR, _MIX = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93  # odd: invertible modulo 2⁶⁴
_MASK = 2**64 - 1
_POWER = pow(_FACTOR, WINDOW - 1, 2**64)
_FOLDER = "copies-1"  # raise the number with every change to the files
_ARRAYS = ("text", "starts", "places")  # names of the files


def roll_hash(value: int, entering: int, leaving: int) -> int:
    """Return the hash of a window that has moved by one frame.

    value: its hash before; entering: the frame that it gains; leaving: the one that it loses.
    """
    return ((value - leaving * _POWER) * _FACTOR + entering) & _MASK


@dataclass(frozen=True)
class NgramIndex:
    """The index of one corpus of lyrics; see `open_index`."""

    corpus: Corpus
    # (SPACING + N,): SPACING end marks, then the corpus's N frames, with end marks in place of the
    # songs that are not for training.
    text: NDArray[Any]
    starts: NDArray[np.uint32]  # (2^bits + 1,): bucket b is offsets[starts[b] : starts[b + 1]]
    offsets: NDArray[np.uint32]  # (n,): where each window begins in `text`

    @cached_property
    def bits(self) -> int:
        """The number of bits of a hash that select its bucket."""
        return (len(self.starts) - 2).bit_length()

    def candidates(self, value: int) -> NDArray[np.int64]:
        """Return the offsets of the windows in a hash's bucket; some may have another hash."""
        bucket = ((value * _MIX) & _MASK) >> (64 - self.bits)
        return self.offsets[self.starts[bucket] : self.starts[bucket + 1]].astype(np.int64)

    def song_at(self, offset: int) -> tuple[str, str]:
        """Return the artist and the title of the song at an offset in `text`."""
        starts, rows = self._songs
        row = int(rows[np.searchsorted(starts, offset - SPACING, side="right") - 1])
        return self.corpus.titles[row]

    @cached_property
    def _songs(self) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """Where the songs begin in corpus.frames, ascending, and their rows in corpus.songs."""
        order = np.argsort(self.corpus.songs["start"])
        return self.corpus.songs["start"][order], order


def open_index(corpus: Corpus) -> NgramIndex:
    """Open the index of a corpus; build it if it is missing or damaged.

    Raises InputError for a corpus of music.
    """
    if not isinstance(corpus.codec, CharacterCodec):
        raise InputError(
            f"The corpus {corpus.name!r} is of music: copied passages are found in lyrics only."
        )
    folder = corpus.path / _FOLDER
    try:
        return _open(corpus, folder)
    except (OSError, ValueError, EOFError):
        _write(corpus, folder)
    return _open(corpus, folder)


def _open(corpus: Corpus, folder: Path) -> NgramIndex:
    arrays = [  # np.asarray, because an np.memmap itself is slow to index
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
    whole = np.ones(len(offsets), np.bool_)  # whether it is inside one training song
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
