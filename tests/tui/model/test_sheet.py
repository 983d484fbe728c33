"""Notes found again by their time."""

from hypothesis import given
from hypothesis import strategies as st

from engine.music.score import Note
from tui.model.sheet import Sheet

NOTES = st.builds(
    lambda start, length, pitch: Note(start, start + length, pitch),
    st.floats(0, 20), st.floats(0.1, 8), st.integers(21, 108),
)  # fmt: skip


@given(st.lists(NOTES), st.lists(NOTES, max_size=3), st.floats(0, 25), st.floats(0.01, 10))
def test_the_notes_of_a_while_are_those_that_sound_in_it(
    notes: list[Note], held: list[Note], start: float, length: float
) -> None:
    sheet = Sheet(held=tuple(held))
    sheet.add(notes[::2])
    sheet.add(notes[1::2])
    assert list(sheet.notes) == sorted(sheet.notes, key=lambda note: note.start)
    end = start + length
    expected = [note for note in (*notes, *held) if note.start < end and note.end > start]
    key = lambda note: (note.start, note.end, note.pitch)  # noqa: E731
    assert sorted(sheet.between(start, end), key=key) == sorted(expected, key=key)
    pitches = [note.pitch for note in (*notes, *held)]
    assert sheet.pitches() == ((min(pitches), max(pitches)) if pitches else None)
    assert sheet.seconds == max((note.end for note in notes), default=0)
    assert sheet.sounding(start) == {
        note.pitch for note in (*notes, *held) if note.start < start + 1e-9 and note.end > start
    }
