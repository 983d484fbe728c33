"""The clock: which beat of which bar it is, as sines and cosines of rising periods.

The position encoding of Vaswani et al. 2017 ("Attention is all you need") with the periods of
music: twos and threes, and what they multiply to. Counting is what a recurrent network finds hard;
told the place in the song it hears where a bar, a phrase or a part begins.
"""

import numpy as np
import numpy.typing as npt

PERIODS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)  # frames
WIDTH = 2 * len(PERIODS)


def _table() -> npt.NDArray[np.float32]:
    """The signals at each place until all of them begin again."""
    places = np.arange(COMMON_PERIOD)[:, None]
    angles = 2 * np.pi * (places % PERIODS) / PERIODS
    return np.concatenate((np.sin(angles), np.cos(angles)), 1).astype(np.float32)


COMMON_PERIOD = int(np.lcm.reduce(PERIODS))  # 384
TABLE = _table()  # (ROUND, WIDTH); at a place in a song: SIGNALS[place % ROUND]
