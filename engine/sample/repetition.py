"""A penalty on what would only repeat the text.

Single characters always recur; what bores is a stretch said again. So where the last m characters,
m above `FREE`, stood in the text before, the character that followed them there loses m − FREE
times the penalty, in nats: the longer the stretch, the harder to go on with it. In the spirit of
Keskar et al. 2019 ("CTRL"), whose penalty falls on single tokens.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FREE = 7  # characters that may be repeated without a penalty
WINDOW = 1_000  # how many characters it looks back
LONGEST = 64  # a longer match counts as this long


def penalised(
    logits: NDArray[np.float64], songs: Sequence[Sequence[int]], strength: float
) -> NDArray[np.float64]:
    """The logits (N, V) less the penalties after each song's frames so far, (N, V)."""
    logits = logits.copy()
    for row, frames in zip(logits, songs, strict=True):
        for index, loss in penalties(frames, strength).items():
            row[index] -= loss
    return logits


def penalties(frames: Sequence[int], strength: float) -> dict[int, float]:
    """What next frames lose, in nats, after the frames so far; others lose nothing."""
    text = "".join(map(chr, frames[-WINDOW:]))
    end = text[-FREE - 1 :]
    if len(text) <= len(end):
        return {}
    result: dict[int, float] = {}
    place = text.find(end)
    while -1 < place < len(text) - len(end):
        following, length = place + len(end), len(end)
        while (
            length < LONGEST
            and length < following
            and text[following - length - 1] == text[-length - 1]
        ):
            length += 1
        loss = strength * (length - FREE)
        symbol = ord(text[following])
        result[symbol] = max(result.get(symbol, 0.0), loss)
        place = text.find(end, place + 1)
    return result
