"""The data sets that go by a name."""

from dataclasses import dataclass
from pathlib import Path

from engine import paths
from engine.data.names import either, near
from engine.errors import InputError


@dataclass(frozen=True)
class Dataset:
    """A named data set that comes with the program."""

    name: str
    kind: str  # "lyrics"
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
}


def resolve(source: str) -> Path:
    """The file or folder of a named data set, or of a path.

    Raises InputError for an empty source, and for a name that is neither known nor a path.
    """
    if not source.strip():
        raise InputError(
            "No songs were given: name a data set or a path in data.source "
            f"(there is {either(DATASETS)})."
        )
    if source in DATASETS and DATASETS[source].file.exists():
        return DATASETS[source].file
    path = Path(source).expanduser()
    if path.exists() or path.suffix or len(path.parts) > 1:
        return path  # the reader of the songs says so where it does not exist
    if source in DATASETS:
        raise InputError(
            f"The data set {source!r} lacks its file {DATASETS[source].file}: install the program "
            "anew, or give the path of a file."
        )
    raise InputError(
        f"{source!r} is neither a data set nor a file: did you mean "
        f"{either(near(source, DATASETS) or DATASETS)}?"
    )
