"""Runs of an older format: what reads events alone works, what reads settings refuses them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.runs import run_dir
from engine.runs.run_dir import RunDir
from tests.tui.commands.conftest import Call, Done

SENTENCE = (
    "rnn-tui: The run 'old' was made by another version of rnn-tui (format 1, not 2): open it with "
    "that version, or train again.\n"
)


def as_format_1(run: RunDir) -> None:
    """Rewrite the files of a run as the version before format 2 wrote them."""
    path = run.path / "config.json"
    content = json.loads(path.read_text())
    del content["format"]
    train, data = content["config"]["train"], content["config"]["data"]
    train["lanes"], train["average"] = train.pop("batch_size"), train.pop("ema_decay")
    data["rare"] = data.pop("min_count")
    path.write_text(json.dumps(content))
    for path in run.checkpoints.glob("step-*/meta.json"):
        meta = json.loads(path.read_text())
        meta["format"] = 1
        path.write_text(json.dumps(meta))
        path.with_name("SHA256SUMS").unlink()


@pytest.fixture
def old(call: Call, songs: Path, tiny: list[str]) -> RunDir:
    """A finished run of format 1."""
    assert call("train", "lyrics", "--data", songs, "--run", "old", *tiny, "--quiet").status == 0
    run = run_dir.find("old")
    as_format_1(run)
    return run


def as_killed(run: RunDir) -> None:
    """Remove the last event, and let the trainer be a process that has ended."""
    lines = run.events.read_text().splitlines(keepends=True)
    run.events.write_text("".join(lines[:-1]))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    run_dir.write_worker(run, ended.pid)


def refused(done: Done) -> bool:
    return (done.status, done.err) == (2, SENTENCE)


def test_what_reads_events_alone_works(call: Call, old: RunDir, tmp_path: Path) -> None:
    (row,) = (json.loads(line) for line in call("runs", "--json").out.splitlines())
    assert (row["name"], row["state"], row["step"]) == ("old", "finished", 12)
    assert row["model"] == "lstm 2 × 12"
    assert "old" in call("runs").out
    assert call("watch", "old", "--plain").out.endswith("completed at step 12\n")
    assert call("export", "old", "--csv", tmp_path / "old.csv").status == 0
    assert (tmp_path / "old.csv").read_text().count("\n") > 1


def test_what_reads_the_settings_refuses_it(call: Call, old: RunDir) -> None:
    before = (old.path / "config.json").read_text()
    for kind in ("lyrics", "music"):
        assert refused(call("train", kind, "--resume", "old"))
    assert refused(call("train", "lyrics", "--resume", old.path, "--set", "train.steps=20"))
    assert refused(call("ask", "old", "stop"))
    assert (old.path / "config.json").read_text() == before
    as_killed(old)
    assert refused(call("watch", "old", "--plain"))
    assert json.loads(call("runs", "--json").out)["state"] == "crashed"


@pytest.mark.parametrize(
    "words", [("sample", "lyrics", "--model", "old"), ("eval", "--model", "old")]
)
def test_its_model_is_refused_too(call: Call, old: RunDir, words: tuple[str, ...]) -> None:
    done = call(*words)
    assert done.status == 2
    assert "format 1, this version reads format 2" in done.err
    assert done.err.count("\n") == 1


def test_its_model_is_listed_with_the_reason(call: Call, old: RunDir) -> None:
    rows: list[dict[str, Any]] = [
        json.loads(line) for line in call("models", "--json").out.splitlines()
    ]
    (row,) = (row for row in rows if row["name"] == "old")
    assert "format 1" in row["error"]


def test_its_trainer_ends_at_once(
    old: RunDir, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from engine.train import worker

    monkeypatch.setattr("sys.argv", ["worker", str(old.path)])
    assert worker.main() == 2
    assert capfd.readouterr().err == SENTENCE.removeprefix("rnn-tui: ")
