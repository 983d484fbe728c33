"""A run's directory: its name, its worker, its events while they are written, its state."""

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import RunConfig
from engine.errors import InputError
from engine.runs import events, run_dir
from engine.runs.event_log import EventLog, EventReader
from engine.runs.events import Failed, Finished, Heartbeat, Resumed


def make(name: str = "run") -> run_dir.RunDir:
    return run_dir.create(name, RunConfig(), {"corpus": {"hash": "x"}})


def test_a_new_run_is_there_whole() -> None:
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
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(InputError, match="cannot be a run's name"):
        make(name)
    assert run_dir.list_runs() == []


def test_a_name_is_given_once() -> None:
    make("one")
    with pytest.raises(InputError, match="--resume one"):
        make("one")
    assert len(run_dir.list_runs()) == 1


def test_requests_are_taken_once() -> None:
    run = make()
    run.request("stop")
    run.request("sample")
    assert run.poll_requests() == {"stop", "sample"}
    assert run.poll_requests() == set()


@given(st.binary(max_size=60))
def test_a_torn_last_line_is_cut_and_not_read(torn: bytes) -> None:
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"torn-{os.getpid()}.jsonl"
    whole = (events.encode(Heartbeat(1, "x")) + "\n").encode()
    path.write_bytes(whole + torn.replace(b"\n", b" "))
    assert len(EventReader(path).poll()) == 1
    log = EventLog(path)
    assert path.read_bytes() == whole
    log.append(Heartbeat(2, "y"))
    log.close()
    assert [getattr(event, "step", None) for event in EventReader(path).poll()] == [1, 2]
    path.unlink()


def test_a_reader_takes_up_where_it_left_off() -> None:
    run = make()
    log, reader = EventLog(run.events), EventReader(run.events)
    assert reader.poll() == []
    log.append(Heartbeat(1, "a"))
    assert [event.step for event in reader.poll() if isinstance(event, Heartbeat)] == [1]
    with run.events.open("ab") as file:
        line = (events.encode(Heartbeat(2, "b")) + "\n").encode()
        file.write(line[:10])
        file.flush()
        assert reader.poll() == []
        file.write(line[10:])
    assert [event.step for event in reader.poll() if isinstance(event, Heartbeat)] == [2]
    log.close()


def test_a_reader_beside_a_writer_sees_every_line_once() -> None:
    run = make()
    log, reader = EventLog(run.events), EventReader(run.events)

    def write() -> None:
        for number in range(800):
            log.append(Heartbeat(number, "é" * (number % 50)))

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[int] = []
    while len(seen) < 800:
        seen += [event.step for event in reader.poll() if isinstance(event, Heartbeat)]
    writer.join()
    log.close()
    assert seen == list(range(800))


def test_of_some_that_want_one_name_one_gets_it() -> None:
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
    assert sum("already" in str(result) for result in results) == 3
    assert len(run_dir.list_runs()) == 1


def test_only_one_may_work_and_the_lock_goes_with_the_process() -> None:
    run = make()
    code = (
        "import sys, time; from pathlib import Path; from engine.runs.run_dir import RunDir\n"
        f"with RunDir(Path({str(run.path)!r})).lock(): print('in', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "in\n"
    assert run_dir.is_alive(run.worker())
    with (
        pytest.raises(InputError, match=f"already being trained by process {holder.pid}"),
        run.lock(),
    ):
        pass
    with pytest.raises(InputError):
        run_dir.remove(run)
    holder.kill()
    holder.wait()
    assert run_dir.is_alive(run.worker()) is False
    with run.lock():
        assert run.worker()["pid"] == os.getpid()
    run_dir.remove(run)
    assert run_dir.list_runs() == []


def test_a_run_that_cannot_be_deleted_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def barred(path: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(shutil, "rmtree", barred)
    with pytest.raises(InputError, match=r"Cannot delete .* \(Read-only file system\): make"):
        run_dir.remove(make())


def test_the_state_in_one_word() -> None:
    run = make()
    now = 1000.0
    assert run_dir.state(run, None) == "starting"  # made a moment ago
    assert run_dir.state(run, None, time.time() + 100) == "crashed"  # nobody has taken it up
    with run.lock():
        assert run_dir.state(run, None) == "starting"
        assert run_dir.state(run, Heartbeat(1, "x", time=now), now + 5) == "live"
        assert run_dir.state(run, Heartbeat(1, "x", time=now), now + 100) == "stalled"
        assert run_dir.state(run, Resumed(3, time=now), now + 1) == "live"
        assert run_dir.state(run, Finished(9, "stopped", time=now)) == "starting"  # taken up again
        assert run_dir.state(run, Failed(9, "why", time=now)) == "starting"
        assert run_dir.state(run, Finished(9, "completed")) == "finished"
    assert run_dir.state(run, Finished(9, "stopped")) == "stopped"
    assert run_dir.state(run, Failed(9, "why")) == "failed"


def test_on_another_machine_only_silence_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make()
    with run.lock():
        pass
    monkeypatch.setattr(run_dir.socket, "gethostname", lambda: "elsewhere")  # type: ignore[attr-defined]
    assert run_dir.is_alive(run.worker()) is None
    assert run_dir.state(run, Heartbeat(1, "x", time=0.0), 5.0) == "live"
    assert run_dir.state(run, Heartbeat(1, "x", time=0.0), 500.0) == "stalled"


def test_runs_that_are_not_there() -> None:
    with pytest.raises(InputError, match="start one with 'rnn-tui train'"):
        run_dir.find(None)
    make("one")
    with pytest.raises(InputError, match="the newest are one"):
        run_dir.find("two")
