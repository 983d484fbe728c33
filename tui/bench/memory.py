"""What a long song costs: plain, checkpointed and truncated back-propagation through time.

Two lanes of one song of T frames, a network of two LSTM layers, one thread, each in a fresh process
(`tui.bench.memory`). Plain back-propagation is drawn out from the lengths before, by a straight
line, where it does not fit in the memory that is free.
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
from engine.frames import FrameSpec
from engine.model.network import Network, detach_state
from engine.model.window import Window
from engine.train import gradient_checkpointing
from engine.train.gradient_checkpointing import Segment
from engine.train.optimizer import build_optimizer
from tui.bench.measurement import Measurement

LENGTHS, HIDDEN = (1024, 4096, 16_384, 65_536), 512
QUICK_LENGTHS, QUICK_HIDDEN = (256, 512, 1024), 64
# The frames between two updates (0: all), and those kept at a time of them.
WAYS: dict[str, tuple[int, Segment]] = {
    "plain": (0, 0),
    "checkpointed": (0, "auto"),
    "truncated": (128, 0),
}
CHARACTERS = FrameSpec("characters", 100)
LANES = 2
ROOM = 1.5  # times what is expected must be free


@dataclass(frozen=True)
class Cost:
    """Of one song."""

    megabytes: float  # the most, over the process with its network made
    seconds: float  # of one processor


def measure(quick: bool) -> Iterator[Measurement]:
    """Memory and time for each length and way, beside those of plain back-propagation."""
    hidden = QUICK_HIDDEN if quick else HIDDEN
    plain: dict[int, Cost] = {}
    for frames in QUICK_LENGTHS if quick else LENGTHS:
        for way in WAYS:
            said = f"{way}, {frames:,} frames"
            expected = _drawn_out(plain, frames) if way == "plain" and len(plain) > 1 else None
            if expected and expected.megabytes * 1e6 * ROOM > psutil.virtual_memory().available:
                cost, said = expected, f"{said} (drawn out)"
            else:
                cost = _cost(way, frames, hidden)
            if way == "plain":
                plain[frames] = cost
                yield Measurement(f"memory, {said}", cost.megabytes, "MB")
                yield Measurement(f"time, {said}", cost.seconds, "CPU s")
                continue
            beside = plain[frames]
            yield Measurement(f"memory, {said}", cost.megabytes, "MB", beside.megabytes, lower=True)
            yield Measurement(f"time, {said}", cost.seconds, "CPU s", beside.seconds, lower=True)


def _drawn_out(costs: dict[int, Cost], frames: int) -> Cost:
    """The cost of more frames, on the straight line through the last two."""
    (low, before), (high, last) = list(costs.items())[-2:]
    far = (frames - high) / (high - low)
    return Cost(
        last.megabytes + far * (last.megabytes - before.megabytes),
        last.seconds + far * (last.seconds - before.seconds),
    )


def _cost(way: str, frames: int, hidden: int) -> Cost:
    words = [*processes.command("tui.bench.memory"), way, str(frames), str(hidden)]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise WorkError(
            f"The process that trained {way} on {frames:,} frames ended with status "
            f"{done.returncode}: close what needs much memory, or take --quick."
        )
    found = json.loads(done.stdout)
    return Cost(found["bytes"] / 1e6, found["seconds"])


def train(way: str, frames: int, hidden: int) -> dict[str, float]:
    """Take the steps that one song of so many frames makes, as the training loop takes them."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = ModelConfig(layers=2, hidden_size=hidden, condition_size=0)
    network, settings = Network(model, CHARACTERS, 0), TrainConfig()
    adam = build_optimizer(network, settings)
    song = torch.randint(0, CHARACTERS.size, (frames + 1, LANES))
    fresh = torch.zeros(frames, LANES, dtype=torch.bool)
    fresh[0] = True
    window = Window(song[:-1], song[1:], fresh, torch.zeros_like(song[1:]))
    bptt, segment = WAYS[way]
    state = network.zero_state(LANES)
    before, began = psutil.Process().memory_info().rss, time.process_time()
    for start in range(0, frames, bptt or frames):
        part = window.part(start, start + (bptt or frames))
        nats, state = gradient_checkpointing.nats(network, part, state, segment)
        adam.zero_grad()
        nats.mean().backward()
        clip_grad_norm_(network.parameters(), settings.grad_clip)
        adam.step()
        state = detach_state(state)
    seconds = time.process_time() - began
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before,
        "seconds": seconds,
    }


if __name__ == "__main__":
    print(json.dumps(train(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
