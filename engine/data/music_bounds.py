"""Bounds that nearly all songs of a music corpus keep, so that a model's music keeps them too."""

import functools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.corpus import Corpus
from engine.frame_spec import KEYS
from engine.music.voice_leading import count_parallels

QUANTILE = 0.99  # of the songs: the others may be faulty, such as minutes of silence


@dataclass(frozen=True)
class MusicBounds:
    """Bounds of the training songs of a music corpus."""

    hold: int  # frames that a chord is held: the longest of a song, in 99 % of the songs
    silence: int  # frames of silence: likewise
    parallels: float  # frames with parallel fifths or octaves, as a share of all frames

    @classmethod
    def from_json(cls, values: object) -> "MusicBounds":
        """Build the bounds from what `asdict` returned; raises ValueError for anything else."""
        if isinstance(values, Mapping) and values.keys() == cls.__annotations__.keys():
            bounds = cls(**values)
            if all(isinstance(x, int | float) and x >= 0 for x in asdict(bounds).values()):
                return bounds
        raise ValueError("no bounds")


def longest_runs(frames: NDArray[Any]) -> tuple[int, int]:
    """Return for how many frames a song (T, 88) holds a chord at most, and how many are silent.

    A chord is held while the same keys sound, struck again or not.
    """
    changes = np.flatnonzero((frames[1:] != frames[:-1]).any(1)) + 1
    starts = np.concatenate([[0], changes])
    lengths = np.diff(np.append(starts, len(frames)))
    sounds = frames[starts].any(1)
    return int(lengths[sounds].max(initial=0)), int(lengths[~sounds].max(initial=0))


@functools.lru_cache(maxsize=1)  # asked at each checkpoint of a run
def find_bounds(corpus: Corpus) -> MusicBounds:
    """Return the bounds of the training songs of a music corpus."""
    songs = [corpus.song(row)[:, :KEYS] for row in corpus.select("train")]
    runs = np.array([longest_runs(song) for song in songs])  # (S, 2)
    hold, silence = np.quantile(runs, QUANTILE, axis=0)
    parallels = sum(count_parallels(song) for song in songs) / sum(len(song) for song in songs)
    return MusicBounds(int(hold), int(silence), round(parallels, 5))
