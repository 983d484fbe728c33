"""A fresh process that trains on one long song, and says what that took.

`python -m tui.bench.long_song WAY T HIDDEN` prints {"bytes": …, "seconds": …}: the most memory over
what the process held with its network made, and the seconds of one processor.
"""

import json
import resource
import sys
import time

import psutil
import torch
from torch.nn.utils import clip_grad_norm_

from engine.config import ModelConfig, TrainConfig
from engine.frames import FrameSpec
from engine.model.network import Network, detach
from engine.model.window import Window
from engine.train import segments
from engine.train.optimiser import optimizer
from engine.train.segments import Segment

CHARACTERS = FrameSpec("characters", 100)
LANES = 2
# The frames between two updates (0: all), and those kept at a time of them.
WAYS: dict[str, tuple[int, Segment]] = {
    "plain": (0, 0),
    "checkpointed": (0, "auto"),
    "truncated": (128, 0),
}


def train(way: str, frames: int, hidden: int) -> dict[str, float]:
    """Take the steps that one song of so many frames makes, as the training loop takes them."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = ModelConfig(layers=2, hidden=hidden, condition=0)
    network, settings = Network(model, CHARACTERS, 0), TrainConfig()
    adam = optimizer(network, settings)
    song = torch.randint(0, CHARACTERS.size, (frames + 1, LANES))
    fresh = torch.zeros(frames, LANES, dtype=torch.bool)
    fresh[0] = True
    window = Window(song[:-1], song[1:], fresh, torch.zeros_like(song[1:]))
    bptt, segment = WAYS[way]
    state = network.zero_state(LANES)
    before, began = psutil.Process().memory_info().rss, time.process_time()
    for start in range(0, frames, bptt or frames):
        part = window.part(start, start + (bptt or frames))
        nats, state = segments.nats(network, part, state, segment)
        adam.zero_grad()
        nats.mean().backward()
        clip_grad_norm_(network.parameters(), settings.clip)
        adam.step()
        state = detach(state)
    seconds = time.process_time() - began
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before,
        "seconds": seconds,
    }


if __name__ == "__main__":
    print(json.dumps(train(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
