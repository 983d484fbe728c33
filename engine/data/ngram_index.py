"""An index of the songs to train on, by which stretches of a text are found in them.

Every 8th frame of the songs begins a window of 13, so that any stretch of 20 holds a whole one;
windows lie in buckets by their hash (Karp & Rabin 1987). The index is made once and kept,
memory-mapped, beside the corpus: some 4 bytes a frame.
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
MIN_COPY = SPACING + WINDOW - 1  # the shortest stretch that is always found
_FACTOR, _MIX = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93  # odd
_MASK = 2**64 - 1
_POWER = pow(_FACTOR, WINDOW - 1, 2**64)
_FOLDER = "copies-1"  # one more with every change to what is written
_ARRAYS = ("text", "starts", "places")


def roll_hash(value: int, entering: int, leaving: int) -> int:
    """The hash of the window one frame on, from the last one's and the two frames that change."""
    return ((value - leaving * _POWER) * _FACTOR + entering) & _MASK


@dataclass(frozen=True)
class NgramIndex:
    """The index of one corpus of lyrics; made by `prepare`."""

    corpus: Corpus
    text: NDArray[Any]  # (SPACING + frames,): other songs' frames and what is before are end marks
    starts: NDArray[np.uint32]  # (2^bits + 1,): the windows of bucket b are places[starts[b:b + 2]]
    places: NDArray[np.uint32]  # (n,): where in the text each window begins

    @cached_property
    def bits(self) -> int:
        """How many bits of a hash tell the bucket."""
        return (len(self.starts) - 2).bit_length()

    def candidates(self, value: int) -> NDArray[np.int64]:
        """Where windows with this hash may begin, those with others among them."""
        bucket = ((value * _MIX) & _MASK) >> (64 - self.bits)
        return self.places[self.starts[bucket] : self.starts[bucket + 1]].astype(np.int64)

    def song_at(self, place: int) -> tuple[str, str]:
        """The artist and title of the song that has this place of the text."""
        starts, rows = self._songs
        row = int(rows[np.searchsorted(starts, place - SPACING, side="right") - 1])
        return self.corpus.titles[row]

    @cached_property
    def _songs(self) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """Where the songs begin, rising, and their places in the table."""
        order = np.argsort(self.corpus.songs["start"])
        return self.corpus.songs["start"][order], order


def open_index(corpus: Corpus) -> NgramIndex:
    """Open the index of a corpus, made anew where it is missing or damaged.

    Raises InputError for a corpus of music.
    """
    if not isinstance(corpus.codec, CharacterCodec):
        raise InputError(f"The corpus {corpus.name!r} is of music: only lyrics have copies marked.")
    folder = corpus.path / _FOLDER
    try:
        return _open(corpus, folder)
    except (OSError, ValueError, EOFError):
        _write(corpus, folder)
    return _open(corpus, folder)


def _open(corpus: Corpus, folder: Path) -> NgramIndex:
    arrays = [  # plain arrays over the maps: a memmap is slow to index
        np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
        for name in _ARRAYS
    ]
    if len(arrays[0]) != SPACING + len(corpus.frames) or arrays[1][-1] != len(arrays[2]):
        raise ValueError("not of this corpus")
    return NgramIndex(corpus, *arrays)


def _write(corpus: Corpus, folder: Path) -> None:
    text = np.full(SPACING + len(corpus.frames), END, corpus.frames.dtype)
    for row in corpus.select("train"):
        start, length = corpus.songs["start"][row], corpus.songs["length"][row]
        text[SPACING + start : SPACING + start + length] = corpus.frames[start : start + length]
    places = np.arange(SPACING, max(SPACING, len(text) - WINDOW + 1), SPACING)
    values = np.zeros(len(places), np.uint64)
    whole = np.ones(len(places), np.bool_)
    for offset in range(WINDOW):
        frames = text[places + offset]
        values = values * np.uint64(_FACTOR) + frames.astype(np.uint64)
        whole &= frames != END
    places, values = places[whole], values[whole]
    bits = max(8, (4 * len(places)).bit_length() - 1)
    buckets = (values * np.uint64(_MIX)) >> np.uint64(64 - bits)
    order = np.argsort(buckets, kind="stable")
    counts = np.bincount(buckets.astype(np.int64), minlength=2**bits)
    starts = np.concatenate([[0], counts.cumsum()])
    with atomic_folder(folder) as draft:
        arrays = (text, starts.astype(np.uint32), places[order].astype(np.uint32))
        for name, values_ in zip(_ARRAYS, arrays, strict=True):
            np.save(draft / f"{name}.npy", values_)
