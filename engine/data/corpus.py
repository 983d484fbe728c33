"""Corpora: songs that are prepared for training once, then opened from memory-mapped files.

A corpus has S songs, with N frames of shape *frame in all; see `engine.data.corpus_format`.
"""

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
from pathlib import Path, PurePath
from typing import IO, Any

import filelock
import numpy as np
import numpy.typing as npt

from engine import paths
from engine.config import DataConfig, Kind
from engine.data import datasets, lyrics_corpus, lyrics_files, music_corpus, music_files
from engine.data.codecs import CharacterCodec, Codec, KeysCodec, codec_from_json, index_table
from engine.data.corpus_format import (
    SONG_DTYPE,
    LeftOutSongs,
    PreparedSongs,
    Progress,
    describe,
    write_songs,
)
from engine.data.splits import SPLITS
from engine.errors import InputError, printable
from engine.files import atomic_folder, explain_write_errors, read_json
from engine.frame_spec import FrameSpec
from engine.music.piano_roll import Roll
from engine.suggestions import normalize

FORMAT = 6  # raise it with each change to the files, so that older corpora are prepared again

# For each kind of songs: the function that lists a source's files, and that which writes frames.
WriteFrames = Callable[[Path, IO[bytes], Path, DataConfig, Progress], PreparedSongs]
_KINDS: dict[Kind, tuple[Callable[[Path], list[Path]], WriteFrames]] = {
    "lyrics": (lyrics_files.list_files, lyrics_corpus.write_frames),
    "music": (music_files.list_files, music_corpus.write_frames),
}


@dataclass(frozen=True, eq=False)
class Corpus:
    """The songs of a source as frames, from which batches are made.

    Lyrics are stored as the indices of their characters and of the end mark, music as frames of
    keys. The order of the songs in the source affects only where their frames are (`start`), and
    which title is kept of songs that are equal.
    """

    path: Path
    meta: dict[str, Any]  # the content of meta.json
    frames: npt.NDArray[Any]  # (N, *frame), the songs end to end
    songs: npt.NDArray[Any]  # (S,) of SONG_DTYPE
    # (V,): the index in `codec` of each index in `frames`; None: the same index
    table: npt.NDArray[np.int64] | None = None

    @classmethod
    def open(cls, path: Path) -> "Corpus":
        """Open a prepared corpus; raises InputError if the folder is missing or damaged."""
        try:
            meta = read_json(path / "meta.json")
            if meta["format"] != FORMAT:
                raise InputError(
                    f"The corpus {path} has format {meta['format']}, not {FORMAT}: prepare it "
                    "again."
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
                f"The corpus {path} is missing or damaged: prepare it again from its songs."
            ) from error
        return corpus

    def _check(self) -> None:
        """Raise ValueError if the files of the corpus do not fit together."""
        songs, splits, spec = self.songs, self.meta["splits"], self.codec.spec
        if songs.dtype != SONG_DTYPE or self.frames.dtype != spec.dtype:
            raise ValueError("types")
        if self.frames.shape[1:] != spec.shape:
            raise ValueError("frames")
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
        if any(splits[split]["songs"] != len(self.select(split)) for split in SPLITS):
            raise ValueError("splits")

    @property
    def name(self) -> str:
        """The name of the data set, or of the source file without its suffix."""
        return str(self.meta["name"])

    @property
    def hash(self) -> str:
        """64 hexadecimal digits, equal for corpora with the same songs, splits and codec."""
        return str(self.meta["hash"])

    @property
    def conditions(self) -> list[str]:
        """The artists, sorted; a song's condition is 1 + an index of this list, or 0: no artist."""
        return list(self.meta["conditions"])

    @cached_property
    def codec(self) -> Codec:
        """The codec that converts the frames to text or piano rolls."""
        return codec_from_json(self.meta["codec"])

    @cached_property
    def titles(self) -> list[tuple[str, str]]:
        """The artist and the title of each song, in the order of `songs`."""
        lines = (self.path / "titles.txt").read_text(encoding="utf-8").split("\n")[:-1]
        pairs = (line.partition("\t") for line in lines)
        return [(artist, title) for artist, _, title in pairs]

    def select(self, split: str) -> npt.NDArray[np.intp]:
        """Return the rows of `songs` that belong to a split, ascending."""
        return np.flatnonzero(self.songs["split"] == SPLITS.index(split))

    def limit_rows(self, rows: npt.NDArray[np.intp], max_frames: int) -> npt.NDArray[np.intp]:
        """Return the first of `rows` that have at most `max_frames` frames together, at least one.

        The table is sorted by hashes, so the first rows are a random sample.
        """
        frames = np.cumsum(self.songs["length"][rows], dtype=np.int64)
        return rows[: max(1, int(np.searchsorted(frames, max_frames, side="right")))]

    def require_hash(self, expected: str | None, since: str) -> None:
        """Raise InputError if the corpus does not have the hash `expected`.

        since: the end of the message "The songs of … have changed since …".
        """
        if self.hash != expected:
            raise InputError(f"The songs of {self.name} have changed since {since}")

    def require_splits(self, config: DataConfig) -> None:
        """Raise InputError if the songs could not be split as `config` demands, for training."""
        counts = {split: len(self.select(split)) for split in SPLITS}
        if not counts["train"]:
            raise InputError(
                f"{self.meta['source']} has no songs to train on: put some into a folder named "
                "train."
            )
        fractions = {"valid": config.valid_fraction, "test": config.test_fraction}
        if any(fraction and not counts[split] for split, fraction in fractions.items()):
            different = len(np.unique(self.songs["key"]))
            raise InputError(
                f"{different} different song{'s' * (different != 1)} cannot be split with "
                f"data.valid_fraction = {config.valid_fraction} and data.test_fraction = "
                f"{config.test_fraction}: use more songs or lower the fractions."
            )

    def song(self, row: int) -> npt.NDArray[Any]:
        """Return the frames of one song, (length, *frame)."""
        start, length = int(self.songs["start"][row]), int(self.songs["length"][row])
        frames = np.asarray(self.frames[start : start + length])
        return frames if self.table is None else self.table[frames]

    def text(self, row: int) -> str:
        """Return the text of a song, with characters that the codec lacks as U+FFFD.

        Raises InputError for a corpus of music.
        """
        if not isinstance(self.codec, CharacterCodec):
            raise InputError(
                f"The corpus {self.name!r} is of music and has no texts: use one of lyrics."
            )
        return self.codec.decode(self.song(row))

    def roll(self, row: int) -> Roll:
        """Return the piano roll of a song; raises InputError for a corpus of lyrics."""
        if not isinstance(self.codec, KeysCodec):
            raise InputError(
                f"The corpus {self.name!r} is of lyrics and has no piano rolls: use one of music."
            )
        return self.codec.decode(self.song(row))

    def translated(self, codec: Codec, conditions: list[str]) -> "Corpus":
        """Return the same songs with the codec and the artists of a model.

        Characters that `codec` lacks become the unknown mark, artists that `conditions` lacks
        become 0 (no artist). Characters that are unknown in this corpus stay unknown: prepare it
        with data.min_count = 1 to lose none. Frames of keys stay the same, but without the keys
        that begin to sound if the model has none. Raises InputError if the codecs differ in kind,
        or if the songs lack the keys that begin to sound.
        """
        index = {normalize(name): number for number, name in enumerate(conditions, start=1)}
        artists = np.array(
            [0, *(index.get(normalize(name), 0) for name in self.conditions)], np.int32
        )
        songs, frames = self.songs.copy(), self.frames
        songs["condition"] = artists[songs["condition"]]
        if isinstance(codec, CharacterCodec) and isinstance(self.codec, CharacterCodec):
            table = index_table(self.codec, codec)
            table = table if self.table is None else table[self.table]
        elif (
            isinstance(codec, KeysCodec)
            and isinstance(self.codec, KeysCodec)
            and codec.planes <= self.codec.planes
        ):
            table, frames = None, frames[:, : codec.spec.size]
        else:
            raise InputError(
                f"The corpus {self.name!r} has frames of {_words(self.codec.spec)}, but the model "
                f"has frames of {_words(codec.spec)}: use songs of the kind that the model was "
                "trained on."
            )
        meta = {**self.meta, "codec": codec.to_json(), "conditions": list(conditions)}
        return dataclasses.replace(self, meta=meta, frames=frames, songs=songs, table=table)


def _words(spec: FrameSpec) -> str:
    return "characters" if spec.kind == "characters" else f"{spec.size} keys"


def prepare_corpus(
    config: DataConfig, progress: Progress | None = None, kind: Kind = "lyrics"
) -> Corpus:
    """Open the corpus of the songs that `config` selects; prepare it first if it does not exist.

    progress: called with the amount done and the total, in bytes of lyrics or files of music.
    Raises InputError, and writes nothing, if the source cannot be read or all its songs are left
    out.
    """
    list_files, write_frames = _KINDS[kind]
    source = datasets.resolve(config.source, kind)
    found = list_files(source)
    name = config.source if config.source in datasets.DATASETS else printable(source.stem)
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:40] or "corpus"
    path = paths.corpora() / f"{stem}-{_fingerprint(kind, source, found, config)}"
    with contextlib.suppress(InputError):
        return Corpus.open(path)
    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    with explain_write_errors(path), lock:  # two runs that start together prepare it once
        with contextlib.suppress(InputError):
            return Corpus.open(path)
        for stale in path.parent.glob(f".{path.name}.*/"):  # left by a killed process
            shutil.rmtree(stale, ignore_errors=True)
        with atomic_folder(path) as draft, tempfile.TemporaryFile(dir=draft) as file:
            songs = write_frames(draft, file, source, config, progress or (lambda *_: None))
            songs.report["left_out"]["other files"] = _other_files(source, found)
            write_songs(draft, songs)
            facts = describe(source, config, songs)
            meta = {"format": FORMAT, "kind": kind, "name": name, **facts}
            (draft / "meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")
    return Corpus.open(path)


def _other_files(source: Path, found: list[Path]) -> dict[str, Any]:
    """Return the visible files in a folder or a zip that are not among its files of songs.

    A README or a licence is not counted: it belongs to the data set.
    """
    others, songs, names = LeftOutSongs(), set(found), list[str]()
    if source.is_file() and source.suffix.lower() == ".zip":
        names = music_files.other_members(source)
    for path in sorted(source.rglob("*")) if source.is_dir() else ():
        hidden = any(part.startswith(".") for part in path.relative_to(source).parts)
        if path not in songs and not hidden and path.is_file():
            names.append(str(path.relative_to(source)))
    for name in names:
        if PurePath(name).stem.lower() not in ("readme", "license", "licence"):
            others.add(name)
    return dataclasses.asdict(others)


def _fingerprint(kind: Kind, source: Path, found: list[Path], config: DataConfig) -> str:
    """Return a hash, 12 digits, of the source's files (names, sizes, times) and the settings."""
    resolved = dataclasses.replace(config, source=str(source.resolve()))
    stats = [
        (str(file.relative_to(source)), file.stat().st_size, file.stat().st_mtime_ns)
        for file in found
    ]
    # json.dumps escapes all characters beyond ASCII, so any file name can be encoded.
    text = json.dumps([FORMAT, kind, dataclasses.asdict(resolved), stats])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
