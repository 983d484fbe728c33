"""Measure memory and time of training on long songs by three methods of back-propagation.

The methods are plain, checkpointed (see `engine.train.gradient_checkpointing`) and truncated
back-propagation. A network of two LSTM layers is trained on a batch of two songs of T frames, in
one thread of a fresh process: `python -m tui.bench.memory METHOD T HIDDEN` prints {"bytes": …,
"seconds": …}, the peak memory beyond that of the process with its network built, and the CPU
seconds. The cost of plain back-propagation is extrapolated linearly from shorter songs where it
would not fit in the free memory.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import torch
from torch.nn.utils import clip_grad_norm_

from engine import processes
from engine.config import ModelConfig, TrainConfig
from engine.errors import WorkError
from engine.frame_spec import FrameSpec
from engine.model.network import Network, detach_state
from engine.model.window import Window
from engine.train import gradient_checkpointing
from engine.train.gradient_checkpointing import Segment
from engine.train.optimizer import build_optimizer
from tui.bench.measurement import Measurement

LENGTHS, HIDDEN = (1024, 4096, 16_384, 65_536), 512
QUICK_LENGTHS, QUICK_HIDDEN = (256, 512, 1024), 64
# By method: frames between two updates of the weights (0: all frames of a song), and the segment
# of gradient checkpointing (0: no checkpointing).
METHODS: dict[str, tuple[int, Segment]] = {
    "plain": (0, 0),
    "checkpointed": (0, "auto"),
    "truncated": (128, 0),
}
CHARACTERS = FrameSpec("characters", 100)
BATCH_SIZE = 2
HEADROOM = 1.5  # plain training runs only if this multiple of its expected memory is free


@dataclass(frozen=True)
class Cost:
    """The memory and time of one training."""

    megabytes: float  # peak, beyond the process with its network built
    seconds: float  # of CPU time


def measure(quick: bool) -> Iterator[Measurement]:
    """Yield memory and time for each length and method; plain training is the reference."""
    hidden = QUICK_HIDDEN if quick else HIDDEN
    plain: dict[int, Cost] = {}
    for frames in QUICK_LENGTHS if quick else LENGTHS:
        for method in METHODS:
            label = f"{method}, {frames:,} frames"
            expected = _extrapolate(plain, frames) if method == "plain" and len(plain) > 1 else None
            if expected and expected.megabytes * 1e6 * HEADROOM > psutil.virtual_memory().available:
                cost, label = expected, f"{label} (extrapolated)"
            else:
                cost = _measure_process(method, frames, hidden)
            if method == "plain":
                plain[frames] = cost
                yield Measurement(f"memory, {label}", cost.megabytes, "MB")
                yield Measurement(f"time, {label}", cost.seconds, "CPU s")
                continue
            base = plain[frames]
            yield Measurement(f"memory, {label}", cost.megabytes, "MB", base.megabytes, lower=True)
            yield Measurement(f"time, {label}", cost.seconds, "CPU s", base.seconds, lower=True)


def _extrapolate(costs: dict[int, Cost], frames: int) -> Cost:
    """Return the cost of training on `frames` frames, extrapolated from the last two lengths."""
    (low, before), (high, last) = list(costs.items())[-2:]
    factor = (frames - high) / (high - low)
    return Cost(
        last.megabytes + factor * (last.megabytes - before.megabytes),
        last.seconds + factor * (last.seconds - before.seconds),
    )


def _measure_process(method: str, frames: int, hidden: int) -> Cost:
    command = [*processes.command("tui.bench.memory"), method, str(frames), str(hidden)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise WorkError(
            f"The process that measured {method} training on {frames:,} frames ended with status "
            f"{done.returncode}: close programs that use much memory, or use --quick."
        )
    found = json.loads(done.stdout)
    return Cost(found["bytes"] / 1e6, found["seconds"])


def train(method: str, frames: int, hidden: int) -> dict[str, float]:
    """Train on two songs of `frames` frames as the training loop does; return the cost."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = ModelConfig(layers=2, hidden_size=hidden, condition_size=0)
    network, settings = Network(model, CHARACTERS, 0), TrainConfig()
    optimizer = build_optimizer(network, settings)
    song = torch.randint(0, CHARACTERS.size, (frames + 1, BATCH_SIZE))
    reset = torch.zeros(frames, BATCH_SIZE, dtype=torch.bool)
    reset[0] = True
    window = Window(song[:-1], song[1:], reset, torch.zeros_like(song[1:]))
    bptt, segment = METHODS[method]
    state = network.zero_state(BATCH_SIZE)
    before, began = psutil.Process().memory_info().rss, time.process_time()
    for start in range(0, frames, bptt or frames):
        part = window.part(start, start + (bptt or frames))
        nats, state = gradient_checkpointing.nats(network, part, state, segment)
        optimizer.zero_grad()
        nats.mean().backward()
        clip_grad_norm_(network.parameters(), settings.grad_clip)
        optimizer.step()
        state = detach_state(state)
    seconds = time.process_time() - began
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before,
        "seconds": seconds,
    }


if __name__ == "__main__":
    print(json.dumps(train(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
