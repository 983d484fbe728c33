"""Trainers in processes of their own: one, or several that torchrun starts and starts anew.

The processes outlive the one that starts them, whether that follows them to their end or not.
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

from engine import config as configs
from engine import files, processes
from engine.config import Kind, RunConfig
from engine.data import corpus as corpora
from engine.data import datasets
from engine.data.batches import BatchStream, rank_slice
from engine.errors import InputError, WorkError
from engine.inference import models
from engine.runs import events, run_dir
from engine.runs.event_log import EventLog, EventReader, Listener
from engine.runs.run_dir import RunDir
from engine.train.distributed import SINGLE_PROCESS, Ranks
from engine.train.worker import Requests, handling_signals

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


def train_in_processes(run: RunDir, ranks: int, listener: Listener) -> int | None:
    """Train the run in several processes to its end; returns the signal that stopped it.

    listener: told every event. A signal asks the run to stop; a second one of the same kind ends
    this process, and the run stops by itself. Raises InputError or WorkError as the run failed.
    """
    reader = EventReader(run.events)
    reader.poll()  # what was said before
    log = EventLog(Path(os.devnull), listener)
    requests = Requests(run, log, SINGLE_PROCESS)
    last: events.Event | None = None
    asked = False
    with handling_signals(requests):
        process = _start(run, ranks)
        while True:
            ended = process.poll() is not None  # before the look: then nothing is missed
            for last in reader.poll():
                log.append(last)
            if ended:
                break
            if not asked and (requests.signal is not None or log.listener_failed):
                run.request("stop")
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


# Where the lanes stand in the songs depends on these, or they are of the first step alone.
_FIXED = ("train.batch_size", "train.seed", "train.init_from")
_VERSIONS = ("rnn-tui", "torch", "numpy", "pandas", "safetensors")


def new_run(
    config: RunConfig,
    name: str | None,
    progress: Callable[[int, int], None] | None = None,
    ranks: int = 1,
) -> RunDir:
    """Prepare the songs and make a new run's directory; InputError before anything is made.

    ranks: how many processes of this machine are to train it.
    """
    if not config.data.source:
        raise InputError(
            "There is no data to train on: give --data a named data set or a path "
            "('rnn-tui data list' shows the names)."
        )
    name = _free_name(config) if name is None else name
    run_dir.check_name(name)
    _check(config, ranks)
    corpus = corpora.prepare_corpus(config.data, progress, config.kind)
    if config.kind == "music" and config.model.kind != "network":
        raise InputError(f"model.kind {config.model.kind!r} counts letters: music takes a network.")
    if config.model.kind == "network":  # refuses what cannot be laid into lanes
        BatchStream(
            corpus, "train", config.train.batch_size, config.train.bptt, seed=config.train.seed
        )
    if config.train.init_from:
        config = _found(config, corpus)
    source = config.data.source
    known = datasets.DATASETS.get(source)
    if (
        known is None or not known.is_available
    ):  # the run must find its songs from wherever it is resumed
        source = str(datasets.resolve(source, config.kind).resolve())
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, source=source))
    return run_dir.create(name, config, _facts(corpus))


def _check(config: RunConfig, ranks: int) -> None:
    """Raise InputError for what so many processes of this machine cannot train."""
    if config.kind == "lyrics" and config.train.transpose:
        raise InputError("train.transpose is for music, and these are lyrics: leave it at 0.")
    if config.kind == "lyrics" and config.model.match_recovery:
        raise InputError("model.match_recovery is for music, and these are lyrics: leave it false.")
    if config.kind == "lyrics" and config.model.beat_position:
        raise InputError("model.beat_position is for music, and these are lyrics: leave it false.")
    if config.model.kind != "network":
        if ranks > 1:
            raise InputError(f"A {config.model.words} model counts in one process: give one.")
        return
    rank_slice(config.train.batch_size, 0, ranks)
    if config.train.device == "cuda":
        from engine.train import device  # and with it torch: seconds

        device.choose_device(config.train, Ranks(local_size=ranks))


def _found(config: RunConfig, corpus: corpora.Corpus) -> RunConfig:
    """The config with the folder of the model to begin with; InputError if that will not do."""
    from engine.train import pretrained  # and with it torch: seconds

    model = models.load(config.train.init_from)
    pretrained.check_pretrained(model, config, corpus)
    return dataclasses.replace(
        config, train=dataclasses.replace(config.train, init_from=str(model.path))
    )


def _free_name(config: RunConfig) -> str:
    base = config.model.words.replace(" × ", "x").replace(" ", "-")
    taken = {run.name for run in run_dir.list_runs()}
    return next(
        name for number in range(1, len(taken) + 2) if (name := f"{base}-{number}") not in taken
    )


def _facts(corpus: corpora.Corpus) -> dict[str, Any]:
    """What the run met: for whoever wants to do it again."""
    return {
        "corpus": {
            "name": corpus.name,
            "hash": corpus.hash,
            "missing": corpus.meta["report"].get("artists", {}).get("missing", {}),
        },
        "versions": {name: metadata.version(name) for name in _VERSIONS},
        "python": sys.version.split()[0],
        "revision": _revision(),
    }


def _revision() -> str | None:
    """The git revision of a checkout; None for an installed package."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    asked = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or None


def resume(
    name: str, settings: Iterable[str] = (), kind: Kind | None = None, ranks: int = 1
) -> RunDir:
    """Make a run ready to go on, with other settings of [train] if given; refuses another kind.

    ranks: how many processes of this machine are to train it; it need not be as many as before.
    """
    run = run_dir.find(name)
    with run.lock():  # refuses a run that is being trained
        config = run.config()
        if kind not in (None, config.kind):
            raise InputError(f"The run {run.name!r} is of {config.kind}, not of {kind}: say so.")
        settings = list(settings)
        for setting in settings:
            key = setting.partition("=")[0].strip()
            if not key.startswith("train.") or key in _FIXED:
                raise InputError(
                    f"--set {setting!r} cannot change in a resumed run: only keys of train can, "
                    f"but {', '.join(_FIXED[:-1])} and {_FIXED[-1]}; start a new run for that."
                )
        changed = configs.with_settings(config, settings)
        last = run.last_step()
        if last is not None and config.model.kind != "network":
            raise InputError(f"The run {run.name!r} has counted all its songs: start a new run.")
        if last is not None and last >= changed.train.steps:
            raise InputError(
                f"The run {run.name!r} has taken all its {last} steps: start a new one, or give it "
                f"more by 'rnn-tui train {config.kind} --resume {run.name} "
                f"--set train.steps={2 * last}'."
            )
        _check(changed, ranks)
        run.poll_requests()  # those of an earlier life
        facts = {**run.metadata(), "config": configs.to_mapping(changed), "resumed": True}
        files.write_atomic(run.path / "config.json", json.dumps(facts, indent=2))
    return run
