"""Fetching the named data sets that do not come with the program."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import filelock

from engine.data.datasets import Dataset
from engine.errors import WorkError
from engine.files import explain_write_errors

Progress = Callable[[int, int], None]
_CHUNK = 1 << 16  # bytes
TIMEOUT = 30.0  # seconds without an answer, or without more of it


@dataclass(frozen=True)
class LocalFile:
    """A data set that is here."""

    path: Path
    sha256: str | None  # None for what comes with the program
    verified: bool  # whether that is what it should be
    downloaded: bool  # whether it was fetched now


def download_dataset(
    dataset: Dataset, progress: Progress | None = None, timeout: float = TIMEOUT
) -> LocalFile:
    """Bring a data set here, unless it is; nothing of what breaks off or is wrong is kept.

    A file of another checksum than the known is fetched anew. What broke off begins anew, too:
    servers and `pooch` do not go on where they stopped. `progress` is told the bytes done and of
    how many, where the server says so. `timeout`: seconds that the server may be silent. Raises
    WorkError where it cannot be fetched, InputError where it cannot be written.
    """
    if not dataset.address:
        return LocalFile(dataset.file, None, verified=True, downloaded=False)
    folder = dataset.file.parent.parent
    with explain_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / f".{dataset.name}.lock"):  # two at once fetch it once
            if dataset.file.is_file():
                known = _sha256(dataset.file)
                if dataset.sha256 in (None, known):
                    return LocalFile(
                        dataset.file, known, dataset.sha256 is not None, downloaded=False
                    )
            for stale in folder.glob(f".{dataset.name}.*/"):  # what a killed one left behind
                shutil.rmtree(stale, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=f".{dataset.name}.") as draft:
                if dataset.address.startswith("kaggle:"):
                    got = _from_kaggle(dataset, Path(draft))
                else:
                    got = _download(dataset, Path(draft), progress or (lambda *_: None), timeout)
                known = _sha256(got)
                got.chmod(0o644)  # temporary files are their owner's alone
                dataset.file.parent.mkdir(exist_ok=True)
                got.replace(dataset.file)
    return LocalFile(dataset.file, known, dataset.sha256 is not None, downloaded=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Bar:
    """What `pooch` takes for a progress bar."""

    def __init__(self, progress: Progress) -> None:
        self.progress, self.total, self.done = progress, 0, 0

    def update(self, more: int) -> None:
        self.done += more
        if self.total:
            self.progress(min(self.done, self.total), self.total)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        pass


def _download(dataset: Dataset, folder: Path, progress: Progress, timeout: float) -> Path:
    import pooch  # neither is needed by those who do not fetch
    import requests

    pooch.get_logger().setLevel("WARNING")  # the caller says what is fetched
    failed = f"Cannot fetch {dataset.name!r} from {dataset.address}: "
    get = pooch.HTTPDownloader(progressbar=_Bar(progress), chunk_size=_CHUNK, timeout=timeout)
    known = dataset.sha256 and f"sha256:{dataset.sha256}"
    try:
        return Path(
            pooch.retrieve(dataset.address, known, dataset.file.name, folder, downloader=get)
        )
    except requests.HTTPError as error:
        answer = error.response
        said = "an error" if answer is None else f"{answer.status_code} {answer.reason}".strip()
        raise WorkError(f"{failed}the server answers {said}; try later.") from error
    except requests.Timeout as error:
        raise WorkError(
            f"{failed}the server was silent for {timeout:g} s; try later, or give it longer by "
            "--timeout."
        ) from error
    except requests.RequestException as error:
        cut = isinstance(error, requests.exceptions.ChunkedEncodingError)
        what = "it broke off" if cut else "there is no way to the server"
        raise WorkError(f"{failed}{what}; look to the network, and fetch again.") from error
    except ValueError as error:  # another checksum
        raise WorkError(
            f"{failed}what came has not the checksum {dataset.sha256}, and was not kept; fetch "
            "again, and mistrust the address if that does not help."
        ) from error


def _from_kaggle(dataset: Dataset, folder: Path) -> Path:
    handle = dataset.address.removeprefix("kaggle:")
    failed = f"Cannot fetch {dataset.name!r} from kaggle.com/datasets/{handle}: "
    try:
        import kagglehub
    except ImportError as error:
        raise WorkError(
            f"{failed}install rnn-tui[kaggle], or put its {dataset.file.name} at {dataset.file}."
        ) from error
    try:
        there = Path(kagglehub.dataset_download(handle, output_dir=str(folder)))
    except Exception as error:  # its errors have nothing in common, but to be errors
        said = " ".join(str(error).split()) or type(error).__name__
        raise WorkError(f"{failed}{said.rstrip('.')}; look to the network.") from error
    found = sorted(there.rglob(dataset.file.name))
    if not found:
        raise WorkError(f"{failed}there is no {dataset.file.name} in it any more.")
    return found[0]
