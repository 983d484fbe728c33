"""Where songs lie by their hidden state: the nearest to one, and all of them in the plane."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.analysis.song_embeddings import EmbeddedSongs, Vectors
from engine.errors import InputError
from engine.protocol import MapPoint, SimilarSong, SimilarSongs, SongMap
from engine.suggestions import closest, join_or, normalize

Floats = NDArray[np.float64]

MAX_NEIGHBORS = 1_000
_SHOWN = 5  # songs that a sentence names


def full_title(artist: str, name: str) -> str:
    """A song's name for people; music has no artist."""
    return f"{artist} – {name}" if artist else name


def find_song(songs: EmbeddedSongs, words: str) -> int:
    """The place in `songs.rows` of the song with this artist and title, title, or part of them.

    Raises InputError where none does, or several do.
    """
    titles = [songs.corpus.titles[row] for row in songs.rows]
    wanted = normalize(words.replace(" - ", " – "))
    whole = [normalize(full_title(artist, name)) for artist, name in titles]
    names = [normalize(name) for _, name in titles]
    for fits in (
        [place for place, name in enumerate(whole) if name == wanted],
        [place for place, name in enumerate(names) if name == wanted],
        [place for place, name in enumerate(whole) if wanted in name],
    ):
        if len(fits) == 1:
            return fits[0]
        if fits:
            listed = join_or(full_title(*titles[place]) for place in fits[:_SHOWN])
            more = f" ({len(fits) - _SHOWN} more match too)" if len(fits) > _SHOWN else ""
            raise InputError(f"{words!r} may be {listed}{more}: name one of them.")
    close = closest(words, [name for _, name in titles]) or closest(
        words, [full_title(*t) for t in titles]
    )
    hint = f"did you mean {join_or(close)}?" if close else "give a part of a title, or a file."
    raise InputError(f"There is no song {words!r} in {songs.corpus.name}: {hint}")


def similarities(vectors: Vectors, one: NDArray[Any]) -> Floats:
    """The cosines (S,) between vectors (S, H) and one (H,), the mean of the vectors taken off all.

    Without that all would be about 1: what every song shares is most of a hidden state.
    """
    middle = vectors.mean(0, dtype=np.float64)
    all_, own = vectors - middle, one - middle
    sizes = np.linalg.norm(all_, axis=1) * np.linalg.norm(own)
    cosines: Floats = all_ @ own / np.maximum(sizes, 1e-12)
    return cosines


def check_count(count: int) -> None:
    """Refuse to list no songs, or more than anyone reads."""
    if not 1 <= count <= MAX_NEIGHBORS:
        raise InputError(f"The count is {count}: give 1 to {MAX_NEIGHBORS:,} songs.")


def nearest_songs(
    songs: EmbeddedSongs, one: NDArray[Any], count: int, without: int = -1
) -> list[SimilarSong]:
    """The `count` songs most similar to a vector (H,), the nearest first, but for the `without`."""
    check_count(count)
    close = similarities(songs.vectors, one)
    order = [place for place in np.argsort(-close, kind="stable").tolist() if place != without]
    return [
        SimilarSong(place, artist, name, round(float(close[place]), 4))
        for place in order[:count]
        for artist, name in [songs.corpus.titles[songs.rows[place]]]
    ]


def principal_plane(vectors: NDArray[Any]) -> tuple[Floats, float]:
    """Coordinates (N, 2) of vectors (N, H) along their two principal components (Pearson 1901).

    Also the share of the variance that lies in that plane. Each axis points to where its largest
    coordinate is, so that the same vectors give the same picture.
    """
    centred = vectors.astype(np.float64) - vectors.mean(0, dtype=np.float64)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    points = np.zeros((len(vectors), 2))
    kept = min(2, len(sizes))
    points[:, :kept] = left[:, :kept] * sizes[:kept]
    farthest = points[np.abs(points).argmax(0), [0, 1]]  # (2,)
    points *= np.where(farthest < 0, -1, 1)
    total = float((sizes**2).sum())
    return points, float((sizes[:kept] ** 2).sum()) / total if total else 1.0


def by_artist(titles: Sequence[tuple[str, str]]) -> dict[str, list[int]]:
    """The places of each artist's songs, the artists in order of their names."""
    found: dict[str, list[int]] = {}
    for place, (artist, _) in enumerate(titles):
        found.setdefault(artist, []).append(place)
    return dict(sorted(found.items()))


def map_points(songs: EmbeddedSongs, artist: str | None) -> SongMap:
    """Where the artists lie in the plane, or one artist's songs.

    Where all songs are by one artist, or by nobody, it is these that are placed. Raises InputError
    for an artist of whom there are no songs.
    """
    titles = [songs.corpus.titles[row] for row in songs.rows]
    groups = by_artist(titles)
    if artist is None and len(groups) == 1:
        artist = next(iter(groups))
    if artist is not None and artist not in groups:
        raise InputError(f"There are no songs by {artist!r} here: name another artist.")
    if artist is None:
        found: list[tuple[str, int | None, int | None]]
        vectors = np.stack([songs.vectors[places].mean(0) for places in groups.values()])
        found = [(name, len(places), None) for name, places in groups.items()]
    else:
        vectors = songs.vectors[groups[artist]]
        found = [(titles[place][1], None, place) for place in groups[artist]]
    coordinates, share = principal_plane(vectors)
    points = (
        MapPoint(name, count, song, x=round(x, 6), y=round(y, 6))
        for (name, count, song), (x, y) in zip(found, coordinates.tolist(), strict=True)
    )
    return SongMap(tuple(points), artist, round(share, 4))


def neighbors(songs: EmbeddedSongs, song: int, count: int) -> SimilarSongs:
    """The songs nearest to one of them, by its place in `songs.rows`; raises InputError."""
    if not 0 <= song < len(songs.rows):
        raise InputError(f"There is no song number {song}: give 0 to {len(songs.rows) - 1}.")
    return SimilarSongs(tuple(nearest_songs(songs, songs.vectors[song], count, song)), song)
