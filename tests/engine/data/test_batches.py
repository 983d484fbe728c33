"""Batches of songs, in lyrics made by `make_corpus` and in music made here.

Every frame of `make_corpus` is a different number, which shows its song and its position.
"""

import dataclasses
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import ModelConfig
from engine.data import batches as batches_module
from engine.data import corpus_format
from engine.data.batches import Augmentation, Batch, BatchStream, shift_range, transpose_keys
from engine.data.codecs import CharacterCodec, KeysCodec
from engine.data.corpus import Corpus
from engine.data.corpus_format import SONG_DTYPE
from engine.data.match_memory import find_matches, match_positions
from engine.errors import InputError
from engine.music import piano_roll

MakeCorpus = Callable[..., Corpus]
Fields = Callable[[Any], dict[str, Any]]
MATCHING = ModelConfig(match_memory=True)
LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=12)
REFRAIN = "a refrain to sing, a verse between, a refrain to sing, a refrain to"
SPAN = 5


def take(stream: BatchStream, count: int) -> list[Batch]:
    batches = [stream.next_batch() for _ in range(count)]
    return [batch for batch in batches if batch is not None]


def joined(batches: list[Batch], fields: Fields) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of batches end to end in time: (sum of T, L, …) each."""
    return {
        name: np.concatenate([fields(batch)[name] for batch in batches])
        for name in fields(batches[0])
    }


def same(first: list[Batch], second: list[Batch], fields: Fields) -> bool:
    return len(first) == len(second) and all(
        np.array_equal(array, fields(b)[name])
        for a, b in zip(first, second, strict=True)
        for name, array in fields(a).items()
    )


def queue_of(whole: dict[str, npt.NDArray[Any]], corpus: Corpus) -> list[tuple[int, int]]:
    """Return the songs in the order in which they begin, each with its condition."""
    first = {int(corpus.song(row)[0]): row for row in range(len(corpus.songs))}
    times, columns = np.nonzero(whole["reset"])  # in order of time, then of stream
    return [
        (first[int(whole["targets"][t, column])], int(whole["condition"][t, column]))
        for t, column in zip(times, columns, strict=True)
    ]


def expected_of(
    corpus: Corpus, queue: list[tuple[int, int]], steps: int, count: int
) -> dict[str, npt.NDArray[Any]]:
    """Return what a stream of batches should be, made frame by frame from a queue of songs."""
    waiting = list(queue)
    songs: list[list[tuple[int, ...]]] = [[] for _ in range(count)]
    whole = {
        name: np.zeros((steps, count), np.int64)
        for name in ("inputs", "targets", "reset", "condition", "position", "weight")
    }
    for step in range(steps):
        for column in range(count):
            if not songs[column] and waiting:
                row, condition = waiting.pop(0)
                frames = corpus.song(row).tolist()
                before = [0, *frames[:-1]]
                songs[column] = [
                    (x, y, int(i == 0)) for i, (x, y) in enumerate(zip(before, frames, strict=True))
                ]
                songs[column] = [
                    (*frame, condition, position) for position, frame in enumerate(songs[column])
                ]
            if songs[column]:
                values = (*songs[column].pop(0), 1)
                for array, value in zip(whole.values(), values, strict=True):
                    array[step, column] = value
    return whole


def repetitive_lyrics(count: int) -> Corpus:
    """Make a corpus of songs that repeat themselves, all of the same characters."""
    codec = CharacterCodec("".join(sorted(set(REFRAIN))))
    texts = [REFRAIN[start:] + REFRAIN[:start] for start in range(count)]
    meta = {"name": "made", "codec": codec.to_json(), "conditions": []}
    table = np.zeros(count, corpus_format.SONG_DTYPE)
    table["key"], table["length"] = np.arange(count), len(REFRAIN)
    table["start"] = np.arange(count) * len(REFRAIN)
    return Corpus(Path("made"), meta, np.concatenate([codec.encode(t) for t in texts]), table)


def repetitive_music(count: int, planes: int, lowest: int = 30, highest: int = 60) -> Corpus:
    """Make a corpus of songs of 13 to 19 frames that repeat themselves, with keys in a range."""
    songs = []
    for number in range(count):
        rng = np.random.default_rng(number)
        part = np.zeros((4 + number % 3, 88), np.uint8)
        part[np.arange(len(part)), rng.integers(lowest, highest + 1, len(part))] = 1
        part[0, [lowest, highest]] = 1
        frames = np.concatenate([part, part, part, np.zeros((1, 88), np.uint8)])
        songs.append(
            piano_roll.from_frames(np.concatenate([frames, frames], axis=1)).frames(planes)
        )
    table = np.zeros(count, SONG_DTYPE)
    table["key"], table["length"] = np.arange(count), [len(song) for song in songs]
    table["start"] = np.cumsum(table["length"]) - table["length"]
    codec = KeysCodec(planes, 0.3, None, 120.0)
    meta = {"name": "made", "codec": codec.to_json(), "conditions": []}
    return Corpus(Path("made"), meta, np.concatenate(songs), table)


def songs_of(batches: list[Batch], fields: Fields) -> list[dict[str, npt.NDArray[Any]]]:
    """Return the arrays of each song that begins and ends within the batches."""
    whole = joined(batches, fields)
    found = []
    for column in range(whole["reset"].shape[1]):
        begins = np.flatnonzero(whole["reset"][:, column])
        for start, stop in itertools.pairwise(begins):
            found.append({name: value[start:stop, column] for name, value in whole.items()})
    return found


def test_shapes_and_types(make_corpus: MakeCorpus) -> None:
    batch = BatchStream(make_corpus([5, 6]), "train", 3, 4, seed=1).next_batch()
    assert batch is not None
    arrays = [batch.inputs, batch.targets, batch.reset, batch.condition, batch.weight]
    assert [array.shape for array in arrays] == [(4, 3)] * 5
    assert [array.dtype for array in arrays] == [np.int64, np.int64, bool, np.int64, np.float32]


def test_only_the_songs_of_the_split_are_read(make_corpus: MakeCorpus, fields: Fields) -> None:
    corpus = make_corpus([5, 6, 7, 8], splits=[2, 0, 1, 0])
    for index, split in enumerate(("train", "valid", "test")):
        whole = joined(take(BatchStream(corpus, split, 2, 4), 9), fields)
        rows = np.flatnonzero(corpus.songs["split"] == index).tolist()
        assert sorted(row for row, _ in queue_of(whole, corpus)) == rows


def test_a_split_without_songs_is_refused(make_corpus: MakeCorpus) -> None:
    with pytest.raises(InputError, match=r"no valid songs.*data\.valid_fraction above 0"):
        BatchStream(make_corpus([5]), "valid", 2, 4)


@pytest.mark.parametrize(("limit", "songs"), [(1, 1), (5, 1), (12, 2), (13, 2), (99, 3), (0, 3)])
def test_max_frames_keeps_whole_songs(
    make_corpus: MakeCorpus, fields: Fields, limit: int, songs: int
) -> None:
    lengths = [5, 7, 9]
    whole = joined(
        take(BatchStream(make_corpus(lengths), "train", 2, 4, max_frames=limit), 50), fields
    )
    assert whole["weight"].sum() == sum(lengths[:songs])
    assert whole["reset"].sum() == songs


@given(LENGTHS, st.integers(1, 5), st.integers(1, 9), st.integers(0, 99), st.floats(0, 1))
@settings(deadline=None)
def test_an_endless_stream_equals_songs_read_frame_by_frame(
    make_corpus: MakeCorpus,
    fields: Fields,
    lengths: list[int],
    count: int,
    window: int,
    seed: int,
    dropout: float,
) -> None:
    corpus = make_corpus(lengths)
    batches = take(
        BatchStream(corpus, "train", count, window, seed, augment=Augmentation(dropout)), 30
    )
    whole = joined(batches, fields)
    queue = queue_of(whole, corpus)
    expected = expected_of(corpus, queue, 30 * window, count)
    assert all(np.array_equal(whole[name], expected[name]) for name in expected)
    assert whole["weight"].all()
    for start in range(0, len(queue) - len(lengths) + 1, len(lengths)):
        epoch = [row for row, _ in queue[start : start + len(lengths)]]
        assert sorted(epoch) == list(range(len(lengths)))  # every song once an epoch
    for row, condition in queue:
        assert condition in (0, corpus.songs["condition"][row])


@given(LENGTHS, st.integers(1, 5), st.integers(1, 9))
@settings(deadline=None)
def test_one_pass_equals_songs_read_frame_by_frame_and_ends(
    make_corpus: MakeCorpus, fields: Fields, lengths: list[int], count: int, window: int
) -> None:
    corpus = make_corpus(lengths)
    stream = BatchStream(corpus, "train", count, window)
    batches = take(stream, sum(lengths) + 1)
    assert stream.next_batch() is None
    whole = joined(batches, fields)
    queue = [(row, int(song["condition"])) for row, song in enumerate(corpus.songs)]
    expected = expected_of(corpus, queue, len(batches) * window, count)
    assert all(np.array_equal(whole[name], expected[name]) for name in expected)
    seen = whole["targets"][whole["weight"] > 0]
    assert sorted(seen) == sorted(np.asarray(corpus.frames))  # every frame once
    assert batches[-1].weight.any()


@given(LENGTHS, st.integers(1, 5), st.sampled_from([None, 3]))
@settings(deadline=None)
def test_without_a_window_each_batch_has_whole_songs(
    make_corpus: MakeCorpus, fields: Fields, lengths: list[int], count: int, seed: int | None
) -> None:
    corpus = make_corpus(lengths)
    stream = BatchStream(corpus, "train", count, 0, seed, augment=Augmentation(0.0))
    batches = take(stream, -(-len(lengths) // count))
    if seed is None:
        assert stream.next_batch() is None
    rows = []
    for batch in batches:
        ends = batch.weight.sum(0).astype(int)  # (L,): the songs' lengths
        assert len(batch.targets) == ends.max()
        for column, end in enumerate(ends):
            assert batch.weight[:end, column].all()
            if end:
                row = queue_of({**fields(batch)}, corpus)[column][0]
                song = corpus.song(row).tolist()
                assert batch.targets[:end, column].tolist() == song
                assert batch.inputs[:end, column].tolist() == [0, *song[:-1]]
                assert batch.reset[:, column].nonzero()[0].tolist() == [0]
                assert set(batch.condition[:end, column]) == {corpus.songs["condition"][row]}
                rows.append(row)
    assert sorted(rows[: len(lengths)]) == list(range(len(lengths)))


@given(LENGTHS, st.integers(1, 4), st.integers(1, 9))
@settings(deadline=None)
def test_frames_of_keys_are_batched_like_indices(
    make_corpus: MakeCorpus, fields: Fields, lengths: list[int], count: int, window: int
) -> None:
    bits = 1 << np.arange(88, dtype=np.object_)  # a frame of keys is the index in binary
    numbers = joined(take(BatchStream(make_corpus(lengths), "train", count, window, 1), 12), fields)
    keys = joined(
        take(BatchStream(make_corpus(lengths, keys=88), "train", count, window, 1), 12), fields
    )
    assert keys["targets"].shape == (12 * window, count, 88)
    assert keys["targets"].dtype == np.uint8
    for name in ("inputs", "targets"):
        assert np.array_equal((keys[name] * bits).sum(axis=-1), numbers[name])
    for name in ("reset", "condition", "weight"):
        assert np.array_equal(keys[name], numbers[name])


def test_a_translated_corpus_has_the_other_indices(make_corpus: MakeCorpus, fields: Fields) -> None:
    corpus = make_corpus([4, 6, 3])
    assert isinstance(corpus.codec, CharacterCodec)
    characters = corpus.codec.characters
    other = corpus.translated(CharacterCodec(characters[2:5]), ["C", "a"])
    before = joined(take(BatchStream(corpus, "train", 2, 5), 9), fields)
    after = joined(take(BatchStream(other, "train", 2, 5), 9), fields)
    table = np.full(corpus.codec.spec.size, 2)
    table[[0, 1, 5, 6, 7]] = 0, 1, 3, 4, 5
    for name in ("inputs", "targets"):
        assert np.array_equal(after[name], table[before[name]])
    assert np.array_equal(after["condition"], np.array([0, 2, 0, 1])[before["condition"]])
    assert np.array_equal(after["weight"], before["weight"])


@pytest.mark.parametrize("part", [slice(0, 2), slice(2, 6), slice(1, 6, 2)])
def test_a_slice_of_the_streams_is_a_part_of_the_whole(
    make_corpus: MakeCorpus, fields: Fields, part: slice
) -> None:
    corpus = make_corpus([3, 8, 2, 15, 4])
    whole = joined(
        take(BatchStream(corpus, "train", 6, 7, 1, augment=Augmentation(0.3)), 9), fields
    )
    piece = joined(
        take(BatchStream(corpus, "train", 6, 7, 1, augment=Augmentation(0.3), streams=part), 9),
        fields,
    )
    assert all(np.array_equal(piece[name], whole[name][:, part]) for name in whole)


def test_an_epoch_is_shuffled_by_seed_and_epoch(make_corpus: MakeCorpus, fields: Fields) -> None:
    corpus = make_corpus([2] * 50)

    def epochs(seed: int) -> list[list[int]]:
        whole = joined(take(BatchStream(corpus, "train", 2, 50, seed), 2), fields)
        rows = [row for row, _ in queue_of(whole, corpus)]
        return [rows[:50], rows[50:]]

    assert epochs(1) == epochs(1)
    assert len({tuple(order) for seed in (1, 2) for order in epochs(seed)}) == 4


@given(st.integers(1, 5), st.integers(1, 9))
@settings(deadline=None, max_examples=20)
def test_dropped_artists_do_not_depend_on_batch_size_or_window(
    make_corpus: MakeCorpus, fields: Fields, count: int, window: int
) -> None:
    corpus = make_corpus([1 + i % 5 for i in range(40)])

    def dropped(count: int, window: int) -> set[tuple[int, int]]:
        whole = joined(
            take(
                BatchStream(corpus, "train", count, window, 3, augment=Augmentation(0.4)),
                800 // window,
            ),
            fields,
        )
        queue = queue_of(whole, corpus)[:80]
        return {(i // 40, row) for i, (row, condition) in enumerate(queue) if not condition}

    assert len(dropped(5, 9)) in range(15, 50)
    assert dropped(count, window) == dropped(5, 9)


@pytest.mark.parametrize("dropout", [0.0, 1.0])
def test_no_artist_or_all_artists_are_dropped(make_corpus: MakeCorpus, dropout: float) -> None:
    batch = BatchStream(
        make_corpus([3, 4]), "train", 2, 50, seed=0, augment=Augmentation(dropout)
    ).next_batch()
    assert batch is not None
    assert (batch.condition > 0).all() == (dropout == 0)
    assert (batch.condition == 0).all() == (dropout == 1)


@pytest.mark.parametrize(("translated", "first"), [(False, 65_536), (True, 65_536), (False, 8)])
def test_matches_are_those_of_each_song(
    fields: Fields, translated: bool, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches_module, "FIRST_MATCHES", first)
    corpus = repetitive_lyrics(7)
    if translated:
        corpus = corpus.translated(CharacterCodec("aefr"), [])
    whole = joined(take(BatchStream(corpus, "train", 3, 10, seed=1, model=MATCHING), 40), fields)
    rows = {corpus.song(row).tobytes(): row for row in range(7)}
    starts = np.argwhere(whole["reset"])
    for step, column in starts[starts[:, 0] + len(REFRAIN) <= 400]:
        part = slice(step, step + len(REFRAIN)), column
        row = rows[whole["targets"][part].astype(corpus.song(0).dtype).tobytes()]
        matched, kinds = find_matches(corpus.song(row), corpus.codec.spec)
        assert np.array_equal(whole["matched"][part], matched)
        assert np.array_equal(whole["match_kind"][part], kinds)
        hits = (matched == corpus.song(row))[kinds > 1]
        assert hits.mean() > 0.7
    assert whole["match_kind"].dtype == np.int64


def test_the_matches_of_a_long_song_are_found_as_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[int] = []

    def find(song: np.ndarray[Any, Any], *arguments: Any) -> Any:
        found.append(len(song))
        return match_positions(song, *arguments)

    monkeypatch.setattr(batches_module, "match_positions", find)
    monkeypatch.setattr(batches_module, "FIRST_MATCHES", 4)
    corpus = repetitive_lyrics(1)
    length = int(corpus.songs["length"][0])
    stream = BatchStream(corpus, "train", 1, 5, seed=0, model=MATCHING)
    stream.next_batch()
    assert found == [8]
    take(stream, length // 5)
    lengths = [8, 16, 32, 64, 128]
    assert found[: len(lengths)] == [min(each, length) for each in lengths][: len(found)]
    assert sum(found[: found.index(length) + 1]) <= 3 * length


def test_past_the_end_nothing_is_matched(fields: Fields) -> None:
    whole = joined(
        take(BatchStream(repetitive_lyrics(4), "train", 3, 50, model=MATCHING), 9), fields
    )
    past = whole["weight"] == 0
    assert past.any()
    assert not whole["match_kind"][past].any()
    assert not whole["matched"][past].any()


@given(LENGTHS, st.integers(1, 5), st.integers(1, 9), st.integers(0, 20), st.booleans())
@settings(deadline=None)
def test_from_a_cursor_the_same_batches_follow(
    make_corpus: MakeCorpus,
    fields: Fields,
    lengths: list[int],
    count: int,
    window: int,
    before: int,
    endless: bool,
) -> None:
    corpus = make_corpus(lengths)
    seed = 5 if endless else None
    stream = BatchStream(corpus, "train", count, window, seed, augment=Augmentation(0.5))
    take(stream, before)
    cursor = json.loads(json.dumps(stream.cursor()))
    other = BatchStream(corpus, "train", count, window, seed, augment=Augmentation(0.5))
    take(other, 3)  # any other position
    other.seek(cursor)
    assert same(take(stream, 10), take(other, 10), fields)
    assert stream.cursor() == other.cursor()


def test_another_window_continues_at_the_same_frame(
    make_corpus: MakeCorpus, fields: Fields
) -> None:
    corpus = make_corpus([5, 9, 2, 30])
    straight = joined(take(BatchStream(corpus, "train", 3, 8, seed=1), 6), fields)
    short, long = (
        BatchStream(corpus, "train", 3, 8, seed=1),
        BatchStream(corpus, "train", 3, 20, seed=1),
    )
    parts = take(short, 1)
    long.seek(short.cursor())
    turned = joined(parts + take(long, 2), fields)
    assert all(np.array_equal(turned[name], straight[name]) for name in straight)


@given(LENGTHS, st.integers(1, 5), st.integers(1, 5))
@settings(deadline=None)
def test_whole_songs_can_follow_whole_songs_and_windows(
    make_corpus: MakeCorpus, fields: Fields, lengths: list[int], count: int, batches: int
) -> None:
    corpus = make_corpus(lengths)
    whole = BatchStream(corpus, "train", count, 0, 3)
    take(whole, batches)
    other = BatchStream(corpus, "train", count, 0, 3)
    other.seek(json.loads(json.dumps(whole.cursor())))
    assert same(take(whole, 3), take(other, 3), fields)
    windows = BatchStream(corpus, "train", count, 2, 3)
    take(windows, batches)
    other.seek(windows.cursor())  # songs in progress are ended first
    left = [
        max(0, len(corpus.song(row)) - at) if row >= 0 else 0
        for row, at, _ in windows.cursor()["lanes"]
    ]
    batch = take(other, 1)[0]
    for column, frames in enumerate(left):
        if frames:
            assert batch.weight[:, column].sum() == frames
            assert not batch.reset[:, column].any()


def test_from_a_cursor_the_same_matches_follow(fields: Fields) -> None:
    stream = BatchStream(repetitive_lyrics(7), "train", 3, 10, seed=1, model=MATCHING)
    take(stream, 4)
    other = BatchStream(repetitive_lyrics(7), "train", 3, 10, seed=1, model=MATCHING)
    other.seek(stream.cursor())
    assert same(take(stream, 30), take(other, 30), fields)


@pytest.mark.parametrize("damage", ["lanes", "row", "offset", "place"])
def test_a_cursor_of_other_data_is_refused(make_corpus: MakeCorpus, damage: str) -> None:
    stream = BatchStream(make_corpus([5, 6]), "train", 2, 3, seed=1)
    stream.next_batch()
    cursor = stream.cursor()
    if damage == "lanes":
        cursor["lanes"].pop()
    elif damage == "place":
        cursor["place"] = 3
    else:
        cursor["lanes"][1] = [9, 0, 0] if damage == "row" else [0, 99, 0]
    with pytest.raises(InputError, match="saved position"):
        stream.seek(cursor)


def test_for_a_model_of_keys_that_sound_the_onsets_are_left_out() -> None:
    corpus = repetitive_music(3, 2)
    codec = KeysCodec(1, 0.25, None, 120.0)
    plain = corpus.translated(codec, [])
    assert plain.codec == codec
    batch = BatchStream(plain, "train", 3, 7, model=MATCHING).next_batch()
    assert batch is not None
    assert batch.inputs.shape == (7, 3, 88)
    assert np.array_equal(batch.targets[:, 1], corpus.song(1)[:7, :88])
    with pytest.raises(InputError, match="88 keys, but the model has frames of 176 keys"):
        plain.translated(corpus.codec, [])


@pytest.mark.parametrize("planes", [1, 2])
def test_each_song_is_transposed_whole_with_its_matches(fields: Fields, planes: int) -> None:
    corpus = repetitive_music(9, planes)
    stream = BatchStream(
        corpus, "train", 4, 7, seed=2, model=MATCHING, augment=Augmentation(transpose=SPAN)
    )
    known = {
        transpose_keys(corpus.song(row), shift).tobytes(): (row, shift)
        for row in range(9)
        for shift in range(-SPAN, SPAN + 1)
    }
    assert len(known) == 9 * (2 * SPAN + 1)
    shifts: Counter[int] = Counter()
    for song in songs_of(take(stream, 600), fields):
        assert song["end"].nonzero()[0].tolist() == [len(song["end"]) - 1]
        assert not song["targets"][-1].any()
        row, shift = known[song["targets"][:-1].tobytes()]
        shifts[shift] += 1
        moved = transpose_keys(corpus.song(row), shift)
        assert np.array_equal(song["inputs"][1:], moved)
        assert not song["inputs"][0].any()
        ended = np.concatenate([moved, np.zeros_like(moved[:1])])
        matched, kinds = find_matches(ended, corpus.codec.spec)  # of the transposed song
        assert np.array_equal(song["matched"], matched)
        assert np.array_equal(song["match_kind"], kinds)
    # All shifts are equally frequent: within five standard deviations of n / 11.
    n, p = shifts.total(), 1 / (2 * SPAN + 1)
    assert sorted(shifts) == list(range(-SPAN, SPAN + 1))
    assert all(abs(count - n * p) < 5 * (n * p * (1 - p)) ** 0.5 for count in shifts.values())


def test_transposition_changes_the_keys_and_nothing_else(fields: Fields) -> None:
    corpus = repetitive_music(9, 2)
    plain = take(BatchStream(corpus, "train", 4, 7, 2, augment=Augmentation(0.3)), 50)
    off = take(BatchStream(corpus, "train", 4, 7, 2, augment=Augmentation(0.3, 0)), 50)
    moved = take(BatchStream(corpus, "train", 4, 7, 2, augment=Augmentation(0.3, SPAN)), 50)
    for a, b, c in zip(plain, off, moved, strict=True):
        assert all(np.array_equal(value, fields(b)[name]) for name, value in fields(a).items())
        for name in ("reset", "condition", "weight"):
            assert np.array_equal(fields(a)[name], fields(c)[name])
        assert np.array_equal(a.targets.sum(-1), c.targets.sum(-1))
    assert any(not np.array_equal(a.targets, c.targets) for a, c in zip(plain, moved, strict=True))


@given(st.integers(0, 87), st.integers(0, 87), st.integers(1, 24), st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_all_keys_stay_on_the_keyboard(one: int, other: int, semitones: int, seed: int) -> None:
    low, high = sorted((one, other))
    corpus = repetitive_music(3, 2, low, high)
    for row in range(3):
        down, up = shift_range(corpus.song(row), semitones)
        assert (down, up) == (-min(semitones, low), min(semitones, 87 - high))
    stream = BatchStream(
        corpus, "train", 2, 0, seed=seed, augment=Augmentation(transpose=semitones)
    )
    for batch in take(stream, 4):
        for sounding in np.asarray(batch.targets[:, :, :88].any(axis=0)):  # of (L, 88)
            keys = np.flatnonzero(sounding)
            assert keys[-1] - keys[0] == high - low
            assert abs(int(keys[0]) - low) <= semitones


def test_silence_is_not_transposed() -> None:
    assert shift_range(np.zeros((5, 176), np.uint8), 12) == (0, 0)


def test_transposition_does_not_depend_on_batch_size_or_window(fields: Fields) -> None:
    corpus = repetitive_music(9, 1)

    def first_epoch(count: int, window: int) -> set[bytes]:
        stream = BatchStream(
            corpus, "train", count, window, 3, augment=Augmentation(transpose=SPAN)
        )
        song = [song["targets"].tobytes() for song in songs_of(take(stream, 400 // window), fields)]
        return set(song) if count > 1 else set(song[:9])

    assert len(first_epoch(1, 9)) == 9
    assert first_epoch(1, 9) <= first_epoch(4, 5)


def test_held_out_songs_are_not_transposed(fields: Fields) -> None:
    corpus = repetitive_music(6, 1)
    table = corpus.songs.copy()
    table["split"] = [0, 0, 1, 1, 2, 2]
    corpus = dataclasses.replace(corpus, songs=table)
    for split, rows in (("valid", [2, 3]), ("test", [4, 5])):
        batch = BatchStream(corpus, split, 2, 0).next_batch()  # as in evaluation
        assert batch is not None
        for column, row in enumerate(rows):
            length = int(table["length"][row])
            assert np.array_equal(batch.targets[:length, column], corpus.song(row))


def test_from_a_cursor_a_song_in_progress_keeps_its_shift(fields: Fields) -> None:
    corpus = repetitive_music(9, 2)

    def make(transpose: int = SPAN) -> BatchStream:
        return BatchStream(
            corpus, "train", 4, 5, 2, model=MATCHING, augment=Augmentation(transpose=transpose)
        )

    stream, other = make(), make()
    take(stream, 7)
    cursor = json.loads(json.dumps(stream.cursor()))
    assert any(cursor["shifts"])
    take(other, 2)
    other.seek(cursor)
    for a, b in zip(take(stream, 40), take(other, 40), strict=True):
        assert all(np.array_equal(value, fields(b)[name]) for name, value in fields(a).items())
    off = make(0)  # songs that begin later follow the new setting
    off.seek(cursor)
    take(off, 40)
    assert off.cursor()["shifts"] == [0] * 4


def test_a_cursor_without_shifts_means_no_transposition(fields: Fields) -> None:
    corpus = repetitive_music(5, 2)
    stream = BatchStream(corpus, "train", 3, 5, 2)
    take(stream, 3)
    cursor = stream.cursor()
    del cursor["shifts"]
    other = BatchStream(corpus, "train", 3, 5, 2)
    other.seek(cursor)
    for a, b in zip(take(stream, 9), take(other, 9), strict=True):
        assert np.array_equal(a.targets, b.targets)


def test_a_batch_is_fast(make_corpus: MakeCorpus) -> None:
    rng = np.random.default_rng(0)
    stream = BatchStream(
        make_corpus(rng.integers(500, 2000, 30).tolist()), "train", 32, 128, seed=1
    )
    times = []
    for _ in range(50):
        start = time.perf_counter()
        stream.next_batch()
        times.append(time.perf_counter() - start)
    assert min(times) < 5e-3  # 0.2 ms on an idle core; a loop over frames takes ten times as long
