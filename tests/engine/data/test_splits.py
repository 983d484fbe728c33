"""Keys and splits of songs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.splits import (
    ANY,
    SPLITS,
    TEST,
    TRAIN,
    VALID,
    assign_splits,
    choose_splits,
    split_key,
)

FRACTIONS = st.floats(0.0, 0.3)


def test_a_key_is_the_same_on_every_machine_and_version() -> None:
    assert split_key("Why, said the ferry\n", 0) == 9403512783524575647
    assert split_key("Why, said the ferry\n", 1) != split_key("Why, said the ferry\n", 0)


def test_texts_that_differ_in_case_and_blanks_share_their_key() -> None:
    assert split_key("Café  AU lait\r\n", 3) == split_key(" cafe\u0301 au\nLAIT", 3)
    assert split_key("cafe au lait", 3) != split_key("café au lait", 3)
    split_key("\ud800 alone", 0)


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=150),
    FRACTIONS,
    FRACTIONS,
    st.randoms(),
    st.data(),
)
def test_splits_never_leak_and_do_not_depend_on_the_order(
    texts: list[int], valid: float, test: float, random: object, data: st.DataObject
) -> None:
    keys = np.array([split_key(str(text), 7) for text in texts], np.uint64)
    n = len(set(texts))
    wanted = {
        "test": max(1, round(n * test)) if test else 0,
        "valid": max(1, round(n * valid)) if valid else 0,
    }
    if sum(wanted.values()) >= n:
        assert not assign_splits(keys, valid, test).any()
        return
    split = assign_splits(keys, valid, test)
    parts = {
        name: {text for text, index in zip(texts, split, strict=True) if SPLITS[index] == name}
        for name in SPLITS
    }
    assert sum(map(len, parts.values())) == n  # no text in two
    assert len(parts["test"]) == wanted["test"]  # exactly
    assert len(parts["valid"]) == wanted["valid"]
    order = data.draw(st.permutations(range(len(texts))))
    assert np.array_equal(assign_splits(keys[order], valid, test), split[order])


def test_another_seed_gives_another_split() -> None:
    first, second = (
        assign_splits(np.array([split_key(str(i), seed) for i in range(200)], np.uint64), 0.2, 0.2)
        for seed in (0, 1)
    )
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(("songs", "valid", "test"), [(2, 0.05, 0.05), (10, 0.5, 0.5), (1, 0, 0.1)])
def test_too_few_songs_to_split_are_training_songs(songs: int, valid: float, test: float) -> None:
    keys = np.arange(songs, dtype=np.uint64)
    assert assign_splits(keys, valid, test).tolist() == [TRAIN] * songs


def test_without_fractions_all_songs_are_for_training() -> None:
    assert assign_splits(np.arange(2, dtype=np.uint64), 0.0, 0.0).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            [ANY] * 6,
            [TEST, VALID, TRAIN, TRAIN, TRAIN, TRAIN],
        ),  # the lowest keys are the test songs
        ([VALID, TRAIN, TEST, TRAIN], [VALID, TRAIN, TEST, TRAIN]),
        ([TRAIN, TRAIN, TEST, TRAIN, TRAIN], [VALID, TRAIN, TEST, TRAIN, TRAIN]),
        ([VALID, TRAIN, TRAIN, TRAIN, TRAIN], [VALID, TEST, TRAIN, TRAIN, TRAIN]),
        ([ANY, VALID, TEST, TRAIN], [TRAIN, VALID, TEST, TRAIN]),
        ([TEST, VALID], [TEST, VALID]),
        ([ANY], [TRAIN]),
    ],
)
def test_splits_of_the_source_stay_and_missing_ones_are_made(
    given: list[int], expected: list[int]
) -> None:
    keys = np.arange(len(given), dtype=np.uint64)
    assert choose_splits(np.array(given, np.uint8), keys, 0.2, 0.2).tolist() == expected


def test_equal_songs_share_a_split() -> None:
    keys = np.array([1, 2, 3, 4, 5] * 2, np.uint64)
    splits = choose_splits(np.full(10, ANY, np.uint8), keys, 0.2, 0.2)
    assert splits[:5].tolist() == splits[5:].tolist() == [TEST, VALID, TRAIN, TRAIN, TRAIN]


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from([TRAIN, VALID, TEST, ANY])),
        min_size=1,
        max_size=60,
    ),
    FRACTIONS,
    FRACTIONS,
)
def test_held_out_songs_of_the_source_are_kept(
    songs: list[tuple[int, int]], valid: float, test: float
) -> None:
    keys, given_splits = [list(part) for part in zip(*songs, strict=True)]
    arrays = np.array(given_splits, np.uint8), np.array(keys, np.uint64)
    splits = choose_splits(*arrays, valid, test).tolist()
    assert set(splits) <= {TRAIN, VALID, TEST}
    of_key: dict[int, set[int]] = {}
    for key, wanted, split in zip(keys, given_splits, splits, strict=True):
        if wanted in (VALID, TEST):
            assert split == wanted
        elif wanted == ANY:
            of_key.setdefault(key, set()).add(split)
    for key, found in of_key.items():
        assert len(found) == 1, key  # equal songs are not parted
