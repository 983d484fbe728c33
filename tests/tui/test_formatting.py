import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.formatting import clean, duration, megabytes, progress_bar, short_number


@given(st.text())
def test_clean_text_has_no_control_characters(text: str) -> None:
    result = clean(text)
    assert not any(unicodedata.category(c) in {"Cc", "Cs"} for c in result if c != "\n")
    assert clean(result) == result


def test_clean_shows_controls_as_symbols() -> None:
    assert clean("a\x1b[31m\tb\r\nc\u2028d\u202eé") == "a␛[31m  b\nc\nd�é"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0"), (950, "950"), (12_400, "12.4 k"), (894_112, "894 k"), (3.33e6, "3.3 M")],
)
def test_short_number(value: float, expected: str) -> None:
    assert short_number(value) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(None, "–"), (0.4, "0 s"), (59.6, "1 min 00 s"), (252, "4 min 12 s"), (7385, "2 h 03 min"),
     (360_000, "4 d 4 h"), (-3, "0 s")],
)  # fmt: skip
def test_duration(seconds: float | None, expected: str) -> None:
    assert duration(seconds) == expected


def test_megabytes() -> None:
    assert (megabytes(612.4), megabytes(1430)) == ("612 MB", "1.4 GB")


@given(st.floats(-1, 2), st.integers(0, 200))
def test_a_bar_fills_its_width(share: float, width: int) -> None:
    assert cell_len(progress_bar(share, width)) == width


def test_a_bar_has_half_cells() -> None:
    assert (progress_bar(0, 4), progress_bar(0.375, 4), progress_bar(1, 4)) == (
        "────",
        "━╸──",
        "━━━━",
    )
