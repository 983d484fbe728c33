"""Piano rolls: from scores, MIDI and frames, against naive references."""

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.errors import InputError
from engine.frame_spec import KEYS
from engine.music import midi, piano_roll
from engine.music.piano_roll import NoteBuilder, Roll
from engine.music.pitch import LOWEST_PITCH
from engine.music.score import Note, Score, merge_overlapping


def random_roll(seed: int, frames: int, density: float, keys: int) -> Roll:
    """Return a valid roll of random zeros and ones on its lowest and highest keys."""
    generator = np.random.default_rng(seed)
    array = generator.random((frames, 2, KEYS)) < density
    array[:, :, keys : KEYS - keys] = False
    return piano_roll.from_frames(array.reshape(frames, 2 * KEYS))


ROLLS = st.builds(
    random_roll,
    st.integers(0, 10**6),
    st.integers(0, 40),
    st.sampled_from([0.02, 0.2, 0.6]),
    st.integers(1, 44),
)
# Times in 1/64 s: sums, and quotients by frames of 1/4 s, are exact.
SCORES = st.builds(
    lambda notes: Score(merge_overlapping(notes), 90.0),
    st.lists(
        st.builds(
            lambda start, length, pitch: Note(start / 64, (start + length) / 64, pitch),
            st.integers(0, 200),
            st.integers(1, 60),
            st.integers(40, 43),
        ),
        max_size=12,
    ),
)


def trimmed(music: Roll) -> Roll:
    """Return the roll without the silence at its end, which a score does not have."""
    sounds = np.flatnonzero(music.sounding.any(axis=1))
    length = int(sounds[-1]) + 1 if len(sounds) else 0
    return dataclasses.replace(music, sounding=music.sounding[:length], onset=music.onset[:length])


def equal(first: Roll, second: Roll) -> bool:
    return np.array_equal(first.sounding, second.sounding) and np.array_equal(
        first.onset, second.onset
    )


@pytest.mark.slow
@given(ROLLS, st.floats(0.03, 2.0), st.floats(20, 300))
@settings(deadline=None)
def test_a_roll_is_the_same_after_midi(music: Roll, frame: float, tempo: float) -> None:
    music = trimmed(dataclasses.replace(music, frame_seconds=frame, tempo=tempo))
    score = music.score()
    assert equal(piano_roll.from_score(score, frame), music)
    if not len(music):
        return
    again = piano_roll.from_score(midi.read(midi.encode(score)), frame)
    assert equal(again, music)
    assert again.frame_seconds == frame
    assert math.isclose(again.tempo, tempo, rel_tol=1e-5)


@given(ROLLS, st.sampled_from([1 / 12, 0.25, 0.5, 1.0, 3.0]), st.floats(20, 300))
@settings(deadline=None)
def test_a_roll_in_beats_is_the_same_after_midi(music: Roll, beats: float, tempo: float) -> None:
    music = trimmed(dataclasses.replace(music, frame_seconds=beats * 60 / tempo, tempo=tempo))
    if len(music):
        again = piano_roll.from_score(midi.read(midi.encode(music.score())), frame_beats=beats)
        assert equal(again, music)
        assert math.isclose(again.frame_seconds, music.frame_seconds, rel_tol=1e-5)


@pytest.mark.parametrize(
    ("frame_beats", "share"), [(0.25, 0.25), (0.5, 0.5), (1 / 12, 0.0), (1.0, 0.75)]
)
def test_the_share_of_notes_off_the_grid(frame_beats: float, share: float) -> None:
    starts = (0.0, 0.5, 0.75, 1 + 1 / 3)  # beats, of a second each
    score = Score(tuple(Note(start, start + 1, 60 + i) for i, start in enumerate(starts)), 60.0)
    assert piano_roll.off_grid_share(score, frame_beats) == share
    assert piano_roll.off_grid_share(Score(()), frame_beats) == 0.0


def naive(score: Score, frame: float) -> tuple[list[set[int]], list[set[int]]]:
    """Return the keys that sound and that begin in each frame, by loops over notes and frames."""
    sounding: list[set[int]] = [set() for _ in range(1000)]
    onset: list[set[int]] = [set() for _ in range(1000)]
    for note in score.notes:
        covered = [i for i in range(1000) if note.start <= (i + 0.5) * frame < note.end]
        covered = covered or [math.floor(note.start / frame)]
        for i in covered:
            sounding[i].add(note.pitch - 21)
        onset[covered[0]].add(note.pitch - 21)
    return sounding, onset


@given(SCORES, st.sampled_from([0.25, 0.5, 2.0]))
@settings(deadline=None)
def test_the_roll_of_a_score_equals_the_naive_one(score: Score, frame: float) -> None:
    music = piano_roll.from_score(score, frame)
    sounding, onset = naive(score, frame)
    assert [set(np.flatnonzero(row)) for row in music.sounding] == sounding[: len(music)]
    assert [set(np.flatnonzero(row)) for row in music.onset] == onset[: len(music)]
    assert not any(sounding[len(music) :])


@given(SCORES, st.floats(0.02, 3))
@settings(deadline=None)
def test_no_note_vanishes(score: Score, frame: float) -> None:
    music = piano_roll.from_score(score, frame)
    for note in score.notes:
        place = int(note.start / frame + 1e-6)
        assert music.onset[place : place + 2, note.pitch - 21].any()
    assert 0 <= len(score.notes) - music.onset.sum() <= max(0, len(score.notes) - 1)


def test_held_and_repeated_notes_differ() -> None:
    held = Score((Note(0, 0.9, 60),))
    repeated = Score((Note(0, 0.3, 60), Note(0.3, 0.6, 60), Note(0.6, 0.9, 60)))
    assert piano_roll.from_score(held).notes().tolist() == [[0, 3, 39]]
    assert piano_roll.from_score(repeated).notes().tolist() == [[0, 1, 39], [1, 2, 39], [2, 3, 39]]
    (note,) = piano_roll.from_score(held).score().notes
    assert note.start == 0
    assert note.end == pytest.approx(0.9)


def test_notes_of_a_key_in_one_frame_become_one() -> None:
    score = Score(tuple(Note(0.05 * i, 0.05 * i + 0.04, 60) for i in range(6)))
    music = piano_roll.from_score(score, 0.3)
    assert music.notes().tolist() == [[0, 1, 39]]
    assert len(score.notes) - music.onset.sum() == 5


def test_times_off_by_milliseconds_change_nothing() -> None:
    for off in (-0.01, 0.0, 0.01):
        score = Score((Note(0.3 + off, 0.9 + off, 60), Note(0.9 + off, 1.5 - off, 60)))
        assert piano_roll.from_score(score, 0.3).notes().tolist() == [[1, 3, 39], [3, 5, 39]]


def test_frames_in_beats_follow_the_tempos() -> None:
    score = Score(
        (Note(0, 2, 60), Note(2, 2.5, 62), Note(2.5, 3.5, 64)), 60.0, tempo_changes=((2, 120),)
    )
    music = piano_roll.from_score(score, frame_beats=0.5)
    assert music.notes().tolist() == [[0, 4, 39], [4, 6, 41], [6, 10, 43]]
    assert (music.frame_seconds, music.tempo) == (0.5, 60.0)


@given(SCORES, st.integers(-90, 90))
@settings(deadline=None)
def test_score_and_roll_are_transposed_alike(score: Score, semitones: int) -> None:
    music = piano_roll.from_score(score)
    moved = piano_roll.from_score(score.transposed(semitones))
    assert equal(trimmed(music.transposed(semitones)), moved)
    if -19 <= semitones <= 65:  # the pitches 40 … 43 stay on the keyboard
        assert moved.onset.sum() == music.onset.sum()
        assert equal(music.transposed(semitones).transposed(-semitones), music)


@given(st.integers(0, 10**6), st.sampled_from([1, 2]))
@settings(deadline=None, max_examples=30)
def test_any_frames_of_a_model_become_a_valid_roll(seed: int, planes: int) -> None:
    frames = np.random.default_rng(seed).random((12, planes * KEYS)) < 0.3
    music = piano_roll.from_frames(frames, 0.25, 90)
    assert music.sounding.shape == music.onset.shape == (12, KEYS)
    assert not (frames[:, :KEYS] & ~music.sounding).any()
    assert not (
        frames[:, KEYS:] & ~(music.onset & music.sounding)[:, : frames.shape[1] - KEYS]
    ).any()
    assert (music.frame_seconds, music.tempo, music.seconds) == (0.25, 90, 3.0)
    again = piano_roll.from_frames(music.frames(planes))
    assert equal(again, music)
    assert music.frames(planes).dtype == np.uint8
    assert music.frames(planes).shape == (12, planes * KEYS)


def test_velocities_are_taken_at_the_onsets() -> None:
    music = piano_roll.from_score(Score((Note(0, 0.9, 60), Note(0.3, 0.6, 64))))
    velocity = np.full((3, KEYS), 1)
    velocity[0, 39], velocity[1, 43] = 100, 30
    assert [note.velocity for note in music.score(velocity).notes] == [100, 30]
    assert {note.velocity for note in music.score(50).notes} == {50}
    assert music.score(program=6).program == 6


@pytest.mark.parametrize(
    "change",
    [
        {"onset": np.zeros((2, KEYS), np.bool_)},
        {"sounding": np.zeros((2, KEYS), np.bool_)},
        {"onset": np.zeros((3, KEYS), np.bool_)},
        {"frame_seconds": 0.0},
        {"tempo": -1.0},
    ],
)
def test_an_invalid_roll_is_refused(change: dict[str, Any]) -> None:
    ones = np.ones((2, KEYS), np.bool_)
    with pytest.raises(ValueError, match="a roll"):
        Roll(**{"sounding": ones, "onset": ones, **change})


def test_notes_outside_the_keyboard_are_left_out_and_an_empty_score_is_silent() -> None:
    music = piano_roll.from_score(Score((Note(0, 5, 20), Note(0, 0.3, 21), Note(0, 7, 109))))
    assert music.notes().tolist() == [[0, 1, 0]]
    assert len(piano_roll.from_score(Score(()))) == 0
    assert piano_roll.from_score(Score(())).notes().shape == (0, 3)


def test_too_many_frames_are_refused_before_they_are_allocated() -> None:
    with pytest.raises(InputError, match="takes 10,800,000 frames, more than 262,144"):
        piano_roll.from_score(Score((Note(0, 10_800, 60),)), 0.001)


FEW = 4  # keys in use, so that notes touch and repeat
FRAMES = arrays.arrays(np.bool_, st.tuples(st.integers(0, 12), st.just(2), st.just(FEW)))


def test_the_builder_returns_notes_when_they_end() -> None:
    notes = NoteBuilder(0.5)
    assert notes.add([60, 64], [60, 64]) == []
    assert notes.complete_until == 0
    assert set(notes.open_notes()) == {Note(0, 0.5, 60), Note(0, 0.5, 64)}
    assert notes.add([60, 64], [64]) == [Note(0, 0.5, 64)]
    assert notes.add([64], []) == [Note(0, 1.0, 60)]
    assert (notes.complete_until, notes.seconds) == (0.5, 1.5)
    assert notes.finish() == [Note(0.5, 1.5, 64)]
    assert notes.complete_until == notes.seconds


@given(FRAMES, st.booleans(), st.sampled_from([0.3, 0.1, 0.125, 1 / 3]))
def test_the_builder_returns_the_notes_of_the_whole_roll(
    drawn: np.ndarray, planes: bool, frame: float
) -> None:
    stream = NoteBuilder(frame)
    found: list[Note] = []
    promises = []  # (number of notes, second up to which they were complete)
    for keys, onsets in drawn:
        sounding, struck = ((np.flatnonzero(p) + LOWEST_PITCH).tolist() for p in (keys, onsets))
        found += stream.add(sounding, struck if planes else None)
        promises.append((len(found), stream.complete_until))
    found += stream.finish()
    rest = np.zeros((len(drawn), KEYS - FEW), np.bool_)
    wide = [np.concatenate([drawn[:, plane], rest], 1) for plane in range(1 + planes)]
    expected = piano_roll.from_frames(np.concatenate(wide, 1), frame).score().notes
    assert set(found) == set(expected)
    assert len(found) == len(expected)
    for earlier, later in itertools.pairwise(found):
        assert earlier.end <= later.end
    for count, until in promises:
        assert all(note.start >= until for note in found[count:])
