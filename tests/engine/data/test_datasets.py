"""Names of data sets, and paths."""

import zipfile
from pathlib import Path

import pytest

from engine.data import datasets
from engine.errors import InputError


def test_a_name_stands_for_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.paths.assets", lambda: tmp_path)
    file = tmp_path / "corpora/originals.csv"
    with pytest.raises(InputError, match=r"lacks its file .*originals\.csv"):
        datasets.resolve("originals")
    file.parent.mkdir()
    file.touch()
    assert datasets.resolve("originals") == file


def test_a_path_stays_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    assert datasets.resolve("mine") == Path("mine")
    assert datasets.resolve("missing.csv") == Path("missing.csv")
    assert datasets.resolve("~/songs.csv") == Path.home() / "songs.csv"


@pytest.mark.parametrize(
    ("source", "message"), [("orignals", "did you mean 'originals'"), (" ", "No songs were given")]
)
def test_an_unknown_name_is_refused(source: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        datasets.resolve(source)


def test_a_data_set_of_another_kind_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="'originals' is of lyrics, not of music: give the path"):
        datasets.resolve("originals", "music")
    (tmp_path / "originals").mkdir()  # then the name means the folder
    assert datasets.resolve("originals", "music") == Path("originals")


@pytest.mark.parametrize(("source", "message"), [("", "No songs were given"), ("x", "neither")])
def test_an_unknown_name_of_music_is_refused(source: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        datasets.resolve(source, "music")
    assert "originals" not in str(caught.value)


def test_a_data_set_by_its_name() -> None:
    assert datasets.get_dataset("pieces").kind == "music"
    with pytest.raises(InputError, match="no data set 'nottingam': did you mean 'nottingham'"):
        datasets.get_dataset("nottingam")


def test_the_table_is_consistent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path))
    for name, item in datasets.DATASETS.items():
        assert item.name == name
        # GitHub packs the archive of a commit when asked for it, so its checksum may change.
        unknown = not item.address or item.address.startswith("kaggle:")
        assert (item.sha256 is None) == (unknown or "/archive/" in item.address)
        assert bool(item.address) == (Path(item.path).parts[0] == name)
        assert item.is_available == (not item.address)


def test_a_zip_without_midi_files_and_a_list_in_json_are_not_music(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "songs.zip", "w") as archive:
        archive.writestr("songs.csv", "artist,text\n")
    with zipfile.ZipFile(tmp_path / "tunes.zip", "w") as archive:
        archive.writestr("a/b.MID", "")
    (tmp_path / "songs.json").write_text('[{"artist": "A"}]')
    (tmp_path / "tunes.json").write_text('{"train": []}')
    (tmp_path / "page.xml").write_text("<html/>")
    (tmp_path / "sheet.xml").write_text("<?xml version='1.0'?><score-partwise/>", "utf-16")
    kinds = {
        name: datasets.guess_kind(str(tmp_path / name))
        for name in ("songs.zip", "songs.json", "page.xml")
    }
    assert set(kinds.values()) == {"lyrics"}
    kinds = {
        name: datasets.guess_kind(str(tmp_path / name))
        for name in ("tunes.zip", "tunes.json", "x.zip", "sheet.xml", "no.mxl")
    }
    assert set(kinds.values()) == {"music"}
