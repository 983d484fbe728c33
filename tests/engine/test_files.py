"""Files and folders are seen old or new, whole."""

import errno
import os
from pathlib import Path

import pytest

from engine import files
from engine.errors import InputError


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    files.write_atomic(path, "one")
    files.write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.txt"
    files.write_atomic(path, "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left while writing"):
        files.write_atomic(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_appears_once_it_is_filled(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    with files.atomic_folder(path) as draft:
        (draft / "a").write_text("1")
        assert not path.exists()
    assert (path / "a").read_text() == "1"
    with files.atomic_folder(path) as draft:
        (draft / "b").write_text("2")
    assert [entry.name for entry in path.iterdir()] == ["b"]


def test_a_failed_folder_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "folder"

    def fail() -> None:
        with files.atomic_folder(path) as draft:
            (draft / "a").write_text("1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_replaced_in_one_step(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        files.replace_link(tmp_path / "last", name)
        assert (tmp_path / "last").resolve().name == name
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["last", "one", "two"]


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Cannot write"):
        files.write_atomic(tmp_path / "file" / "below", "x")
