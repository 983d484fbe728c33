"""The match memory, compared with a search through the whole past."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.match_memory import MatchMemory, find_matches
from engine.frame_spec import FrameSpec

SPECS = [FrameSpec("characters", 40), FrameSpec("keys", 88), FrameSpec("keys", 176)]


def naive(
    song: np.ndarray[Any, Any], spec: FrameSpec, recovery: bool = False
) -> tuple[list[Any], list[int]]:
    """Compare the last frames with all frames before, again at each position."""
    inputs = [tuple(np.atleast_1d(frame)) for frame in song]
    inputs = [tuple(np.zeros(len(inputs[0]), int)), *inputs]
    matched, kinds = [], []
    position: int | None = None  # of the last matched frame
    for now in range(1, len(inputs)):  # the number of known frames
        position, match = (position + 1, 1) if position is not None and recovery else (None, 0)
        for kind, length in enumerate(spec.match_lengths(recovery), 1 + recovery):
            for end in range(length, now):
                if inputs[end - length : end] == inputs[now - length : now] and now >= length:
                    position, match = end, kind
        matched.append(inputs[0] if position is None else inputs[position])
        kinds.append(match)
    return matched, kinds


def made(numbers: list[int], spec: FrameSpec) -> np.ndarray[Any, Any]:
    """Make a song with a different frame for each number; 0 is the zero frame."""
    if spec.kind == "characters":
        return np.array(numbers, spec.dtype)
    return (np.array(numbers)[:, None] >> np.arange(spec.size) % 7 & 1).astype(np.uint8)


@pytest.mark.parametrize("recovery", [False, True])
@pytest.mark.parametrize("spec", SPECS, ids=str)
@given(
    st.one_of(
        st.lists(st.integers(0, 2), min_size=1, max_size=80),
        st.tuples(st.lists(st.integers(0, 39), min_size=1, max_size=30), st.integers(1, 4)).map(
            lambda pair: pair[0] * pair[1]
        ),
    )
)
@settings(deadline=None, max_examples=60)
def test_it_equals_a_search(spec: FrameSpec, recovery: bool, numbers: list[int]) -> None:
    song = made(numbers, spec)
    matched, kinds = find_matches(song, spec, recovery)
    expected, expected_kinds = naive(song, spec, recovery)
    assert kinds.tolist() == expected_kinds
    assert matched.dtype == song.dtype
    assert [tuple(np.atleast_1d(frame)) for frame in matched] == expected


def test_a_chorus_is_matched_the_second_time() -> None:
    spec = FrameSpec("characters", 200)
    verse, chorus = "some other words here\n", "sing it over the hill and far away\n"
    song = np.frombuffer((chorus + verse + chorus).encode(), np.uint8)
    matched, kinds = find_matches(song, spec)
    shortest = spec.match_lengths(False)[0]
    second = slice(len(chorus + verse) + shortest, None)
    assert bytes(matched[second]) == chorus.encode()[shortest:]
    assert kinds[second.start] == 1
    assert kinds[-1] == spec.match_kinds(False) - 1
    assert not kinds[: len(chorus)].any()
    assert not matched[kinds == 0].any()


def test_with_recovery_a_tune_with_a_changed_note_is_matched_to_its_end() -> None:
    spec = FrameSpec("keys", 88)
    tune = list(range(1, 21))
    matched, kinds = find_matches(
        made([*tune, *tune[:10], 30, *tune[11:]], spec), spec, recovery=True
    )
    assert np.array_equal(matched[len(tune) + 1 :], made(tune[1:], spec))
    changed = len(tune) + 11
    of_ten = 1 + sum(length <= 10 for length in spec.match_lengths(recovery=True))
    assert kinds[changed - 1 : changed + 2].tolist() == [of_ten, 1, 2]
    assert not kinds[: len(tune) + 1].any()


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_of_equal_matches_the_latest_counts(spec: FrameSpec) -> None:
    run = [3, 1, 4, 1, 5, 9]
    song = made([*run, 7, *run, 8, *run, 2], spec)
    assert np.array_equal(find_matches(song, spec)[0][-1], made([8], spec)[0])


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_only_the_past_counts(spec: FrameSpec) -> None:
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, 3, 200).tolist()
    whole = find_matches(made(numbers, spec), spec)
    start = find_matches(made(numbers[:120], spec), spec)
    for long, short in zip(whole, start, strict=True):
        assert np.array_equal(long[:120], short)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_frame_by_frame_equals_the_whole_song(spec: FrameSpec) -> None:
    song = made(np.random.default_rng(1).integers(0, 3, 100).tolist(), spec)
    memory = MatchMemory(spec, recovery=True)
    inputs = np.concatenate([np.zeros_like(song[:1]), song[:-1]])
    for frame, expected, kind in zip(inputs, *find_matches(song, spec, recovery=True), strict=True):
        matched, match = memory.push(frame)
        assert np.array_equal(matched, expected)
        assert match == kind
