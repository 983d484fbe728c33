"""The files of a prepared corpus: S songs, with N frames of shape *frame in all.

frames.npy   the frames of all songs, end to end: (N, *frame)
songs.npy    the table of songs, (S,): a row of `SONG_DTYPE` each, sorted by key and artist
titles.txt   a line "artist<TAB>title" for each row of the table
meta.json    the facts that `describe` returns, with the format, the kind and the name
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from engine.config import DataConfig
from engine.data.codecs import Codec
from engine.data.splits import SPLITS
from engine.errors import printable
from engine.frame_spec import FrameSpec

Progress = Callable[[int, int], None]  # (done, total), in bytes of lyrics or files of music

MAX_NAMES = 10  # of songs that are left out for one reason
SONG_DTYPE = np.dtype(
    [
        ("key", "<u8"),  # the split key, see engine.data.splits
        ("start", "<i8"),  # the song's frames are frames[start : start + length]
        ("length", "<i4"),
        ("condition", "<i4"),  # 1 + the index of the artist in the conditions; 0: no artist
        ("split", "u1"),  # an index into SPLITS
    ]
)


@dataclass
class LeftOutSongs:
    """The songs of a source that are left out of its corpus for one reason."""

    count: int = 0
    names: list[str] = field(default_factory=list)  # the first ones, at most MAX_NAMES

    def add(self, name: str) -> None:
        """Count a song; its name may be followed by details."""
        self.count += 1
        if len(self.names) < MAX_NAMES:
            self.names.append(printable(name))


@dataclass(frozen=True, eq=False)
class PreparedSongs:
    """The contents of a corpus other than its frames."""

    table: npt.NDArray[Any]  # (S,) of SONG_DTYPE
    digests: npt.NDArray[np.uint64]  # (S,): a hash of each song's exact content
    names: Iterable[tuple[str, str]]  # artist and title of each song
    codec: Codec
    conditions: list[str]  # the artists, sorted
    # "left_out": `LeftOutSongs` by reason; of lyrics "artists": `ArtistReport`; of music
    # "notes_left_out": numbers by reason, and "also_in_train": copies of training songs by split.
    report: dict[str, Any]


def write_frames_header(file: IO[bytes], spec: FrameSpec, size: int) -> None:
    """Write the header of an .npy file of `size` frames, to which the caller appends the frames.

    (The file is not a memory map, because writing to one on a full disk kills the process.)
    """
    descr = np.lib.format.dtype_to_descr(spec.dtype)
    header = {"descr": descr, "fortran_order": False, "shape": (size, *spec.shape)}
    np.lib.format.write_array_header_1_0(file, header)


def write_songs(folder: Path, songs: PreparedSongs) -> None:
    """Write songs.npy and titles.txt to the corpus's folder."""
    np.save(folder / "songs.npy", songs.table)
    with (folder / "titles.txt").open("w", encoding="utf-8", newline="\n") as lines:
        lines.writelines(f"{artist}\t{title}\n" for artist, title in songs.names)


def describe(source: Path, config: DataConfig, songs: PreparedSongs) -> dict[str, Any]:
    """Return the facts about a corpus that are written to meta.json."""
    table = songs.table
    lengths = {split: table["length"][table["split"] == i] for i, split in enumerate(SPLITS)}
    return {
        "source": str(source.resolve()),
        "config": dataclasses.asdict(config),
        "codec": songs.codec.to_json(),
        "conditions": songs.conditions,
        "songs": len(table),
        "frames": int(table["length"].sum(dtype=np.int64)),
        "splits": {
            split: {"songs": len(column), "frames": int(column.sum(dtype=np.int64))}
            for split, column in lengths.items()
        },
        "report": songs.report,
        "hash": _hash(songs),
    }


def _hash(songs: PreparedSongs) -> str:
    """Return a hash of the codec, the artists, and the content, artist and split of each song."""
    state = hashlib.sha256(json.dumps([songs.codec.to_json(), songs.conditions]).encode())
    table = songs.table
    for column in (table["key"], songs.digests, table["condition"], table["split"]):
        state.update(column.tobytes())
    return state.hexdigest()
