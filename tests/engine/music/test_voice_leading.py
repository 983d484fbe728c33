"""Parallel fifths and octaves, by examples and against counting pair by pair."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.music.pitch import LOWEST_PITCH, parse_chord
from engine.music.voice_leading import count_parallels, dissonance, has_parallels


def chord(names: str) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    keys = np.zeros(88, np.uint8)
    keys[[pitch - LOWEST_PITCH for pitch in parse_chord(names)]] = 1
    return keys


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("C3 G3", "D3 A3", True),  # a fifth
        ("C3 G3", "Bb2 F3", True),
        ("C3 G4", "D3 A4", True),  # a twelfth
        ("C3 C4", "D3 D4", True),  # an octave
        ("C3 G3", "D3 A4", True),  # from a fifth to a twelfth
        ("C3 E3 G3", "D3 F3 A3", True),
        ("C3 G3", "C3 G3", False),  # no movement
        ("C3 G3", "D3 G3", False),  # one voice moves
        ("C3 G4", "G3 D4", False),  # in contrary motion
        ("C3 E3", "D3 F3", False),  # other intervals
        ("C3 F3", "D3 G3", False),
        ("C3 G3", "D3 B3", False),  # to another interval
        ("C3 G3", "D3 A3 F4", False),  # another number of voices
        ("C3", "D3", False),
    ],
)
def test_examples(before: str, after: str, expected: bool) -> None:
    assert has_parallels(chord(before), chord(after)) is expected


@given(st.lists(st.sets(st.integers(30, 45), max_size=4), min_size=1, max_size=12))
def test_frames_with_parallels_are_counted(keys: list[set[int]]) -> None:
    frames = np.zeros((len(keys), 88), np.uint8)
    for frame, sounding in zip(frames, keys, strict=True):
        frame[list(sounding)] = 1
    pairs = itertools.pairwise(frames)
    assert count_parallels(frames) == sum(has_parallels(*pair) for pair in pairs)


@pytest.mark.parametrize(
    ("pitches", "expected"),
    [
        ((60, 64, 67, 72), 0.0),  # a C major chord and its root above
        ((60, 64, 67, 71), 1.0),  # a major seventh
        ((62, 66, 69, 72), 0.6),  # a tritone and a minor seventh: the greater counts
        ((60, 64, 67, 74), 0.4),
        ((60,), 0.0),
        ((), 0.0),
    ],
)
def test_how_the_highest_note_clashes(pitches: tuple[int, ...], expected: float) -> None:
    frame = np.zeros(88, np.uint8)
    frame[[pitch - 21 for pitch in pitches]] = 1
    assert dissonance(frame[None]) == expected
    assert dissonance(np.stack([frame, np.zeros(88)])) == expected / 2
