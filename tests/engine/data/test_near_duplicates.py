"""Near-duplicates, compared with a naive search, and in a published data set."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import DataConfig
from engine.data.codecs import KeysCodec
from engine.data.corpus import Corpus, prepare_corpus
from engine.data.corpus_format import SONG_DTYPE
from engine.data.near_duplicates import WINDOW, near_duplicates

Frames = npt.NDArray[np.uint8]


def corpus_of(songs: Sequence[Frames]) -> Corpus:
    table = np.zeros(len(songs), SONG_DTYPE)
    table["length"] = [len(song) for song in songs]
    table["start"] = np.cumsum(table["length"]) - table["length"]
    meta = {"name": "made", "codec": KeysCodec(1, 0.3, None, 120.0).to_json(), "conditions": []}
    return Corpus(Path("made"), meta, np.concatenate(songs), table)


def tune(pitches: Sequence[int]) -> Frames:
    frames = np.zeros((len(pitches), 88), np.uint8)
    frames[np.arange(len(pitches)), pitches] = 1
    return frames


def found(songs: Sequence[Frames], others: Sequence[Frames]) -> list[bool]:
    result = near_duplicates(
        corpus_of(songs), range(len(songs)), corpus_of(others), range(len(others))
    )
    return [bool(value) for value in result]


def naive(song: Frames, others: Sequence[Frames]) -> bool:
    def windows(frames: Frames) -> list[bytes]:
        padded = np.concatenate([frames, np.zeros((max(0, WINDOW - len(frames)), 88), np.uint8)])
        return [padded[t : t + WINDOW].tobytes() for t in range(max(len(frames) - WINDOW + 1, 1))]

    own = windows(song)
    return any(2 * sum(w in set(windows(other)) for w in own) > len(own) for other in others)


# Excerpts of a few long cycles, so that some songs share many windows.
EXCERPT = st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(1, 40))
EXCERPTS = st.lists(EXCERPT, min_size=1, max_size=3)


def joined(excerpts: Sequence[tuple[int, int, int]]) -> Frames:
    cycles = [np.random.default_rng(number).integers(0, 88, 60) for number in range(3)]
    return tune([int(x) for cycle, start, n in excerpts for x in cycles[cycle][start : start + n]])


@given(st.lists(EXCERPTS, min_size=1, max_size=4), st.lists(EXCERPTS, min_size=1, max_size=4))
@settings(deadline=None)
def test_they_equal_a_naive_search(songs: list[Any], others: list[Any]) -> None:
    mine, theirs = list(map(joined, songs)), list(map(joined, others))
    assert found(mine, theirs) == [naive(song, theirs) for song in mine]


def test_over_half_must_be_shared_with_one_song() -> None:
    line = np.random.default_rng(5).integers(0, 88, 100).tolist()
    song = tune(line[:46])  # 31 windows
    assert found([song], [tune(line[:31])]) == [True]  # shares 16
    assert found([song], [tune(line[:30])]) == [False]  # shares 15
    halves = [tune(line[:30]), tune(line[16:46])]  # 15 each
    assert found([song], halves) == [False]


def test_short_songs_are_compared_whole() -> None:
    song = tune([40, 42, 44])
    assert found([song, tune([40, 42, 45])], [tune([9] * 40), song]) == [True, False]


def test_a_repeated_window_counts_each_time() -> None:
    held, melody = [30] * 40, list(range(40, 60))
    assert found([tune(held + melody)], [tune([30] * 16)]) == [True]
    assert found([tune(held[:20] + melody)], [tune([30] * 16)]) == [False]


def test_the_known_near_duplicates_of_a_published_data_set(
    music_data: Path,
) -> None:
    path = music_data / "polymusic/Nottingham.mat"
    corpus = prepare_corpus(DataConfig(source=str(path)), kind="music")
    test, train = corpus.select("test"), corpus.select("train")
    copied = near_duplicates(corpus, test, corpus, train)
    known = {corpus.song(row).tobytes() for row in train}
    equal = np.array([corpus.song(row).tobytes() in known for row in test])
    assert equal.sum() == 1
    assert copied.sum() == 4
    assert copied[equal].all()
