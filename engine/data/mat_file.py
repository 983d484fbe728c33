"""A reader of cell arrays in MATLAB files of version 5, the format of `.mat` before HDF5.

Data sets of piano rolls are published as cell arrays of numeric matrices in such files; nothing
else is read. A file is a header of 128 bytes and elements, each with a type, a size and content.
Each size is checked against the bytes present before anything is allocated.
"""

import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_BYTES = 64 << 20  # of a file, and also of its unpacked content
MAX_PARTS = 1 << 16  # elements of a cell array: three of its header, then its cells
_TYPES = {  # NumPy's type for each type of numbers
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
_MATRIX, _COMPRESSED = 14, 15  # types of elements
_CELL = 1  # the class of cell arrays
_NUMERIC = range(6, 16)  # the classes of numeric matrices


def read_cell_arrays(path: Path) -> dict[str, list[npt.NDArray[Any] | None]]:
    """Return the cell arrays of a file by name, each a list of matrices.

    None stands for a cell that is not a numeric matrix. Raises OSError if the file cannot be read,
    and ValueError if it is invalid or has over 64 MiB, packed or unpacked. The message of the
    ValueError is a clause about the file, such as "it is cut off".
    """
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"it has over {MAX_BYTES >> 20} MiB")
    orders = {b"\0\1IM": "<", b"\1\0MI": ">"}
    order = orders.get(data[124:128])
    if order is None:
        raise ValueError("it is not of MATLAB version 5")
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
    """Return an element's unpacked content; raises ValueError if it is over `room` bytes."""
    unpacker = zlib.decompressobj()
    try:
        body = unpacker.decompress(data, room + 1)  # 0 would mean no limit
    except zlib.error as error:
        raise ValueError("its compressed content is damaged") from error
    if not unpacker.eof or len(body) > room:
        raise ValueError(f"it is cut off or unpacks to over {MAX_BYTES >> 20} MiB")
    return body


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Yield the type and the content of each element in `data`.

    order: the byte order, "<" or ">", as in `struct`.
    """
    offset = 0
    while offset < len(data):
        if len(data) - offset < 8:
            raise ValueError("it is cut off")
        kind, size = struct.unpack_from(order + "II", data, offset)
        if kind >> 16:  # the tag itself holds up to four bytes of content
            kind, size, start, stop = kind & 0xFFFF, kind >> 16, offset + 4, offset + 8
        else:
            start = offset + 8
            stop = start + size + (0 if kind == _COMPRESSED else -size % 8)
        if start + size > min(stop, len(data)):
            raise ValueError("it is cut off")
        yield kind, data[start : start + size]
        offset = stop


def _matrix(data: bytes, order: str, inside: bool = False) -> tuple[str, Any]:
    """Return the name and the value of an array: a numeric matrix, or a list for a cell array.

    None stands for the value of any other array. inside: whether the array is an item of a cell
    array, where another cell array is not read.
    """
    parts = list(islice(_elements(data, order), MAX_PARTS + 1))
    if len(parts) > MAX_PARTS:
        raise ValueError(f"it has a cell array of over {MAX_PARTS - 3:,} matrices")
    if len(parts) < 3 or len(parts[0][1]) < 4:
        raise ValueError("it has a matrix without a header")
    (flags,) = struct.unpack_from(order + "I", parts[0][1])
    shape = tuple(np.frombuffer(parts[1][1], order + "i4").tolist())
    name = parts[2][1].decode("latin-1")
    if flags & 0xFF == _CELL and not inside:
        return name, [_matrix(body, order, True)[1] for _, body in parts[3:]]
    if flags & 0xFF not in _NUMERIC or len(parts) < 4 or parts[3][0] not in _TYPES:
        return name, None
    kind, body = parts[3]
    values = np.frombuffer(body, order + _TYPES[kind])
    if values.size != np.prod(shape, dtype=object):
        raise ValueError(f"it has {values.size} numbers for a matrix of {shape}")
    return name, values.reshape(shape, order="F")
