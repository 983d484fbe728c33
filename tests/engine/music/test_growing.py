"""Notes of frames one by one against those of the whole roll."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.music import roll
from engine.music.growing import GrowingNotes
from engine.music.score import KEYS, LOWEST, Note

FEW = 4  # keys that anything happens on, so that notes touch and repeat
FRAMES = arrays.arrays(np.bool_, st.tuples(st.integers(0, 12), st.just(2), st.just(FEW)))


def test_held_and_repeated_notes() -> None:
    notes = GrowingNotes(0.5)
    assert notes.add([60, 64], [60, 64]) == []
    assert notes.until == 0
    assert set(notes.held()) == {Note(0, 0.5, 60), Note(0, 0.5, 64)}
    assert notes.add([60, 64], [64]) == [Note(0, 0.5, 64)]
    assert notes.add([64], []) == [Note(0, 1.0, 60)]
    assert (notes.until, notes.seconds) == (0.5, 1.5)
    assert notes.end() == [Note(0.5, 1.5, 64)]
    assert notes.until == notes.seconds


@given(FRAMES, st.booleans(), st.sampled_from([0.3, 0.1, 0.125, 1 / 3]))
def test_they_are_the_notes_of_the_finished_roll(
    drawn: np.ndarray, planes: bool, frame: float
) -> None:
    stream = GrowingNotes(frame)
    found: list[Note] = []
    promises = []  # how many notes there were, and up to where that was said to be all
    for keys, onsets in drawn:
        sounding, struck = ((np.flatnonzero(p) + LOWEST).tolist() for p in (keys, onsets))
        found += stream.add(sounding, struck if planes else None)
        promises.append((len(found), stream.until))
    found += stream.end()
    rest = np.zeros((len(drawn), KEYS - FEW), np.bool_)
    wide = [np.concatenate([drawn[:, plane], rest], 1) for plane in range(1 + planes)]
    expected = roll.from_frames(np.concatenate(wide, 1), frame).score().notes
    assert set(found) == set(expected)
    assert len(found) == len(expected)
    for earlier, later in itertools.pairwise(found):
        assert earlier.end <= later.end
    for count, until in promises:
        assert all(note.start >= until for note in found[count:])
