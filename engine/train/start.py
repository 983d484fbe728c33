"""Starting a run and going on with one: checks everything first, so that nothing is half begun."""

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from engine import config as configs
from engine import files, processes, rundir
from engine.config import Kind, RunConfig
from engine.data import catalogue
from engine.data import corpus as corpora
from engine.data.lanes import Lanes
from engine.errors import InputError, WorkError
from engine.rundir import RunDir

_FIXED = ("train.lanes", "train.seed")  # where the lanes stand in the songs depends on them
_VERSIONS = ("rnn-tui", "torch", "numpy", "pandas", "safetensors")


def new_run(
    config: RunConfig,
    name: str | None,
    progress: Callable[[int, int], None] | None = None,
) -> RunDir:
    """Prepare the songs and make a new run's directory; InputError before anything is made."""
    if not config.data.source:
        raise InputError(
            "There is no data to train on: give --data a named data set or a path "
            "('rnn-tui data list' shows the names)."
        )
    name = name or _free_name(config)
    rundir.check_name(name)
    corpus = corpora.prepare(config.data, progress, config.kind)
    if config.kind == "music" and config.model.kind != "network":
        raise InputError(f"model.kind {config.model.kind!r} counts letters: music takes a network.")
    if config.model.kind == "network":  # refuses what cannot be laid into lanes
        Lanes(corpus, "train", config.train.lanes, config.train.bptt, seed=config.train.seed)
    source = config.data.source
    if source not in catalogue.DATASETS:  # the run must find its songs from wherever it is resumed
        source = str(catalogue.resolve(source, config.kind).resolve())
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, source=source))
    return rundir.create(name, config, _facts(corpus))


def _free_name(config: RunConfig) -> str:
    base = config.model.words.replace(" × ", "x").replace(" ", "-")
    taken = {run.name for run in rundir.list_runs()}
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


def resume(name: str, settings: Iterable[str] = (), kind: Kind | None = None) -> RunDir:
    """Make a run ready to go on, with other settings of [train] if given; refuses another kind."""
    run = rundir.find(name)
    with run.working():  # refuses a run that is being trained
        config = run.config()
        if kind not in (None, config.kind):
            raise InputError(f"The run {run.name!r} is of {config.kind}, not of {kind}: say so.")
        settings = list(settings)
        for setting in settings:
            key = setting.partition("=")[0].strip()
            if not key.startswith("train.") or key in _FIXED:
                raise InputError(
                    f"--set {setting!r} cannot change in a resumed run: only keys of train can, "
                    f"but {' and '.join(_FIXED)}; start a new run for that."
                )
        changed = configs.with_settings(config, settings)
        last = run.last_step()
        if last is not None and config.model.kind != "network":
            raise InputError(f"The run {run.name!r} has counted all its songs: start a new run.")
        if last is not None and last >= changed.train.steps:
            raise InputError(
                f"The run {run.name!r} has taken all its {last} steps: give it more, as by "
                f"--set train.steps={2 * last}, or start a new run."
            )
        run.take_requests()  # those of an earlier life
        facts = {**run.facts(), "config": configs.to_mapping(changed), "resumed": True}
        files.write_atomic(run.path / "config.json", json.dumps(facts, indent=2))
    return run


def spawn(run: RunDir) -> int:
    """Train the run in a process of its own that outlives this one; returns its number.

    Returns once that process holds the run. Raises WorkError when it ends before.
    """
    with run.log.open("ab") as log:
        process = subprocess.Popen(
            [*processes.command("engine.train.worker"), str(run.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    while run.worker().get("pid") != process.pid and process.poll() is None:
        time.sleep(0.01)
    if process.returncode:
        said = run.log.read_text(errors="replace").strip().split("\n")[-1]
        raise WorkError(f"The trainer of {run.name!r} ended at once: {said or 'see worker.log'}")
    return process.pid
