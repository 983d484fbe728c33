"""What a song is made of, as data and models both see it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

KEYS = 88
KEYS_ABOVE = 48  # keys above, decided before it in the same frame
KEYS_AROUND = 12  # keys to either side of it, in frames that are known already
NOTE_COUNTS = 8  # notes so far, told apart up to this many
KEY_FEATURES = 8  # numbers that the hidden state has for each key
KEY_UNITS = 64  # of the small network that all keys share


# The memory of a song tells matches apart by these numbers of frames: the longest that fits counts.
_MATCHES = {
    "characters": (3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32),
    "keys": (2, 3, 4, 6, 8, 12, 16, 24, 32),
}


@dataclass(frozen=True)
class FrameSpec:
    """The kind and size of one frame.

    `characters`: a frame is one index below `size`, its array shape is ().
    `keys`: a frame is one vector of zeros and ones, its array shape is (size,): the 88 piano keys
    that sound, then, where size is 176, those that begin to.
    Either way the frame fed before a song's first is zero: the begin mark, or silence.
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
        """The lengths of match that the memory of a song tells apart, rising.

        With `lapses` a single frame is enough: where anything is recalled, the nearest is best.
        """
        return (1, *_MATCHES[self.kind]) if recovery else _MATCHES[self.kind]

    def match_kinds(self, recovery: bool) -> int:
        """How many kinds of match there are: none, with `lapses` a lapsed one, the `matches`."""
        return 1 + recovery + len(self.match_lengths(recovery))
