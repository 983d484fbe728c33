"""What the sampler's process tells beside songs: the ladder's rungs, and where songs lie."""

from typing import Any, NamedTuple


class Doing(NamedTuple):
    """What it is busy with."""

    words: str


class Rung(NamedTuple):
    """A rung of the ladder."""

    place: int  # from 0
    name: str
    bits: float | None  # per character on songs it never saw; None where that is not known


class Written(NamedTuple):
    """Characters that a rung has written."""

    place: int
    text: str


class Reading(NamedTuple):
    """How far the songs are read."""

    read: int
    songs: int


class Point(NamedTuple):
    """An artist or a song in the plane."""

    name: str
    x: float
    y: float
    songs: int = 0  # of an artist
    song: int | None = None  # the number of a song


class Placed(NamedTuple):
    """Where the artists lie, or an artist's songs."""

    points: tuple[Point, ...]
    artist: str | None  # whose songs; None: the points are artists
    share: float  # of the variance, that lies in the plane


class Neighbour(NamedTuple):
    """A song like another."""

    artist: str
    title: str
    similarity: float  # -1 to 1


class Near(NamedTuple):
    """The songs nearest to one."""

    song: int
    songs: tuple[Neighbour, ...]


Part = Doing | Rung | Written | Reading | Placed | Near


def part(answer: dict[str, Any]) -> Part | None:
    """What an answer tells; None where it tells of a song. Raises ValueError and the like."""
    if "rung" in answer:
        if "text" in answer:
            return Written(int(answer["rung"]), str(answer["text"]))
        bits = answer["bits"]
        return Rung(int(answer["rung"]), str(answer["name"]), None if bits is None else float(bits))
    if "doing" in answer:
        return Doing(str(answer["doing"]))
    if "read" in answer:
        return Reading(int(answer["read"]), int(answer["songs"]))
    if "map" in answer:
        points = (
            Point(
                str(point["name"]),
                float(point["x"]),
                float(point["y"]),
                int(point.get("songs", 0)),
                point.get("song"),
            )
            for point in answer["map"]
        )
        return Placed(tuple(points), answer["artist"], float(answer["share"]))
    if "near" in answer:
        songs = (
            Neighbour(str(row["artist"]), str(row["title"]), float(row["similarity"]))
            for row in answer["near"]
        )
        return Near(int(answer["song"]), tuple(songs))
    return None
