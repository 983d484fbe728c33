"""The split of songs into training, validation and test songs.

Unless the source sets the split of a song, it follows from the song's split key, a hash of its
content. So it does not depend on the order of the songs, and equal songs are in the same split.
"""

import hashlib

import numpy as np
import numpy.typing as npt

from engine.suggestions import normalize

SPLITS = ("train", "valid", "test")  # a song's split is stored as an index into these
TRAIN, VALID, TEST = range(3)
ANY = 255  # in place of an index: the source does not set the song's split


def digest(*parts: bytes) -> int:
    """Return the 64-bit BLAKE2b hash of the parts, joined."""
    state = hashlib.blake2b(digest_size=8)
    for part in parts:
        state.update(part)
    return int.from_bytes(state.digest(), "little")


def split_key(text: str, seed: int) -> int:
    """Return the split key of a text, a 64-bit hash that ignores case and runs of blanks."""
    return digest(f"{seed}\n".encode(), normalize(text).encode("utf-8", "surrogatepass"))


def _count(songs: int, fraction: float) -> int:
    """Return the number of songs in a fraction of all: at least 1 if the fraction is not 0."""
    return max(1, round(songs * fraction)) if fraction > 0 else 0


def assign_splits(
    keys: npt.NDArray[np.uint64], valid_fraction: float, test_fraction: float
) -> npt.NDArray[np.uint8]:
    """Return the split of each song, (S,), as an index into SPLITS, from the split keys (S,).

    The songs with the lowest keys are the test songs, those with the next ones the validation
    songs, so the numbers of both are exact fractions of the different songs, rounded to whole songs
    (at least one if the fraction is not 0). Songs with equal keys have the same split. If no song
    would be left to train on, all are training songs.
    """
    unique = np.unique(keys)
    n = len(unique)
    tests, valids = _count(n, test_fraction), _count(n, valid_fraction)
    if tests + valids >= n:
        return np.full(len(keys), TRAIN, np.uint8)
    rank = np.searchsorted(unique, keys)  # (S,)
    return np.where(rank < tests, TEST, np.where(rank < tests + valids, VALID, TRAIN)).astype(
        np.uint8
    )


def choose_splits(
    source_splits: npt.NDArray[np.uint8],
    keys: npt.NDArray[np.uint64],
    valid_fraction: float,
    test_fraction: float,
) -> npt.NDArray[np.uint8]:
    """Return the split of each song, (S,), as an index into SPLITS.

    The splits that the source sets, (S,), are used; a song with ANY has the split of an equal
    held-out song, and otherwise is a training song of such a source. If it sets no validation
    songs, or no test songs, they are taken from its training songs by `assign_splits`.
    """
    splits = source_splits.copy()
    for held_out in (VALID, TEST):
        splits[(splits == ANY) & np.isin(keys, keys[source_splits == held_out])] = held_out
    free = (splits == TRAIN) | (splits == ANY)
    valid_fraction = 0.0 if np.any(splits == VALID) else valid_fraction
    test_fraction = 0.0 if np.any(splits == TEST) else test_fraction
    splits[free] = assign_splits(keys[free], valid_fraction, test_fraction)
    return splits
