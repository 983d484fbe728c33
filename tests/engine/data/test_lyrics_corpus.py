import pytest

from engine.data.lyrics_corpus import select
from engine.errors import InputError

COUNTS = {"Mabel Rowe": 20, "MABEL ROWE": 1, "Neon Meridian": 7, "Old Ferry": 2, "": 5}


def test_all_artists_are_found_when_none_is_named() -> None:
    report = select(COUNTS, (), 1, "songs.csv")
    assert report.found == {name: count for name, count in COUNTS.items() if name}
    assert not report.few
    assert not report.missing


def test_names_match_whatever_their_case_and_blanks() -> None:
    report = select(COUNTS, (" mabel  rowe ", "NEON MERIDIAN"), 1, "songs.csv")
    assert report.found == {"MABEL ROWE": 1, "Mabel Rowe": 20, "Neon Meridian": 7}


def test_what_is_missing_comes_with_near_spellings() -> None:
    report = select(COUNTS, ("Mable Row", "Old Ferry", "Qqqqq"), 1, "songs.csv")
    assert report.found == {"Old Ferry": 2}
    assert report.missing["Mable Row"][0] in {"Mabel Rowe", "MABEL ROWE"}
    assert report.missing["Qqqqq"] == ()


def test_artists_with_few_songs_are_left_out() -> None:
    assert set(select(COUNTS, (), 5, "songs.csv").found) == {"Mabel Rowe", "Neon Meridian"}
    report = select(COUNTS, ("old ferry", "neon meridian"), 5, "songs.csv")
    assert report.few == {"Old Ferry": 2}
    assert report.found == {"Neon Meridian": 7}


@pytest.mark.parametrize(
    ("wanted", "min_songs", "said"),
    [
        (("Neon Meridien",), 1, "did you mean 'Neon Meridian'"),
        (("Qqqqq",), 1, "all that there are, as 'Mabel Rowe'"),  # the ones with most songs
        (("Old Ferry",), 3, "'Old Ferry', with 2"),
        (("a1", "b1", "c1", "d1", "e1"), 1, "'a1', 'b1', 'c1' and 2 others"),
    ],
)
def test_nothing_left_is_said_with_a_remedy(
    wanted: tuple[str, ...], min_songs: int, said: str
) -> None:
    with pytest.raises(InputError, match=r"songs\.csv") as caught:
        select(COUNTS, wanted, min_songs, "songs.csv")
    assert said in str(caught.value)


def test_only_too_few_or_too_short_songs() -> None:
    with pytest.raises(InputError, match=r"lower data\.min_songs"):
        select({"A": 2, "B": 3}, (), 4, "songs.csv")
    with pytest.raises(InputError, match=r"lower data\.min_length"):
        select({"A": 0, "B": 3}, ("a",), 1, "songs.csv")


def test_songs_by_nobody_suffice_when_nobody_is_asked_for() -> None:
    assert select({"": 3}, (), 1, "songs.csv").found == {}
    with pytest.raises(InputError, match="no song there names its artist"):
        select({"": 3}, ("A",), 1, "songs.csv")
