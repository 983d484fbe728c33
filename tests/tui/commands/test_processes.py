"""The commands as real processes: stopped by signals, detached, watched while they run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.runs import run_dir, run_state
from engine.runs.event_log import EventReader
from engine.runs.events import Event, Finished, Step
from engine.runs.run_dir import RunDir

COMMAND = [sys.executable, "-m", "tui.cli"]
Call = Callable[..., Any]


def wait_for(predicate: Callable[[], Any], seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := predicate():
            return result
        time.sleep(0.02)
    raise AssertionError("timed out")


def read_events(run: RunDir) -> list[Event]:
    return EventReader(run.events).poll()


def training(name: str) -> bool:
    """Whether the run exists and has taken a step."""
    found = [run for run in run_dir.list_runs() if run.name == name]
    return bool(found) and any(isinstance(event, Step) for event in read_events(found[0]))


@pytest.fixture
def endless(songs: Path, tiny: list[str]) -> list[str]:
    """The arguments of a run that would take hours."""
    return ["train", "lyrics", "--data", str(songs), *tiny, "--set", "train.steps=1000000"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_cleanly_with_a_checkpoint(
    call: Call, endless: list[str], number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [*COMMAND, *endless, "--run", "long"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: training("long"))
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume long" in err
    assert "Traceback" not in err
    assert "stopped at step" in out
    run = run_dir.find("long")
    last = read_events(run)[-1]
    assert isinstance(last, Finished)
    assert run.last_step() == last.step
    more = call("train", "lyrics", "--resume", "long", "--set", f"train.steps={last.step + 2}")
    assert more.status == 0


@pytest.mark.slow
def test_detached_watched_and_stopped_by_the_control_file(call: Call, endless: list[str]) -> None:
    done = call(*endless, "--run", "away", "--detach", "--json")
    (started,) = (json.loads(line) for line in done.out.splitlines())
    assert started["run"] == "away"
    run = run_dir.find("away")
    watcher = subprocess.Popen(
        [*COMMAND, "watch", "away", "--plain"], stdout=subprocess.PIPE, text=True
    )
    try:
        wait_for(lambda: training("away"))
        assert run_state.state_of(run, read_events(run)[-1]) == "live"
        refused = call("train", "lyrics", "--resume", "away")
        assert refused.status == 2
        assert "already being trained by process" in refused.err
        run.request("stop")
        out, _ = watcher.communicate(timeout=60)
    finally:
        os.kill(started["pid"], signal.SIGKILL) if run_state.is_alive(run.worker()) else None
        watcher.kill()
    assert watcher.returncode == 0
    assert "stopped at step" in out
    assert run.last_step() is not None


@pytest.mark.slow
def test_a_killed_run_is_reported_as_crashed(call: Call, endless: list[str]) -> None:
    process = subprocess.Popen([*COMMAND, *endless, "--run", "dead", "--quiet"])
    wait_for(lambda: training("dead"))
    process.kill()
    process.wait()
    done = call("watch", "dead", "--plain")
    assert done.status == 1
    assert "crashed" in done.err
    assert "--resume dead" in done.err
    assert '"state": "crashed"' in call("runs", "--json").out


@pytest.mark.slow
def test_sampling_into_a_closed_pipe_is_quiet(trained: str) -> None:
    line = f"{sys.executable} -m tui.cli sample lyrics --model {trained} --length 4000 | head -c 20"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert len(done.stdout) == 20
    assert done.stderr == ""


def test_the_app_needs_a_terminal() -> None:
    done = subprocess.run(COMMAND, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
