"""Songs of music moved up or down the keyboard: other songs to learn from, and as good."""

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.music.score import KEYS


def transposed(frames: npt.NDArray[Any], semitones: int) -> npt.NDArray[Any]:
    """Frames of keys (T, 88 · planes) with every key so many semitones higher, in all planes.

    What would leave the keyboard comes back at its other end: `reach` tells how far is safe.
    """
    planes = frames.reshape(len(frames), -1, KEYS)
    return np.roll(planes, semitones, axis=2).reshape(frames.shape)


def reach(frames: npt.NDArray[Any], most: int) -> tuple[int, int]:
    """The lowest and the highest shift, of at most so many semitones, that keep all keys."""
    used = np.flatnonzero(frames.reshape(-1, KEYS).any(axis=0))
    if not len(used):
        return 0, 0
    return -min(most, int(used[0])), min(most, KEYS - 1 - int(used[-1]))
