"""Atomic writing of files and folders, checksums, and errors of files as sentences.

A reader of a file that is written atomically sees the whole old content or the whole new one.
A folder with the file SHA256SUMS has checksums of its files, as the program `sha256sum` writes and
checks them.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from engine.errors import InputError

CHECKSUMS = "SHA256SUMS"
# Errors of a full disk, a quota or a limit on a file's size.
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Errors of a path that cannot be written to.
_NOT_WRITABLE = {
    errno.EACCES,
    errno.EEXIST,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}


@contextlib.contextmanager
def explain_read_errors(path: Path) -> Iterator[None]:
    """Raise InputError for an OSError within the block, which reads `path`."""
    try:
        yield
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error.strerror}): choose another path.") from error


def open_regular(path: Path) -> BufferedReader:
    """Open a file to read bytes. Raises OSError for any other than a regular one.

    Opening a FIFO or a device could wait for ever.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "It is not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_end(path: Path, max_bytes: int) -> tuple[str, bool]:
    """Return the end of a text file, and whether that is all of it; "" if it cannot be read."""
    try:
        with open_regular(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - max_bytes))
            return file.read().decode(errors="replace"), size <= max_bytes
    except OSError:
        return "", True


def read_json(path: Path) -> Any:
    """Read a file of JSON. Raises OSError if it cannot be read, ValueError if it is not JSON."""
    with open_regular(path) as file:
        content = file.read()
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def write_checksums(folder: Path, names: Iterable[str]) -> None:
    """Write the checksums of those files in a folder that exist, of `names`, to its SHA256SUMS."""
    found = [name for name in names if (folder / name).exists()]
    lines = [f"{_sha256(folder / name)}  {name}\n" for name in found]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def verify_checksum(path: Path, remedy: str) -> None:
    """Raise InputError if a file differs from its checksum in the SHA256SUMS beside it, if any.

    remedy: the end of the error's sentence. Raises OSError if the file cannot be read.
    """
    try:
        with open_regular(path.with_name(CHECKSUMS)) as file:
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return
    expected = next((line[:64] for line in lines if line[64:] == f"  {path.name}"), None)
    if expected is not None and _sha256(path) != expected:
        raise InputError(
            f"{path} is damaged: it does not match its checksum in {CHECKSUMS}; {remedy}"
        )


def is_undamaged(folder: Path) -> bool:
    """Return whether all files in a folder match their checksums, if there are any."""
    try:
        for path in folder.iterdir():
            verify_checksum(path, "")
    except (OSError, InputError):
        return False
    return True


def _sha256(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def explain_write_errors(path: Path) -> Iterator[None]:
    """Raise InputError for an OSError within the block, which writes `path`.

    Lack of space and paths that cannot be written are converted; others are raised unchanged.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise InputError(
                f"No space left while writing {path}: free some space, or use another disk (for "
                "runs and data, RNN_TUI_HOME names the folder); files saved before are unchanged."
            ) from error
        if error.errno in _NOT_WRITABLE:
            raise InputError(
                f"Cannot write {path} ({error.strerror}): make it writable or choose another path."
            ) from error
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomic(path: Path, content: bytes | str, sync: bool = True) -> None:
    """Replace the content of `path` atomically: see `atomic_file`."""
    with atomic_file(path, sync) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def atomic_file(path: Path, sync: bool = True) -> Iterator[BinaryIO]:
    """Yield a temporary file to write, which is synced and renamed to `path` at the block's end.

    After an error in the block the file is deleted and `path` stays unchanged. A path that is not a
    regular file, such as /dev/stdout, is written to directly. sync: whether the content must
    survive a power failure, which takes milliseconds. Raises InputError as `explain_write_errors`
    does.
    """
    with explain_write_errors(path):
        path = path.resolve()  # a symbolic link is kept: the file that it points to is replaced
        if path.exists() and not path.is_file() and not path.is_dir():
            with path.open("wb") as file:
                yield file
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            Path(name).chmod(0o644)  # mkstemp makes 0600, which another user could not read
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        if sync:
            _sync(path.parent)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill, which is renamed to `path` at the end of the block.

    A folder already at `path` is replaced. After an error in the block the temporary folder is
    deleted and `path` stays unchanged.
    """
    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        try:
            yield draft
            draft.chmod(0o755)
            for file in draft.iterdir():
                _sync(file)
            _sync(draft)
            if path.exists():
                shutil.rmtree(path)
            draft.replace(path)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        _sync(path.parent)


def replace_link(link: Path, target: str) -> None:
    """Point the symbolic link `link` to `target`, a name in the same folder, atomically."""
    with explain_write_errors(link):
        draft = link.with_name(f".{link.name}.new")
        draft.unlink(missing_ok=True)
        draft.symlink_to(target)
        draft.replace(link)
        _sync(link.parent)
