"""How long a network takes to a given score on the validation songs of a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.config import RunConfig, load
from engine.data import corpus as corpora
from engine.runs import run_dir
from engine.runs.events import Evaluated, Event, Started
from engine.train import worker

HIDDEN, LANES = {False: (512, 1024), True: (16,)}, {False: 128, True: 4}  # by whether quick


@dataclass(frozen=True)
class Goal:
    """What became of one network of two LSTM layers."""

    hidden: int
    wanted: float  # bits a character
    best: float | None  # that it came to; None: the time was over before the first look
    step: int | None  # at which it did
    seconds: float | None  # from the first step on, with the looks at the validation songs
    reached: bool


def plan(device: torch.device, songs: Path, steps: int, quick: bool) -> list[RunConfig]:
    """What each size is to do. Raises InputError for songs or steps that will not do."""
    configs = []
    for hidden in HIDDEN[quick]:
        settings = (
            f"model.hidden_size={hidden}",
            f"train.batch_size={LANES[quick]}",
            f"train.steps={steps}",
            f"train.evaluate_every={max(1, steps // 40)}",
            f"train.save_every={steps}",
            "train.sample_every=0",
            f"train.device={device.type}",
        )
        configs.append(load("lyrics", "lstm", settings, str(songs)))
        corpora.prepare_corpus(configs[-1].data)
    return configs


def measure(planned: list[RunConfig], wanted: float, seconds: float) -> Iterator[Goal]:
    """Train each until it has `wanted` bits a character, its steps are over, or the time is.

    Runs go to the home that the environment names.
    """
    for config in planned:
        hidden = config.model.hidden_size
        yield _reached(run_dir.create(f"goal-{hidden}", config, {}), hidden, wanted, seconds)


def _reached(run: run_dir.RunDir, hidden: int, wanted: float, most: float) -> Goal:
    began = 0.0
    looks: list[Evaluated] = []

    def listen(event: Event) -> None:
        nonlocal began
        if isinstance(event, Started):
            began = event.time
        if isinstance(event, Evaluated):
            looks.append(event)
            if event.bits <= wanted:
                run.request("stop")
        if began and event.time - began > most:
            run.request("stop")

    worker.train_run(run, listen)
    if not looks:
        return Goal(hidden, wanted, None, None, None, reached=False)
    best = min(looks, key=lambda look: look.bits)
    seconds = best.time - began
    return Goal(hidden, wanted, best.bits, best.step, seconds, best.bits <= wanted)
