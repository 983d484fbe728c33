"""A corpus: songs prepared for training, on disk and memory-mapped."""

import contextlib
import dataclasses
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import filelock
import numpy as np
import numpy.typing as npt

from engine import paths
from engine.config import DataConfig
from engine.data import catalogue, sources, splits, spool
from engine.data.characters import END, CharacterCodec, translation
from engine.data.names import fold
from engine.data.splits import SPLITS
from engine.errors import InputError
from engine.files import atomic_folder, refusing_full_disk

Progress = Callable[[int, int], None]

FORMAT = 2  # one more with every change to what is written: older folders are then prepared anew

# A song: its key, its frames [start, start + length), 1 + the artist's place in the conditions (0:
# nobody), and its split as a place in SPLITS. The table is sorted by key and artist.
SONG = np.dtype(
    [
        ("key", "<u8"),
        ("start", "<i8"),
        ("length", "<i4"),
        ("condition", "<i4"),
        ("split", "u1"),
    ]
)


@dataclass(frozen=True, eq=False)
class Corpus:
    """Songs as frames, ready to be laid into lanes.

    A song's frames are its characters and the end mark. The order that the songs had in their
    source shows only in where they lie in `frames`, and in which title one of equal songs keeps.
    """

    path: Path
    meta: dict[str, Any]  # as in meta.json
    frames: npt.NDArray[Any]  # (N, *frame), the songs end to end
    songs: npt.NDArray[Any]  # (S,) of SONG
    table: npt.NDArray[np.int64] | None = None  # (V,): what the frames' indices now stand for

    @classmethod
    def open(cls, path: Path) -> "Corpus":
        """Map a prepared corpus; raises InputError where the folder is missing or damaged."""
        try:
            meta = json.loads((path / "meta.json").read_text(encoding="utf-8"))
            if meta["format"] != FORMAT:
                raise InputError(
                    f"The corpus {path} has format {meta['format']}, not {FORMAT}: prepare it anew."
                )
            corpus = cls(
                path,
                meta,
                np.load(path / "frames.npy", mmap_mode="r", allow_pickle=False),
                np.load(path / "songs.npy", allow_pickle=False),
            )
            corpus._check()
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise InputError(
                f"The corpus {path} is missing or damaged: prepare it anew from its songs."
            ) from error
        return corpus

    def _check(self) -> None:
        """Raise ValueError where the parts do not fit each other."""
        songs, counted = self.songs, self.meta["splits"]
        if songs.dtype != SONG or self.frames.dtype != self.codec.spec.dtype:
            raise ValueError("types")
        if self.meta["frames"] != len(self.frames) or self.meta["songs"] != len(songs):
            raise ValueError("sizes")
        ends = songs["start"] + songs["length"]
        if (
            np.any(songs["start"] < 0)
            or np.any(songs["length"] < 1)
            or ends.max() > len(self.frames)
        ):
            raise ValueError("songs beyond the frames")
        if songs["condition"].min() < 0 or songs["condition"].max() > len(self.conditions):
            raise ValueError("conditions")
        if any(counted[split]["songs"] != len(self.select(split)) for split in SPLITS):
            raise ValueError("splits")

    @property
    def name(self) -> str:
        """The data set's name, or the source file's without its ending."""
        return str(self.meta["name"])

    @property
    def hash(self) -> str:
        """64 hexadecimal digits: two corpora with the same are split and encoded the same."""
        return str(self.meta["hash"])

    @property
    def conditions(self) -> list[str]:
        """The artists, sorted; a song's condition is 1 + a place here, or 0 for nobody."""
        return list(self.meta["conditions"])

    @cached_property
    def codec(self) -> CharacterCodec:
        """What the frames' indices stand for."""
        return CharacterCodec.from_json(self.meta["codec"])

    @cached_property
    def titles(self) -> list[tuple[str, str]]:
        """The artist and the title of each song, in the order of `songs`."""
        lines = (self.path / "titles.txt").read_text(encoding="utf-8").split("\n")[:-1]
        pairs = (line.partition("\t") for line in lines)
        return [(artist, title) for artist, _, title in pairs]

    def select(self, split: str) -> npt.NDArray[np.intp]:
        """The places in `songs` of a split's songs, in order."""
        return np.flatnonzero(self.songs["split"] == SPLITS.index(split))

    def song(self, row: int) -> npt.NDArray[Any]:
        """The frames of one song, (length, *frame)."""
        start, length = int(self.songs["start"][row]), int(self.songs["length"][row])
        frames = np.asarray(self.frames[start : start + length])
        return frames if self.table is None else self.table[frames]

    def text(self, row: int) -> str:
        """The text of one song, rare characters as U+FFFD."""
        return self.codec.decode(self.song(row))

    def translated(self, codec: CharacterCodec, conditions: list[str]) -> "Corpus":
        """The same songs in the indices of another codec and list of artists, as a model has them.

        Characters and artists that are not among them become unknown and nobody. What this corpus
        itself holds as unknown stays so: prepare it with data.rare = 1 to lose nothing.
        """
        places = {fold(name): place for place, name in enumerate(conditions, start=1)}
        artists = np.array([0, *(places.get(fold(name), 0) for name in self.conditions)], np.int32)
        songs = self.songs.copy()
        songs["condition"] = artists[songs["condition"]]
        table = translation(self.codec, codec)
        meta = {**self.meta, "codec": codec.to_json(), "conditions": list(conditions)}
        return dataclasses.replace(
            self,
            meta=meta,
            songs=songs,
            table=table if self.table is None else table[self.table],
        )


def prepare(config: DataConfig, progress: Progress | None = None) -> Corpus:
    """Prepare the songs that `config` asks for, or open them where that was done before.

    `progress` is told how much is done and of how much, in the same unit. Raises InputError for a
    source that cannot be read or of which nothing is left; then nothing is written.
    """
    source = catalogue.resolve(config.source)
    found = sources.files(source)
    name = config.source if config.source in catalogue.DATASETS else source.stem
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:40] or "corpus"
    path = paths.corpora() / f"{stem}-{_fingerprint(source, found, config)}"
    with contextlib.suppress(InputError):
        return Corpus.open(path)
    with refusing_full_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    with refusing_full_disk(path), lock:  # two runs started together prepare it once
        with contextlib.suppress(InputError):
            return Corpus.open(path)
        for stale in path.parent.glob(f".{path.name}.*/"):  # what a killed one left behind
            shutil.rmtree(stale, ignore_errors=True)
        size = sum(file.stat().st_size for file in found)
        with atomic_folder(path) as draft, tempfile.TemporaryFile(dir=draft) as file:
            _prepare(draft, file, source, name, config, size, progress or (lambda *_: None))
    return Corpus.open(path)


def _fingerprint(source: Path, found: list[Path], config: DataConfig) -> str:
    """12 hexadecimal digits that change with the source's files and with the settings."""
    wanted = dataclasses.replace(config, source=str(source.resolve()))
    stats = [
        (str(file.relative_to(source)), file.stat().st_size, file.stat().st_mtime_ns)
        for file in found
    ]
    said = json.dumps([FORMAT, dataclasses.asdict(wanted), stats])  # ASCII, whatever the names
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def _prepare(
    draft: Path,
    file: IO[bytes],
    source: Path,
    name: str,
    config: DataConfig,
    size: int,
    progress: Progress,
) -> None:
    """Fill the folder `draft` with the corpus, spooling the songs to `file`."""
    total = 2 * max(1, size)  # reading is about the first half
    songs = sources.read_songs(source)
    spooled = spool.fill(
        file,
        songs,
        config.split_seed,
        config.min_length,
        lambda done: progress(min(done, size), total),
    )
    choice = spool.choose(spooled, config, str(source))
    rows = choice.rows
    table = np.zeros(len(rows), SONG)
    table["key"], table["length"] = rows["key"], rows["length"] + 1  # and the end mark
    table["split"] = splits.assign(rows["key"], config.valid, config.test)
    places = {artist: place for place, artist in enumerate(sorted(choice.artists.found), start=1)}
    conditions = np.array([places.get(artist, 0) for artist in spooled.artists], np.int32)
    table["condition"] = conditions[rows["artist"]]
    order = np.argsort(rows["text"])  # as the texts lie in the spool, hence in frames.npy
    table["start"][order] = np.cumsum(table["length"][order]) - table["length"][order]
    codec = spool.learn(spooled.texts(rows, order), config.rare)

    frames = int(table["length"].sum(dtype=np.int64))
    with (draft / "frames.npy").open("wb") as out:
        _header(out, codec.spec.dtype, frames)
        end = np.array([END], codec.spec.dtype).tobytes()
        for number, text in enumerate(spooled.texts(rows, order)):
            out.write(codec.encode(text).tobytes() + end)
            if number % 256 == 0:
                progress(size + size * number // len(rows), total)
    np.save(draft / "songs.npy", table)
    with (draft / "titles.txt").open("w", encoding="utf-8", newline="\n") as lines:
        for row in rows:
            lines.write(f"{spooled.artists[row['artist']]}\t{spooled.title(row)}\n")
    counted = {
        split: {
            "songs": int(np.sum(table["split"] == place)),
            "frames": int(table["length"][table["split"] == place].sum(dtype=np.int64)),
        }
        for place, split in enumerate(SPLITS)
    }
    meta = {
        "format": FORMAT,
        "kind": "lyrics",
        "name": name,
        "source": str(source.resolve()),
        "config": dataclasses.asdict(config),
        "codec": codec.to_json(),
        "conditions": list(places),
        "songs": len(table),
        "frames": frames,
        "splits": counted,
        "report": {
            "artists": dataclasses.asdict(choice.artists),
            "short": spooled.short,
            "duplicates": choice.duplicates,
            "filtered": choice.filtered,
        },
        "hash": _hash(table, rows["digest"], codec, list(places)),
    }
    text = json.dumps(meta, indent=1)
    (draft / "meta.json").write_text(text, encoding="utf-8")
    progress(total, total)


def _header(out: IO[bytes], dtype: np.dtype[Any], size: int) -> None:
    """Begin an .npy of `size` values, written after: a full disk would kill a memory map."""
    descr = np.lib.format.dtype_to_descr(dtype)
    header = {"descr": descr, "fortran_order": False, "shape": (size,)}
    np.lib.format.write_array_header_1_0(out, header)


def _hash(
    table: npt.NDArray[Any],
    digests: npt.NDArray[np.uint64],
    codec: CharacterCodec,
    conditions: list[str],
) -> str:
    state = hashlib.sha256(json.dumps([codec.to_json(), conditions]).encode())
    for column in (table["key"], digests, table["condition"], table["split"]):
        state.update(column.tobytes())
    return state.hexdigest()
