"""Heads: what a frame looks like to the network on its way in, and on its way out.

A head owns everything that depends on the kind of frame, so that the network and the trainer need
not ask whether a song is text or music.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.config import ModelConfig
from engine.frames import FrameSpec
from engine.model.keys import IndependentHead, JointHead
from engine.model.window import Window


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
        # The longer the match, the likelier the recalled character: about its log odds at first.
        rising = torch.linspace(1, 5, len(spec.matches(config.lapses)))
        gain = torch.cat((torch.zeros(1 + config.lapses), rising)).unsqueeze(1)
        self.gain = nn.Parameter(gain) if config.memory else None  # (M, 1)

    @property
    def reader(self) -> nn.Parameter:
        """The weights that read the top layer's output."""
        return self.project if self.tied else self.weight

    def encode(self, frames: Tensor) -> Tensor:
        """Vectors (..., E) of character indices (...)."""
        return functional.embedding(frames, self.embedding)

    def logits(self, hidden: Tensor, window: Window) -> Tensor:
        """Logits (T, L, V) from the top layer's output (T, L, H).

        The recalled character's is raised by a learned amount for the kind of match.
        """
        if self.tied:
            logits = functional.linear(hidden @ self.project, self.embedding, self.bias)
        else:
            logits = functional.linear(hidden, self.weight, self.bias)
        if self.gain is None or window.recalled is None or window.match is None:
            return logits
        gain = functional.embedding(window.match, self.gain, padding_idx=0)  # (T, L, 1)
        return logits.to(gain.dtype).scatter_add(2, window.recalled.unsqueeze(2), gain)

    def nats(self, hidden: Tensor, window: Window) -> Tensor:
        """The negative log likelihood of each target, (T, L), from hidden (T, L, H)."""
        logits, targets = self.logits(hidden, window).flatten(0, 1), window.targets  # (T·L, V)
        nats = functional.cross_entropy(logits, targets.flatten(), reduction="none")
        return nats.view_as(targets)


HEADS: dict[str, dict[str, type[CharacterHead | IndependentHead | JointHead]]] = {
    "characters": {"joint": CharacterHead, "independent": CharacterHead},
    "keys": {"joint": JointHead, "independent": IndependentHead},
}
