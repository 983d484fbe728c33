import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from engine.suggestions import either, fold, near


def test_fold_leaves_case_blanks_and_composition_aside() -> None:
    assert fold("  The   RAIN\tDogs ") == "the rain dogs"
    assert fold("Cafe\u0301") == fold("CAFÉ")
    assert fold("Straße") == fold("STRASSE")


@given(st.text() | st.text(st.characters(max_codepoint=127)) | st.text("a \t\n\x0b\x1c\x85\xa0"))
def test_fold_is_that_of_the_words(text: str) -> None:
    assert fold(text) == " ".join(unicodedata.normalize("NFC", text).casefold().split())


def test_near_gives_the_nearest_first_in_their_own_spelling() -> None:
    assert near("mable row", ["Mabel Rowe", "Marble Road", "Zed"])[0] == "Mabel Rowe"
    assert near("xyzzy", ["Mabel Rowe"]) == []
    assert len(near("band 1", [f"Band {i}" for i in range(10)])) == 3


def test_either_joins_names() -> None:
    assert either(["a"]) == "'a'"
    assert either(["a", "b", "c"]) == "'a', 'b' or 'c'"
