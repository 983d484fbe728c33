"""Back-propagation through a long window with little memory: gradient checkpointing over time.

Going forward, only the state between two segments of the window is kept; going back, each segment
is run once more when its turn comes, so that the activations of one segment at a time exist (Chen
et al. 2016, "Training deep nets with sublinear memory cost"). With segments of √T frames the memory
grows as √T. The output layer and the loss are within the segment too: logits (T, L, V) would take
more than all the rest.
"""

import math
from typing import Literal

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from engine.model.cells import State
from engine.model.network import Network
from engine.model.window import Window

Segment = int | Literal["auto"]  # frames, 0 for the whole window, "auto" for about √T

SHORTEST = 64  # frames: below, what each segment costs by itself outweighs what it saves


def length(segment: Segment, frames: int) -> int:
    """The frames of a segment of a window of so many; the whole window where there is but one."""
    size = max(SHORTEST, math.isqrt(frames - 1) + 1) if segment == "auto" else segment
    return min(size or frames, frames)


def nats(
    network: Network, window: Window, state: list[State], segment: Segment = 0
) -> tuple[Tensor, list[State]]:
    """As `Network.nats`, (T, L) and the new state, keeping only what `segment` needs to go back.

    segment: frames, 0 for a window that is kept whole, "auto" for about √T. Dropout is the same
    when a segment is run again.
    """
    frames = len(window.inputs)
    step = length(segment, frames)
    if step == frames:
        return network.nats(window, state)
    parts = []
    for start in range(0, frames, step):
        part = window.part(start, start + step)
        some, state = checkpoint(network.nats, part, state, use_reentrant=False)
        parts.append(some)
    return torch.cat(parts), state
