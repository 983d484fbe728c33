"""Preparation of lyrics corpora: select the songs, collect the characters, write the frames.

One pass over the source writes the texts to a scratch file and keeps a row of 49 bytes per song in
memory (`ROW_DTYPE`). The later steps read the rows and the scratch file only, so the memory needed
does not depend on the length of the texts. S is the number of songs.
"""

import dataclasses
import itertools
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from engine.config import DataConfig
from engine.data.codecs import END, CharacterCodec, code_points
from engine.data.corpus_format import (
    MAX_NAMES,
    SONG_DTYPE,
    LeftOutSongs,
    PreparedSongs,
    Progress,
    write_frames_header,
)
from engine.data.lyrics_files import LyricsSong, list_files, read_songs
from engine.data.splits import ANY, TRAIN, choose_splits, digest, split_key
from engine.errors import InputError, printable
from engine.suggestions import closest, join_or, normalize

ROW_DTYPE = np.dtype(
    [
        ("key", "<u8"),  # the split key, see engine.data.splits
        ("digest", "<u8"),  # a hash of the text
        ("text", "<i8"),  # offset of the text in the scratch file
        ("title", "<i8"),  # offset of the title in `StoredTexts.titles`
        ("text_size", "<i4"),  # bytes of UTF-8
        ("title_size", "<i4"),  # bytes of UTF-8
        ("artist", "<i4"),  # an index into `StoredTexts.artists`
        ("length", "<i4"),  # characters of the text
        ("split", "u1"),  # an index into SPLITS, or ANY
    ]
)
_PACK = struct.Struct("<QQqqiiiiB").pack
_REPORT_EVERY = 256  # songs between two calls of `progress`
LOOKUP_ROWS = 4096  # rows converted at a time to Python integers, which take more memory
COUNT_SONGS = 8  # songs whose characters are counted in one call, in half the time


def write_frames(
    folder: Path, scratch: IO[bytes], source: Path, config: DataConfig, progress: Progress
) -> PreparedSongs:
    """Write frames.npy, the characters of each song and an end mark; return the other contents.

    scratch: an empty file for the texts. Raises InputError if a file cannot be read or all songs
    are left out.
    """
    size = max(1, sum(path.stat().st_size for path in list_files(source)))
    stored = store_texts(
        scratch,
        read_songs(source),
        config,
        lambda done: progress(min(done, size) // 2, size),  # reading takes about half of the time
    )
    selection = select_songs(stored, config, str(source))
    rows = selection.rows
    conditions = sorted(selection.artists.found)
    index = {artist: number for number, artist in enumerate(conditions, start=1)}
    condition_of = np.array([index.get(artist, 0) for artist in stored.artists], np.int32)

    table = np.zeros(len(rows), SONG_DTYPE)
    table["key"], table["length"] = rows["key"], rows["length"] + 1  # with the end mark
    table["split"] = choose_splits(
        rows["split"], rows["key"], config.valid_fraction, config.test_fraction
    )
    table["condition"] = condition_of[rows["artist"]]
    trained = table["condition"][table["split"] == TRAIN]
    untrained = np.setdiff1d(np.arange(1, len(conditions) + 1), trained)
    order = np.argsort(rows["text"])  # frames.npy has the order of the scratch file
    table["start"][order] = np.cumsum(table["length"][order]) - table["length"][order]

    codec = learn_codec(stored.texts(rows, order), config.min_count)
    with (folder / "frames.npy").open("wb") as file:
        write_frames_header(file, codec.spec, int(table["length"].sum(dtype=np.int64)))
        end = np.array([END], codec.spec.dtype).tobytes()
        for number, text in enumerate(stored.texts(rows, order)):
            file.write(codec.encode(text).tobytes() + end)
            if number % _REPORT_EVERY == 0:
                progress((size + size * number // len(rows)) // 2, size)
    progress(size, size)
    return PreparedSongs(
        table=table,
        digests=rows["digest"],
        names=((stored.artists[row["artist"]], stored.title(row)) for row in rows),
        codec=codec,
        conditions=conditions,
        report={
            "artists": {
                **dataclasses.asdict(selection.artists),
                "untrained": [conditions[index - 1] for index in untrained.tolist()],
            },
            "left_out": {
                "too short": dataclasses.asdict(stored.short),
                "duplicates": dataclasses.asdict(selection.duplicates),
                "of other artists": dataclasses.asdict(LeftOutSongs(selection.filtered)),
            },
        },
    )


@dataclass(frozen=True, eq=False)
class StoredTexts:
    """The songs of a source that are long enough, with their texts in a file."""

    file: IO[bytes]
    rows: npt.NDArray[Any]  # (S,) of ROW_DTYPE, in the source's order
    artists: list[str]  # all artists of the source, also those with short songs only
    titles: bytearray  # UTF-8, end to end
    short: LeftOutSongs  # those with fewer characters than data.min_length

    def title(self, row: npt.NDArray[Any]) -> str:
        """Return the title of the song of a row."""
        start = int(row["title"])
        return self.titles[start : start + int(row["title_size"])].decode()

    def name(self, row: npt.NDArray[Any]) -> str:
        """Return the artist and the title of the song of a row."""
        return _name(self.artists[row["artist"]], self.title(row))

    def texts(self, rows: npt.NDArray[Any], order: npt.NDArray[np.intp]) -> Iterator[str]:
        """Yield the texts of `rows[order]`; reading in the order of the file is by far fastest."""
        for first in range(0, len(order), LOOKUP_ROWS):
            some = rows[order[first : first + LOOKUP_ROWS]]
            for start, size in zip(some["text"].tolist(), some["text_size"].tolist(), strict=True):
                self.file.seek(start)
                yield self.file.read(size).decode()


def store_texts(
    file: IO[bytes],
    songs: Iterable[LyricsSong],
    config: DataConfig,
    progress: Callable[[int], None],
) -> StoredTexts:
    """Write to `file` the texts of the songs that have at least `config.min_length` characters.

    progress: called from time to time with the number of bytes written.
    """
    artists: dict[str, int] = {}
    packed, titles = bytearray(), bytearray()
    short, written = LeftOutSongs(), 0
    for number, song in enumerate(songs):
        artist = artists.setdefault(song.artist, len(artists))
        if len(song.text) < config.min_length:
            short.add(_name(song.artist, song.title))
            continue
        text, title = song.text.encode(), song.title.encode()
        packed += _PACK(
            split_key(song.text, config.split_seed),
            digest(text),
            written,
            len(titles),
            len(text),
            len(title),
            artist,
            len(song.text),
            song.split,
        )
        file.write(text)
        titles += title
        written += len(text)
        if number % _REPORT_EVERY == 0:
            progress(written)
    rows = np.frombuffer(packed, ROW_DTYPE)
    return StoredTexts(file, rows, _merge_spellings(list(artists), rows), titles, short)


def _name(artist: str, title: str) -> str:
    return " – ".join(filter(None, (artist, title))) or "a song without a title"


def _merge_spellings(artists: list[str], rows: npt.NDArray[Any]) -> list[str]:
    """Return the artists, of names that differ in case or blanks only the commonest spelling.

    The artists' indices in `rows` are changed accordingly. Of equally common spellings it is the
    first in alphabetical order.
    """
    counts = np.bincount(rows["artist"], minlength=len(artists)).tolist()
    spellings: dict[str, list[int]] = {}
    for index in sorted(range(len(artists)), key=lambda index: (-counts[index], artists[index])):
        spellings.setdefault(normalize(artists[index]), []).append(index)
    new_index = np.empty(len(artists), np.int32)
    for number, indices in enumerate(spellings.values()):
        new_index[indices] = number
    rows["artist"] = new_index[rows["artist"]] if len(rows) else 0
    return [artists[indices[0]] for indices in spellings.values()]


@dataclass(frozen=True)
class ArtistReport:
    """The artists of a corpus, and the requested ones that are not in it."""

    found: dict[str, int]  # the artists in the corpus, with their numbers of songs
    few: dict[str, int]  # requested artists with fewer songs than data.min_songs, and how many
    missing: dict[str, tuple[str, ...]]  # requested, but not in the source: up to 3 similar names


@dataclass(frozen=True, eq=False)
class Selection:
    """The songs of a source that are selected for the corpus."""

    rows: npt.NDArray[Any]  # (S,) of ROW_DTYPE, sorted by key and artist
    artists: ArtistReport
    duplicates: LeftOutSongs  # their artist has another song with the same key
    filtered: int  # songs left out because their artist is not selected


def select_songs(stored: StoredTexts, config: DataConfig, source: str) -> Selection:
    """Select the songs of the configured artists; of an artist's equal texts only one.

    Texts are equal if they have the same split key. Which of them is selected does not depend on
    the order of the songs: a held-out song first, then one whose split the source sets. Raises
    InputError, in which `source` is named, if no song is left.
    """
    if not len(stored.rows):
        raise InputError(
            f"All {stored.short.count} songs of {source} have fewer than {config.min_length} "
            "characters: lower data.min_length."
            if stored.short.count
            else f"{source} has no songs: choose a file with an artist and a text in each row."
        )
    rank = np.empty(len(stored.artists), np.int64)  # of each artist by name
    rank[sorted(range(len(rank)), key=stored.artists.__getitem__)] = np.arange(len(rank))
    keys, ranks = stored.rows["key"], rank[stored.rows["artist"]]
    splits = stored.rows["split"].astype(np.int64)
    priority = np.where(splits == ANY, -1, splits)  # TRAIN is 0, VALID and TEST are above
    order = np.lexsort((stored.rows["digest"], -priority, ranks, keys))
    repeated = (keys[order[1:]] == keys[order[:-1]]) & (ranks[order[1:]] == ranks[order[:-1]])
    duplicates = LeftOutSongs(int(repeated.sum()))
    first = order[1:][repeated][:MAX_NAMES]
    duplicates.names += [printable(stored.name(row)) for row in stored.rows[first]]
    order = order[np.concatenate([[True], ~repeated])]

    artists = stored.rows["artist"][order]
    counts = np.bincount(artists, minlength=len(rank)).tolist()
    report = select_artists(dict(zip(stored.artists, counts, strict=True)), config, source)
    # Songs without an artist stay unless artists are named.
    used = [name in report.found or (not name and not config.artists) for name in stored.artists]
    selected = order[np.array(used)[artists]]
    return Selection(stored.rows[selected], report, duplicates, len(order) - len(selected))


def select_artists(counts: Mapping[str, int], config: DataConfig, source: str) -> ArtistReport:
    """Select the configured artists, or all, that have at least `config.min_songs` songs.

    counts: the number of songs of each artist, whose names differ in more than case; "" stands for
    songs without an artist, which are used only if no artists are configured. Raises InputError, in
    which `source` is named, if no song is left.
    """
    wanted, enough = config.artists, max(1, config.min_songs)
    spellings = {normalize(name): name for name in counts}
    missing = {
        name: tuple(closest(name, filter(None, counts)))
        for name in wanted
        if normalize(name) not in spellings
    }
    matched = sorted(spellings[key] for key in map(normalize, wanted) if key in spellings)
    candidates = dict.fromkeys(matched if wanted else sorted(filter(None, counts)))
    found = {name: counts[name] for name in candidates if counts[name] >= enough}
    few = {name: counts[name] for name in matched if counts[name] < enough}
    if not found and (wanted or not counts.get("")):
        if candidates:
            raise _too_few_songs(counts, list(candidates), enough, source)
        raise _unknown_artists(counts, missing, source)
    return ArtistReport(found, few, missing)


def _too_few_songs(
    counts: Mapping[str, int], candidates: Sequence[str], enough: int, source: str
) -> InputError:
    name = max(candidates, key=lambda name: counts[name])
    if not counts[name]:
        return InputError(
            f"The songs by {name!r} in {source} are all too short: lower data.min_length."
        )
    return InputError(
        f"No selected artist of {source} has {enough} songs or more (at most {counts[name]}, "
        f"by {name!r}): lower data.min_songs or select others."
    )


def _unknown_artists(
    counts: Mapping[str, int], missing: Mapping[str, tuple[str, ...]], source: str
) -> InputError:
    close = list(dict.fromkeys(name for names in missing.values() for name in names))[:3]
    largest = sorted(filter(None, counts), key=lambda name: -counts[name])[:3]
    names = ", ".join(repr(name) for name in list(missing)[:3])
    more = f" and {len(missing) - 3} others" if len(missing) > 3 else ""
    if close:
        remedy = f"did you mean {join_or(close)}?"
    elif largest:  # perhaps the artists of a preset with the songs of another file
        remedy = f"choose {join_or(largest)}; '--set data.artists=' selects all artists."
    else:
        remedy = "its songs name no artist; '--set data.artists=' selects all songs."
    return InputError(f"{source} has no songs by {names}{more}: {remedy}")


def learn_codec(texts: Iterable[str], min_count: int) -> CharacterCodec:
    """Return the codec of the characters that occur at least `min_count` times in the texts."""
    counts = np.zeros(0x110000, np.int64)  # of each code point
    rest = iter(texts)
    while some := "".join(itertools.islice(rest, COUNT_SONGS)):
        count = np.bincount(code_points(some))
        counts[: len(count)] += count
    return CharacterCodec.from_counts(counts, min_count)
