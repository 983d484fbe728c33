"""Near copies: songs held out that are in truth among the songs to learn from."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from engine.data.corpus import Corpus

WINDOW = 16  # frames
MAX_SHARED = 0.5  # of a song's windows may be shared with one other song

Hashes = npt.NDArray[np.uint64]


def near_duplicates(
    corpus: Corpus, rows: Iterable[int], others: Corpus, other_rows: Iterable[int]
) -> npt.NDArray[np.bool_]:
    """Which of some songs of music are near copies of one of the others, (len(rows),).

    A song is one if over half of its windows of 16 frames are found in one other song. What is
    shorter than a window is followed by silence. Windows are compared by 64 random bits.
    """
    windows = [_windows(others.song(row)) for row in other_rows]
    song = np.repeat(np.arange(len(windows)), [len(each) for each in windows])  # (W,)
    hashes = np.concatenate(windows)  # (W,)
    order = np.lexsort((song, hashes))
    song, hashes = song[order], hashes[order]
    again = (np.diff(hashes) == 0) & (np.diff(song) == 0)  # in the same song
    first = np.concatenate([[True], ~again])
    song, hashes = song[first], hashes[first]

    def shared(row: int) -> float:
        """The largest share of a song's windows that are in one other song."""
        own, counts = np.unique(_windows(corpus.song(row)), return_counts=True)
        low, high = (np.searchsorted(hashes, own, side) for side in ("left", "right"))
        n = high - low  # how many others have each window
        places = np.arange(n.sum()) + np.repeat(low - (n.cumsum() - n), n)  # in `song`
        found = np.bincount(song[places], np.repeat(counts, n))
        return float(found.max(initial=0) / counts.sum())

    return np.array([shared(row) > MAX_SHARED for row in rows], np.bool_)


def _windows(frames: npt.NDArray[np.uint8]) -> Hashes:
    """A hash of every window of a song's frames (T, K), max(1, T - 15) of them."""
    chance = np.random.default_rng(0)
    of_key, of_place = (
        chance.integers(1 << 64, size=size, dtype=np.uint64) for size in (frames.shape[1], WINDOW)
    )
    each = np.zeros(max(len(frames), WINDOW), np.uint64)
    each[: len(frames)] = frames.astype(np.uint64) @ of_key
    return np.asarray(np.lib.stride_tricks.sliding_window_view(each, WINDOW) @ of_place)
