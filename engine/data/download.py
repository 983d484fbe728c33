"""Downloads of the named data sets that are not included."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import filelock

from engine.data.datasets import Dataset
from engine.errors import WorkError, install_extra
from engine.files import explain_write_errors

Progress = Callable[[int, int], None]  # bytes done, total
_CHUNK = 1 << 16  # bytes
TIMEOUT = 30.0  # seconds to wait for the server's first or next bytes


@dataclass(frozen=True)
class LocalFile:
    """The file of a data set on this machine, as `download_dataset` returns it."""

    path: Path
    sha256: str | None  # None for an included data set
    verified: bool  # whether it has the expected checksum; True for an included data set
    downloaded: bool  # whether this call downloaded it


def download_dataset(
    dataset: Dataset, progress: Progress | None = None, timeout: float = TIMEOUT
) -> LocalFile:
    """Download a data set, unless it is on this machine with the expected checksum.

    A download that is incomplete or has another checksum is discarded, and the next one starts from
    the beginning, because some servers, and `pooch`, cannot resume downloads.
    progress: called if the server sends the size of the file. timeout: seconds to wait for the
    server's next bytes. Raises WorkError if the download fails, InputError if the file cannot be
    written.
    """
    if not dataset.address:
        return LocalFile(dataset.file, None, verified=True, downloaded=False)
    folder = dataset.file.parent.parent
    with explain_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / f".{dataset.name}.lock"):  # only one process downloads
            if dataset.file.is_file():
                sha256 = _sha256(dataset.file)
                if dataset.sha256 in (None, sha256):
                    verified = dataset.sha256 is not None
                    return LocalFile(dataset.file, sha256, verified, downloaded=False)
            for stale in folder.glob(f".{dataset.name}.*/"):  # left by a killed process
                shutil.rmtree(stale, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=f".{dataset.name}.") as draft:
                if dataset.address.startswith("kaggle:"):
                    file = _from_kaggle(dataset, Path(draft))
                else:
                    file = _from_url(dataset, Path(draft), progress or (lambda *_: None), timeout)
                sha256 = _sha256(file)
                file.chmod(0o644)  # temporary files are readable by their owner only
                dataset.file.parent.mkdir(exist_ok=True)
                file.replace(dataset.file)
    return LocalFile(dataset.file, sha256, dataset.sha256 is not None, downloaded=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _ProgressBar:
    """The interface that `pooch` expects of a progress bar."""

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


def _from_url(dataset: Dataset, folder: Path, progress: Progress, timeout: float) -> Path:
    import pooch  # slow to import, and needed by downloads only
    import requests

    pooch.get_logger().setLevel("WARNING")  # the caller reports the download
    failed = f"Cannot download {dataset.name!r} from {dataset.address}: "
    get = pooch.HTTPDownloader(
        progressbar=_ProgressBar(progress), chunk_size=_CHUNK, timeout=timeout
    )
    checksum = dataset.sha256 and f"sha256:{dataset.sha256}"
    try:
        return Path(
            pooch.retrieve(dataset.address, checksum, dataset.file.name, folder, downloader=get)
        )
    except requests.HTTPError as error:
        response = error.response
        status = "an error" if response is None else f"{response.status_code} {response.reason}"
        raise WorkError(f"{failed}the server answers {status.strip()}; try again later.") from error
    except requests.Timeout as error:
        raise WorkError(
            f"{failed}no data from the server for {timeout:g} s; try again later, or raise "
            "--timeout."
        ) from error
    except requests.RequestException as error:
        is_cut = isinstance(error, requests.exceptions.ChunkedEncodingError)
        reason = "the connection broke off" if is_cut else "cannot reach the server"
        raise WorkError(f"{failed}{reason}; check your connection and try again.") from error
    except ValueError as error:
        raise WorkError(
            f"{failed}checksum mismatch (expected sha256 {dataset.sha256}); the file was "
            "discarded. Try again; if it fails again, the file at the source has changed."
        ) from error


def _from_kaggle(dataset: Dataset, folder: Path) -> Path:
    handle = dataset.address.removeprefix("kaggle:")
    failed = f"Cannot download {dataset.name!r} from kaggle.com/datasets/{handle}: "
    try:
        import kagglehub
    except ImportError as error:
        raise WorkError(
            f"{failed}{install_extra('kaggle')}, or put its {dataset.file.name} at {dataset.file}."
        ) from error
    try:
        content = Path(kagglehub.dataset_download(handle, output_dir=str(folder)))
    except Exception as error:  # kagglehub's errors share no class of their own
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise WorkError(f"{failed}{reason}; check your connection.") from error
    found = sorted(content.rglob(dataset.file.name))
    if not found:
        raise WorkError(
            f"{failed}the data set no longer has a file {dataset.file.name}; put one at "
            f"{dataset.file}."
        )
    return found[0]
