"""What a head goes by when it tells the next frame."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.sample.products import Ready


class Seen(NamedTuple):
    """The moment before the next frame of N songs."""

    hidden: Ready  # (N, H) the last layer's output, as the head's product takes it
    previous: NDArray[Any]  # (N, *frame)
    recalled: NDArray[Any]  # (N, *frame) by the memory of the song; zero without
    match: NDArray[np.int64]  # (N,) the kind of its match; 0: none
