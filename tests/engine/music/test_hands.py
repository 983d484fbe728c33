"""The hands of piano music."""

from hypothesis import given
from hypothesis import strategies as st

from engine.music.hands import LEFT, RIGHT, split_hands
from engine.music.score import Note


def chord(*pitches: int, start: float = 0.0, end: float = 1.0) -> list[Note]:
    return [Note(start, end, pitch) for pitch in pitches]


def test_middle_c_parts_the_hands() -> None:
    assert split_hands(chord(48, 55, 60, 64, 67)) == [LEFT, LEFT, RIGHT, RIGHT, RIGHT]


def test_a_wide_chord_needs_both_hands_wherever_it_lies() -> None:
    assert split_hands(chord(62, 79, 86)) == [LEFT, RIGHT, RIGHT]
    assert split_hands(chord(30, 37, 58)) == [LEFT, LEFT, RIGHT]


def test_a_key_that_is_held_limits_what_its_hand_reaches() -> None:
    held = chord(90, end=4.0)
    assert split_hands([*held, *chord(64, start=1.0, end=2.0)]) == [RIGHT, LEFT]
    assert split_hands([*chord(90), *chord(64, start=1.0, end=2.0)]) == [RIGHT, RIGHT]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(21, 108)), unique=True))
def test_of_notes_that_start_together_the_lower_ones_are_for_the_left_hand(
    pairs: list[tuple[int, int]],
) -> None:
    notes = [Note(start, start + 1.5, pitch) for start, pitch in sorted(pairs)]
    hands = split_hands(notes)
    assert len(hands) == len(notes)
    for earlier, later, low, high in zip(notes, notes[1:], hands, hands[1:]):  # noqa: B905
        assert earlier.start < later.start or low >= high
