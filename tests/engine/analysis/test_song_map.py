"""Finding songs, those most similar to one, and the map."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analysis import song_embeddings, song_map
from engine.analysis.song_embeddings import EmbeddedSongs
from engine.errors import InputError
from engine.inference import models

Write = Callable[..., Path]


@pytest.fixture
def songs(write_trained: Write) -> EmbeddedSongs:
    return song_embeddings.embed_songs(models.load(str(write_trained())))


def test_a_song_is_found_by_its_title(songs: EmbeddedSongs) -> None:
    titles = songs.corpus.titles
    number = next(number for number, row in enumerate(songs.rows) if titles[row][1] == "Song 3")
    for words in ("Song 3", "song  3", "Zed – Song 3", "zed - SONG 3"):
        assert song_map.find_song(songs, words) == number  # not Song 30 or 31
    (eleven,) = (number for number, row in enumerate(songs.rows) if titles[row][1] == "Song 11")
    assert song_map.find_song(songs, "ng 11") == eleven
    with pytest.raises(InputError, match=r"may mean .* or .* \(and \d+ more\): name one of"):
        song_map.find_song(songs, "Song")
    with pytest.raises(InputError, match=r"no song 'Sonk 7' in songs: did you mean .*Song 7"):
        song_map.find_song(songs, "Sonk 7")
    with pytest.raises(InputError, match="no song '§§§' in songs: name a part"):
        song_map.find_song(songs, "§§§")


def test_the_first_of_songs_with_one_name_is_found(songs: EmbeddedSongs) -> None:
    titles = songs.corpus.titles
    for row in songs.rows[[5, 3, 9]]:
        titles[row] = ("Zed", "Untitled")
    assert song_map.find_song(songs, "Zed - Untitled") == 3
    assert song_map.find_song(songs, "untitled") == 3
    titles[songs.rows[4]] = ("Ada", "Untitled")
    with pytest.raises(InputError, match="may mean 'Zed – Untitled' or 'Ada – Untitled': name"):
        song_map.find_song(songs, "untitled")


def test_the_most_similar_have_the_largest_cosines(songs: EmbeddedSongs) -> None:
    vectors = songs.vectors.astype(np.float64)
    centered = vectors - vectors.mean(0)
    expected = [
        float(centered[4] @ other / np.linalg.norm(centered[4]) / np.linalg.norm(other))
        for other in centered
    ]
    found = song_map.similar_songs(songs, 4, 6)
    order = [number for number in np.argsort(-np.array(expected)) if number != 4][:6]
    assert [row.song for row in found.songs] == order
    for row in found.songs:
        assert row.similarity == pytest.approx(expected[row.song], abs=1e-3)
        assert (row.artist, row.title) == songs.corpus.titles[songs.rows[row.song]]
    assert song_map.nearest_songs(songs, songs.vectors[4], 1)[0].song == 4  # unless it is excluded


def test_invalid_numbers_and_artists_are_refused(songs: EmbeddedSongs) -> None:
    for count in (0, -1, 10_000):
        with pytest.raises(InputError, match=f"not {count}"):
            song_map.similar_songs(songs, 0, count)
    for song in (-1, len(songs.rows)):
        with pytest.raises(InputError, match=f"no song number {song}"):
            song_map.similar_songs(songs, song, 3)
    with pytest.raises(InputError, match="no songs by 'Another'"):
        song_map.map_points(songs, "Another")


def test_an_artists_point_is_the_mean_of_the_songs(songs: EmbeddedSongs) -> None:
    artists = song_map.map_points(songs, None)
    assert [point.name for point in artists.points] == ["Ada Löwe", "Zed"]
    assert (artists.artist, artists.share) == (None, 1.0)  # two points lie on a line
    names = [songs.corpus.titles[row][0] for row in songs.rows]
    means = [songs.vectors[[n == name for n in names]].mean(0) for name in ("Ada Löwe", "Zed")]
    one, two = (np.array([point.x, point.y]) for point in artists.points)
    assert np.linalg.norm(one - two) == pytest.approx(
        float(np.linalg.norm(means[0] - means[1])), abs=1e-4
    )
    assert sum(point.songs or 0 for point in artists.points) == len(songs.rows)


def test_the_songs_of_an_artist_are_mapped(songs: EmbeddedSongs) -> None:
    found = song_map.map_points(songs, "Zed")
    assert found.artist == "Zed"
    for point in found.points:
        assert songs.corpus.titles[songs.rows[point.song or 0]] == ("Zed", point.name)
    assert 0 < found.share < 1


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 12), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_vectors_in_a_plane_keep_their_distances(count: int, size: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    vectors = chance.normal(size=(count, 2)) @ chance.normal(size=(2, size)) + 5
    points, share = song_map.principal_plane(vectors)
    assert points.shape == (count, 2)
    assert share == pytest.approx(1)
    between = np.linalg.norm(vectors[:, None] - vectors, axis=2)
    np.testing.assert_allclose(np.linalg.norm(points[:, None] - points, axis=2), between, atol=1e-7)
    turned, _ = song_map.principal_plane(-vectors[:, ::-1])
    np.testing.assert_allclose(np.abs(turned), np.abs(points), atol=1e-7)


def test_the_plane_has_the_largest_variance() -> None:
    chance = np.random.default_rng(2)
    vectors = chance.normal(size=(200, 6)) * [1, 9, 1, 1, 4, 1]
    points, share = song_map.principal_plane(vectors)
    assert np.abs(np.corrcoef(points[:, 0], vectors[:, 1])[0, 1]) > 0.99
    assert np.abs(np.corrcoef(points[:, 1], vectors[:, 4])[0, 1]) > 0.95
    centered = vectors - vectors.mean(0)
    values = np.linalg.eigvalsh(centered.T @ centered)
    assert share == pytest.approx(values[-2:].sum() / values.sum())
