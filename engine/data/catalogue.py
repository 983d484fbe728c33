"""The data sets that go by a name."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from engine import paths
from engine.config import Kind
from engine.data.names import either, near
from engine.errors import InputError


@dataclass(frozen=True)
class Dataset:
    """A named data set that comes with the program."""

    name: str
    kind: Kind
    about: str  # one line for people
    licence: str
    path: str  # below the assets

    @property
    def file(self) -> Path:
        """Where it lies."""
        return paths.assets() / self.path


DATASETS: dict[str, Dataset] = {
    "originals": Dataset(
        name="originals",
        kind="lyrics",
        about="songs of twelve invented artists, written for this project",
        licence="CC0-1.0",
        path="corpora/originals.csv",
    ),
    "pieces": Dataset(
        name="pieces",
        kind="music",
        about="short piano pieces in many styles, composed by rules for this project",
        licence="CC0-1.0",
        path="corpora/pieces",
    ),
}


def resolve(source: str, kind: Kind = "lyrics") -> Path:
    """The file or folder of a named data set, or of a path.

    Raises InputError for an empty source, for a name that is neither known nor a path, and for the
    name of a data set of another kind.
    """
    named = {name: dataset for name, dataset in DATASETS.items() if dataset.kind == kind}
    there = False
    known = f" ({'there is' if len(named) == 1 else 'there are'} {either(named)})" if named else ""
    if not source.strip():
        raise InputError(f"No songs were given: name a data set or a path in data.source{known}.")
    if source in named and named[source].file.exists():
        return named[source].file
    path = Path(source).expanduser()
    with contextlib.suppress(OSError):  # as of a name too long for any file
        there = path.exists()
    if there or path.suffix or len(path.parts) > 1:
        return path  # the reader of the songs says so where it does not exist
    if source in named:
        raise InputError(
            f"The data set {source!r} lacks its file {named[source].file}: install the program "
            "anew, or give the path of a file."
        )
    if source in DATASETS:
        raise InputError(
            f"The data set {source!r} is of {DATASETS[source].kind}, not of {kind}: give the path "
            f"of a file{known}."
        )
    close = near(source, named) or named
    hint = f"did you mean {either(close)}?" if close else "give the path of a file."
    raise InputError(f"{source!r} is neither a data set nor a file: {hint}")


_MUSIC = {".mid", ".midi", ".zip", ".mat"}


def kind_of(source: str) -> Kind:
    """What the songs of a name or a path are made of, told by the files' endings."""
    if source in DATASETS:
        return DATASETS[source].kind
    path = Path(source).expanduser()
    try:
        files = path.rglob("*") if path.is_dir() else [path]
    except OSError:  # the reader of the songs says what is wrong
        files = [path]
    return "music" if any(file.suffix.lower() in _MUSIC for file in files) else "lyrics"
