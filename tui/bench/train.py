"""Measure training: our loop, with two references from `tui.bench.references`.

They are the usual loop over contiguous text and the article's. All train two LSTM layers on the
same songs (the included originals) in one thread and are timed alternately, in characters per
second of CPU time. The rate of the network's matrix products, compared with that of torch.mm on
this machine in the same precision, shows how much speed is left to gain.
"""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from engine.config import DataConfig, ModelConfig, RunConfig, TrainConfig
from engine.data.corpus import prepare_corpus
from engine.model.heads import CharacterHead
from engine.model.network import Network
from engine.train.device import precision
from engine.train.loop import take_step
from engine.train.state import build_train_state
from tui.bench import references
from tui.bench.measurement import Measurement
from tui.bench.references import Step


@dataclass(frozen=True)
class Size:
    """The sizes of the network and the amount of work."""

    hidden: int
    batch_size: int  # streams, and songs in a batch of the article's loop
    window: int  # frames
    steps: int  # in each turn
    turns: int
    matrix: int  # rows and columns of the torch.mm reference


FULL = Size(hidden=512, batch_size=50, window=200, steps=2, turns=7, matrix=1024)
QUICK = Size(hidden=32, batch_size=4, window=32, steps=1, turns=3, matrix=64)


def measure(quick: bool) -> Iterator[Measurement]:
    """Yield the speed of our loop and of its matrix products, each with a reference."""
    size = QUICK if quick else FULL
    torch.set_num_threads(1)
    torch.manual_seed(0)
    corpus = prepare_corpus(DataConfig(source="originals"))
    songs = [torch.tensor(corpus.song(row), dtype=torch.long) for row in corpus.select("train")]
    vocabulary = corpus.codec.spec.size
    model = ModelConfig(hidden_size=size.hidden, layers=2, condition_size=0, dropout=0.0)
    settings = TrainConfig(batch_size=size.batch_size, bptt=size.window, device="cpu")
    state = build_train_state(RunConfig(model=model, train=settings), corpus)
    state.network.train()

    def ours() -> int:
        return take_step(state, settings)[3]

    usual = references.contiguous(
        model, vocabulary, songs, size.batch_size, size.window, settings.lr
    )
    article = references.padded(model, vocabulary, songs, size.batch_size, settings.lr)
    square = torch.randn(size.matrix, size.matrix)
    with precision(state.device, settings):
        square = torch.mm(square, square)  # now it has the dtype of the network's products

    def products() -> int:
        torch.mm(square, square)
        return 2 * size.matrix**3

    for step in (ours, usual, products):  # warm up
        step()
    rates: dict[Step, list[float]] = {ours: [], usual: [], products: []}
    for _ in range(size.turns):
        for step, measured in rates.items():
            measured.append(_rate(step, size.steps if step is not products else 4 * size.steps))
    rate = statistics.median(rates[ours])
    unit = "characters / CPU s"
    usual_rate = statistics.median(rates[usual])
    yield Measurement("training, against the usual loop", rate, unit, usual_rate)
    gflops = rate * operations(state.network) / 1e9
    mm_gflops = statistics.median(rates[products]) / 1e9
    yield Measurement("matrix products, against torch.mm", gflops, "GFLOP/s", mm_gflops)
    yield Measurement("training, against the article's loop", rate, unit, _rate(article, 1))


def operations(network: Network) -> int:
    """Return the floating-point operations of a network's matrix products per training character.

    Each weight takes part in one product forward and two backward, each of which multiplies and
    adds; the embedding is looked up, not multiplied.
    """
    assert isinstance(network.head, CharacterHead)
    weights = sum(p.numel() for p in network.parameters() if p.ndim > 1)
    return 6 * (weights - network.head.embedding.numel())


def _rate(step: Step, times: int) -> float:
    """Call a step `times` times; return the sum of its results per second of CPU time."""
    began = time.process_time()
    done = sum(step() for _ in range(times))
    return done / (time.process_time() - began)
