"""Lists of matrices from a MATLAB file (version 5, the one of `.mat` files before HDF5).

Only what such files of piano rolls hold is read: cell arrays of matrices of numbers. What a file
claims is checked against the bytes that are there before anything is made of it.
"""

import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_BYTES = 64 << 20  # of the file, and again unpacked
MAX_PARTS = 1 << 16  # of a cell array
_TYPES = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
_MATRIX, _COMPRESSED = 14, 15
_CELL = 1
_NUMBERS = range(6, 16)  # the classes of matrices of numbers


def read_cell_arrays(path: Path) -> dict[str, list[npt.NDArray[Any] | None]]:
    """The cell arrays in a file, by name: a list of matrices each, None for what is no matrix.

    Raises OSError, and ValueError in words for what is no such file or unpacks to over 64 MiB.
    """
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"it has over {MAX_BYTES >> 20} MiB")
    orders = {b"\0\1IM": "<", b"\1\0MI": ">"}
    order = orders.get(data[124:128])
    if order is None:
        raise ValueError("it is not of MATLAB's version 5")
    found: dict[str, list[npt.NDArray[Any] | None]] = {}
    room = MAX_BYTES
    for kind, body in _elements(data[128:], order):
        if kind == _COMPRESSED:
            body = _unpacked(body, room)
            room -= len(body)
            kind, body = next(_elements(body, order), (0, b""))
        if kind == _MATRIX:
            name, value = _matrix(body, order)
            if isinstance(value, list):
                found[name] = value
    return found


def _unpacked(data: bytes, room: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        body = unpacker.decompress(data, room + 1)  # 0 would be no limit
    except zlib.error as error:
        raise ValueError("what it holds is damaged") from error
    if not unpacker.eof or len(body) > room:
        raise ValueError(f"it is cut off or unpacks to over {MAX_BYTES >> 20} MiB")
    return body


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """The elements that lie in `data` one after the other: type and content of each."""
    offset = 0
    while offset < len(data):
        if len(data) - offset < 8:
            raise ValueError("it is cut off")
        kind, size = struct.unpack_from(order + "II", data, offset)
        if kind >> 16:  # up to four bytes of content lie in the tag itself
            kind, size, start, stop = kind & 0xFFFF, kind >> 16, offset + 4, offset + 8
        else:
            start = offset + 8
            stop = start + size + (0 if kind == _COMPRESSED else -size % 8)
        if start + size > min(stop, len(data)):
            raise ValueError("it is cut off")
        yield kind, data[start : start + size]
        offset = stop


def _matrix(data: bytes, order: str, inside: bool = False) -> tuple[str, Any]:
    """The name of a matrix and its value: an array, a list of arrays, or None for other classes.

    A list `inside` a list is one of the others.
    """
    parts = list(islice(_elements(data, order), MAX_PARTS + 1))
    if len(parts) > MAX_PARTS:
        raise ValueError(f"it holds a list of over {MAX_PARTS - 3:,} matrices")
    if len(parts) < 3 or len(parts[0][1]) < 4:
        raise ValueError("it holds a matrix without a head")
    (flags,) = struct.unpack_from(order + "I", parts[0][1])
    shape = tuple(np.frombuffer(parts[1][1], order + "i4").tolist())
    name = parts[2][1].decode("latin-1")
    if flags & 0xFF == _CELL and not inside:
        return name, [_matrix(body, order, True)[1] for _, body in parts[3:]]
    if flags & 0xFF not in _NUMBERS or len(parts) < 4 or parts[3][0] not in _TYPES:
        return name, None
    kind, body = parts[3]
    values = np.frombuffer(body, order + _TYPES[kind])
    if values.size != np.prod(shape, dtype=object):
        raise ValueError(f"it holds {values.size} numbers for a matrix of {shape}")
    return name, values.reshape(shape, order="F")
