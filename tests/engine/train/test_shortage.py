"""Memory that runs out: a real trainer under a real limit, and words for what torch says."""

import subprocess
import sys
from collections.abc import Callable

import pytest
import torch

from engine import events
from engine.config import RunConfig, TrainConfig
from engine.errors import WorkError
from engine.eventlog import EventReader
from engine.sample import models
from engine.train import start, worker
from engine.train.shortage import refusing_shortage

Small = Callable[..., RunConfig]

UNDER_A_LIMIT = """
import resource, sys, torch
from pathlib import Path
from engine.train import loop, training, worker  # loaded before the limit
size = int(next(x for x in open("/proc/self/status") if x.startswith("VmSize")).split()[1]) << 10
resource.setrlimit(resource.RLIMIT_AS, (size + (400 << 20),) * 2)
sys.argv = ["worker", sys.argv[1]]
sys.exit(worker.main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps to a limit of memory")
def test_a_run_that_needs_too_much_keeps_its_checkpoint(small: Small) -> None:
    run = start.new_run(small("train.steps=6"), "large")
    worker.work(run)
    start.resume("large", ["train.steps=12", "train.bptt=2000000"])
    ended = subprocess.run(
        [sys.executable, "-c", UNDER_A_LIMIT, str(run.path)], capture_output=True, text=True
    )
    assert ended.returncode == 1, ended.stderr
    sentence = ended.stderr.strip().splitlines()[-1]
    for words in ("Memory ran out", "train.lanes", "train.bptt", "train.checkpoint_segment=auto"):
        assert words in sentence
    last = EventReader(run.events).read()[-1]
    assert isinstance(last, events.Failed)
    assert last.reason == sentence
    assert models.load("large").meta["step"] == 6
    start.resume("large", ["train.bptt=16"])
    worker.work(run)
    assert run.last_step() == 12


def test_what_torch_says_of_its_allocators_and_of_other_things() -> None:
    settings = TrainConfig(bptt=0, checkpoint_segment="auto")
    with (
        pytest.raises(WorkError, match=r"whole songs.*bptt=…\), or start a new run"),
        refusing_shortage(settings),
    ):
        torch.empty(1 << 50)
    with pytest.raises(WorkError, match="Memory ran out"), refusing_shortage(settings):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    with pytest.raises(WorkError, match="Memory ran out"), refusing_shortage(settings):
        raise MemoryError
    with pytest.raises(RuntimeError, match="shapes"), refusing_shortage(settings):
        torch.ones(2, 3) @ torch.ones(2, 3)
