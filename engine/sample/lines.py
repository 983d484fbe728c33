"""Lines of about a length: once a line has that many characters it ends where its word does.

There the newline takes the place of the space, and its probability: the model still says where
words end, so that none is cut, and may end a line earlier by itself.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def ended(
    logits: NDArray[np.float64],
    songs: Sequence[Sequence[int]],
    least: int,
    alphabet: Sequence[str],
) -> NDArray[np.float64]:
    """The logits (N, V), the space's given to the newline where a line has `least` characters.

    Each song's frames so far begin with the begin mark, which is no character of its first line.
    An alphabet (V,) that lacks the space or the newline leaves the logits as they are.
    """
    if " " not in alphabet or "\n" not in alphabet:
        return logits
    space, newline = alphabet.index(" "), alphabet.index("\n")
    rows = [
        row
        for row, frames in enumerate(songs)
        if len(frames) > least and newline not in frames[-least:]
    ]
    if rows:
        logits = logits.copy()
        logits[rows, newline] = np.logaddexp(logits[rows, newline], logits[rows, space])
        logits[rows, space] = -np.inf
    return logits
