"""Songs while they are received, and those of a session."""

import dataclasses
from typing import Any

import pytest

from engine.protocol import Character, Failed, LyricsDone, LyricsStarted, SampleLyrics
from tui.pages.lyrics.artist_field import matching
from tui.pages.lyrics.session import LyricsSession, SongView, most_probable
from tui.sources.restarting_process import ProcessEnded

SONG = SongView(5, SampleLyrics("first", "Why"), requested=100.0)


def characters(text: str, number: int = 5) -> tuple[Character, ...]:
    return tuple(Character(character, id=number) for character in text)


def done(number: int, count: int, seconds: float, **fields: Any) -> LyricsDone:
    return LyricsDone(reason="end", characters=count, seconds=seconds, seed=3, id=number, **fields)


def test_a_song_from_beginning_to_end() -> None:
    song = dataclasses.replace(SONG)
    assert song.status() == "○ waiting · 0 chars · temperature 0.7 · first"
    song.receive((LyricsStarted(3, "Why", id=5), *characters("ab")), now=102.0)
    assert song.text == "ab"
    song.receive(characters("c" * 1000), now=104.0)
    assert song.active
    assert song.status("2 of 2") == (
        "♪ writing · 1,002 chars · 501/s · seed 3 · song 2 of 2 · temperature 0.7 · first"
    )
    song.receive((*characters("!"), done(5, 1003, 2.0)), now=200.0)
    assert song.status().startswith("✓ the end · 1,003 chars · 502/s · seed 3")
    song.receive(characters("late"), now=201.0)
    assert song.whole == "Whyab" + "c" * 1000 + "!"


def test_an_error_ends_it() -> None:
    song = dataclasses.replace(SONG)
    song.receive((Failed("The seed is odd: give an even one.", id=5),), now=101.0)
    assert not song.active
    assert song.status() == "✗ The seed is odd: give an even one."


def test_a_lone_surrogate_can_be_saved() -> None:
    song = dataclasses.replace(SONG, text="a\ud800")
    assert song.whole.encode() == b"Whya?"


def test_artists_match_in_any_case_and_prefixes_come_first() -> None:
    names = ["The Moor", "moor end", "Other", "MOORLAND"]
    assert matching(names, " Moor") == ["moor end", "MOORLAND", "The Moor"]
    assert matching(names, "") == names
    assert matching(names, "zz") == []


ALONE = SampleLyrics("first", "Why")
THREE = SampleLyrics("first", "Why", count=3, bits=True)


def test_answers_go_to_the_songs_they_are_about() -> None:
    session = LyricsSession()
    first = session.begin(1, THREE, 0.0)
    assert session.receive((LyricsStarted(40, "Why", id=1),), 1.0) == session.items
    assert [song.seed for song in session.items] == [40, 41, 42]
    more = (Character("a", 1, 2.0, id=1), Character("b", 1, 1.0, id=1))
    assert session.receive(more, 2.0) == [session.items[1]]
    assert [song.text for song in session.items] == ["", "ab", ""]
    assert [song.bits for song in session.items] == [None, 1.5, None]
    assert session.receive((done(1, 2, 1.0, bits=1.25, song=1),), 3.0)
    assert (session.items[1].state, session.items[1].bits) == ("end", 1.25)
    assert session.active == [first, session.items[2]]
    assert session.receive((Character("c", 1, id=1),), 3.0) == []
    session.receive((Failed("It burst.", id=1),), 4.0)
    assert [song.error for song in session.items] == ["It burst.", "", "It burst."]


def test_answers_to_an_older_request_are_ignored_and_the_end_of_the_sampler_ends_all() -> None:
    session = LyricsSession()
    session.begin(1, THREE, 0.0)
    session.stop()
    assert [song.state for song in session.items] == ["stopped"] * 3
    song = session.begin(2, ALONE, 0.0)
    assert session.receive((Character("a", 0, id=1),), 1.0) == []
    assert session.receive((ProcessEnded("It burst."),), 1.0) == [song]
    assert song.state == "failed"


def test_positions_and_neighbors() -> None:
    session = LyricsSession()
    assert session.neighbor(None, -1) is None
    only = session.begin(1, ALONE, 0.0)
    assert session.position(only) == ""
    first = session.begin(2, THREE, 0.0, continued=True)
    assert session.together(only) == [only]
    assert session.together(first) == session.items[1:]
    assert all(song.continued for song in session.items[1:])
    assert session.position(first) == "2 of 4"
    assert session.neighbor(first, 1) is session.items[2]
    assert session.neighbor(first, -5) is only
    assert session.neighbor(None, -1) is session.items[3]
    assert session.neighbor(None, 1) is session.items[3]
    for number in range(LyricsSession.MAX_ITEMS):
        session.begin(3 + number, ALONE, 0.0)
    assert len(session.items) == LyricsSession.MAX_ITEMS
    assert session.items[0].id == 3


def ended(number: int, bits: float | None, text: str = "a", state: str = "end") -> SongView:
    return SongView(1, THREE, 0.0, number=number, state=state, text=text, bits=bits)


@pytest.mark.parametrize(
    ("songs", "best"),
    [
        ([ended(0, 2.0), ended(1, 1.5), ended(2, 3.0)], 1),
        ([ended(0, 2.0), ended(1, 2.0)], 0),
        ([ended(0, 2.0), ended(1, 0.0, text=""), ended(2, 1.0, state="stopped")], 2),
        ([ended(0, 2.0)], None),
        ([ended(0, 2.0), ended(1, 1.0, state="writing")], None),
        ([ended(0, None), ended(1, None)], None),
        ([], None),
    ],
)
def test_the_most_probable_song_has_the_fewest_bits_once_all_have_ended(
    songs: list[SongView], best: int | None
) -> None:
    found = most_probable(songs)
    assert (None if found is None else found.number) == best
