"""What a song is made of, as data and models both see it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class FrameSpec:
    """The kind and size of one frame.

    `characters`: a frame is one index below `size`, its array shape is ().
    `keys`: a frame is one 0/1 vector of `size` piano keys, its array shape is (size,).
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
