"""What pays in training, at the same cost: `python -m tests.benchmarks.trials SONGS VARIANT …`.

The base, 2 × LSTM 256 as `rnn-tui train lyrics` makes it (or with other `--set`tings), takes so
many steps. A variant, "key=value key=value", is the base with settings of its own ("" is the base
itself) and takes as many steps as cost the same of one processor: both are timed in turns first. A
line each, as they are done: the bits a character on the validation songs, the steps, the
characters learned from, and what a step cost in steps of the base.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import torch

from engine import config as configs
from engine.config import RunConfig
from engine.data import corpus as corpora
from engine.data.corpus import Corpus
from engine.errors import InputError, WorkError
from engine.train import evaluate, loop
from engine.train import state as trainings

BASE = ("model.layers=2", "model.hidden_size=256")
TURNS = 7
SAME = 0.03  # costs that differ by less are the same, for the clock's noise


def main(words: list[str]) -> int:
    """Run the words of the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.trials")
    parser.add_argument("songs")
    parser.add_argument("variants", nargs="+")
    parser.add_argument("--steps", type=int, default=700, help="of the base")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args(words)
    torch.set_num_threads(1)
    settings = [*BASE, *arguments.set, f"train.steps={arguments.steps}"]
    try:
        base = configs.load("lyrics", pairs=settings, source=arguments.songs)
        variants = {
            variant or "base": configs.with_settings(base, variant.split())
            for variant in arguments.variants
        }
        corpus = corpora.prepare_corpus(base.data)
        for name, config in variants.items():
            cost = 1.0 if config == base else _cost(config, base, corpus)
            steps = round(base.train.steps / cost)
            config = configs.with_settings(config, [f"train.steps={steps}"])
            bits, frames = _trained(config, corpus)
            found = f"{bits:.3f}  {steps} steps, {frames:,} characters, {cost:.2f}"
            print(f"{name:40} {found}", flush=True)
    except (InputError, WorkError) as error:
        print(f"python -m tests.benchmarks.trials: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    return 0


def _cost(config: RunConfig, base: RunConfig, corpus: Corpus) -> float:
    """What a step costs, in steps of the base."""
    one, other = _steps(config, corpus), _steps(base, corpus)
    one(), other()  # what is set up at the first step
    cost = statistics.median(one() / other() for _ in range(TURNS))
    return 1.0 if abs(cost - 1) < SAME else cost


def _steps(config: RunConfig, corpus: Corpus) -> Callable[[], float]:
    """Each call takes two steps, and gives the seconds of the processor that they took."""
    training = trainings.build_train_state(config, corpus)
    training.network.train()

    def steps() -> float:
        began = time.process_time()
        for _ in range(2):
            loop.take_step(training, config.train)
        return time.process_time() - began

    return steps


def _trained(config: RunConfig, corpus: Corpus) -> tuple[float, int]:
    """Train: the bits a character on the validation songs, and the characters learned from."""
    training = trainings.build_train_state(config, corpus)
    training.network.train()
    frames = sum(loop.take_step(training, config.train)[3] for _ in range(config.train.steps))
    return evaluate.score_network(training.ema, corpus, "valid", 0).bits, frames


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
