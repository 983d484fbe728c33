"""Training songs moved along the keyboard: by how much, in what, and again after a stop."""

import dataclasses
import itertools
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.codecs import KeysCodec
from engine.data.corpus import Corpus
from engine.data.filling import SONG
from engine.data.lanes import Batch, Lanes
from engine.data.memory import recall
from engine.data.transposition import reach, transposed
from engine.music import roll

Fields = Callable[[Any], dict[str, Any]]
SPAN = 5


def made(count: int, planes: int, lowest: int = 30, highest: int = 60) -> Corpus:
    """Songs of 12 to 20 frames that repeat themselves; the first two keys tell them apart."""
    songs = []
    for number in range(count):
        rng = np.random.default_rng(number)
        part = np.zeros((4 + number % 3, 88), np.uint8)
        part[np.arange(len(part)), rng.integers(lowest, highest + 1, len(part))] = 1
        part[0, [lowest, highest]] = 1
        frames = np.concatenate([part, part, part, np.zeros((1, 88), np.uint8)])
        songs.append(roll.from_frames(np.concatenate([frames, frames], axis=1)).frames(planes))
    table = np.zeros(count, SONG)
    table["key"], table["length"] = np.arange(count), [len(song) for song in songs]
    table["start"] = np.cumsum(table["length"]) - table["length"]
    codec = KeysCodec(planes, 0.3, None, 120.0)
    meta = {"name": "made", "codec": codec.to_json(), "conditions": []}
    return Corpus(Path("made"), meta, np.concatenate(songs), table)


def songs_of(batches: list[Batch], fields: Fields) -> list[dict[str, npt.NDArray[Any]]]:
    """The whole songs of some batches, each with the inputs and the memory beside it."""
    whole = {
        name: np.concatenate([fields(batch)[name] for batch in batches])
        for name in fields(batches[0])
    }
    found = []
    for lane in range(whole["fresh"].shape[1]):
        begins = np.flatnonzero(whole["fresh"][:, lane])
        for start, stop in itertools.pairwise(begins):
            found.append({name: value[start:stop, lane] for name, value in whole.items()})
    return found


def taken(lanes: Lanes, count: int) -> list[Batch]:
    batches = [lanes.next() for _ in range(count)]
    return [batch for batch in batches if batch is not None]


@pytest.mark.parametrize("planes", [1, 2])
def test_each_song_is_moved_whole_and_its_memory_with_it(fields: Fields, planes: int) -> None:
    corpus = made(9, planes)
    lanes = Lanes(corpus, "train", 4, 7, seed=2, memory=True, transpose=SPAN)
    known = {
        transposed(corpus.song(row), shift).tobytes(): (row, shift)
        for row in range(9)
        for shift in range(-SPAN, SPAN + 1)
    }
    assert len(known) == 9 * (2 * SPAN + 1)
    shifts: Counter[int] = Counter()
    for song in songs_of(taken(lanes, 600), fields):
        row, shift = known[song["targets"].tobytes()]
        shifts[shift] += 1
        moved = transposed(corpus.song(row), shift)
        assert np.array_equal(song["inputs"][1:], moved[:-1])
        assert not song["inputs"][0].any()
        recalled, match = recall(moved, corpus.codec.spec)  # recalling and moving commute
        assert np.array_equal(song["recalled"], recalled)
        assert np.array_equal(song["match"], match)
    # Each shift is as likely as any: of n songs within five deviations of n / 11.
    n, p = shifts.total(), 1 / (2 * SPAN + 1)
    assert sorted(shifts) == list(range(-SPAN, SPAN + 1))
    assert all(abs(count - n * p) < 5 * (n * p * (1 - p)) ** 0.5 for count in shifts.values())


def test_off_is_as_it_was_and_on_changes_nothing_else(fields: Fields) -> None:
    corpus = made(9, 2)
    plain = taken(Lanes(corpus, "train", 4, 7, 2, 0.3), 50)
    off = taken(Lanes(corpus, "train", 4, 7, 2, 0.3, transpose=0), 50)
    moved = taken(Lanes(corpus, "train", 4, 7, 2, 0.3, transpose=SPAN), 50)
    for a, b, c in zip(plain, off, moved, strict=True):
        assert all(np.array_equal(value, fields(b)[name]) for name, value in fields(a).items())
        for name in ("fresh", "condition", "weight"):
            assert np.array_equal(fields(a)[name], fields(c)[name])
        assert np.array_equal(a.targets.sum(-1), c.targets.sum(-1))
    assert any(not np.array_equal(a.targets, c.targets) for a, c in zip(plain, moved, strict=True))


@given(st.integers(0, 87), st.integers(0, 87), st.integers(1, 24), st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_no_key_leaves_the_keyboard(one: int, other: int, most: int, seed: int) -> None:
    low, high = sorted((one, other))
    corpus = made(3, 2, low, high)
    for row in range(3):
        down, up = reach(corpus.song(row), most)
        assert (down, up) == (-min(most, low), min(most, 87 - high))
    lanes = Lanes(corpus, "train", 2, 0, seed=seed, transpose=most)
    for batch in taken(lanes, 4):
        for sounding in np.asarray(batch.targets[:, :, :88].any(axis=0)):  # of (L, 88)
            keys = np.flatnonzero(sounding)
            assert keys[-1] - keys[0] == high - low
            assert abs(int(keys[0]) - low) <= most


def test_silence_goes_nowhere() -> None:
    assert reach(np.zeros((5, 176), np.uint8), 12) == (0, 0)


def test_who_is_moved_how_far_does_not_depend_on_lanes_or_window(fields: Fields) -> None:
    corpus = made(9, 1)

    def first_epoch(count: int, window: int) -> set[bytes]:
        lanes = Lanes(corpus, "train", count, window, 3, transpose=SPAN)
        song = [song["targets"].tobytes() for song in songs_of(taken(lanes, 400 // window), fields)]
        return set(song) if count > 1 else set(song[:9])

    assert len(first_epoch(1, 9)) == 9
    assert first_epoch(1, 9) <= first_epoch(4, 5)


def test_from_a_cursor_a_song_that_was_begun_keeps_its_place(fields: Fields) -> None:
    corpus = made(9, 2)

    def make(transpose: int = SPAN) -> Lanes:
        return Lanes(corpus, "train", 4, 5, 2, memory=True, transpose=transpose)

    lanes, other = make(), make()
    taken(lanes, 7)
    cursor = json.loads(json.dumps(lanes.cursor()))
    assert any(cursor["shifts"])
    taken(other, 2)
    other.seek(cursor)
    for a, b in zip(taken(lanes, 40), taken(other, 40), strict=True):
        assert all(np.array_equal(value, fields(b)[name]) for name, value in fields(a).items())
    off = make(0)  # those to come are as the settings now say
    off.seek(cursor)
    taken(off, 40)
    assert off.cursor()["shifts"] == [0] * 4


def test_a_cursor_without_transposition_is_still_understood(fields: Fields) -> None:
    corpus = made(5, 2)
    lanes = Lanes(corpus, "train", 3, 5, 2)
    taken(lanes, 3)
    cursor = lanes.cursor()
    del cursor["shifts"]
    other = Lanes(corpus, "train", 3, 5, 2)
    other.seek(cursor)
    for a, b in zip(taken(lanes, 9), taken(other, 9), strict=True):
        assert np.array_equal(a.targets, b.targets)


def test_songs_held_out_stay_where_they_are(fields: Fields) -> None:
    corpus = made(6, 1)
    table = corpus.songs.copy()
    table["split"] = [0, 0, 1, 1, 2, 2]
    corpus = dataclasses.replace(corpus, songs=table)
    for split, rows in (("valid", [2, 3]), ("test", [4, 5])):
        batch = Lanes(corpus, split, 2, 0).next()  # as an evaluation lays them
        assert batch is not None
        for lane, row in enumerate(rows):
            length = int(table["length"][row])
            assert np.array_equal(batch.targets[:length, lane], corpus.song(row))
