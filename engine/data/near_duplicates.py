"""Near-duplicates in music corpora, such as held-out songs that nearly equal a training song."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from engine.data.corpus import Corpus

WINDOW = 16  # frames
MAX_SHARED = 0.5  # fraction of a song's windows that may be shared with any one other song

Hashes = npt.NDArray[np.uint64]


def near_duplicates(
    corpus: Corpus, rows: Iterable[int], others: Corpus, other_rows: Iterable[int]
) -> npt.NDArray[np.bool_]:
    """Return for each of the songs `rows` whether it is a near-duplicate, (len(rows),).

    A song is a near-duplicate if over half of its windows of 16 frames occur in a single one of the
    songs `other_rows` of `others`. Songs shorter than a window are padded with silence. Windows are
    compared by 64-bit hashes.
    """
    # All W windows of the other songs, sorted by hash: the hash, and the number of the song.
    windows = [_hash_windows(others.song(row)) for row in other_rows]
    song = np.repeat(np.arange(len(windows)), [len(each) for each in windows])  # (W,)
    hashes = np.concatenate(windows)  # (W,)
    order = np.lexsort((song, hashes))
    song, hashes = song[order], hashes[order]
    repeated = (np.diff(hashes) == 0) & (np.diff(song) == 0)  # the same song has it already
    first = np.concatenate([[True], ~repeated])
    song, hashes = song[first], hashes[first]

    def shared(row: int) -> float:
        """Return the largest fraction of a song's windows that a single other song has."""
        own, counts = np.unique(_hash_windows(corpus.song(row)), return_counts=True)
        low, high = (np.searchsorted(hashes, own, side) for side in ("left", "right"))
        n = high - low  # the number of other songs that have each window
        found = np.arange(n.sum()) + np.repeat(low - (n.cumsum() - n), n)  # indices into `song`
        windows_of = np.bincount(song[found], np.repeat(counts, n))  # per other song
        return float(windows_of.max(initial=0) / counts.sum())

    return np.array([shared(row) > MAX_SHARED for row in rows], np.bool_)


def _hash_windows(frames: npt.NDArray[np.uint8]) -> Hashes:
    """Return the hash of each window of a song's frames (T, K), (max(1, T - 15),).

    Each key and each offset in the window has a random 64-bit number; the hash is the sum, over the
    keys set in the window, of the product of the two numbers, modulo 2⁶⁴.
    """
    generator = np.random.default_rng(0)
    of_key, of_offset = (
        generator.integers(1 << 64, size=size, dtype=np.uint64)
        for size in (frames.shape[1], WINDOW)
    )
    each = np.zeros(max(len(frames), WINDOW), np.uint64)
    each[: len(frames)] = frames.astype(np.uint64) @ of_key
    return np.asarray(np.lib.stride_tricks.sliding_window_view(each, WINDOW) @ of_offset)
