"""A song as it comes in."""

import dataclasses
from typing import Any

import pytest

from engine.protocol import Character, Failed, LyricsDone, LyricsStarted, SampleLyrics
from tui.pages.lyrics.artist_field import matching
from tui.pages.lyrics.session import MAX_SONGS, Session, SongView, most_probable
from tui.sources.process import ProcessEnded

SONG = SongView(5, SampleLyrics("first", "Why"), asked=100.0, score="2.01 bits/char")


def characters(text: str, number: int = 5) -> tuple[Character, ...]:
    return tuple(Character(character, id=number) for character in text)


def done(number: int, count: int, seconds: float, **fields: Any) -> LyricsDone:
    return LyricsDone(reason="end", characters=count, seconds=seconds, seed=3, id=number, **fields)


def test_a_song_from_beginning_to_end() -> None:
    song = dataclasses.replace(SONG)
    assert song.status() == "○ waiting · 0 chars · first · 2.01 bits/char"
    assert song.receive((LyricsStarted(3, "Why", id=5), *characters("ab")), now=102.0) == "ab"
    assert song.receive(characters("c" * 1000), now=104.0) == "c" * 1000
    assert song.under_way
    assert song.status("song 2 of 2") == (
        "♪ singing · 1,002 chars · 501/s · seed 3 · song 2 of 2 · first · 2.01 bits/char"
    )
    assert song.receive((*characters("!"), done(5, 1003, 2.0)), now=200.0) == "!"
    assert song.status().startswith("✓ the end · 1,003 chars · 502/s · seed 3")
    assert song.receive(characters("late"), now=201.0) == ""
    assert song.whole == "Whyab" + "c" * 1000 + "!"


def test_an_error_ends_it() -> None:
    song = dataclasses.replace(SONG, score="")
    song.receive((Failed("The seed is odd: give an even one.", id=5),), now=101.0)
    assert not song.under_way
    assert song.status() == "✗ The seed is odd: give an even one."


def test_a_lone_surrogate_can_be_saved() -> None:
    song = dataclasses.replace(SONG, text="a\ud800")
    assert song.whole.encode() == b"Whya?"


def test_artists_match_whatever_the_case_and_first_where_the_name_begins() -> None:
    names = ["The Moor", "moor end", "Other", "MOORLAND"]
    assert matching(names, " Moor") == ["moor end", "MOORLAND", "The Moor"]
    assert matching(names, "") == names
    assert matching(names, "zz") == []


ALONE = SampleLyrics("first", "Why")
THREE = SampleLyrics("first", "Why", count=3, bits=True)


def test_answers_go_to_the_songs_they_are_about() -> None:
    visit = Session()
    first = visit.begin(1, THREE, 0.0, "")
    assert visit.receive((LyricsStarted(40, "Why", id=1),), 1.0) == [
        (song, "") for song in visit.songs
    ]
    assert [song.seed for song in visit.songs] == [40, 41, 42]
    more = (Character("a", 1, 2.0, id=1), Character("b", 1, 1.0, id=1))
    assert visit.receive(more, 2.0) == [(visit.songs[1], "ab")]
    assert [song.text for song in visit.songs] == ["", "ab", ""]
    assert [song.bits for song in visit.songs] == [None, 1.5, None]
    assert visit.receive((done(1, 2, 1.0, bits=1.25, song=1),), 3.0)
    assert (visit.songs[1].state, visit.songs[1].bits) == ("end", 1.25)
    assert visit.under_way == [first, visit.songs[2]]
    assert visit.receive((Character("c", 1, id=1),), 3.0) == []
    visit.receive((Failed("It burst.", id=1),), 4.0)
    assert [song.error for song in visit.songs] == ["It burst.", "", "It burst."]


def test_what_answers_an_older_request_is_about_none_and_a_death_about_all() -> None:
    visit = Session()
    visit.begin(1, THREE, 0.0, "")
    visit.stop()
    assert [song.state for song in visit.songs] == ["stopped"] * 3
    song = visit.begin(2, ALONE, 0.0, "")
    assert visit.receive((Character("a", 0, id=1),), 1.0) == []
    assert visit.receive((ProcessEnded("It burst."),), 1.0) == [(song, "")]
    assert song.state == "failed"


def test_places_and_neighbours() -> None:
    visit = Session()
    assert visit.beside(None, -1) is None
    only = visit.begin(1, ALONE, 0.0, "")
    assert visit.place(only) == ""
    first = visit.begin(2, THREE, 0.0, "", continued=True)
    assert visit.together(only) == [only]
    assert visit.together(first) == visit.songs[1:]
    assert all(song.continued for song in visit.songs[1:])
    assert visit.place(first) == "song 2 of 4"
    assert visit.beside(first, 1) is visit.songs[2]
    assert visit.beside(first, -5) is only
    assert visit.beside(None, -1) is visit.songs[3]
    assert visit.beside(None, 1) is visit.songs[3]
    for number in range(MAX_SONGS):
        visit.begin(3 + number, ALONE, 0.0, "")
    assert len(visit.songs) == MAX_SONGS
    assert visit.songs[0].id == 3


def ended(number: int, bits: float | None, text: str = "a", state: str = "end") -> SongView:
    return SongView(1, THREE, 0.0, number=number, state=state, text=text, bits=bits)


@pytest.mark.parametrize(
    ("songs", "best"),
    [
        ([ended(0, 2.0), ended(1, 1.5), ended(2, 3.0)], 1),
        ([ended(0, 2.0), ended(1, 2.0)], 0),
        ([ended(0, 2.0), ended(1, 0.0, text=""), ended(2, 1.0, state="stopped")], 2),
        ([ended(0, 2.0)], None),
        ([ended(0, 2.0), ended(1, 1.0, state="singing")], None),
        ([ended(0, None), ended(1, None)], None),
        ([], None),
    ],
)
def test_the_likeliest_has_the_fewest_bits_once_all_have_ended(
    songs: list[SongView], best: int | None
) -> None:
    found = most_probable(songs)
    assert (None if found is None else found.number) == best
