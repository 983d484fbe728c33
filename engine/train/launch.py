"""Create a run, or prepare one to be resumed, and train it in other processes.

Everything is checked before anything is written, so that no incomplete run is left. A run is
trained by one process, or by several ranks, which torchrun starts, and restarts when one of them
dies. The processes do not end with the one that started them.
"""

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from engine import files, processes
from engine.config import Kind, RunConfig, to_mapping, with_settings
from engine.data import datasets
from engine.data.batches import BatchStream, rank_slice
from engine.data.corpus import Corpus, prepare_corpus
from engine.errors import InputError, WorkError
from engine.runs import run_dir
from engine.runs.event_log import EventLog, EventReader, Listener
from engine.runs.events import Event, Failed, Finished
from engine.runs.run_dir import RunDir
from engine.train import initial_model
from engine.train.distributed import SINGLE_PROCESS, Ranks
from engine.train.worker import RequestPoller, handling_signals

MAX_RESTARTS = 3  # number of times that torchrun restarts all ranks after one has died
POLL_SECONDS = 0.05  # between two checks of the processes and their events
# Settings that a resume cannot change: which frames the streams read next depends on the first two,
# and the third has no effect after the first step.
_FIXED_SETTINGS = ("train.batch_size", "train.seed", "train.init_from")
_RECORDED_PACKAGES = ("rnn-tui", "torch", "numpy", "safetensors")
_TORCHRUN_ENVIRONMENT = {  # used for variables that the user has not set
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",  # without it a restart of torch 2.13 hangs or fails
    "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": "120",  # seconds for a last step and checkpoint
    "OMP_NUM_THREADS": "1",  # torchrun warns if it is unset; each rank sets its threads itself
    "TORCH_CPP_LOG_LEVEL": "ERROR",  # hides warnings, which are expected here
}


def new_run(
    config: RunConfig,
    name: str | None,
    progress: Callable[[int, int], None] | None = None,
    ranks: int = 1,
) -> RunDir:
    """Prepare the songs of a new run and create its directory.

    name: None for a name made from the model. progress: as for `prepare_corpus`. ranks: the number
    of processes of this machine that will train the run. Raises InputError for an invalid or taken
    name, and for settings or songs with which no run can be trained.
    """
    if not config.data.source:
        raise InputError(
            "There are no songs to train on: use --data with the name of a data set ('rnn-tui data "
            "list' shows them) or a path."
        )
    if name is not None:
        run_dir.check_name(name)
    _check_config(config, ranks)
    corpus = prepare_corpus(config.data, progress, config.kind)
    corpus.require_splits(config.data)
    if config.kind == "music" and config.model.kind != "network":
        raise InputError(
            f"model.kind {config.model.kind!r} is for lyrics: for music use model.kind=network."
        )
    train = config.train
    if config.model.kind == "network":  # raises InputError without training songs
        BatchStream(corpus, "train", train.batch_size, train.bptt, seed=train.seed)
    config = initial_model.resolve(config, corpus)
    _check_config(config, ranks)  # it may have other settings now
    name = _free_name(config) if name is None else name
    config = dataclasses.replace(
        config, data=dataclasses.replace(config.data, source=_absolute_source(config))
    )
    return run_dir.create(name, config, _metadata(corpus))


def resume(
    name: str, settings: Iterable[str] = (), kind: Kind | None = None, ranks: int = 1
) -> RunDir:
    """Prepare a run to be trained further from its last checkpoint.

    settings: changes to the table [train], for example "train.steps=500". kind: raise InputError
    for a run of another kind (None: accept both). ranks: the number of processes of this machine
    that will train the run, which may differ from the number before. Raises InputError, and leaves
    the run unchanged, when it cannot be resumed in this way.
    """
    run = run_dir.find(name)
    with run.lock():  # raises InputError while the run is being trained
        config = run.config()
        if kind not in (None, config.kind):
            raise InputError(
                f"The run {run.name!r} is a {config.kind} run: use 'rnn-tui train {config.kind} "
                f"--resume {run.name}'."
            )
        settings = list(settings)
        for setting in settings:
            _check_resume_setting(setting)
        changed = with_settings(config, settings)
        last = run.last_step()
        if last is not None and config.model.kind != "network":
            raise InputError(
                f"The run {run.name!r} is complete: its model needs one pass over the songs, so "
                "that nothing is left to train; start a new run."
            )
        if last is not None and last >= changed.train.steps:
            raise InputError(
                f"The run {run.name!r} has completed all its {last} steps: start a new run, or add "
                f"steps with 'rnn-tui train {config.kind} --resume {run.name} "
                f"--set train.steps={2 * last}'."
            )
        _check_config(changed, ranks)
        run.poll_requests()  # removes requests that were made after the last trainer had ended
        content = {**run.metadata(), "config": to_mapping(changed), "resumed": True}
        files.write_atomic(run.path / "config.json", json.dumps(content, indent=2))
    return run


def _check_resume_setting(setting: str) -> None:
    key = setting.partition("=")[0].strip()
    if not key.startswith("train.") or key in _FIXED_SETTINGS:
        *first, last = _FIXED_SETTINGS
        raise InputError(
            f"--set {setting!r} is not possible for a resumed run, in which only settings of train "
            f"can be changed, except {', '.join(first)} and {last}: start a new run."
        )


def _check_config(config: RunConfig, ranks: int) -> None:
    """Raise InputError for a config that `ranks` processes of this machine cannot train."""
    if config.model.kind != "network":
        if ranks > 1:
            raise InputError(
                f"A {config.model.words} model is trained in one process: use --processes 1."
            )
        return
    rank_slice(config.train.batch_size, 0, ranks)  # raises InputError for unequal shares
    if config.train.device not in ("auto", "cpu"):
        from engine.train.device import choose_device  # imports torch, which takes seconds

        choose_device(config.train, Ranks(local_size=ranks))


def _free_name(config: RunConfig) -> str:
    """Return a name, made from the model, that no run has yet, for example "lstm-2x256-1"."""
    base = config.model.words.replace(" × ", "x").replace(" ", "-")
    taken = {run.name for run in run_dir.list_runs()}
    return next(
        name for number in range(1, len(taken) + 2) if (name := f"{base}-{number}") not in taken
    )


def _absolute_source(config: RunConfig) -> str:
    """Return data.source, made absolute if it is a path, for a resume in another folder."""
    source = config.data.source
    dataset = datasets.DATASETS.get(source)
    if dataset is not None and dataset.is_available:
        return source
    return str(datasets.resolve(source, config.kind).resolve())


def _metadata(corpus: Corpus) -> dict[str, Any]:
    """Return what config.json records so that the run can be reproduced."""
    report = corpus.meta["report"]
    artists = report.get("artists", {})
    return {
        "corpus": {
            "name": corpus.name,
            "hash": corpus.hash,
            "missing": artists.get("missing", {}),
            "untrained": artists.get("untrained", []),
            "left_out": report["left_out"],
        },
        "versions": {name: metadata.version(name) for name in _RECORDED_PACKAGES},
        "python": sys.version.split()[0],
        "revision": _git_revision(),
    }


def _git_revision() -> str | None:
    """Return the commit of the git checkout that this code is in; None for an installed package."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    git = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return git.stdout.strip() or None


def spawn(run: RunDir, ranks: int = 1) -> int:
    """Train a run in the background; returns the pid of the trainer (of torchrun if ranks > 1).

    Returns as soon as a trainer holds the run's lock. Raises WorkError if the process fails before.
    """
    return _start(run, ranks).pid


def train_in_processes(run: RunDir, ranks: int, listener: Listener) -> int | None:
    """Train a run in several processes and wait until they end.

    listener: called with each event. The first signal to this process requests a stop; a second of
    the same number ends this process at once, while the others still stop cleanly. Returns the
    signal that stopped the run; None if there was no signal. Raises InputError or WorkError if the
    run ended with that error.
    """
    reader = EventReader(run.events)
    reader.poll()  # skips the events before a resume
    log = EventLog(Path(os.devnull), listener)
    requests = RequestPoller(run, log, SINGLE_PROCESS)
    last: Event | None = None
    stop_requested = False
    with handling_signals(requests):
        process = _start(run, ranks)
        while True:
            ended = process.poll() is not None  # before the events are read, so that none is missed
            for last in reader.poll():
                log.append(last)
            if ended:
                break
            if not stop_requested and (requests.signal is not None or log.listener_error):
                run.request("stop")
                stop_requested = True
            time.sleep(POLL_SECONDS)
    log.close()
    if isinstance(last, Failed):
        raise (InputError if last.status == 2 else WorkError)(last.reason)
    if not isinstance(last, Finished):
        raise WorkError(
            f"The processes that trained the run {run.name!r} have died, in spite of up to "
            f"{MAX_RESTARTS} restarts: read {run.log} for the reason, then continue from the last "
            f"checkpoint with --resume {run.name}."
        )
    if last.reason == "completed":
        return None
    if requests.signal is None:
        log.check_listener(run.name)
    return requests.signal


def _command(run: RunDir, ranks: int) -> list[str]:
    worker = [*processes.command("engine.train.worker"), str(run.path)]
    if ranks == 1:
        return worker
    torchrun = processes.command("torch.distributed.run")
    counts = f"--nproc-per-node={ranks}", f"--max-restarts={MAX_RESTARTS}"
    return [*torchrun, "--standalone", *counts, "--no-python", *worker]


def _start(run: RunDir, ranks: int) -> "subprocess.Popen[bytes]":
    """Start the trainer, or torchrun, and wait until a trainer holds the run's lock."""
    with run.log.open("ab") as log:
        process = subprocess.Popen(
            _command(run, ranks),
            env=_TORCHRUN_ENVIRONMENT | dict(os.environ) if ranks > 1 else None,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    while run.worker().get("pid") != process.pid and process.poll() is None:
        time.sleep(POLL_SECONDS / 5)
    if process.returncode:
        last_line = run.log.read_text(errors="replace").strip().split("\n")[-1]
        raise WorkError(
            f"The trainer of the run {run.name!r} ended at once: {last_line or f'see {run.log}'}"
        )
    return process
