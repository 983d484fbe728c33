"""Measure the time that networks take to reach a given validation score on a file of songs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.config import RunConfig, load
from engine.data.corpus import prepare_corpus
from engine.runs import run_dir
from engine.runs.events import Evaluated, Event, Started
from engine.train import worker

HIDDEN, BATCH_SIZE = (512, 1024), 128
QUICK_HIDDEN, QUICK_BATCH_SIZE = (16,), 4


@dataclass(frozen=True)
class Goal:
    """The best score of a network of two LSTM layers, and the time it took to reach it."""

    hidden: int
    wanted: float  # bits per character
    best: float | None  # bits per character; None: time ran out before the first evaluation
    step: int | None  # of the best score
    seconds: float | None  # from the start of training to the best score, evaluations included
    reached: bool


def prepare(device: torch.device, songs: Path, steps: int, quick: bool) -> list[RunConfig]:
    """Prepare the songs and return the configuration of a run for each size of network.

    Raises InputError for songs that cannot be read and for settings that are invalid.
    """
    configs = []
    for hidden in QUICK_HIDDEN if quick else HIDDEN:
        settings = (
            f"model.hidden_size={hidden}",
            f"train.batch_size={QUICK_BATCH_SIZE if quick else BATCH_SIZE}",
            f"train.steps={steps}",
            f"train.evaluate_every={max(1, steps // 40)}",
            f"train.save_every={steps}",
            "train.sample_every=0",
            f"train.device={device.type}",
        )
        configs.append(load("lyrics", "lstm", settings, str(songs)))
        prepare_corpus(configs[-1].data)
    return configs


def measure(configs: list[RunConfig], wanted: float, max_seconds: float) -> Iterator[Goal]:
    """Train each run to `wanted` bits per character, its last step or `max_seconds`; yield results.

    The runs are written to the home folder.
    """
    for config in configs:
        hidden = config.model.hidden_size
        yield _train(run_dir.create(f"goal-{hidden}", config, {}), hidden, wanted, max_seconds)


def _train(run: run_dir.RunDir, hidden: int, wanted: float, max_seconds: float) -> Goal:
    began = 0.0
    evaluations: list[Evaluated] = []

    def listen(event: Event) -> None:
        nonlocal began
        if isinstance(event, Started):
            began = event.time
        if isinstance(event, Evaluated):
            evaluations.append(event)
            if event.bits <= wanted:
                run.request("stop")
        if began and event.time - began > max_seconds:
            run.request("stop")

    worker.train_run(run, listen)
    if not evaluations:
        return Goal(hidden, wanted, None, None, None, reached=False)
    best = min(evaluations, key=lambda event: event.bits)
    seconds = best.time - began
    return Goal(hidden, wanted, best.bits, best.step, seconds, best.bits <= wanted)
