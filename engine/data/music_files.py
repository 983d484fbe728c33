"""Piano rolls from MIDI files, folders and zips of them, and MATLAB and JSON files of rolls."""

import contextlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.data import mat_file
from engine.errors import InputError
from engine.frames import KEYS
from engine.music import MIDI_SUFFIXES, midi, piano_roll
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.suggestions import join_or, missing_path

TRAIN, VALID, TEST, ANY = 0, 1, 2, 255  # places in SPLITS; ANY: the source does not say
_FOLDERS = {"train": TRAIN, "valid": VALID, "validation": VALID, "val": VALID, "test": TEST}
_MATRICES = {"traindata": TRAIN, "validdata": VALID, "testdata": TEST}
_PIANO = range(LOWEST_PITCH, HIGHEST_PITCH + 1)
MAX_ENTRIES = 200_000  # of a zip
MAX_JSON = 64 << 20  # bytes
MAX_UNPACKED = 256 << 20  # bytes of a zip's MIDI files together

Matrix = npt.NDArray[Any] | None


@dataclass(frozen=True)
class SongEntry:
    """A song that is yet to be read."""

    name: str  # where it lies in the source
    split: int  # a place in SPLITS, or 255 where the source does not say
    load: Callable[[], bytes | Matrix]  # a MIDI file, or a matrix; may raise InputError


@dataclass(frozen=True, eq=False)
class MusicSong:
    """A song as frames."""

    frames: npt.NDArray[np.uint8]  # (T, 88 · planes)
    tempo: float | None  # beats a minute
    left_out: dict[str, int]  # notes of the file that are not in the frames, by reason


def list_files(source: Path) -> list[Path]:
    """The files that a source consists of: itself, or all MIDI files in a folder, in order.

    Raises InputError where there are none, and for a file of another form.
    """
    try:
        if source.is_dir():
            inside = (Path(folder, name) for folder, _, names in os.walk(source) for name in names)
            found = [x for x in inside if _is_midi(x.relative_to(source)) and x.is_file()]
            if not found:
                raise InputError(f"The folder {source} holds no MIDI files: put some into it.")
            return sorted(found)
        if source.is_file():
            if source.suffix.lower() in (*MIDI_SUFFIXES, ".zip", ".mat", ".json"):
                return [source]
            raise InputError(
                f"{source} is not music: give a MIDI file (.mid), a folder or a .zip of them, or "
                "a .mat or .json of piano rolls."
            )
        raise missing_path(source, "give MIDI files")
    except OSError as error:
        raise InputError(f"Cannot read {source} ({error.strerror}): give another.") from error


def _is_midi(path: Path | PurePosixPath) -> bool:
    """Whether a path inside a source is a MIDI file's, and not a hidden one's as macOS makes."""
    hidden = any(part.startswith((".", "__MACOSX")) and part != ".." for part in path.parts)
    return path.suffix.lower() in MIDI_SUFFIXES and not hidden


def _printable(path: Path | PurePosixPath) -> str:
    """A path as one line that does a terminal no harm."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(path)).split())


def _split(path: Path | PurePosixPath) -> int:
    """The split that the nearest folder around a file names."""
    folders = (part.casefold() for part in reversed(path.parts[:-1]))
    return next((_FOLDERS[name] for name in folders if name in _FOLDERS), ANY)


@contextlib.contextmanager
def open_songs(source: Path) -> Iterator[list[SongEntry]]:
    """The songs of a source, to be loaded within the block; none of a zip is ever on the disk.

    Raises InputError for a zip, a .mat or a .json that cannot be read.
    """
    suffix = source.suffix.lower()
    if source.is_dir() or suffix in MIDI_SUFFIXES:
        root = source if source.is_dir() else source.parent
        paths = [file.relative_to(root) for file in list_files(source)]
        yield [SongEntry(_printable(path), _split(path), _loader(root / path)) for path in paths]
    elif suffix == ".mat":
        yield _matrices(source)
    elif suffix == ".json":
        yield _pitches(source)
    else:
        with _opened_zip(source) as archive:
            yield _zipped(source, archive)


def _loader(path: Path) -> Callable[[], bytes]:
    def load() -> bytes:
        try:
            with path.open("rb") as file:
                return file.read(midi.MAX_BYTES + 1)
        except OSError as error:
            raise InputError(f"Cannot read {path} ({error.strerror}): give another.") from error

    return load


def _matrices(source: Path) -> list[SongEntry]:
    try:
        lists = mat_file.read_cell_arrays(source)
    except OSError as error:
        raise InputError(f"Cannot read {source} ({error.strerror}): give another.") from error
    except ValueError as error:
        raise InputError(
            f"{source} is no MATLAB file of piano rolls, for {error}: give another."
        ) from error
    if not any(lists.get(name) for name in _MATRICES):
        raise InputError(f"{source} holds no rolls: give a .mat with {join_or(_MATRICES)} in it.")
    return [
        SongEntry(f"{name} {number}", split, _holder(matrix))
        for name, split in _MATRICES.items()
        for number, matrix in enumerate(lists.get(name, []), start=1)
    ]


def _pitches(source: Path) -> list[SongEntry]:
    """The songs of {"train": [song, …], "valid": …, "test": …}: frames of pitches that sound."""
    try:
        songs = _lists(source)
        return [
            SongEntry(f"{name} {number}", _FOLDERS[name], _holder(_matrix(song)))
            for name, split in songs.items()
            for number, song in enumerate(split, start=1)
        ]
    except OSError as error:
        raise InputError(f"Cannot read {source} ({error.strerror}): give another.") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"{source} is no JSON of piano rolls, for {error}: give another."
        ) from error


def _lists(source: Path) -> dict[str, list[Any]]:
    if source.stat().st_size > MAX_JSON:
        raise ValueError(f"it has over {MAX_JSON >> 20} MiB")
    held = json.loads(source.read_bytes())
    held = held if isinstance(held, dict) else {}
    songs = {name: held.get(name) or [] for name in ("train", "valid", "test")}
    if not any(songs.values()):
        raise ValueError("it has no list 'train', 'valid' or 'test' with songs in it")
    return songs


def _matrix(song: list[list[float]]) -> Matrix:
    """The roll (T, 88) of frames of pitches; None for one that a piano cannot play."""
    roll = np.zeros((len(song), KEYS), np.uint8)
    for row, pitches in zip(roll, song, strict=True):
        if not all(pitch in _PIANO for pitch in pitches):  # 60.0 is 60
            return None
        row[[int(pitch) - LOWEST_PITCH for pitch in pitches]] = 1
    return roll


def _holder(matrix: Matrix) -> Callable[[], Matrix]:
    return lambda: matrix


@contextlib.contextmanager
def _opened_zip(source: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(source)
    except Exception as error:  # whatever zipfile trips over in a broken directory
        raise InputError(f"{source} is no zip that can be read ({error}): pack it anew.") from error
    with archive:
        yield archive


def _zipped(source: Path, archive: zipfile.ZipFile) -> list[SongEntry]:
    inside = archive.infolist()
    if len(inside) > MAX_ENTRIES:
        raise InputError(f"{source} holds over {MAX_ENTRIES:,} files: give a folder of them.")
    named = sorted((PurePosixPath(info.filename), number) for number, info in enumerate(inside))
    music = [(path, inside[number]) for path, number in named if _is_midi(path)]
    if not music:
        raise InputError(f"{source} holds no MIDI files: give a zip with .mid files in it.")
    if sum(info.file_size for _, info in music) > MAX_UNPACKED:  # no more than said is unpacked
        raise InputError(
            f"{source} unpacks to over {MAX_UNPACKED >> 20} MiB of MIDI files: give a folder."
        )
    return [
        SongEntry(_printable(path), _split(path), _unpacker(archive, info, _printable(path)))
        for path, info in music
    ]


def _unpacker(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Callable[[], bytes]:
    def load() -> bytes:
        # Of the other ways to pack, some cannot be stopped half way.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{name} is packed in an unusual way: pack it by deflating.")
        try:
            with archive.open(info) as file:
                return file.read(midi.MAX_BYTES + 1)
        except Exception as error:  # as for a wrong checksum, a password or a broken stream
            raise InputError(f"{name} cannot be unpacked ({error}): pack it anew.") from error

    return load


def load_song(entry: SongEntry, frame: float, beats: float) -> MusicSong:
    """Load a song, in frames of so many seconds, or of so many beats where `beats` is set.

    A matrix is taken as it is, with one plane; of a MIDI file there are two. Raises InputError,
    naming the song, where it is broken or empty.
    """
    data = entry.load()
    if isinstance(data, bytes):
        score = midi.read(data, entry.name)
        try:
            music = piano_roll.from_score(score, frame, beats)
        except InputError as error:
            raise InputError(f"{entry.name}: {error}") from error
        repeated = len(score.notes) - int(music.onset.sum())
        left_out = {**asdict(score.left_out), "repeated": repeated}
        return MusicSong(music.frames(2), score.tempo, left_out)
    known = data is not None and data.ndim == 2 and data.shape[1] == KEYS and len(data)
    if data is None or not known or not np.isin(data, (0, 1)).all():
        raise InputError(f"{entry.name} is no roll of {KEYS} keys, 0 or 1 each: leave it out.")
    return MusicSong(data.astype(np.uint8), None, {})
