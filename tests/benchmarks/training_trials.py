"""Compare settings of training at equal cost.

    python -m tests.benchmarks.training_trials SONGS VARIANT …

The base is 2 × LSTM 256 with the default settings of `rnn-tui train lyrics`, or others by `--set`;
it is trained for `--steps` steps. A variant, "key=value key=value", has the base's settings but for
these ("" is the base itself). Steps of both are timed alternately first, and the variant is trained
for the number of steps that takes the same CPU time. Each result is one line: validation bits per
character, steps, characters trained on, and the cost of a step relative to one of the base.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import torch

from engine.config import RunConfig, load, with_settings
from engine.data.corpus import Corpus, prepare_corpus
from engine.errors import InputError, WorkError
from engine.train.evaluate import score_network
from engine.train.loop import take_step
from engine.train.state import build_train_state

BASE = ("model.layers=2", "model.hidden_size=256")
TURNS = 7
SAME = 0.03  # costs that differ by less, relatively, are taken as equal: times vary by this much


def main(argv: list[str]) -> int:
    """Run the trials and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.training_trials",
        description="Compare settings of training at equal cost.",
    )
    parser.add_argument("songs", metavar="SONGS", help="a file of songs, or a data set")
    parser.add_argument(
        "variants",
        metavar="VARIANT",
        nargs="+",
        help="settings that differ from the base, 'key=value …'; '' is the base itself",
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=700,
        metavar="N",
        help="train the base for N steps (default 700)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting of the base; may be repeated",
    )
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    settings = [*BASE, *arguments.set, f"train.steps={arguments.steps}"]
    try:
        base = load("lyrics", pairs=settings, source=arguments.songs)
        variants = {
            variant or "base": with_settings(base, variant.split())
            for variant in arguments.variants
        }
        corpus = prepare_corpus(base.data)
        for name, config in variants.items():
            cost = 1.0 if config == base else _cost(config, base, corpus)
            steps = round(base.train.steps / cost)
            config = with_settings(config, [f"train.steps={steps}"])
            bits, frames = _train(config, corpus)
            result = f"{bits:.3f}  {steps} steps, {frames:,} characters, {cost:.2f}"
            print(f"{name:40} {result}", flush=True)
    except (InputError, WorkError) as error:
        print(f"python -m tests.benchmarks.training_trials: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    return 0


def _cost(config: RunConfig, base: RunConfig, corpus: Corpus) -> float:
    """Return the CPU time of a training step relative to one of the base."""
    variant_steps, base_steps = _two_steps(config, corpus), _two_steps(base, corpus)
    variant_steps(), base_steps()  # warm up
    cost = statistics.median(variant_steps() / base_steps() for _ in range(TURNS))
    return 1.0 if abs(cost - 1) < SAME else cost


def _two_steps(config: RunConfig, corpus: Corpus) -> Callable[[], float]:
    """Return a function that takes two training steps and returns their CPU seconds."""
    state = build_train_state(config, corpus)
    state.network.train()

    def steps() -> float:
        began = time.process_time()
        for _ in range(2):
            take_step(state, config.train)
        return time.process_time() - began

    return steps


def _train(config: RunConfig, corpus: Corpus) -> tuple[float, int]:
    """Train; return the validation bits per character and the number of characters trained on."""
    state = build_train_state(config, corpus)
    state.network.train()
    frames = sum(take_step(state, config.train)[3] for _ in range(config.train.steps))
    return score_network(state.ema, corpus, "valid", 0).bits, frames


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
