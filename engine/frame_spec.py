"""Frames: the steps of a song, as corpora store them and models predict them.

A frame is one character of lyrics, or the state of the piano's keys during one short time step.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

BEGIN = 0  # the index of the begin mark, which is the input before a song's first character
KEYS = 88  # of a piano

# Sizes of the joint head: a small network that decides for each piano key whether it sounds.
KEYS_ABOVE = 48  # inputs: the keys above it in the same frame, which are decided before it
KEYS_AROUND = 12  # inputs: the keys on either side of it, in frames that are known already
NOTE_COUNTS = 8  # inputs: the number of keys set so far in the frame, counted up to 8
KEY_FEATURES = 8  # inputs: numbers for this key, computed from the hidden state
KEY_UNITS = 64  # hidden units of the small network

# The match lengths, in frames, that `engine.data.match_memory` looks for.
_MATCH_LENGTHS = {
    "characters": (3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32),
    "keys": (2, 3, 4, 6, 8, 12, 16, 24, 32),
}


@dataclass(frozen=True)
class FrameSpec:
    """The kind and size of one frame.

    `characters`: a frame is one index below `size`, an array of shape ().
    `keys`: a frame is a vector of zeros and ones, an array of shape (size,). The first 88 are the
    piano keys that sound; if size is 176, the last 88 are the keys that begin to sound.
    A song's first frame is predicted from a frame of zeros: the begin mark, or silence.
    """

    kind: Literal["characters", "keys"]
    size: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one frame's array."""
        return () if self.kind == "characters" else (self.size,)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The smallest unsigned type that holds a frame's values."""
        return np.dtype(np.uint8) if self.kind == "keys" else np.min_scalar_type(self.size - 1)

    def match_lengths(self, recovery: bool) -> tuple[int, ...]:
        """Return the match lengths that the match memory looks for, ascending, in frames.

        With `recovery` (see `engine.data.match_memory.MatchMemory`) one frame is enough for a
        match: the alternative would be to continue an older match, which is a worse guess.
        """
        return (1, *_MATCH_LENGTHS[self.kind]) if recovery else _MATCH_LENGTHS[self.kind]

    def match_kinds(self, recovery: bool) -> int:
        """Return the number of match kinds: none, continued (with `recovery`), one per length."""
        return 1 + recovery + len(self.match_lengths(recovery))
