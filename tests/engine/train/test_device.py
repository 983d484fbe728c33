"""Running out of memory: a trainer under a limit, and the errors of torch's allocators."""

import resource
import sys
from collections.abc import Callable

import psutil
import pytest
import torch

from engine.config import TrainConfig
from engine.errors import WorkError
from engine.inference import models
from engine.runs import events
from engine.runs.event_log import EventReader
from engine.runs.run_dir import RunDir
from engine.train import launch, worker
from engine.train.device import handle_out_of_memory
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
