"""Files of scores; the suffix of a file's name chooses its format."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath

from engine.music import ABC_SUFFIX, MUSICXML_SUFFIXES, abc_notation, midi, musicxml
from engine.music.score import Score


@dataclass(frozen=True)
class ScoreFormat:
    """How files of a format are read and written."""

    max_bytes: int  # of a file
    read: Callable[[Path | bytes, str], Score]  # from a path or a content, with its name
    write: Callable[[Score, Path], None]


MIDI = ScoreFormat(midi.MAX_BYTES, midi.read, midi.write)
MUSICXML = ScoreFormat(musicxml.MAX_BYTES, musicxml.read, musicxml.write)


def find_format(name: str | PurePath) -> ScoreFormat:
    """Return the format of a file by its suffix: MusicXML, or for any other suffix MIDI."""
    return MUSICXML if PurePath(name).suffix.lower() in MUSICXML_SUFFIXES else MIDI


def read(path: Path) -> Score:
    """Read a MIDI or MusicXML file; raises InputError if it cannot be read as one."""
    return find_format(path).read(path, "")


def decode(data: bytes, name: str) -> Score:
    """Read the content of the file `name`; raises InputError if it cannot be read."""
    return find_format(name).read(data, name)


def write(score: Score, path: Path) -> None:
    """Write a MIDI, MusicXML or ABC file, completely or not at all."""
    is_abc = path.suffix.lower() == ABC_SUFFIX
    (abc_notation.write if is_abc else find_format(path).write)(score, path)
