"""One pass over the songs of a source: their texts to a file, a small row of each in memory.

What follows, as choosing songs and learning the characters, needs only the rows and that file.
"""

import hashlib
import itertools
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from engine.config import DataConfig
from engine.data import splits
from engine.data.codecs import CharacterCodec, code_points
from engine.data.lyrics_files import LyricsSong
from engine.errors import InputError
from engine.suggestions import closest, join_or, normalize


@dataclass(frozen=True)
class ArtistReport:
    """What became of the artists that were asked for."""

    found: dict[str, int]  # the artists used, by name, and how many songs each has
    few: dict[str, int]  # asked for by name, but with fewer songs than wanted
    missing: dict[str, tuple[str, ...]]  # asked for, not there: up to three near spellings


def select(
    counts: Mapping[str, int], wanted: Sequence[str], min_songs: int, where: str
) -> ArtistReport:
    """Choose the artists that are wanted (all when none is named) and have `min_songs` songs.

    `counts` gives the songs of each artist; songs under the name "" are nobody's, and stay unless
    artists are named. Raises InputError where nothing is left, naming `where`.
    """
    spellings: dict[str, list[str]] = {}  # "ABBA" and "Abba" are both found by "abba"
    for name in sorted(counts):
        spellings.setdefault(normalize(name), []).append(name)
    missing = {
        name: tuple(closest(name, filter(None, counts)))
        for name in wanted
        if normalize(name) not in spellings
    }
    matched = sorted(name for key in map(normalize, wanted) for name in spellings.get(key, ()))
    candidates = dict.fromkeys(matched if wanted else sorted(filter(None, counts)))
    enough = max(1, min_songs)
    found = {name: counts[name] for name in candidates if counts[name] >= enough}
    few = {name: counts[name] for name in matched if counts[name] < enough}
    if not found and (wanted or not counts.get("")):
        raise _nothing_left(counts, list(candidates), missing, enough, where)
    return ArtistReport(found, few, missing)


def _nothing_left(
    counts: Mapping[str, int],
    candidates: list[str],
    missing: Mapping[str, tuple[str, ...]],
    enough: int,
    where: str,
) -> InputError:
    if candidates:
        most = max(candidates, key=lambda name: counts[name])
        if not counts[most]:
            return InputError(
                f"The songs by {most!r} in {where} are all too short: lower data.min_length."
            )
        return InputError(
            f"No artist chosen from {where} has {enough} songs or more (the most has {most!r}, "
            f"with {counts[most]}): lower data.min_songs or choose others."
        )
    close = list(dict.fromkeys(name for names in missing.values() for name in names))[:3]
    there = sorted(filter(None, counts), key=lambda name: -counts[name])[:3]
    asked = ", ".join(repr(name) for name in list(missing)[:3])
    more = f" and {len(missing) - 3} others" if len(missing) > 3 else ""
    if close:
        remedy = f"did you mean {join_or(close)}?"
    elif there:  # a preset's artists, perhaps, and another file's songs
        remedy = f"'--set data.artists=' takes all that there are, as {join_or(there)}."
    else:
        remedy = "no song there names its artist, and '--set data.artists=' takes them all."
    return InputError(f"{where} has no songs by {asked}{more}: {remedy}")


# A song's split key and the digest of its text; where the text (UTF-8) lies in the file and the
# title in `titles`, in bytes; its artist's place in `artists`; its length in characters.
ROW = np.dtype(
    [
        ("key", "<u8"),
        ("digest", "<u8"),
        ("text", "<i8"),
        ("title", "<i8"),
        ("text_size", "<i4"),
        ("title_size", "<i4"),
        ("artist", "<i4"),
        ("length", "<i4"),
    ]
)
_PACK = struct.Struct("<QQqqiiii").pack
_REPORT_EVERY = 256  # songs
LOOKED_UP = 4096  # songs whose rows become Python's ints, which take more room, at a time
COUNTED = 8  # songs whose characters are counted in one call, which saves half of the time


@dataclass(frozen=True, eq=False)
class Spool:
    """The songs of a source that are long enough."""

    file: IO[bytes]
    rows: npt.NDArray[Any]  # (S,) of ROW, in the source's order
    artists: list[str]  # all that were seen, also with short songs only
    titles: bytearray
    short: int  # how many songs were left out for being too short

    def title(self, row: npt.NDArray[Any]) -> str:
        """The title of one row."""
        start = int(row["title"])
        return self.titles[start : start + int(row["title_size"])].decode()

    def texts(self, rows: npt.NDArray[Any], order: npt.NDArray[np.intp]) -> Iterator[str]:
        """The texts of the rows in an order; as they lie in the file is by far the fastest."""
        for first in range(0, len(order), LOOKED_UP):
            some = rows[order[first : first + LOOKED_UP]]
            for start, size in zip(some["text"].tolist(), some["text_size"].tolist(), strict=True):
                self.file.seek(start)
                yield self.file.read(size).decode()


def fill(
    file: IO[bytes],
    songs: Iterable[LyricsSong],
    seed: int,
    min_length: int,
    progress: Callable[[int], None],
) -> Spool:
    """Write the songs of at least `min_length` characters to `file`.

    `seed` goes into the keys. `progress` is told the bytes written, now and then.
    """
    names: dict[str, int] = {}
    packed, titles = bytearray(), bytearray()
    short = written = 0
    for number, song in enumerate(songs):
        artist = names.setdefault(song.artist, len(names))
        if len(song.text) < min_length:
            short += 1
            continue
        text, title = song.text.encode(), song.title.encode()
        digest = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
        packed += _PACK(
            splits.split_key(song.text, seed),
            digest,
            written,
            len(titles),
            len(text),
            len(title),
            artist,
            len(song.text),
        )
        file.write(text)
        titles += title
        written += len(text)
        if number % _REPORT_EVERY == 0:
            progress(written)
    return Spool(file, np.frombuffer(packed, ROW), list(names), titles, short)


@dataclass(frozen=True, eq=False)
class Choice:
    """The songs to use."""

    rows: npt.NDArray[Any]  # (S,) of ROW, sorted by key and artist
    artists: ArtistReport
    duplicates: int  # songs left out because the same artist has another with the same key
    filtered: int  # songs left out because of their artist


def choose(spool: Spool, config: DataConfig, where: str) -> Choice:
    """Choose the songs; which text of an artist's equal ones stays does not depend on their order.

    Raises InputError, naming `where`, when nothing is left.
    """
    if not len(spool.rows):
        raise InputError(
            f"All songs of {where}, {spool.short} of them, have fewer than {config.min_length} "
            "characters: lower data.min_length."
            if spool.short
            else f"{where} holds no songs: give one with an artist and a text in each row."
        )
    rank = np.empty(len(spool.artists), np.int64)
    rank[sorted(range(len(rank)), key=spool.artists.__getitem__)] = np.arange(len(rank))
    keys, ranks = spool.rows["key"], rank[spool.rows["artist"]]
    by = np.lexsort((spool.rows["digest"], ranks, keys))
    same = (keys[by[1:]] == keys[by[:-1]]) & (ranks[by[1:]] == ranks[by[:-1]])
    by = by[np.concatenate([[True], ~same])]
    singers = spool.rows["artist"][by]
    counts = np.bincount(singers, minlength=len(rank)).tolist()
    report = select(
        dict(zip(spool.artists, counts, strict=True)), config.artists, config.min_songs, where
    )
    # Songs by nobody stay unless artists are named.
    used = [name in report.found or (not name and not config.artists) for name in spool.artists]
    chosen = by[np.array(used)[singers]]
    return Choice(spool.rows[chosen], report, len(keys) - len(by), len(by) - len(chosen))


def learn(texts: Iterable[str], rare: int) -> CharacterCodec:
    """The codec of the characters that occur at least `rare` times in the texts."""
    counts = np.zeros(0x110000, np.int64)
    rest = iter(texts)
    while some := "".join(itertools.islice(rest, COUNTED)):
        count = np.bincount(code_points(some))
        counts[: len(count)] += count
    return CharacterCodec.from_counts(counts, rare)
