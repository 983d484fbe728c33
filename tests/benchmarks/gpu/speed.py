"""Characters a second that a network learns from, for sizes, lanes and precisions."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from engine.config import DataConfig, ModelConfig, RunConfig, TrainConfig
from engine.data import corpus as corpora
from engine.data.batches import BatchStream
from engine.errors import WorkError
from engine.train import loop
from engine.train import state as trainings
from engine.train.device import handle_out_of_memory
from tui.bench.train import operations

WARM = 3  # steps before the time is taken


@dataclass(frozen=True)
class Sizes:
    """What is measured, for how long."""

    hidden: tuple[int, ...]
    lanes: tuple[int, ...]
    window: int  # frames
    steps: int
    matrix: int  # rows and columns of the products


FULL = Sizes((512, 1024), (32, 64, 128, 256, 512), window=128, steps=30, matrix=8192)
QUICK = Sizes((16, 32), (2, 4), window=16, steps=2, matrix=64)
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Speed:
    """Of one network of two LSTM layers; of what did not fit in the memory all is None."""

    hidden: int
    lanes: int
    precision: str
    characters: float | None = None  # a second
    share: float | None = None  # of the device's rate of products of matrices in that precision
    batches: float | None = None  # characters a second that the lanes alone are laid out at
    megabytes: float | None = None  # the most that was taken on the device; None on a CPU


def measure(device: torch.device, quick: bool) -> Iterator[Speed]:
    """Every size with every number of lanes in both precisions."""
    sizes = QUICK if quick else FULL
    corpus = corpora.prepare_corpus(DataConfig(source="originals"))
    for precision, dtype in PRECISIONS.items():
        machine = _products(device, sizes.matrix, dtype)
        for hidden in sizes.hidden:
            for lanes in sizes.lanes:
                speed = Speed(hidden, lanes, precision)
                settings = TrainConfig(batch_size=lanes, bptt=sizes.window, precision=precision)
                try:
                    with handle_out_of_memory(settings):
                        yield _trained(speed, settings, corpus, device, sizes.steps, machine)
                except WorkError:
                    yield speed
                if device.type == "cuda":
                    torch.cuda.empty_cache()


def _trained(
    speed: Speed,
    settings: TrainConfig,
    corpus: corpora.Corpus,
    device: torch.device,
    steps: int,
    machine: float,
) -> Speed:
    model = ModelConfig(hidden_size=speed.hidden, layers=2, condition_size=0)
    training = trainings.build_train_state(RunConfig(model=model, train=settings), corpus, device)
    training.network.train()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    seconds = _seconds(lambda: loop.take_step(training, settings), steps, device)
    lanes = BatchStream(corpus, "train", settings.batch_size, settings.bptt, seed=0)
    laid = _seconds(lanes.next_batch, steps, device)
    rate = settings.batch_size * settings.bptt / seconds
    most = torch.cuda.max_memory_allocated(device) / 1e6 if device.type == "cuda" else None
    return Speed(
        speed.hidden,
        speed.lanes,
        speed.precision,
        rate,
        rate * operations(training.network) / machine,
        settings.batch_size * settings.bptt / laid,
        most,
    )


def _products(device: torch.device, size: int, dtype: torch.dtype) -> float:
    """Floating-point operations a second of large products; float32 in TF32, as cuDNN has it."""
    square = torch.randn(size, size, device=device, dtype=dtype)
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        return 2 * size**3 / _seconds(lambda: torch.mm(square, square), 10, device)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def _seconds(work: Callable[[], object], times: int, device: torch.device) -> float:
    """Seconds that one call takes on the average, once it is warm; waits for the device."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    for _ in range(WARM):
        work()
    wait()
    began = time.perf_counter()
    for _ in range(times):
        work()
    wait()
    return (time.perf_counter() - began) / times
