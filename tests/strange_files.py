"""Files that must not be read as usual: opening may wait for ever, or the content is endless."""

import os
import socket
from collections.abc import Callable
from pathlib import Path


def _listen(path: Path) -> None:
    place = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{place}/{path.name}")  # the whole path may be too long
    os.close(place)


# Each function makes the file at a path where there is none.
STRANGE: dict[str, Callable[[Path], object]] = {
    "deep": lambda path: path.write_text("[" * 200_000),
    "fifo": os.mkfifo,
    "socket": _listen,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "folder": Path.mkdir,
    "loop": lambda path: path.symlink_to(path.name),
}


def replace(path: Path, name: str) -> None:
    """Replace a file by the strange one of this name."""
    path.unlink(missing_ok=True)
    STRANGE[name](path)
