"""A corpus: songs prepared for training, on disk and memory-mapped."""

import contextlib
import dataclasses
import hashlib
import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import numpy.typing as npt

from engine import paths
from engine.config import DataConfig, Kind
from engine.data import datasets
from engine.data.codecs import CharacterCodec, Codec, KeysCodec, codec_from_json, index_table
from engine.data.corpus_format import KINDS, SONG, Progress
from engine.data.splits import SPLITS
from engine.errors import InputError
from engine.files import atomic_folder, explain_write_errors
from engine.frames import FrameSpec
from engine.music.piano_roll import Roll
from engine.suggestions import normalize

FORMAT = 2  # one more with every change to what is written: older folders are then prepared anew


@dataclass(frozen=True, eq=False)
class Corpus:
    """Songs as frames, ready to be laid into lanes.

    The frames of lyrics are their characters and the end mark; those of music, its frames. The
    order that the songs had in their source shows only in where they lie in `frames`, and in which
    title one of equal songs keeps.
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
        songs, counted, spec = self.songs, self.meta["splits"], self.codec.spec
        if songs.dtype != SONG or self.frames.dtype != spec.dtype:
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
    def codec(self) -> Codec:
        """What the frames stand for."""
        return codec_from_json(self.meta["codec"])

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
        """The text of one song of lyrics, rare characters as U+FFFD."""
        if not isinstance(self.codec, CharacterCodec):
            raise InputError(f"The corpus {self.name!r} is of music and has no texts: give lyrics.")
        return self.codec.decode(self.song(row))

    def roll(self, row: int) -> Roll:
        """The roll of one song of music."""
        if not isinstance(self.codec, KeysCodec):
            raise InputError(f"The corpus {self.name!r} is of lyrics and has no rolls: give music.")
        return self.codec.decode(self.song(row))

    def translated(self, codec: Codec, conditions: list[str]) -> "Corpus":
        """The same songs in the indices of another codec and list of artists, as a model has them.

        Characters and artists that are not among them become unknown and nobody. What this corpus
        itself holds as unknown stays so: with data.min_count = 1 nothing is lost.
        Frames of keys stay as they are. Raises InputError for a codec of another kind or
        size of keys.
        """
        places = {normalize(name): place for place, name in enumerate(conditions, start=1)}
        artists = np.array(
            [0, *(places.get(normalize(name), 0) for name in self.conditions)], np.int32
        )
        songs = self.songs.copy()
        songs["condition"] = artists[songs["condition"]]
        if isinstance(codec, CharacterCodec) and isinstance(self.codec, CharacterCodec):
            table = index_table(self.codec, codec)
            table = table if self.table is None else table[self.table]
        elif self.codec.spec == codec.spec:
            table = None
        else:
            raise InputError(
                f"The corpus {self.name!r} has frames of {_words(self.codec.spec)}, the model of "
                f"{_words(codec.spec)}: give songs of the kind that it has learned from."
            )
        meta = {**self.meta, "codec": codec.to_json(), "conditions": list(conditions)}
        return dataclasses.replace(self, meta=meta, songs=songs, table=table)


def _words(spec: FrameSpec) -> str:
    return "characters" if spec.kind == "characters" else f"{spec.size} keys"


def prepare_corpus(
    config: DataConfig, progress: Progress | None = None, kind: Kind = "lyrics"
) -> Corpus:
    """Prepare the songs that `config` asks for, or open them where that was done before.

    `progress` is told how much is done and of how much: bytes of lyrics, files of music. Raises
    InputError for a source that cannot be read or of which nothing is left; then nothing is
    written.
    """
    find, fill = KINDS[kind]
    source = datasets.resolve(config.source, kind)
    found = find(source)
    name = config.source if config.source in datasets.DATASETS else source.stem
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:40] or "corpus"
    path = paths.corpora() / f"{stem}-{_fingerprint(kind, source, found, config)}"
    with contextlib.suppress(InputError):
        return Corpus.open(path)
    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    with explain_write_errors(path), lock:  # two runs started together prepare it once
        with contextlib.suppress(InputError):
            return Corpus.open(path)
        for stale in path.parent.glob(f".{path.name}.*/"):  # what a killed one left behind
            shutil.rmtree(stale, ignore_errors=True)
        with atomic_folder(path) as draft, tempfile.TemporaryFile(dir=draft) as file:
            meta = fill(draft, file, source, config, progress or (lambda *_: None))
            meta = {"format": FORMAT, "kind": kind, "name": name, **meta}
            (draft / "meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")
    return Corpus.open(path)


def _fingerprint(kind: Kind, source: Path, found: list[Path], config: DataConfig) -> str:
    """12 hexadecimal digits that change with the source's files and with the settings."""
    wanted = dataclasses.replace(config, source=str(source.resolve()))
    stats = [
        (str(file.relative_to(source)), file.stat().st_size, file.stat().st_mtime_ns)
        for file in found
    ]
    said = json.dumps(
        [FORMAT, kind, dataclasses.asdict(wanted), stats]
    )  # ASCII, whatever the names
    return hashlib.sha256(said.encode()).hexdigest()[:12]
