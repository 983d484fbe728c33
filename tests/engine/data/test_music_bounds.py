"""Bounds of songs, against counting frame by frame."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.corpus import Corpus
from engine.data.corpus_format import SONG_DTYPE
from engine.data.music_bounds import MusicBounds, find_bounds, longest_runs

ROLLS = st.lists(st.sets(st.integers(0, 2), max_size=2), min_size=1, max_size=20)


def roll_of(keys: list[set[int]]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    roll = np.zeros((len(keys), 88), np.uint8)
    for frame, sounding in zip(roll, keys, strict=True):
        frame[[30 + key for key in sounding]] = 1
    return roll


@given(ROLLS)
def test_the_longest_chord_and_the_longest_silence(keys: list[set[int]]) -> None:
    runs = [(bool(chord), len(list(run))) for chord, run in itertools.groupby(keys)]
    for sounds, longest in zip((True, False), longest_runs(roll_of(keys)), strict=True):
        assert longest == max((length for kind, length in runs if kind is sounds), default=0)


def test_bounds_are_those_of_nearly_all_training_songs() -> None:
    songs = [roll_of([{0}] * 3 + [set()] + [{1}] * 2) for _ in range(199)]
    faulty = roll_of([{0}] * 50 + [set()] * 60 + [{1, 2}])
    held_out = roll_of([{0}] * 90)
    table = np.zeros(201, SONG_DTYPE)
    everything = [*songs, faulty, held_out]
    table["length"] = [len(song) for song in everything]
    table["start"] = np.cumsum(table["length"]) - table["length"]
    table["split"][-1] = 2
    corpus = Corpus(Path("made"), {}, np.concatenate(everything), table)
    assert find_bounds(corpus) == MusicBounds(hold=3, silence=1, parallels=0.0)


@pytest.mark.parametrize(
    "values", [None, {}, {"hold": 1, "silence": 2}, {"hold": -1, "silence": 2, "parallels": 0.1},
               {"hold": "1", "silence": 2, "parallels": 0.1}],
)  # fmt: skip
def test_other_bounds_are_refused(values: object) -> None:
    with pytest.raises(ValueError, match="no bounds"):
        MusicBounds.from_json(values)
