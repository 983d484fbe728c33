"""The small piano roll shows every note, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from engine.music.pitch import pitch_name
from tui.roll_text import roll_lines


def test_a_chord_and_a_tune() -> None:
    assert roll_lines([(0, 2, 60), (1, 3, 61), (2, 4, 64)], 10) == [
        "E4    ▄▄",
        "D4",
        "C4  ▄█▀",
    ]
    assert roll_lines([], 10) == roll_lines([(12, 14, 60)], 10) == ["(silence)"]


NOTES = st.tuples(st.integers(0, 30), st.integers(1, 9), st.integers(21, 108))


@given(st.lists(NOTES, min_size=1, max_size=12), st.integers(1, 60))
def test_every_cell_shows_which_keys_sound(drawn: list[tuple[int, int, int]], width: int) -> None:
    notes = [(first, first + length, pitch) for first, length, pitch in drawn]
    rows = roll_lines(notes, width)
    shown = [note for note in notes if note[0] < width]
    if not shown:
        assert rows == ["(silence)"]
        return
    top = max(pitch for _, _, pitch in shown) // 2 * 2
    for number, row in enumerate(rows):
        lower = top - 2 * number
        assert row.startswith(pitch_name(lower))
        for frame in range(width):
            cell = row[4 + frame] if len(row) > 4 + frame else " "
            sounds = [
                any(first <= frame < last and pitch == key for first, last, pitch in shown)
                for key in (lower, lower + 1)
            ]
            assert cell == " ▄▀█"[sounds[0] + 2 * sounds[1]]
