"""The songs that come with the program."""

import csv
import string
from collections import Counter, defaultdict

import pytest

from engine import paths

# What an American keyboard types, without signs that no song needs.
CHARACTERS = set(string.ascii_letters + string.digits + "\n !\"'(),-.:;?")


@pytest.fixture(scope="module")
def songs() -> list[dict[str, str]]:
    with (paths.assets() / "corpora/originals.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lines(song: dict[str, str]) -> list[str]:
    return [line.strip() for line in song["text"].splitlines()]


def test_twelve_artists_have_twenty_songs_each(songs: list[dict[str, str]]) -> None:
    assert {tuple(song) for song in songs} == {("artist", "song", "link", "text")}
    assert list(Counter(song["artist"] for song in songs).values()) == [20] * 12
    titles = Counter((song["artist"], song["song"].casefold().strip()) for song in songs)
    assert max(titles.values()) == 1
    assert all(song["link"].startswith("/") for song in songs)


def test_they_are_songs(songs: list[dict[str, str]]) -> None:
    assert sum(len(song["text"]) for song in songs) > 250_000
    for song in songs:
        assert len(song["text"]) >= 400, song["song"]
        assert len([line for line in lines(song) if line]) >= 12, song["song"]
        assert "\n\n" in song["text"].strip(), song["song"]  # of several verses
        assert "\n\n\n" not in song["text"], song["song"]
        assert max(map(len, lines(song))) <= 90, song["song"]


def test_they_are_of_few_characters(songs: list[dict[str, str]]) -> None:
    assert set().union(*(song["text"] for song in songs)) <= CHARACTERS


def test_no_line_wanders_from_song_to_song(songs: list[dict[str, str]]) -> None:
    """A refrain is its own song's; what is longer than a turn of phrase is in two at the most."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for song in songs:
        for line in lines(song):
            owners[line.casefold()].add(f"{song['artist']}: {song['song']}")
    long = {line: found for line, found in owners.items() if len(line) > 30}
    assert {line: found for line, found in long.items() if len(found) > 2} == {}


def test_no_song_is_a_refrain_alone(songs: list[dict[str, str]]) -> None:
    for song in songs:
        sung = [line for line in lines(song) if line]
        assert len(set(sung)) / len(sung) >= 0.45, song["song"]
    words = {word for song in songs for word in song["text"].casefold().split()}
    assert len(words) >= 5_000
    of_artists: defaultdict[str, set[str]] = defaultdict(set)
    for song in songs:
        of_artists[song["artist"]] |= set(song["text"].casefold().split())
    assert min(map(len, of_artists.values())) >= 800
