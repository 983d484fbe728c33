import socket
import time

import pytest

from engine.config import RunConfig
from engine.runs import run_dir
from engine.runs.events import Failed, Finished, Heartbeat, Resumed
from engine.runs.run_state import is_alive, state_of


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_the_state_of_a_run(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    run = run_dir.create("run", RunConfig(), {})
    now = 1000.0
    assert state_of(run, None) == "starting"  # created a moment ago
    assert state_of(run, None, time.time() + 100) == "crashed"  # no trainer has locked it
    with run.lock():
        assert state_of(run, None) == "starting"
        assert state_of(run, Heartbeat(1, "x", time=now), now + 5) == "live"
        assert state_of(run, Heartbeat(1, "x", time=now), now + 100) == "stalled"
        assert state_of(run, Resumed(3, time=now), now + 1) == "live"
        assert state_of(run, Finished(9, "stopped", time=now)) == "starting"  # locked again
        assert state_of(run, Failed(9, "why", time=now)) == "starting"
        assert state_of(run, Finished(9, "completed")) == "finished"
    assert state_of(run, Finished(9, "stopped")) == "stopped"
    assert state_of(run, Failed(9, "why")) == "failed"
    monkeypatch.undo()
    time.tzset()


def test_state_on_another_machine_depends_on_the_last_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = run_dir.create("run", RunConfig(), {})
    with run.lock():
        pass
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    assert is_alive(run.worker()) is None
    assert state_of(run, Heartbeat(1, "x", time=0.0), 5.0) == "live"
    assert state_of(run, Heartbeat(1, "x", time=0.0), 500.0) == "stalled"
