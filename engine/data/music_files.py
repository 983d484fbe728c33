"""Readers of piano music.

A source is a MIDI or MusicXML file, a folder or a zip of such files, or a MATLAB or JSON file of
piano rolls.
"""

import contextlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.data import mat_file
from engine.data.datasets import MUSIC_SUFFIXES, UNKNOWN_GRID, Grid
from engine.data.splits import ANY, SPLITS, TEST, TRAIN, VALID
from engine.errors import InputError, printable
from engine.files import explain_read_errors
from engine.frame_spec import KEYS
from engine.music import SCORE_SUFFIXES, piano_roll, score_file
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.suggestions import join_or, missing_path

_FOLDERS = {"train": TRAIN, "valid": VALID, "validation": VALID, "val": VALID, "test": TEST}
_MATRICES = {"traindata": TRAIN, "validdata": VALID, "testdata": TEST}
_PIANO = range(LOWEST_PITCH, HIGHEST_PITCH + 1)
MAX_ENTRIES = 200_000  # files in a zip
MAX_JSON = 64 << 20  # bytes
MAX_UNPACKED = 256 << 20  # bytes of all scores in a zip together

Matrix = npt.NDArray[Any] | None  # a roll (T, 88), not checked yet; None: it is not a roll


@dataclass(frozen=True)
class SongEntry:
    """A song of a source, which is not read yet."""

    name: str  # its path or number in the source
    split: int  # an index into SPLITS, or ANY
    load: Callable[[], bytes | Matrix]  # reads a score's file or a matrix; may raise InputError


@dataclass(frozen=True, eq=False)
class MusicSong:
    """A song as frames of piano keys."""

    frames: npt.NDArray[np.uint8]  # (T, 88 · planes)
    tempo: float  # beats per minute
    time_signature: tuple[int, int]
    left_out: dict[str, int]  # number of notes of the file that are not in the frames, by reason
    off_grid: float = 0.0  # share of the notes that begin between two frames of a length in beats


def list_files(source: Path) -> list[Path]:
    """Return the files of a source: the file itself, or all scores in a folder, sorted.

    Raises InputError for a folder without scores, a file that is not of music and a path that
    does not exist.
    """
    with explain_read_errors(source):
        if source.is_dir():
            inside = (Path(folder, name) for folder, _, names in os.walk(source) for name in names)
            found = [x for x in inside if _is_score(x.relative_to(source)) and x.is_file()]
            if not found:
                raise InputError(
                    f"The folder {source} has no MIDI or MusicXML files: put some into it."
                )
            return sorted(found)
        if source.is_file():
            if source.suffix.lower() in MUSIC_SUFFIXES:
                return [source]
            raise InputError(
                f"{source} is not music: choose a MIDI or MusicXML file, a folder or .zip of them, "
                "or a .mat or .json of piano rolls."
            )
        raise missing_path(source, "give MIDI files")


def other_members(source: Path) -> list[str]:
    """Return the paths of the visible files in a zip that are not scores, sorted."""
    with _open_zip(source) as archive:
        paths = [PurePosixPath(info.filename) for info in archive.infolist() if not info.is_dir()]
    return sorted(str(path) for path in paths if not (_is_score(path) or _is_hidden(path)))


def _is_score(path: Path | PurePosixPath) -> bool:
    """Return whether a path in a source is a score's, and not a hidden one."""
    return path.suffix.lower() in SCORE_SUFFIXES and not _is_hidden(path)


def _is_hidden(path: Path | PurePosixPath) -> bool:
    """Return whether a path in a source is hidden, such as those that macOS adds."""
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in path.parts)


def _split(path: Path | PurePosixPath) -> int:
    """Return the split that a folder of the path is named after (the innermost one), or ANY."""
    folders = (part.casefold() for part in reversed(path.parts[:-1]))
    return next((_FOLDERS[name] for name in folders if name in _FOLDERS), ANY)


@contextlib.contextmanager
def open_songs(source: Path) -> Iterator[list[SongEntry]]:
    """Open a source and yield its songs, which can be loaded within the block.

    The content of a zip is never written to disk. Raises InputError for a zip, a .mat or a .json
    file that cannot be read.
    """
    suffix = source.suffix.lower()
    if source.is_dir() or suffix in SCORE_SUFFIXES:
        root = source if source.is_dir() else source.parent
        paths = [file.relative_to(root) for file in list_files(source)]
        yield [
            SongEntry(printable(str(path)), _split(path), _load_file(root / path)) for path in paths
        ]
    elif suffix == ".mat":
        yield _mat_entries(source)
    elif suffix == ".json":
        yield _json_entries(source)
    else:
        with _open_zip(source) as archive:
            yield _zip_entries(source, archive)


def _load_file(path: Path) -> Callable[[], bytes]:
    def load() -> bytes:
        with explain_read_errors(path), path.open("rb") as file:
            return file.read(score_file.find_format(path).max_bytes + 1)

    return load


def _mat_entries(source: Path) -> list[SongEntry]:
    try:
        with explain_read_errors(source):
            lists = mat_file.read_cell_arrays(source)
    except ValueError as error:
        raise InputError(
            f"{source} is not a MATLAB file of piano rolls, as {error}: choose another."
        ) from error
    if not any(lists.get(name) for name in _MATRICES):
        raise InputError(
            f"{source} has no piano rolls: choose a .mat file with {join_or(_MATRICES)}."
        )
    return [
        SongEntry(f"{name} {number}", split, _constant(matrix))
        for name, split in _MATRICES.items()
        for number, matrix in enumerate(lists.get(name, []), start=1)
    ]


def _json_entries(source: Path) -> list[SongEntry]:
    """Return the songs of a file {"train": [song, …], "valid": [song, …], "test": [song, …]}.

    A song is a list of frames, a frame a list of the MIDI pitches that sound.
    """
    try:
        with explain_read_errors(source):
            songs = _json_songs(source)
        return [
            SongEntry(f"{name} {number}", _FOLDERS[name], _constant(_matrix(song)))
            for name, split in songs.items()
            for number, song in enumerate(split, start=1)
        ]
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"{source} is not a JSON file of piano rolls, as {error}: choose another."
        ) from error


def _json_songs(source: Path) -> dict[str, list[Any]]:
    if source.stat().st_size > MAX_JSON:
        raise ValueError(f"it has over {MAX_JSON >> 20} MiB")
    content = json.loads(source.read_bytes())
    content = content if isinstance(content, dict) else {}
    songs = {name: content.get(name) or [] for name in SPLITS}
    if not any(songs.values()):
        raise ValueError(f"it has no list {join_or(SPLITS)} with songs")
    return songs


def _matrix(song: list[list[float]]) -> Matrix:
    """Return the roll (T, 88) of a song; None if it has a pitch outside the piano's range."""
    roll = np.zeros((len(song), KEYS), np.uint8)
    for row, pitches in zip(roll, song, strict=True):
        if not all(pitch in _PIANO for pitch in pitches):  # 60.0 counts as 60
            return None
        row[[int(pitch) - LOWEST_PITCH for pitch in pitches]] = 1
    return roll


def _constant(matrix: Matrix) -> Callable[[], Matrix]:
    return lambda: matrix


@contextlib.contextmanager
def _open_zip(source: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(source)
    except Exception as error:  # zipfile raises many kinds for a broken directory
        raise InputError(f"{source} is not a readable zip ({error}): pack it again.") from error
    with archive:
        yield archive


def _zip_entries(source: Path, archive: zipfile.ZipFile) -> list[SongEntry]:
    inside = [info for info in archive.infolist() if not info.is_dir()]
    if len(inside) > MAX_ENTRIES:
        raise InputError(f"{source} has over {MAX_ENTRIES:,} files: unpack it and use the folder.")
    named = sorted((PurePosixPath(info.filename), number) for number, info in enumerate(inside))
    music = [(path, inside[number]) for path, number in named if _is_score(path)]
    if not music:
        raise InputError(f"{source} has no MIDI or MusicXML files: choose another zip.")
    # `zipfile` unpacks no more of a file than the size in the zip's directory.
    if sum(info.file_size for _, info in music) > MAX_UNPACKED:
        raise InputError(
            f"{source} unpacks to over {MAX_UNPACKED >> 20} MiB of music: unpack it and use the "
            "folder."
        )
    return [
        SongEntry(
            printable(str(path)), _split(path), _load_member(archive, info, printable(str(path)))
        )
        for path, info in music
    ]


def _load_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Callable[[], bytes]:
    def load() -> bytes:
        # Some other methods unpack everything at once, whatever its size.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{name} is compressed by an unusual method: pack it with deflate.")
        try:
            with archive.open(info) as file:
                return file.read(score_file.find_format(info.filename).max_bytes + 1)
        except Exception as error:  # a wrong checksum, a password, a broken stream …
            raise InputError(f"{name} cannot be unpacked ({error}): pack it again.") from error

    return load


def load_song(
    entry: SongEntry, frame_seconds: float, frame_beats: float, grid: Grid = UNKNOWN_GRID
) -> MusicSong:
    """Load a song as frames.

    A score becomes frames of two planes (the keys that sound, the keys that begin to sound),
    each `frame_beats` beats long or, if that is 0, `frame_seconds` seconds. A matrix already has
    frames, of one plane (the keys that sound), and the tempo and metre of `grid`. Raises
    InputError, with the song's name, if the song is damaged or empty.
    """
    data = entry.load()
    if isinstance(data, bytes):
        score = score_file.decode(data, entry.name)
        try:
            music = piano_roll.from_score(score, frame_seconds, frame_beats)
        except InputError as error:
            raise InputError(f"{entry.name}: {error}") from error
        repeated = len(score.notes) - int(music.onset.sum())
        left_out = {**score.left_out.counts(), "repeated": repeated}
        off_grid = piano_roll.off_grid_share(score, frame_beats) if frame_beats else 0.0
        return MusicSong(music.frames(2), music.tempo, score.time_signature, left_out, off_grid)
    is_roll = data is not None and data.ndim == 2 and data.shape[1] == KEYS and len(data)
    if data is None or not is_roll or not np.isin(data, (0, 1)).all():
        raise InputError(
            f"{entry.name} is not a piano roll of {KEYS} keys, 0 or 1 each: leave it out."
        )
    frames = data.astype(np.uint8)
    if grid.transpose:
        low, high = max(-grid.transpose, 0), KEYS - max(grid.transpose, 0)
        if frames[:, :low].any() or frames[:, high:].any():
            raise InputError(
                f"{entry.name} has keys that are not on a piano once it is transposed by "
                f"{grid.transpose} semitones: leave it out."
            )
        frames = np.roll(frames, grid.transpose, axis=1)
    return MusicSong(frames, grid.tempo, grid.time_signature, {})
