"""Training, validation and test songs: split by a hash of their content, not by their order."""

import hashlib

import numpy as np
import numpy.typing as npt

from engine.errors import InputError
from engine.suggestions import normalize

SPLITS = ("train", "valid", "test")  # a song's split is stored as an index into these
TRAIN, VALID, TEST = range(3)
ANY = 255  # the source does not set the song's split


def digest(*parts: bytes) -> int:
    """Return 64 bits of the parts' BLAKE2b hash."""
    state = hashlib.blake2b(digest_size=8)
    for part in parts:
        state.update(part)
    return int.from_bytes(state.digest(), "little")


def split_key(text: str, seed: int) -> int:
    """Return 64 bits that are equal for texts that differ in case and blanks only."""
    return digest(f"{seed}\n".encode(), normalize(text).encode("utf-8", "surrogatepass"))


def _count(songs: int, fraction: float) -> int:
    return max(1, round(songs * fraction)) if fraction > 0 else 0


def assign_splits(
    keys: npt.NDArray[np.uint64], valid_fraction: float, test_fraction: float
) -> npt.NDArray[np.uint8]:
    """Return the split of each song, (n,) as an index into SPLITS, from the songs' keys (n,).

    The lowest keys are the test songs, the next ones the validation songs: fractions are exact to
    one song, the order of the songs does not matter, and equal texts share a split. Raises
    InputError if no song would be left to train on.
    """
    unique = np.unique(keys)
    n = len(unique)
    tests, valids = _count(n, test_fraction), _count(n, valid_fraction)
    if tests + valids >= n:
        raise InputError(
            f"{n} different song{'s' * (n != 1)} cannot be split with "
            f"data.valid_fraction = {valid_fraction} and data.test_fraction = {test_fraction}: "
            "use more songs or lower the fractions."
        )
    rank = np.searchsorted(unique, keys)  # (n,)
    return np.where(rank < tests, TEST, np.where(rank < tests + valids, VALID, TRAIN)).astype(
        np.uint8
    )
