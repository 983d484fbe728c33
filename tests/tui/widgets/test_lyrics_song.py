"""A song as it comes in."""

import dataclasses

from tui.sources.answers import Done, Heard, Letter
from tui.sources.sampler import Request
from tui.widgets.lyrics_artist import matching
from tui.widgets.lyrics_song import Song

SONG = Song(5, Request("first", "Why"), asked=100.0, score="2.01 bits/char")


def letters(text: str) -> tuple[Letter, ...]:
    return tuple(map(Letter, text))


def test_a_song_from_beginning_to_end() -> None:
    song = dataclasses.replace(SONG)
    assert song.status() == "○ waiting · 0 chars · first · 2.01 bits/char"
    assert song.hear(Heard(5, letters("ab"), seed=3), now=102.0) == "ab"
    assert song.hear(Heard(5, letters("c" * 1000)), now=104.0) == "c" * 1000
    assert song.under_way
    assert song.status("song 2 of 2") == (
        "♪ singing · 1,002 chars · 501/s · seed 3 · song 2 of 2 · first · 2.01 bits/char"
    )
    assert song.hear(Heard(5, letters("!"), done=Done("end", 1003, 2.0)), now=200.0) == "!"
    assert song.status().startswith("✓ the end · 1,003 chars · 502/s · seed 3")
    assert song.hear(Heard(5, letters("late")), now=201.0) == ""
    assert song.whole == "Whyab" + "c" * 1000 + "!"


def test_an_error_ends_it() -> None:
    song = dataclasses.replace(SONG, score="")
    song.hear(Heard(5, error="The seed is odd: give an even one."), now=101.0)
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
