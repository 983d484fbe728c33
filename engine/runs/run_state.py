"""Whether a run is starting, live, stalled, finished, stopped, failed or crashed."""

import calendar
import socket
import time
from pathlib import Path
from typing import Any

import psutil

from engine.runs.events import Event, Failed, Finished
from engine.runs.run_dir import TIME_FORMAT, RunDir

STALLED_AFTER = 30.0  # seconds without an event; a trainer writes one every few seconds
ACTIVE = {"starting", "live", "stalled"}  # states of a run that a trainer is working on
ENDED = {"finished", "stopped", "failed", "crashed"}  # states of a run without a trainer


def is_alive(worker: dict[str, Any]) -> bool | None:
    """Return whether a run's last trainer is still running; None if it is on another machine.

    worker: the result of `RunDir.worker`. A process with the trainer's pid that was created at
    another time is a different one.
    """
    if not worker:
        return False
    if worker.get("host") != socket.gethostname():
        return None
    try:
        process = psutil.Process(int(worker["pid"]))
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        created = worker.get("created")
        return created is None or abs(process.create_time() - float(created)) < 2
    except (psutil.Error, KeyError, ValueError, TypeError, OverflowError):
        return False


def state_of(run: RunDir, last: Event | None, now: float | None = None) -> str:
    """Return a run's state, one of ACTIVE or ENDED, given its last event (None: no event yet).

    `stalled`: the trainer has written no event for STALLED_AFTER seconds. `crashed`: the trainer's
    process has ended without a Finished or Failed event. now: seconds since 1970 (None: the present
    time).
    """
    now = time.time() if now is None else now
    worker = run.worker()
    running = is_alive(worker)
    if isinstance(last, Finished | Failed):
        created = worker.get("created")
        if running and isinstance(created, float) and created > last.time:
            return "starting"  # resumed by a trainer that has not written an event yet
        if isinstance(last, Failed):
            return "failed"
        return "stopped" if last.reason == "stopped" else "finished"
    if not worker and now - _created(run.path) < STALLED_AFTER:
        return "starting"
    if running is False:  # for None, on another machine, only the time of the last event counts
        return "crashed"
    if last is None:
        return "starting"
    return "live" if now - last.time < STALLED_AFTER else "stalled"


def _created(path: Path) -> float:
    """Return the time in a folder's name, in seconds since 1970; 0 if the name has no time."""
    try:
        return float(calendar.timegm(time.strptime(path.name[:15], TIME_FORMAT)))
    except ValueError:
        return 0.0
