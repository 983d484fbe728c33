"""Comparing and suggesting names."""

import unicodedata
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engine.suggestions import closest, did_you_mean, join_or, missing_path, normalize


def test_spellings_that_differ_in_case_blanks_or_composition_are_equal() -> None:
    assert normalize("  The   RAIN\tDogs ") == "the rain dogs"
    assert normalize("Cafe\u0301") == normalize("CAFÉ")
    assert normalize("Straße") == normalize("STRASSE")


@given(st.text() | st.text(st.characters(max_codepoint=127)) | st.text("a \t\n\x0b\x1c\x85\xa0"))
def test_the_fast_path_for_ascii_equals_splitting_and_joining(text: str) -> None:
    assert normalize(text) == " ".join(unicodedata.normalize("NFC", text).casefold().split())


def test_close_names_come_closest_first_in_their_own_spelling() -> None:
    assert closest("mable row", ["Mabel Rowe", "Marble Road", "Zed"])[0] == "Mabel Rowe"
    assert closest("xyzzy", ["Mabel Rowe"]) == []
    assert len(closest("band 1", [f"Band {i}" for i in range(10)])) == 3


def test_names_are_quoted_and_joined() -> None:
    assert join_or(["a"]) == "'a'"
    assert join_or(["a", "b", "c"]) == "'a', 'b' or 'c'"


def test_a_suggestion_names_close_names_or_gives_the_other_remedy() -> None:
    assert did_you_mean("mable", ["Mabel", "Zed"], "list them.") == "did you mean 'Mabel'?"
    assert did_you_mean("xyzzy", ["Mabel", "Zed"], "list them.") == "list them."


def test_a_missing_file_is_refused_with_a_close_name_beside_it(tmp_path: Path) -> None:
    (tmp_path / "songs.csv").touch()
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere.csv")
    message = str(missing_path(tmp_path / "sogns.csv", "give a CSV"))
    assert message.endswith("sogns.csv: did you mean 'songs.csv'?")
    assert str(missing_path(tmp_path / "xyz", "give a CSV")).endswith("xyz: give a CSV.")
    message = str(missing_path(tmp_path / "broken", "give a CSV"))
    assert message.endswith("broken is neither a file nor a folder: give a CSV.")
