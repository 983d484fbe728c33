"""Notes and scores: validation, transposition, speed, loudness, overlapping notes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.music.score import Note, Score, merge_overlapping

NOTES = st.lists(
    st.builds(
        lambda start, length, pitch, velocity: Note(start, start + length, pitch, velocity),
        st.integers(0, 30),
        st.integers(1, 9),
        st.integers(60, 62),
        st.integers(1, 127),
    ),
    max_size=12,
)


@pytest.mark.parametrize(
    "values",
    [
        (1, 1, 60),
        (2, 1, 60),
        (-1, 1, 60),
        (0, float("inf"), 60),
        (float("nan"), 1, 60),
        (0, 1, 128),
        (0, 1, -1),
        (0, 1, 60, 0),
        (0, 1, 60, 128),
    ],
)
def test_an_invalid_note_is_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="a note"):
        Note(*values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "values",
    [
        {"tempo": 0.0},
        {"tempo": float("nan")},
        {"tempo_changes": ((2.0, 90.0), (1.0, 60.0))},
        {"tempo_changes": ((2.0, -1.0),)},
        {"time_signature": (4, 3)},
        {"time_signature": (0, 4)},
        {"program": 128},
    ],
)
def test_an_invalid_tempo_time_signature_or_program_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"tempo|time signature|program"):
        Score((), **values)  # type: ignore[arg-type]


def test_beats_follow_all_tempos() -> None:
    score = Score((), 60.0, tempo_changes=((10.0, 120.0), (11.0, 30.0)))
    beats = score.tempo_map.beats([0, 5, 10, 10.5, 11, 13, 31])
    assert beats.tolist() == [0, 5, 10, 11, 12, 13, 22]
    assert Score((), 90.0).tempo_map.beats([[2, 4], [6, 8]]).tolist() == [[3, 6], [9, 12]]


@given(NOTES)
def test_merging_keeps_every_onset_and_all_sound(notes: list[Note]) -> None:
    result = merge_overlapping(notes)
    assert {(note.start, note.pitch) for note in result} == {(n.start, n.pitch) for n in notes}
    assert len(result) == len({(note.start, note.pitch) for note in result})
    for pitch in (60, 61, 62):
        mine = [note for note in result if note.pitch == pitch]
        assert all(a.end <= b.start for a, b in itertools.pairwise(mine))
        for moment in np.arange(0.5, 40):
            before = any(n.start <= moment < n.end for n in notes if n.pitch == pitch)
            assert before == any(n.start <= moment < n.end for n in mine)
    assert list(result) == sorted(result, key=lambda note: (note.start, note.pitch))
    assert merge_overlapping(result) == result


def test_of_two_notes_that_start_together_the_louder_is_kept() -> None:
    notes = [Note(0, 4, 60, 50), Note(0, 2, 60, 90), Note(1, 2, 60, 30)]
    assert merge_overlapping(notes) == (Note(0, 1, 60, 90), Note(1, 4, 60, 30))


def test_notes_transposed_off_the_keyboard_are_left_out() -> None:
    score = Score((Note(0, 1, 21), Note(1, 2, 60), Note(2, 3, 108)), 90.0)
    assert score.transposed(2).notes == (Note(0, 1, 23), Note(1, 2, 62))
    assert score.transposed(-2).notes == (Note(1, 2, 58), Note(2, 3, 106))
    assert score.transposed(0) == score
    assert score.transposed(2).tempo == 90.0
    assert score.end == 3
    assert Score(()).end == 0


def test_faster_and_louder() -> None:
    score = Score(
        (Note(1.0, 2.0, 60, 100), Note(2.0, 4.0, 62, 10)), 120.0, tempo_changes=((2.0, 60.0),)
    )
    fast = score.faster(2.0)
    assert fast.notes == (Note(0.5, 1.0, 60, 100), Note(1.0, 2.0, 62, 10))
    assert (fast.tempo, fast.tempo_changes) == (240.0, ((1.0, 120.0),))
    assert fast.tempo_map.beats([0.5, 2.0]).tolist() == score.tempo_map.beats([1.0, 4.0]).tolist()
    assert [note.velocity for note in score.louder(2.0).notes] == [127, 20]
    assert [note.velocity for note in score.louder(0.01).notes] == [1, 1]


def test_a_steady_tempo_keeps_every_note_at_its_beat() -> None:
    notes = (Note(0, 1, 60), Note(1.5, 2, 62), Note(3, 4, 64))
    score = Score(notes, 60.0, (3, 4), tempo_changes=((2.0, 120.0),))
    steady = score.at_steady_tempo()
    assert (steady.tempo, steady.tempo_changes, steady.time_signature) == (60.0, (), (3, 4))
    assert [(note.start, note.end, note.pitch) for note in steady.notes] == [
        (0, 1, 60), (1.5, 2, 62), (4, 6, 64),
    ]  # fmt: skip
    assert steady.at_steady_tempo() is steady
