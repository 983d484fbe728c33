"""Starting a run and going on with one: checks everything first, so that nothing is half begun."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from engine import config as configs
from engine import files, rundir
from engine.config import Kind, RunConfig
from engine.data import catalogue
from engine.data import corpus as corpora
from engine.data.lanes import Lanes, share
from engine.errors import InputError
from engine.rundir import RunDir
from engine.sample import models
from engine.train.ranks import Ranks

# Where the lanes stand in the songs depends on these, or they are of the first step alone.
_FIXED = ("train.lanes", "train.seed", "train.begin")
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
    rundir.check_name(name)
    _check(config, ranks)
    corpus = corpora.prepare(config.data, progress, config.kind)
    if config.kind == "music" and config.model.kind != "network":
        raise InputError(f"model.kind {config.model.kind!r} counts letters: music takes a network.")
    if config.model.kind == "network":  # refuses what cannot be laid into lanes
        Lanes(corpus, "train", config.train.lanes, config.train.bptt, seed=config.train.seed)
    if config.train.begin:
        config = _found(config, corpus)
    source = config.data.source
    known = catalogue.DATASETS.get(source)
    if known is None or not known.here:  # the run must find its songs from wherever it is resumed
        source = str(catalogue.resolve(source, config.kind).resolve())
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, source=source))
    return rundir.create(name, config, _facts(corpus))


def _check(config: RunConfig, ranks: int) -> None:
    """Raise InputError for what so many processes of this machine cannot train."""
    if config.kind == "lyrics" and config.train.transpose:
        raise InputError("train.transpose is for music, and these are lyrics: leave it at 0.")
    if config.kind == "lyrics" and config.model.lapses:
        raise InputError("model.lapses is for music, and these are lyrics: leave it false.")
    if config.kind == "lyrics" and config.model.clock:
        raise InputError("model.clock is for music, and these are lyrics: leave it false.")
    if config.model.kind != "network":
        if ranks > 1:
            raise InputError(f"A {config.model.words} model counts in one process: give one.")
        return
    share(config.train.lanes, 0, ranks)
    if config.train.device == "cuda":
        from engine.train import device  # and with it torch: seconds

        device.choose(config.train, Ranks(local_size=ranks))


def _found(config: RunConfig, corpus: corpora.Corpus) -> RunConfig:
    """The config with the folder of the model to begin with; InputError if that will not do."""
    from engine.train import pretrained  # and with it torch: seconds

    model = models.load(config.train.begin)
    pretrained.check(model, config, corpus)
    return dataclasses.replace(
        config, train=dataclasses.replace(config.train, begin=str(model.path))
    )


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


def resume(
    name: str, settings: Iterable[str] = (), kind: Kind | None = None, ranks: int = 1
) -> RunDir:
    """Make a run ready to go on, with other settings of [train] if given; refuses another kind.

    ranks: how many processes of this machine are to train it; it need not be as many as before.
    """
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
        run.take_requests()  # those of an earlier life
        facts = {**run.facts(), "config": configs.to_mapping(changed), "resumed": True}
        files.write_atomic(run.path / "config.json", json.dumps(facts, indent=2))
    return run
