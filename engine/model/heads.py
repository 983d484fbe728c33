"""Heads: what a frame looks like to the network on its way in, and on its way out.

A head owns everything that depends on the kind of frame, so that the network and the trainer need
not ask whether a song is text or music.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.config import ModelConfig
from engine.frames import FrameSpec


class CharacterHead(nn.Module):
    """Characters: a vector for each on the way in, a softmax over all on the way out.

    With `tied`, the output layer is the table of input vectors (Press & Wolf 2017), behind a
    projection from H to E.
    """

    def __init__(self, config: ModelConfig, spec: FrameSpec) -> None:
        super().__init__()
        size, hidden, width = spec.size, config.hidden, config.embedding  # V, H, E
        self.width = width
        self.embedding = nn.Parameter(
            torch.randn(size, width) * (width**-0.5 if config.tied else 1)
        )
        if config.tied:
            self.project = nn.Parameter(torch.randn(hidden, width) * hidden**-0.5)
        else:
            bound = hidden**-0.5
            self.weight = nn.Parameter(torch.empty(size, hidden).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(size))
        self.tied = config.tied

    def encode(self, frames: Tensor) -> Tensor:
        """Vectors (..., E) of character indices (...)."""
        return functional.embedding(frames, self.embedding)

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits (..., V) from the top layer's output (..., H)."""
        if self.tied:
            return functional.linear(hidden @ self.project, self.embedding, self.bias)
        return functional.linear(hidden, self.weight, self.bias)

    def nats(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """The negative log likelihood of each frame, (T, L), from hidden (T, L, H)."""
        logits = self.logits(hidden).flatten(0, 1)  # (T·L, V)
        return functional.cross_entropy(logits, targets.flatten(), reduction="none").view_as(
            targets
        )


HEADS = {"characters": CharacterHead}
