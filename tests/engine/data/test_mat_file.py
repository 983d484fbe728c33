"""Cell arrays of MATLAB files."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data import mat_file

WriteMat = Callable[..., Path]
HEAD = b"invented".ljust(124) + b"\0\1IM"


def rolls(count: int, kind: Any = np.uint8) -> list[Any]:
    generator = np.random.default_rng(count)
    return [generator.integers(0, 2, (3 + i, 5)).astype(kind) for i in range(count)]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("kind", [np.uint8, np.float64])
def test_lists_of_matrices_are_read(
    tmp_path: Path, write_mat: WriteMat, order: str, packed: bool, kind: Any
) -> None:
    wanted = {"traindata": rolls(3, kind), "testdata": rolls(1, kind), "none": []}
    found = mat_file.read_cell_arrays(write_mat(tmp_path / "a.mat", wanted, order, packed))
    assert found.keys() == wanted.keys()
    for name, matrices in wanted.items():
        assert len(found[name]) == len(matrices)
        for matrix, expected in zip(found[name], matrices, strict=True):
            assert matrix is not None
            assert np.array_equal(matrix, expected)


@pytest.mark.parametrize("compress", [True, False])
def test_files_written_by_scipy_are_read(tmp_path: Path, compress: bool) -> None:
    io = pytest.importorskip("scipy.io")
    cells = np.empty((1, 4), object)
    cells[0] = [*rolls(2), np.array("a word"), np.ones((2, 2, 3))]
    path = tmp_path / "a.mat"
    io.savemat(path, {"traindata": cells, "other": np.ones(3)}, do_compression=compress)
    found = mat_file.read_cell_arrays(path)
    assert list(found) == ["traindata"]
    first, second, word, cube = found["traindata"]
    assert np.array_equal(first, cells[0, 0])  # type: ignore[arg-type]
    assert np.array_equal(second, cells[0, 1])  # type: ignore[arg-type]
    assert word is None
    assert cube is not None
    assert cube.shape == (2, 2, 3)


def element(kind: int, body: bytes) -> bytes:
    return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)


def matrix(kind: int, shape: tuple[int, ...], *parts: bytes) -> bytes:
    flags, sizes = struct.pack("<II", kind, 0), struct.pack(f"<{len(shape)}i", *shape)
    return element(
        14, element(6, flags) + element(5, sizes) + element(1, b"name") + b"".join(parts)
    )


BROKEN = {
    "empty": (b"", "version 5"),
    "newer": (b"\x89HDF\r\n" + bytes(200), "version 5"),
    "half a tag": (HEAD + b"\x0e", "cut off"),
    "half an element": (HEAD + struct.pack("<II", 14, 1000), "cut off"),
    "packed": (HEAD + struct.pack("<II", 15, 4) + b"abcd", "damaged"),
    "headless": (HEAD + element(14, b""), "without a header"),
    "small": (HEAD + matrix(9, (2, 3), element(2, b"12345")), "5 numbers for a matrix of"),
    "claims": (HEAD + matrix(9, (2**30, 2**30), element(2, b"12345")), "5 numbers"),
    "negative": (HEAD + matrix(9, (-1, -5), element(2, b"12345")), "dimension"),
    "uneven": (HEAD + matrix(9, (1, 1), element(9, b"12345")), "multiple of element size"),
    "many": (HEAD + matrix(1, (1, 9), element(14, b"") * 70_000), "a cell array of over 65,533"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_invalid_file_is_refused(tmp_path: Path, name: str) -> None:
    data, message = BROKEN[name]
    path = tmp_path / "a.mat"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        mat_file.read_cell_arrays(path)


def test_the_unpacked_size_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mat_file, "MAX_BYTES", 1 << 20)
    body = zlib.compress(bytes(600_000))
    bomb = struct.pack("<II", 15, len(body)) + body
    path = tmp_path / "a.mat"
    path.write_bytes(HEAD + bomb)
    assert mat_file.read_cell_arrays(path) == {}
    path.write_bytes(HEAD + bomb + bomb)
    with pytest.raises(ValueError, match="unpacks to over 1 MiB"):
        mat_file.read_cell_arrays(path)
    path.write_bytes(HEAD + bytes(1 << 20))
    with pytest.raises(ValueError, match="has over 1 MiB"):
        mat_file.read_cell_arrays(path)


def test_lists_within_lists_are_not_read(tmp_path: Path) -> None:
    body = matrix(1, (1, 1))
    for _ in range(3000):
        body = matrix(1, (1, 1), body)
    (tmp_path / "a.mat").write_bytes(HEAD + body)
    assert mat_file.read_cell_arrays(tmp_path / "a.mat") == {"name": [None]}


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_broken_files_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, write_mat: WriteMat, draw: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("broken") / "a.mat"
    write_mat(path, {"traindata": rolls(2)}, packed=draw.draw(st.booleans()))
    data = bytearray(path.read_bytes())
    for bit in draw.draw(st.lists(st.integers(124 * 8, len(data) * 8 - 1), max_size=4)):
        data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data[: draw.draw(st.integers(120, len(data)))])
    try:
        found = mat_file.read_cell_arrays(path)
    except ValueError:
        return
    assert all(isinstance(matrices, list) for matrices in found.values())
