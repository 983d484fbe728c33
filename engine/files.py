"""Writing files so that a reader sees the old or the new, whole, and errors in sentences."""

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

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
    """Raise InputError for an OSError; `path` is what is read within the block."""
    try:
        yield
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error.strerror}): choose another.") from error


@contextlib.contextmanager
def explain_write_errors(path: Path) -> Iterator[None]:
    """Raise InputError for an OSError of a full disk, a missing permission or the like.

    `path` is what is written within the block.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise InputError(
                f"No space left while writing {path}: free some, or set RNN_TUI_HOME to a folder "
                "on another disk; what was saved before is untouched."
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
    """Write a file under a temporary name, fsync and rename it: `path` holds the old or the new.

    A path that is not a regular file, such as /dev/stdout, is written to directly.
    """
    data = content.encode() if isinstance(content, str) else content
    with explain_write_errors(path):
        path = path.resolve()  # a symbolic link stays one
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_bytes(data)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
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
    """Yield a temporary folder to fill; it becomes `path` if the block ends without an error.

    A folder already at `path` is replaced.
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
    """Make `link` a symbolic link to `target`, a name in the same folder, in one step."""
    with explain_write_errors(link):
        draft = link.with_name(f".{link.name}.new")
        draft.unlink(missing_ok=True)
        draft.symlink_to(target)
        draft.replace(link)
        _sync(link.parent)
