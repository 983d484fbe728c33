"""Measure the speed of training by network size, batch size and precision."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from engine.config import DataConfig, ModelConfig, RunConfig, TrainConfig
from engine.data.batches import BatchStream
from engine.data.corpus import Corpus, prepare_corpus
from engine.errors import WorkError
from engine.train.device import handle_out_of_memory
from engine.train.loop import take_step
from engine.train.state import build_train_state
from tui.bench.train import operations

WARM_UP_STEPS = 3


@dataclass(frozen=True)
class Sizes:
    """The sizes that are measured, and the number of steps of each."""

    hidden: tuple[int, ...]
    batch_sizes: tuple[int, ...]
    window: int  # frames
    steps: int
    matrix: int  # rows and columns of the torch.mm reference


FULL = Sizes((512, 1024), (32, 64, 128, 256, 512), window=128, steps=30, matrix=8192)
QUICK = Sizes((16, 32), (2, 4), window=16, steps=2, matrix=64)
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Speed:
    """The speed of a network of two LSTM layers; without figures if it did not fit in memory."""

    hidden: int
    batch_size: int
    precision: str
    characters: float | None = None  # trained per second
    share: float | None = None  # of the rate of large matrix products on the device
    batches: float | None = None  # characters per second if batches are only made, not trained on
    megabytes: float | None = None  # peak memory on the device; None on a CPU


def measure(device: torch.device, quick: bool) -> Iterator[Speed]:
    """Yield the speed of each network size with each batch size in each precision."""
    sizes = QUICK if quick else FULL
    corpus = prepare_corpus(DataConfig(source="originals"))
    for precision, dtype in PRECISIONS.items():
        reference = _matrix_products(device, sizes.matrix, dtype)
        for hidden in sizes.hidden:
            for batch_size in sizes.batch_sizes:
                speed = Speed(hidden, batch_size, precision)
                settings = TrainConfig(
                    batch_size=batch_size, bptt=sizes.window, precision=precision
                )
                try:
                    with handle_out_of_memory(settings):
                        yield _train(speed, settings, corpus, device, sizes.steps, reference)
                except WorkError:
                    yield speed
                if device.type == "cuda":
                    torch.cuda.empty_cache()


def _train(
    speed: Speed,
    settings: TrainConfig,
    corpus: Corpus,
    device: torch.device,
    steps: int,
    reference: float,
) -> Speed:
    model = ModelConfig(hidden_size=speed.hidden, layers=2, condition_size=0)
    state = build_train_state(RunConfig(model=model, train=settings), corpus, device)
    state.network.train()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    seconds = _seconds(lambda: take_step(state, settings), steps, device)
    batches = BatchStream(corpus, "train", settings.batch_size, settings.bptt, seed=0)
    batch_seconds = _seconds(batches.next_batch, steps, device)
    rate = settings.batch_size * settings.bptt / seconds
    peak = torch.cuda.max_memory_allocated(device) / 1e6 if device.type == "cuda" else None
    return Speed(
        speed.hidden,
        speed.batch_size,
        speed.precision,
        rate,
        rate * operations(state.network) / reference,
        settings.batch_size * settings.bptt / batch_seconds,
        peak,
    )


def _matrix_products(device: torch.device, size: int, dtype: torch.dtype) -> float:
    """Return the FLOP/s of products of two size × size matrices; float32 in TF32, as in cuDNN."""
    square = torch.randn(size, size, device=device, dtype=dtype)
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        return 2 * size**3 / _seconds(lambda: torch.mm(square, square), 10, device)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def _seconds(work: Callable[[], object], times: int, device: torch.device) -> float:
    """Return the mean seconds of a call after warm-up, including the device's asynchronous work."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    for _ in range(WARM_UP_STEPS):
        work()
    wait()
    began = time.perf_counter()
    for _ in range(times):
        work()
    wait()
    return (time.perf_counter() - began) / times
