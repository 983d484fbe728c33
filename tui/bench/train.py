"""Our training loop beside two others: the article's, and the usual one over contiguous text.

The same model (two LSTM layers), the same songs (those that come with the program), one thread, in
turns; characters for each second of one processor. The rate of what products of matrices a network
takes, beside the rate of this machine's own products in the same precision, says how much there is
left to gain.
"""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from engine.config import DataConfig, ModelConfig, RunConfig, TrainConfig
from engine.data import corpus as corpora
from engine.model.heads import CharacterHead
from engine.model.network import Network
from engine.train import loop
from engine.train import state as trainings
from engine.train.device import precision
from tui.bench import references
from tui.bench.measurement import Measurement
from tui.bench.references import Step


@dataclass(frozen=True)
class Size:
    """How much is done."""

    hidden: int
    lanes: int  # and songs in a batch of the article's loop
    window: int  # frames
    steps: int  # a turn
    turns: int
    matrix: int  # rows and columns of the products


FULL = Size(hidden=512, lanes=50, window=200, steps=2, turns=7, matrix=1024)
QUICK = Size(hidden=32, lanes=4, window=32, steps=1, turns=3, matrix=64)


def measure(quick: bool) -> Iterator[Measurement]:
    """Characters a second of our loop, beside the usual one and the article's."""
    size = QUICK if quick else FULL
    torch.set_num_threads(1)
    torch.manual_seed(0)
    corpus = corpora.prepare_corpus(DataConfig(source="originals"))
    songs = [torch.tensor(corpus.song(row), dtype=torch.long) for row in corpus.select("train")]
    vocabulary = corpus.codec.spec.size
    model = ModelConfig(hidden_size=size.hidden, layers=2, condition_size=0, dropout=0.0)
    settings = TrainConfig(batch_size=size.lanes, bptt=size.window, device="cpu")
    training = trainings.build_train_state(RunConfig(model=model, train=settings), corpus)
    training.network.train()

    def ours() -> int:
        return loop.take_step(training, settings)[3]

    usual = references.contiguous(model, vocabulary, songs, size.lanes, size.window, settings.lr)
    article = references.padded(model, vocabulary, songs, size.lanes, settings.lr)
    square = torch.randn(size.matrix, size.matrix)
    with precision(training.device, settings):
        square = torch.mm(square, square)  # of the type that products are taken in

    def products() -> int:
        torch.mm(square, square)
        return 2 * size.matrix**3

    for step in (ours, usual, products):  # what is set up at the first step
        step()
    rates: dict[Step, list[float]] = {ours: [], usual: [], products: []}
    for _ in range(size.turns):
        for step, found in rates.items():
            found.append(_rate(step, size.steps if step is not products else 4 * size.steps))
    rate = statistics.median(rates[ours])
    unit = "characters / CPU s"
    other = statistics.median(rates[usual])
    yield Measurement("training, against the usual loop", rate, unit, other)
    work = operations(training.network)
    machine = statistics.median(rates[products]) / 1e9
    yield Measurement(
        "products of matrices, against torch.mm", rate * work / 1e9, "GFLOP/s", machine
    )
    yield Measurement("training, against the article's loop", rate, unit, _rate(article, 1))


def operations(network: Network) -> int:
    """The floating-point operations of the products with weights that learning a character takes.

    A product going forward and two going back, of a multiplication and an addition each; the
    characters' vectors are looked up.
    """
    assert isinstance(network.head, CharacterHead)
    weights = sum(p.numel() for p in network.parameters() if p.ndim > 1)
    return 6 * (weights - network.head.embedding.numel())


def _rate(step: Step, times: int) -> float:
    """What the step counts, for each second of the processor."""
    began = time.process_time()
    done = sum(step() for _ in range(times))
    return done / (time.process_time() - began)
