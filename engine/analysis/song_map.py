"""Compare songs by their vectors: list the songs most similar to one, and map all in a plane.

S: songs; H: hidden units, the size of a vector (see `engine.analysis.song_embeddings`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.analysis.song_embeddings import EmbeddedSongs, Vectors
from engine.errors import InputError
from engine.protocol import MapPoint, SimilarSong, SimilarSongs, SongMap
from engine.suggestions import closest, join_or, normalize

Floats = NDArray[np.float64]

MAX_COUNT = 1_000  # similar songs that can be listed
_SHOWN = 5  # songs that an error names


def full_title(artist: str, title: str) -> str:
    """Return "artist – title", or the title if there is no artist, as in music."""
    return f"{artist} – {title}" if artist else title


def find_song(songs: EmbeddedSongs, text: str) -> int:
    """Return the number of the song that a text names: its index in `songs.rows`.

    text: "artist – title", the title, or a part of either. Of songs with the same artist and title
    the first is returned. Raises InputError if it names no song, or several.
    """
    titles = [songs.corpus.titles[row] for row in songs.rows]
    full = [full_title(*pair) for pair in titles]
    wanted = normalize(text.replace(" - ", " – "))
    full_names = [normalize(name) for name in full]
    names = [normalize(title) for _, title in titles]
    for matches in (
        [number for number, name in enumerate(full_names) if name == wanted],
        [number for number, name in enumerate(names) if name == wanted],
        [number for number, name in enumerate(full_names) if wanted in name],
    ):
        named = list(dict.fromkeys(full[number] for number in matches))
        if len(named) == 1:
            return matches[0]
        if named:
            listed = join_or(named[:_SHOWN])
            more = f" (and {len(named) - _SHOWN} more)" if len(named) > _SHOWN else ""
            raise InputError(f"{text!r} may mean {listed}{more}: name one of these songs.")
    close = closest(text, [title for _, title in titles]) or closest(text, full)
    hint = f"did you mean {join_or(close)}?" if close else "name a part of a title, or a file."
    raise InputError(f"There is no song {text!r} in {songs.corpus.name}: {hint}")


def similarities(vectors: Vectors, vector: NDArray[Any]) -> Floats:
    """Return the cosine similarity of each of the vectors (S, H) with one vector (H,), (S,).

    The mean of the vectors is subtracted first. Otherwise all cosines would be about 1, because
    most of a hidden state is common to all songs.
    """
    mean = vectors.mean(0, dtype=np.float64)
    centered, one = vectors - mean, vector - mean
    norms = np.linalg.norm(centered, axis=1) * np.linalg.norm(one)
    cosines: Floats = centered @ one / np.maximum(norms, 1e-12)
    return cosines


def check_count(count: int) -> None:
    """Raise InputError if a number of similar songs to list is out of range."""
    if not 1 <= count <= MAX_COUNT:
        raise InputError(f"The count must be 1 to {MAX_COUNT:,} songs, not {count}.")


def nearest_songs(
    songs: EmbeddedSongs, vector: NDArray[Any], count: int, without: int = -1
) -> list[SimilarSong]:
    """Return the `count` songs most similar to a vector (H,), except song number `without`."""
    check_count(count)
    cosines = similarities(songs.vectors, vector)
    order = [number for number in np.argsort(-cosines, kind="stable").tolist() if number != without]
    return [
        SimilarSong(number, artist, title, round(float(cosines[number]), 4))
        for number in order[:count]
        for artist, title in [songs.corpus.titles[songs.rows[number]]]
    ]


def similar_songs(songs: EmbeddedSongs, song: int, count: int) -> SimilarSongs:
    """Return the `count` songs most similar to song number `song`.

    Raises InputError if either number is out of range.
    """
    if not 0 <= song < len(songs.rows):
        last = len(songs.rows) - 1
        raise InputError(f"There is no song number {song}: the numbers are 0 to {last}.")
    return SimilarSongs(tuple(nearest_songs(songs, songs.vectors[song], count, song)), song)


def principal_plane(vectors: NDArray[Any]) -> tuple[Floats, float]:
    """Return coordinates (N, 2) of vectors (N, H) on their two principal axes (Pearson 1901).

    Also returns the share of the variance that lies in that plane, from 0 to 1. The sign of each
    axis is chosen so that the largest coordinate is positive, hence the same vectors always have
    the same picture.
    """
    centered = vectors.astype(np.float64) - vectors.mean(0, dtype=np.float64)
    left, sizes, _ = np.linalg.svd(centered, full_matrices=False)
    points = np.zeros((len(vectors), 2))
    axes = min(2, len(sizes))
    points[:, :axes] = left[:, :axes] * sizes[:axes]
    largest = points[np.abs(points).argmax(0), [0, 1]]  # (2,)
    points *= np.where(largest < 0, -1, 1)
    total = float((sizes**2).sum())
    return points, float((sizes[:axes] ** 2).sum()) / total if total else 1.0


def group_by_artist(titles: Sequence[tuple[str, str]]) -> dict[str, list[int]]:
    """Return the numbers of each artist's songs, the artists sorted by name."""
    groups: dict[str, list[int]] = {}
    for number, (artist, _) in enumerate(titles):
        groups.setdefault(artist, []).append(number)
    return dict(sorted(groups.items()))


def map_points(songs: EmbeddedSongs, artist: str | None) -> SongMap:
    """Return a map of all artists (None), or of one artist's songs.

    The vector of an artist is the mean of the songs' vectors. If all songs are by one artist, or
    have no artist, None maps the songs too. Raises InputError for an artist without songs.
    """
    titles = [songs.corpus.titles[row] for row in songs.rows]
    groups = group_by_artist(titles)
    if artist is None and len(groups) == 1:
        artist = next(iter(groups))
    if artist is not None and artist not in groups:
        raise InputError(f"There are no songs by {artist!r}: name another artist.")
    names: list[tuple[str, int | None, int | None]]  # (artist, songs, None), (title, None, number)
    if artist is None:
        vectors = np.stack([songs.vectors[numbers].mean(0) for numbers in groups.values()])
        names = [(name, len(numbers), None) for name, numbers in groups.items()]
    else:
        vectors = songs.vectors[groups[artist]]
        names = [(titles[number][1], None, number) for number in groups[artist]]
    coordinates, share = principal_plane(vectors)
    points = (
        MapPoint(name, count, song, x=round(x, 6), y=round(y, 6))
        for (name, count, song), (x, y) in zip(names, coordinates.tolist(), strict=True)
    )
    return SongMap(tuple(points), artist, round(share, 4))
