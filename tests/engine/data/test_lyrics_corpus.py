"""The choice of artists; corpora of lyrics are tested in test_corpus."""

from collections.abc import Mapping

import pytest

from engine.config import DataConfig
from engine.data.lyrics_corpus import ArtistReport, select_artists
from engine.errors import InputError

COUNTS = {"Mabel Rowe": 21, "Neon Meridian": 7, "Old Ferry": 2, "": 5}


def select(counts: Mapping[str, int], artists: tuple[str, ...], min_songs: int) -> ArtistReport:
    config = DataConfig(artists=artists, min_songs=min_songs)
    return select_artists(counts, config, "songs.csv")


def test_all_artists_are_found_when_none_is_named() -> None:
    report = select(COUNTS, (), 1)
    assert report.found == {name: count for name, count in COUNTS.items() if name}
    assert not report.few
    assert not report.missing


def test_names_match_in_any_case_and_with_any_blanks() -> None:
    report = select(COUNTS, (" mabel  rowe ", "NEON MERIDIAN"), 1)
    assert report.found == {"Mabel Rowe": 21, "Neon Meridian": 7}


def test_missing_artists_come_with_close_names() -> None:
    report = select(COUNTS, ("Mable Row", "Old Ferry", "Qqqqq"), 1)
    assert report.found == {"Old Ferry": 2}
    assert report.missing["Mable Row"] == ("Mabel Rowe",)
    assert report.missing["Qqqqq"] == ()


def test_artists_with_few_songs_are_left_out() -> None:
    assert set(select(COUNTS, (), 5).found) == {"Mabel Rowe", "Neon Meridian"}
    report = select(COUNTS, ("old ferry", "neon meridian"), 5)
    assert report.few == {"Old Ferry": 2}
    assert report.found == {"Neon Meridian": 7}


@pytest.mark.parametrize(
    ("wanted", "min_songs", "message"),
    [
        (("Neon Meridien",), 1, "did you mean 'Neon Meridian'"),
        (
            ("Qqqqq",),
            1,
            "choose 'Mabel Rowe', 'Neon Meridian' or 'Old Ferry'; '--set data.artists='",
        ),
        (("Old Ferry",), 3, "3 songs or more (at most 2, by 'Old Ferry')"),
        (("a1", "b1", "c1", "d1", "e1"), 1, "'a1', 'b1', 'c1' and 2 others"),
    ],
)
def test_no_artist_left_is_an_error_with_a_remedy(
    wanted: tuple[str, ...], min_songs: int, message: str
) -> None:
    with pytest.raises(InputError, match=r"songs\.csv") as caught:
        select(COUNTS, wanted, min_songs)
    assert message in str(caught.value)


def test_only_too_few_or_too_short_songs() -> None:
    with pytest.raises(InputError, match=r"lower data\.min_songs"):
        select({"A": 2, "B": 3}, (), 4)
    with pytest.raises(InputError, match=r"lower data\.min_length"):
        select({"A": 0, "B": 3}, ("a",), 1)


def test_songs_without_an_artist_are_enough_if_none_is_named() -> None:
    assert select({"": 3}, (), 1).found == {}
    with pytest.raises(InputError, match="its songs name no artist"):
        select({"": 3}, ("A",), 1)
