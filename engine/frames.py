"""What a song is made of: the frames that corpora store and models predict."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

BEGIN = 0  # the index that stands for the begin mark, the input before a song's first character
KEYS = 88  # of a piano

# What the joint head reads when it decides whether a piano key sounds.
KEYS_ABOVE = 48  # keys above it in the same frame, which are decided before
KEYS_AROUND = 12  # keys on either side of it, in frames that are known already
NOTE_COUNTS = 8  # the number of notes set so far, up to this many
KEY_FEATURES = 8  # numbers per key, computed from the hidden state
KEY_UNITS = 64  # hidden units of the small network that all keys share

# The match memory distinguishes matches by these numbers of frames: the longest that fits counts.
_MATCH_LENGTHS = {
    "characters": (3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32),
    "keys": (2, 3, 4, 6, 8, 12, 16, 24, 32),
}


@dataclass(frozen=True)
class FrameSpec:
    """The kind and size of one frame.

    `characters`: a frame is one index below `size`; its array has shape ().
    `keys`: a frame is one vector of zeros and ones; its array has shape (size,): the 88 piano keys
    that sound and, if size is 176, the keys that begin to sound.
    For both the frame before a song's first is zero: the begin mark, or silence.
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
        """Return the lengths of match that the match memory distinguishes, rising.

        With `recovery` a match of one frame counts too: something is matched in any case then, and
        the most recent match is the best.
        """
        return (1, *_MATCH_LENGTHS[self.kind]) if recovery else _MATCH_LENGTHS[self.kind]

    def match_kinds(self, recovery: bool) -> int:
        """Return the number of kinds of match: none, recovered (with `recovery`), each length."""
        return 1 + recovery + len(self.match_lengths(recovery))
