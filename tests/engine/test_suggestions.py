import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from engine.suggestions import closest, join_or, normalize


def test_fold_leaves_case_blanks_and_composition_aside() -> None:
    assert normalize("  The   RAIN\tDogs ") == "the rain dogs"
    assert normalize("Cafe\u0301") == normalize("CAFÉ")
    assert normalize("Straße") == normalize("STRASSE")


@given(st.text() | st.text(st.characters(max_codepoint=127)) | st.text("a \t\n\x0b\x1c\x85\xa0"))
def test_fold_is_that_of_the_words(text: str) -> None:
    assert normalize(text) == " ".join(unicodedata.normalize("NFC", text).casefold().split())


def test_near_gives_the_nearest_first_in_their_own_spelling() -> None:
    assert closest("mable row", ["Mabel Rowe", "Marble Road", "Zed"])[0] == "Mabel Rowe"
    assert closest("xyzzy", ["Mabel Rowe"]) == []
    assert len(closest("band 1", [f"Band {i}" for i in range(10)])) == 3


def test_either_joins_names() -> None:
    assert join_or(["a"]) == "'a'"
    assert join_or(["a", "b", "c"]) == "'a', 'b' or 'c'"
