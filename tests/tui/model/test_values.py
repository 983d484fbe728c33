"""What may be typed in the fields of several pages."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from tui.model import values


@pytest.mark.parametrize(
    ("text", "steps", "result"),
    [
        ("0.7", 1, "0.8"),
        ("0.7", -1, "0.6"),
        ("0.75", 1, "0.8"),
        ("0.75", -1, "0.7"),
        ("2", 1, "2.0"),
        ("0.05", -1, "0.0"),
        ("0", -1, "0.0"),
        ("inf", -1, "1.9"),
        ("", 1, "0.8"),
        ("what", 1, "0.8"),
    ],
)
def test_steps_of_temperature(text: str, steps: int, result: str) -> None:
    assert values.step_temperature(text, steps) == result


@given(st.integers(0, 19))
def test_a_step_up_and_one_down_come_back(tenths: int) -> None:
    text = f"{tenths / 10:.1f}"
    up = values.step_temperature(text, 1)
    assert float(up) == pytest.approx((tenths + 1) / 10)
    assert values.step_temperature(up, -1) == text


@pytest.mark.parametrize(
    ("prime", "artist", "seed", "name"),
    [
        ("Why", None, 7, "Why-7.txt"),
        ("Why, oh why?", "Moor & Daughters", 12, "Why-oh-why-Moor-Daughters-12.txt"),
        ("../..", "/etc/x", None, "etc-x.txt"),
        ("", None, None, ".txt"),
        ("Ünder " * 20, None, 1, "Ünder-Ünder-Ünder-Ünder-Ünder-Ünde-1.txt"),
    ],
)
def test_names_of_files(prime: str, artist: str | None, seed: int | None, name: str) -> None:
    assert values.file_name((prime, artist, seed), ".txt") == name


@given(st.text(max_size=80), st.none() | st.text(max_size=80))
def test_any_song_has_a_name_that_can_be_a_file(prime: str, artist: str | None) -> None:
    name = values.file_name((prime, artist, 2**32), ".txt")
    assert values.file_path(name, Path("/")) == Path("/") / name
    assert len(name.encode()) < 120  # bytes; file systems take 255


def test_where_a_file_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "songs").mkdir()
    assert values.file_path(" a b.txt ", tmp_path) == tmp_path / "a b.txt"
    assert values.file_path("songs/a", tmp_path) == tmp_path / "songs/a"
    assert values.file_path("~/songs/a", Path("/")) == tmp_path / "songs/a"
    for wrong in (" ", "songs", "none/a", "~nobody-of-that-name/a", "a\nb", "n" * 300):
        with pytest.raises(InputError):
            values.file_path(wrong, tmp_path)
