"""Running out of memory: a trainer under a limit, and the errors of torch's allocators."""

import resource
import sys
from collections.abc import Callable

import psutil
import pytest
import torch

from engine.config import TrainConfig
from engine.errors import InputError, WorkError
from engine.inference import models
from engine.runs import events
from engine.runs.event_log import EventReader
from engine.runs.run_dir import RunDir
from engine.train import launch, worker
from engine.train.device import choose_device, handle_out_of_memory, precision
from engine.train.distributed import Ranks
from tests.engine.train.conftest import MakeConfig

Limited = Callable[[RunDir, int, int], tuple[int, str]]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces a limit on memory")
def test_out_of_memory_keeps_the_last_checkpoint(make_config: MakeConfig, limited: Limited) -> None:
    run = launch.new_run(make_config("train.steps=6"), "large")
    worker.train_run(run)
    launch.resume("large", ["train.steps=12", "train.bptt=2000000"])
    used = psutil.Process().memory_info().vms
    status, errors = limited(run, resource.RLIMIT_AS, used + (400 << 20))
    assert status == 1, errors
    sentence = errors.strip().splitlines()[-1]
    for words in (
        "Memory ran out",
        "train.batch_size",
        "train.bptt",
        "train.checkpoint_segment=auto",
    ):
        assert words in sentence
    last = EventReader(run.events).poll()[-1]
    assert isinstance(last, events.Failed)
    assert last.reason == sentence
    assert models.load("large").meta.step == 6
    launch.resume("large", ["train.bptt=16"])
    worker.train_run(run)
    assert run.last_step() == 12


def test_which_errors_are_out_of_memory() -> None:
    settings = TrainConfig(bptt=0, checkpoint_segment="auto")
    with (
        pytest.raises(WorkError, match=r"whole songs.*bptt=…\), or start a new run"),
        handle_out_of_memory(settings),
    ):
        torch.empty(1 << 50)
    with pytest.raises(WorkError, match="Memory ran out"), handle_out_of_memory(settings):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    with pytest.raises(WorkError, match="Memory ran out"), handle_out_of_memory(settings):
        raise MemoryError
    with pytest.raises(RuntimeError, match="shapes"), handle_out_of_memory(settings):
        torch.ones(2, 3) @ torch.ones(2, 3)


@pytest.mark.parametrize(
    ("device", "ranks", "chosen"),
    [
        ("auto", 1, "cuda:0"),
        ("auto", 3, "cpu"),
        ("cuda", 2, "cuda:1"),
        ("cuda:1", 1, "cuda:1"),
        ("cpu", 1, "cpu"),
        ("cuda:2", 1, r"train\.device is 'cuda:2', but the last CUDA device is cuda:1"),
        ("cuda", 3, "2 of the 3 CUDA devices needed .* or --processes 2"),
        ("cuda:0", 2, "one device cannot be shared: .*--processes 1"),
        ("mps", 1, "no GPU that PyTorch reaches by MPS"),
    ],
)
def test_the_device_of_a_rank(
    device: str, ranks: int, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    settings, rank = TrainConfig(device=device), Ranks(local=ranks - 1, local_size=ranks)
    if " " in chosen:
        with pytest.raises(InputError, match=chosen):
            choose_device(settings, rank)
    else:
        assert choose_device(settings, rank) == torch.device(chosen)


def test_a_mac_is_used_if_it_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device(TrainConfig(device="mps"), Ranks()) == torch.device("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.parametrize("native", [False, True])
def test_a_gpu_that_emulates_bfloat16_uses_float32(
    native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_supported(including_emulation: bool = True) -> bool:
        return including_emulation or native

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_supported)
    monkeypatch.setattr(torch, "autocast", lambda *arguments, enabled: enabled)
    assert precision(torch.device("cuda"), TrainConfig()) is native  # type: ignore[comparison-overlap]
    assert precision(torch.device("mps"), TrainConfig()) is False  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(
    ("native", "allowed", "used"),
    [(True, True, True), (True, False, False), (False, True, False)],
)
def test_a_processor_that_emulates_bfloat16_uses_float32(
    native: bool, allowed: bool, used: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """oneDNN supports bfloat16 where it emulates it, and not where ONEDNN_MAX_CPU_ISA is AVX2."""
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: allowed)
    monkeypatch.setattr(torch, "autocast", lambda *arguments, enabled: enabled)
    assert precision(torch.device("cpu"), TrainConfig()) is used  # type: ignore[comparison-overlap]
