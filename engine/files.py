"""Atomic writing of files and folders, and errors of files as sentences.

A reader of a file that is written atomically sees the whole old content or the whole new one.
"""

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from engine.errors import InputError

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


def write_atomic(path: Path, content: bytes | str) -> None:
    """Replace the content of `path` atomically: see `atomic_file`."""
    with atomic_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a temporary file to write, which is synced and renamed to `path` at the block's end.

    After an error in the block the file is deleted and `path` stays unchanged. A path that is not a
    regular file, such as /dev/stdout, is written to directly. Raises InputError as
    `explain_write_errors` does.
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
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)  # mkstemp makes 0600, which another user could not read
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
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
