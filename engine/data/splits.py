"""Whole songs into training, validation and test: by what they say, not by where they stand."""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import InputError
from engine.suggestions import normalize

SPLITS = ("train", "valid", "test")  # a song's split is its place here


def split_key(text: str, seed: int) -> int:
    """64 bits that two texts share when they differ in case and blanks at most (BLAKE2b)."""
    state = hashlib.blake2b(f"{seed}\n".encode(), digest_size=8)
    state.update(normalize(text).encode("utf-8", "surrogatepass"))
    return int.from_bytes(state.digest(), "little")


def _count(songs: int, share: float) -> int:
    return max(1, round(songs * share)) if share > 0 else 0


def assign_splits(keys: npt.NDArray[np.uint64], valid: float, test: float) -> npt.NDArray[np.uint8]:
    """The split of each song, (n,) uint8, as a place in SPLITS, from the songs' keys (n,).

    The lowest keys are the test songs, the next the validation songs: so the shares are exact to
    a song, the songs' order does not matter, and equal texts stay together. Raises InputError where
    no song would be left to train on.
    """
    unique: npt.NDArray[Any] = np.unique(keys)
    n = len(unique)
    tests, valids = _count(n, test), _count(n, valid)
    if tests + valids >= n:
        raise InputError(
            f"{n} different song{'s' * (n != 1)} cannot be split with "
            f"data.valid_fraction = {valid} and data.test_fraction = {test}: "
            "give more songs or smaller shares."
        )
    rank = np.searchsorted(unique, keys)  # (n,)
    return np.where(rank < tests, 2, np.where(rank < tests + valids, 1, 0)).astype(np.uint8)
