"""A hash index of the training songs, to find passages of a text that are copied from them.

The index has windows of 13 frames, one at every 8th frame of the songs, so that any passage of 20
frames contains an indexed window. A rolling hash (Karp & Rabin 1987) selects the bucket that a
window is in. The index is built once, in pieces, and stored in the corpus's folder, with about 4
bytes a frame; its files are memory-mapped.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

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
BLOCK = 1 << 16  # windows or frames that are processed together
PARTS = 32  # of the buckets, of which the windows of one are sorted in memory
_NO_BUCKET = 2**32 - 1
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
    """Write the files of an index, in pieces: it takes less than a byte of memory per frame."""
    with atomic_folder(folder) as draft:
        _write_text(corpus, draft / "text.npy")
        text = np.asarray(np.load(draft / "text.npy", mmap_mode="r"))
        windows = max(0, (len(text) - WINDOW) // SPACING)
        bits = max(8, (4 * windows).bit_length() - 1)
        with (draft / "buckets").open("wb") as file:  # of each window, in the order of the text
            for start in range(0, windows, BLOCK):
                buckets = _buckets(text, start, min(start + BLOCK, windows), bits)
                buckets.tofile(file)
        _write_windows(draft, windows, bits)
        (draft / "buckets").unlink()


def _write_text(corpus: Corpus, path: Path) -> None:
    """Write `NgramIndex.text`."""
    rows = corpus.select("train")
    songs = corpus.songs[rows[np.argsort(corpus.songs["start"][rows])]]
    frames = np.asarray(corpus.frames)
    with path.open("wb") as file:
        _write_header(file, frames.dtype, SPACING + len(frames))
        np.full(SPACING, END, frames.dtype).tofile(file)
        end = 0  # of the part that is written
        for start, length in zip(songs["start"].tolist(), songs["length"].tolist(), strict=True):
            _write_end_marks(file, frames.dtype, start - end)
            for part in range(start, start + length, BLOCK):
                frames[part : min(part + BLOCK, start + length)].tofile(file)
            end = start + length
        _write_end_marks(file, frames.dtype, len(frames) - end)


def _write_end_marks(file: BinaryIO, dtype: np.dtype[Any], count: int) -> None:
    for start in range(0, count, BLOCK):
        np.full(min(BLOCK, count - start), END, dtype).tofile(file)


def _write_header(file: BinaryIO, dtype: np.dtype[Any], count: int) -> None:
    """Begin a file of NumPy's format with `count` values, which follow."""
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False}
    np.lib.format.write_array_header_1_0(file, {**header, "shape": (count,)})


def _buckets(text: NDArray[Any], start: int, stop: int, bits: int) -> NDArray[np.uint32]:
    """Return the buckets of windows `start` to `stop`; `_NO_BUCKET` if not in a training song."""
    offsets = SPACING * np.arange(1 + start, 1 + stop)
    values = np.zeros(len(offsets), np.uint64)  # the hash of each window
    whole = np.ones(len(offsets), np.bool_)  # whether it is inside one training song
    for position in range(WINDOW):
        frames = text[offsets + position]
        values = values * np.uint64(_FACTOR) + frames.astype(np.uint64)
        whole &= frames != END
    buckets = (values * np.uint64(_MIX)) >> np.uint64(64 - bits)
    return np.where(whole, buckets, _NO_BUCKET).astype(np.uint32)


def _write_windows(draft: Path, windows: int, bits: int) -> None:
    """Write `NgramIndex.starts` and `offsets` from the file of buckets, some buckets at a time."""
    buckets = np.memmap(draft / "buckets", np.uint32, "r") if windows else np.zeros(0, np.uint32)
    blocks = [np.asarray(buckets[start : start + BLOCK]) for start in range(0, windows, BLOCK)]
    count = sum(int((block != _NO_BUCKET).sum()) for block in blocks)
    step, done = 2**bits // PARTS, 0
    with (draft / "starts.npy").open("wb") as starts, (draft / "places.npy").open("wb") as offsets:
        _write_header(starts, np.dtype(np.uint32), 2**bits + 1)
        _write_header(offsets, np.dtype(np.uint32), count)
        np.zeros(1, np.uint32).tofile(starts)
        for low in range(0, 2**bits, step):
            found = [np.flatnonzero((block >= low) & (block < low + step)) for block in blocks]
            numbers = [BLOCK * index + part for index, part in enumerate(found)]
            chosen = np.concatenate([*numbers, np.zeros(0, np.int64)]).astype(np.uint32)
            own = buckets[chosen] - np.uint32(low)
            (SPACING * (chosen[np.argsort(own, kind="stable")] + np.uint32(1))).tofile(offsets)
            ends = done + np.bincount(own, minlength=step).cumsum()
            ends.astype(np.uint32).tofile(starts)
            done += len(chosen)
