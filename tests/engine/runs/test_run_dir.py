"""A run's directory: its name, its lock and worker, requests, runs of another format."""

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from engine import paths
from engine.config import RunConfig
from engine.errors import InputError
from engine.runs import run_dir, run_state


def make(name: str = "run") -> run_dir.RunDir:
    return run_dir.create(name, RunConfig(), {"corpus": {"hash": "x"}})


def test_a_new_run_is_complete_and_found_by_name_and_path() -> None:
    run = make("first")
    assert run.name == "first"
    assert run.config() == RunConfig()
    assert run.metadata()["corpus"] == {"hash": "x"}
    assert (run.path / "config.toml").is_file()
    assert run_dir.find("first") == run
    assert run_dir.find(run.path.name) == run
    assert run_dir.find(str(run.path)) == run
    assert run_dir.find(None) == run


@pytest.mark.parametrize(
    "name", ["", ".hidden", "a/b", "a b", "x" * 121, "20260101-000000-x", "-x"]
)
def test_invalid_names_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="is not a valid name: use at most 120 letters"):
        make(name)
    assert run_dir.list_runs() == []


def test_a_name_can_be_taken_once() -> None:
    make("one")
    with pytest.raises(InputError, match=r"The run 'one' already exists .*--resume one"):
        make("one")
    assert len(run_dir.list_runs()) == 1


def test_a_request_is_read_once() -> None:
    run = make()
    run.request("stop")
    run.request("sample")
    assert run.poll_requests() == {"stop", "sample"}
    assert run.poll_requests() == set()


def test_of_runs_created_at_once_with_one_name_one_succeeds() -> None:
    results: list[object] = []

    def begin() -> None:
        try:
            results.append(make("both"))
        except InputError as error:
            results.append(str(error))

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(result, run_dir.RunDir) for result in results) == 1
    assert sum("already exists" in str(result) for result in results) == 3
    assert len(run_dir.list_runs()) == 1


def test_one_process_holds_the_lock_and_its_death_releases_it() -> None:
    run = make()
    code = (
        "import sys, time; from pathlib import Path; from engine.runs.run_dir import RunDir\n"
        f"with RunDir(Path({str(run.path)!r})).lock(): print('in', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "in\n"
    assert run_state.is_alive(run.worker())
    refusal = f"already being trained by process {holder.pid} on .*'rnn-tui ask run stop'"
    with pytest.raises(InputError, match=refusal), run.lock():
        pass
    with pytest.raises(InputError):
        run_dir.remove(run)
    holder.kill()
    holder.wait()
    assert run_state.is_alive(run.worker()) is False
    with run.lock():
        assert run.worker()["pid"] == os.getpid()
    run_dir.remove(run)
    assert run_dir.list_runs() == []


def test_why_a_run_cannot_be_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def barred(path: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(shutil, "rmtree", barred)
    with pytest.raises(InputError, match=r"Cannot delete .* \(Read-only file system\): make"):
        run_dir.remove(make())


def test_a_missing_run_is_an_error() -> None:
    with pytest.raises(InputError, match="start one with 'rnn-tui train lyrics --data originals'"):
        run_dir.find(None)
    make("one")
    with pytest.raises(InputError, match="the newest are one"):
        run_dir.find("two")


def test_runs_are_ordered_by_time_in_any_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([1_750_000_000, 1_750_003_600])
    real = time.gmtime
    monkeypatch.setattr(time, "gmtime", lambda: real(next(seconds)))
    for name, zone in (("first", "Asia/Tokyo"), ("second", "America/Los_Angeles")):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        run_dir.create(name, RunConfig(), {})
    assert [run.name for run in run_dir.list_runs()] == ["second", "first"]
    monkeypatch.undo()
    time.tzset()


def test_the_home_folder_may_begin_with_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("RNN_TUI_HOME", "~/songs")
    assert paths.home() == Path("/home/ada/songs")
    monkeypatch.setenv("RNN_TUI_HOME", "~no-such-user/songs")
    with pytest.raises(InputError, match="RNN_TUI_HOME is '~no-such-user/songs'"):
        paths.home()


def test_a_renamed_run_keeps_its_time_and_is_not_in_training() -> None:
    run, other = make("first"), make("second")
    with run_dir.find("first").lock():
        pass  # a trainer that has ended
    worker = run.worker()
    renamed = run_dir.rename(run, "third")
    assert renamed.path.name == run.path.name.replace("first", "third")
    assert run_dir.find("third") == renamed
    assert renamed.worker() == worker  # who renamed it is not its trainer
    assert run_dir.rename(renamed, "third") == renamed
    with pytest.raises(InputError, match="'second' already exists"):
        run_dir.rename(renamed, "second")
    with other.hold(), pytest.raises(InputError, match="is already being trained"):
        run_dir.rename(other, "fourth")
    with other.lock():  # and can be trained afterwards
        assert run_dir.rename(renamed, "fifth").path.is_dir()


def test_a_note_is_one_line_and_can_be_removed() -> None:
    run = make()
    assert run.note == ""
    run.set_note("  twice the\nunits ")
    assert run.note == "twice the units"
    run.set_note(" ")
    assert run.note == ""
    run.set_note("")
    run_dir.remove(run)
    with pytest.raises(InputError, match="no longer exists"):
        run.set_note("gone")
