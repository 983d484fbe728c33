"""The included songs."""

import csv
import hashlib
import json
import string
from collections import Counter, defaultdict

import pytest

from engine import paths

# Characters of an American keyboard that songs need.
CHARACTERS = set(string.ascii_letters + string.digits + "\n !\"'(),-.:;?")


@pytest.fixture(scope="module")
def songs() -> list[dict[str, str]]:
    with (paths.assets() / "corpora/originals.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lines(song: dict[str, str]) -> list[str]:
    return [line.strip() for line in song["text"].splitlines()]


def test_twelve_artists_have_at_least_sixty_songs_each(songs: list[dict[str, str]]) -> None:
    assert {tuple(song) for song in songs} == {("artist", "song", "link", "text", "split")}
    counts = Counter(song["artist"] for song in songs).values()
    assert len(counts) == 12
    assert min(counts) >= 60
    titles = Counter((song["artist"], song["song"].casefold().strip()) for song in songs)
    assert max(titles.values()) == 1
    assert all(song["link"].startswith("/") for song in songs)


def test_the_held_out_songs_are_always_the_same(songs: list[dict[str, str]]) -> None:
    """Scores of models that were trained on more or fewer songs can be compared."""
    held_out = sorted(
        (song["split"], f"{song['artist']}: {song['song']}")
        for song in songs
        if song["split"] != "train"
    )
    assert Counter(split for split, _ in held_out) == {"valid": 12, "test": 12}
    digest = hashlib.sha256(json.dumps(held_out).encode()).hexdigest()
    assert digest.startswith("400cbedb42838aa4")


def test_every_text_is_a_song(songs: list[dict[str, str]]) -> None:
    assert sum(len(song["text"]) for song in songs) > 250_000
    for song in songs:
        assert len(song["text"]) >= 400, song["song"]
        assert len([line for line in lines(song) if line]) >= 12, song["song"]
        assert "\n\n" in song["text"].strip(), song["song"]  # of several verses
        assert "\n\n\n" not in song["text"], song["song"]
        assert max(map(len, lines(song))) <= 90, song["song"]


def test_all_characters_are_on_a_keyboard(songs: list[dict[str, str]]) -> None:
    assert set().union(*(song["text"] for song in songs)) <= CHARACTERS


def test_no_long_line_is_in_more_than_two_songs(songs: list[dict[str, str]]) -> None:
    """A refrain belongs to one song; a line longer than a phrase is in two songs at most."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for song in songs:
        for line in lines(song):
            owners[line.casefold()].add(f"{song['artist']}: {song['song']}")
    long = {line: found for line, found in owners.items() if len(line) > 30}
    assert {line: found for line, found in long.items() if len(found) > 2} == {}


def test_songs_and_artists_have_a_large_vocabulary(songs: list[dict[str, str]]) -> None:
    for song in songs:
        filled = [line for line in lines(song) if line]
        assert len(set(filled)) / len(filled) >= 0.4, song["song"]
    words = {word for song in songs for word in song["text"].casefold().split()}
    assert len(words) >= 5_000
    by_artist: defaultdict[str, set[str]] = defaultdict(set)
    for song in songs:
        by_artist[song["artist"]] |= set(song["text"].casefold().split())
    assert min(map(len, by_artist.values())) >= 800
