"""Trainers in processes of their own: one, or several that torchrun starts and starts anew.

The processes outlive the one that starts them, whether that follows them to their end or not.
"""

import os
import subprocess
import time
from pathlib import Path

from engine import events, processes
from engine.errors import InputError, WorkError
from engine.eventlog import EventLog, EventReader, Listener
from engine.rundir import RunDir
from engine.train.ranks import ALONE
from engine.train.worker import Requests, listening

RESTARTS = 3  # of all ranks, after one has died
LOOK_EVERY = 0.05  # seconds
_ENVIRONMENT = {  # the user's own come first
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",  # or a restart of torch 2.13 hangs or fails
    "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": "120",  # seconds for a last step and checkpoint
    "OMP_NUM_THREADS": "1",  # each rank sets its own; torchrun would, and say so
    "TORCH_CPP_LOG_LEVEL": "ERROR",  # no advice on what is meant so
}


def spawn(run: RunDir, ranks: int = 1) -> int:
    """Train the run in the background; returns the number of the process that stands for it.

    Returns once the run is held. Raises WorkError when its process ends before.
    """
    return _start(run, ranks).pid


def follow(run: RunDir, ranks: int, listener: Listener) -> int | None:
    """Train the run in several processes to its end; returns the signal that stopped it.

    listener: told every event. A signal asks the run to stop; a second one of the same kind ends
    this process, and the run stops by itself. Raises InputError or WorkError as the run failed.
    """
    reader = EventReader(run.events)
    reader.read()  # what was said before
    log = EventLog(Path(os.devnull), listener)
    requests = Requests(run, log, ALONE)
    last: events.Event | None = None
    asked = False
    with listening(requests):
        process = _start(run, ranks)
        while True:
            ended = process.poll() is not None  # before the look: then nothing is missed
            for last in reader.read():
                log.append(last)
            if ended:
                break
            if not asked and (requests.signal is not None or log.deaf):
                run.ask("stop")
                asked = True
            time.sleep(LOOK_EVERY)
    log.close()
    if isinstance(last, events.Failed):
        raise (InputError if last.status == 2 else WorkError)(last.reason)
    if not isinstance(last, events.Finished):
        raise WorkError(
            f"The processes of {run.name!r} are gone without a last word, after {RESTARTS} "
            f"restarts at most: see {run.log}, and go on from the last checkpoint by --resume."
        )
    return requests.signal if last.reason == "stopped" else None


def _words(run: RunDir, ranks: int) -> list[str]:
    worker = [*processes.command("engine.train.worker"), str(run.path)]
    if ranks == 1:
        return worker
    torchrun = processes.command("torch.distributed.run")
    counts = f"--nproc-per-node={ranks}", f"--max-restarts={RESTARTS}"
    return [*torchrun, "--standalone", *counts, "--no-python", *worker]


def _start(run: RunDir, ranks: int) -> "subprocess.Popen[bytes]":
    with run.log.open("ab") as log:
        process = subprocess.Popen(
            _words(run, ranks),
            env=_ENVIRONMENT | dict(os.environ) if ranks > 1 else None,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    while run.worker().get("pid") != process.pid and process.poll() is None:
        time.sleep(LOOK_EVERY / 5)
    if process.returncode:
        said = run.log.read_text(errors="replace").strip().split("\n")[-1]
        raise WorkError(f"The trainer of {run.name!r} ended at once: {said or 'see worker.log'}")
    return process
