"""A position encoding: the position of a frame in its song as sines and cosines.

The encoding of Vaswani et al. 2017 ("Attention is all you need"), with periods that are common in
music: products of twos and threes. A recurrent network learns to count with difficulty; from this
input it can see where bars, phrases and parts begin.
"""

import numpy as np
import numpy.typing as npt

PERIODS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)  # frames
WIDTH = 2 * len(PERIODS)


def _table() -> npt.NDArray[np.float32]:
    positions = np.arange(COMMON_PERIOD)[:, None]
    angles = 2 * np.pi * (positions % PERIODS) / PERIODS
    return np.concatenate((np.sin(angles), np.cos(angles)), 1).astype(np.float32)


COMMON_PERIOD = int(np.lcm.reduce(PERIODS))  # 384 frames, after which the encoding repeats
TABLE = _table()  # (COMMON_PERIOD, WIDTH): the encoding is TABLE[position % COMMON_PERIOD]
