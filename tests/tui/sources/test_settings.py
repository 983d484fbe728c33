"""The settings file: what is written is read again, whatever the values, and a damaged file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import paths
from tui.sources import settings
from tui.sources.settings import Settings

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="."), min_size=1)
VALUES = TEXT | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)


@given(st.dictionaries(NAMES, st.dictionaries(TEXT, VALUES, min_size=1)))
def test_toml_is_read_as_written(tables: dict[str, dict[str, settings.Value]]) -> None:
    assert settings.parse(settings.to_toml(tables)) == tables


def test_changes_are_merged_with_those_of_another_app(tmp_path: Path) -> None:
    path = tmp_path / "config" / "settings.toml"
    one, two = Settings(path), Settings(path)
    one.put("lyrics.fields", {"temperature": "0.8"})
    two.put("app", {"page": "lyrics"})
    again = Settings(path)
    assert again.table("lyrics.fields") == {"temperature": "0.8"}
    assert again.table("app") == {"page": "lyrics"}
    assert again.table("music") == {}
    assert path.read_text() == (
        "# Settings of rnn-tui, written by the app; defaults are left out.\n\n"
        '[app]\npage = "lyrics"\n\n[lyrics.fields]\ntemperature = "0.8"\n'
    )


@pytest.mark.parametrize("damaged", [b"page = ", b"\xff\xfe", b"[a]\n[a]\n"])
def test_a_damaged_file_is_kept_until_the_next_change(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(damaged)
    found = Settings(path)
    assert found.problem.startswith(f"The settings in {path} cannot be read (")
    assert path.read_bytes() == damaged
    found.put("app", {"theme": "textual-light"})
    assert Settings(path).table("app") == {"theme": "textual-light"}


def test_the_file_is_in_the_config_folder_caches_in_the_cache_folder_or_all_in_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RNN_TUI_HOME", raising=False)
    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    assert paths.settings() == tmp_path / "CONFIG" / "rnn-tui" / "settings.toml"
    assert paths.corpora() == tmp_path / "CACHE" / "rnn-tui" / "corpora"
    assert paths.history() == tmp_path / "DATA" / "rnn-tui" / "history.sqlite"
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path / "all"))
    assert paths.settings() == tmp_path / "all" / "settings.toml"
    assert paths.corpora() == tmp_path / "all" / "corpora"
