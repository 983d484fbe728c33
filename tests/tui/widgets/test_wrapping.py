"""Wrapping of a text that grows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import get_character_cell_size

from tui.widgets.wrapping import WrappedText

TEXTS = st.text(st.sampled_from("ab  \nü漢"), max_size=60)


def wrapped(text: str, width: int) -> WrappedText:
    result = WrappedText(width)
    result.append(text)
    return result


def shown(text: WrappedText) -> list[str]:
    return [text.row(y).rstrip(" ") for y in range(len(text.rows))]


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("the window hums to the snow", 10, ["the window", "hums to", "the snow"]),
        ("one\n\ntwo\n", 10, ["one", "", "two", ""]),
        ("two spaces  \nend", 10, ["two spaces", "end"]),
        ("a    b", 3, ["a", "b"]),
        ("unbreakable", 4, ["unbr", "eaka", "ble"]),
        ("ab unbreakable", 4, ["ab", "unbr", "eaka", "ble"]),
        ("漢字漢", 4, ["漢字", "漢"]),
        ("漢字", 1, ["漢", "字"]),
        ("", 5, [""]),
    ],
)
def test_rows_break_at_spaces(text: str, width: int, rows: list[str]) -> None:
    assert shown(wrapped(text, width)) == rows


@given(st.lists(TEXTS, max_size=8), st.integers(1, 9), st.integers(1, 9))
def test_growing_by_pieces_is_wrapping_the_whole(pieces: list[str], width: int, other: int) -> None:
    growing = WrappedText(width)
    for piece in pieces:
        before = list(growing.rows)
        changed = growing.append(piece)
        assert growing.rows[:changed] == before[:changed]
        assert changed >= len(before) - 1
    whole = wrapped("".join(pieces), width)
    assert growing.text == whole.text
    if pieces:
        assert growing.rows == whole.rows
    growing.rewrap(other)
    if growing.text:
        assert growing.rows == wrapped(growing.text, other).rows


@given(TEXTS, st.integers(2, 9))
def test_every_row_fits_and_only_spaces_and_newlines_are_lost(text: str, width: int) -> None:
    rows = shown(wrapped(text, width))
    assert all(sum(map(get_character_cell_size, row)) <= width for row in rows)
    assert "".join(rows).replace(" ", "") == text.replace("\n", "").replace(" ", "")
