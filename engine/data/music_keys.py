"""The keys of the songs of a music corpus: a model has read music in these keys only."""

import functools
from collections import Counter
from typing import NamedTuple

import numpy as np

from engine.data.corpus import Corpus
from engine.frame_spec import KEYS
from engine.music.key_finding import MusicalKey, fit_key
from engine.music.pitch import LOWEST_PITCH

MIN_SHARE = 0.6  # of the songs in major, or in minor, that have the same tonic


class TrainedKeys(NamedTuple):
    """The tonics of the training songs, pitch classes; None: they have different ones."""

    major: int | None = None
    minor: int | None = None

    def shift(self, key: MusicalKey) -> int:
        """Return the fewest semitones that move music in a key to that of the training songs."""
        tonic = self.minor if key.minor else self.major
        return 0 if tonic is None else key.shift_to(tonic)


ANY_KEYS = TrainedKeys()


@functools.lru_cache(maxsize=1)  # asked at each checkpoint of a run
def find_trained_keys(corpus: Corpus) -> TrainedKeys:
    """Return the keys of the training songs of a music corpus."""
    classes = (np.arange(KEYS) + LOWEST_PITCH) % 12
    found = Counter[MusicalKey]()
    for row in corpus.select("train"):
        frames = corpus.song(row)[:, :KEYS].sum(0, dtype=np.int64)  # (88,)
        found[fit_key(np.bincount(classes, frames, 12))] += 1
    tonics = []
    for minor in (False, True):
        counts = Counter({key.tonic: n for key, n in found.items() if key.minor == minor})
        most = counts.most_common(1)
        single = most and most[0][1] >= MIN_SHARE * counts.total()
        tonics.append(most[0][0] if single else None)
    return TrainedKeys(*tonics)
