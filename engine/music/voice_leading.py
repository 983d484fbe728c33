"""Voice leading: parallel fifths and octaves, which chorales avoid, and dissonance."""

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PERFECT = (0, 7)  # semitones modulo an octave: unisons and octaves, fifths
# How dissonant two notes are by the semitones between them, modulo an octave: seconds, sevenths and
# the tritone.
_DISSONANCE = np.array([0.0, 1.0, 0.4, 0, 0, 0, 0.6, 0, 0, 0, 0.4, 1.0])


def has_parallels(before: NDArray[Any], after: NDArray[Any]) -> bool:
    """Return whether two voices move in parallel fifths or octaves from one chord to the next.

    before, after: the keys that sound, (88,). The voices are the notes of each chord from low to
    high, so chords of different numbers of notes have none; both voices must move, in one
    direction.
    """
    low, high = np.flatnonzero(before), np.flatnonzero(after)
    if len(low) != len(high):
        return False
    moved = [(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True) if a != b]
    return any(
        (c - a) % 12 in _PERFECT and (c - a - d + b) % 12 == 0 and (b > a) == (d > c)
        for (a, b), (c, d) in combinations(moved, 2)
    )


def count_parallels(frames: NDArray[Any]) -> int:
    """Return in how many frames (T, 88) voices move in parallels from the frame before."""
    changed = (frames[1:] != frames[:-1]).any(1)
    equal = np.diff(frames.sum(1, dtype=np.int64)) == 0
    return sum(has_parallels(*frames[step : step + 2]) for step in np.flatnonzero(changed & equal))


def dissonance(frames: NDArray[Any]) -> float:
    """Return how dissonant the highest notes of frames (T, 88) are with the notes below them.

    The mean over the frames, from 0 to 1; in each, the most dissonant of the notes below counts.
    """
    total = 0.0
    for frame in frames:
        keys = np.flatnonzero(frame)
        if len(keys) > 1:
            total += float(_DISSONANCE[(keys[-1] - keys[:-1]) % 12].max())
    return total / max(1, len(frames))
