"""Keys of scales and of transposed music."""

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.music.key_finding import MusicalKey, find_key
from engine.music.score import Note

MAJOR = (0, 2, 4, 5, 7, 9, 11, 12)
HARMONIC_MINOR = (0, 2, 3, 5, 7, 8, 11, 12)


def scale(tonic: int, steps: tuple[int, ...]) -> list[Note]:
    """A scale from the tonic up, and its triad, held."""
    notes = [Note(i, i + 1, tonic + step) for i, step in enumerate(steps)]
    return notes + [Note(8, 10, tonic + steps[degree]) for degree in (0, 2, 4)]


@given(st.integers(40, 70), st.booleans())
@settings(max_examples=20)
def test_scales(tonic: int, minor: bool) -> None:
    notes = scale(tonic, HARMONIC_MINOR if minor else MAJOR)
    key = find_key(notes)
    assert key == MusicalKey(tonic % 12, minor)
    assert [pitch % 12 for pitch in (tonic, tonic + (3 if minor else 4), tonic + 7)] == [*key.triad]


def test_without_notes_the_key_is_c_major() -> None:
    assert find_key([]) == MusicalKey(0, minor=False)
