"""Creating runs, what is refused before anything is written, and a trainer in the background."""

from pathlib import Path

import pytest

from engine.config import with_settings
from engine.data.corpus import prepare_corpus
from engine.errors import InputError
from engine.runs import run_dir
from engine.train import launch, worker
from tests.engine.train.conftest import MakeConfig


def test_runs_without_a_name_get_one_each(make_config: MakeConfig) -> None:
    names = [launch.new_run(make_config(), None).name for _ in range(3)]
    assert names == ["lstm-2x12-1", "lstm-2x12-2", "lstm-2x12-3"]


def test_versions_and_the_corpus_are_recorded(make_config: MakeConfig, songs: Path) -> None:
    run = launch.new_run(make_config(), "recorded")
    metadata = run.metadata()
    assert metadata["corpus"]["hash"] == prepare_corpus(run.config().data).hash
    assert {"torch", "numpy", "rnn-tui"} <= set(metadata["versions"])


def test_a_run_finds_its_songs_from_any_folder(
    make_config: MakeConfig, songs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(songs.parent)
    config = make_config()
    relative = with_settings(config, [f"data.source={songs.name}"])
    run = launch.new_run(relative, "relative")
    assert run.config().data.source == str(songs)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (Path("originals")).mkdir()  # a folder does not hide the data set of the same name
    named = with_settings(config, ["data.source=originals"])
    assert launch.new_run(named, "named").config().data.source == "originals"


def test_songs_that_cannot_be_used_are_refused(make_config: MakeConfig, home: Path) -> None:
    for setting in ("data.source=", "data.source=gone.csv", "data.min_songs=999"):
        with pytest.raises(InputError):
            launch.new_run(with_settings(make_config(), [setting]), "none")
    assert run_dir.list_runs() == []
    assert not (home / "runs").exists()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model.match_recovery=true", r"model\.match_recovery is for music.*: leave it out"),
        ("model.beat_position=true", r"model\.beat_position is for music.*: leave it out"),
        ("train.transpose=3", r"train\.transpose is for music.*: leave it out"),
    ],
)
def test_settings_of_music_are_refused_for_lyrics(
    make_config: MakeConfig, setting: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        launch.new_run(make_config(setting), "none")
    assert run_dir.list_runs() == []


def test_a_resume_as_another_kind_names_the_right_command(make_config: MakeConfig) -> None:
    launch.new_run(make_config(), "words")
    with pytest.raises(InputError, match=r"lyrics run: use 'rnn-tui train lyrics --resume words'"):
        launch.resume("words", kind="music")


def test_a_run_of_another_format_is_refused(make_config: MakeConfig) -> None:
    run = launch.new_run(make_config("train.steps=3"), "old")
    path = run.path / "config.json"
    content = path.read_text().replace('"format": 2', '"format": 1')
    path.write_text(content)
    for use in (lambda: launch.resume("old"), lambda: worker.train_run(run)):
        with pytest.raises(InputError, match=r"'old' was made by another version .*format 1, not"):
            use()
    assert path.read_text() == content
    assert run.events.read_text() == ""


@pytest.mark.slow
def test_spawn_returns_when_the_trainer_holds_the_lock(make_config: MakeConfig) -> None:
    run = launch.new_run(make_config("train.steps=3"), "away")
    pid = launch.spawn(run)
    assert run.worker()["pid"] == pid
    with run.lock(60):  # waits until the trainer has released it
        assert run.last_step() == 3
