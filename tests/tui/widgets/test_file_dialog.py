"""Names and paths of files that are opened and saved."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from tui.widgets.file_dialog import file_name, file_path


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (["Why", "", "7"], "Why-7.txt"),
        (["Why, oh why?", "Moor & Daughters", "12"], "Why-oh-why-Moor-Daughters-12.txt"),
        (["../..", "/etc/x", ""], "etc-x.txt"),
        (["", "?"], "lyrics.txt"),
        (["Ünder " * 20, "1"], "Ünder-Ünder-Ünder-Ünder-Ünder-Ünde-1.txt"),
    ],
)
def test_names_of_files(parts: list[str], name: str) -> None:
    assert file_name(parts, ".txt", default="lyrics") == name


@given(st.lists(st.text(max_size=80), max_size=2))
def test_any_song_has_a_name_that_can_be_a_file(parts: list[str]) -> None:
    name = file_name([*parts, str(2**32)], ".txt", default="lyrics")
    assert file_path(name, Path("/")) == Path("/") / name
    assert len(name.encode()) < 120  # bytes; file systems take 255


def test_where_a_file_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "songs").mkdir()
    assert file_path(" a b.txt ", tmp_path) == tmp_path / "a b.txt"
    assert file_path("songs/a", tmp_path) == tmp_path / "songs/a"
    assert file_path("~/songs/a", Path("/")) == tmp_path / "songs/a"
    for wrong in (" ", "songs", "none/a", "~nobody-of-that-name/a", "a\nb", "n" * 300):
        with pytest.raises(InputError):
            file_path(wrong, tmp_path)
