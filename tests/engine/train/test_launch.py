"""Trainers in processes of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine import config as configs
from engine.config import RunConfig
from engine.data.corpus import prepare_corpus
from engine.errors import InputError
from engine.runs import run_dir
from engine.train import launch

Small = Callable[..., RunConfig]


def test_a_spawned_trainer_holds_the_run_when_spawn_returns(small: Small) -> None:
    run = launch.new_run(small("train.steps=3"), "away")
    number = launch.spawn(run)
    assert run.worker()["pid"] == number
    with run.lock(60):  # until it has let go
        assert run.last_step() == 3


def test_a_run_finds_its_songs_from_any_folder(
    small: Small, songs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(songs.parent)
    config = small()
    relative = configs.with_settings(config, [f"data.source={songs.name}"])
    run = launch.new_run(relative, "here")
    assert run.config().data.source == str(songs)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (Path("originals")).mkdir()  # a folder named as a data set does not hide it
    named = configs.with_settings(config, ["data.source=originals"])
    assert launch.new_run(named, "named").config().data.source == "originals"


def test_runs_without_a_name_get_one_each(small: Small) -> None:
    names = [launch.new_run(small(), None).name for _ in range(3)]
    assert names == ["lstm-2x12-1", "lstm-2x12-2", "lstm-2x12-3"]


def test_what_was_met_is_written_down(small: Small, songs: Path) -> None:
    run = launch.new_run(small(), "facts")
    facts = run.metadata()
    assert facts["corpus"]["hash"] == prepare_corpus(run.config().data).hash
    assert {"torch", "numpy", "rnn-tui"} <= set(facts["versions"])


def test_refused_before_anything_is_made(small: Small, home: Path) -> None:
    for setting in ("data.source=", "data.source=gone.csv", "data.min_songs=999"):
        with pytest.raises(InputError):
            launch.new_run(configs.with_settings(small(), [setting]), "none")
    assert run_dir.list_runs() == []
    assert not (home / "runs").exists()


def test_a_memory_that_lapses_is_for_music(small: Small) -> None:
    with pytest.raises(InputError, match=r"model\.match_recovery is for music"):
        launch.new_run(small("model.match_recovery=true"), "none")
