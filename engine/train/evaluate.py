"""The score of a model on songs: the negative log likelihood of every frame, averaged."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.data.corpus import Corpus
from engine.data.lanes import Batch, Lanes
from engine.errors import InputError
from engine.model.counting import CountingModel

if TYPE_CHECKING:  # torch takes seconds to import, and counting models do without
    from torch import Tensor

    from engine.model.network import Network

LANES, WINDOW = 64, 128  # of an evaluation: they change its speed, not its result


@dataclass(frozen=True)
class Score:
    """Nats a frame over so many frames."""

    loss: float
    frames: int

    @property
    def bits(self) -> float:
        """The same in bits a frame."""
        return self.loss / math.log(2)


def tensors(batch: Batch) -> "tuple[Tensor, Tensor, Tensor, Tensor]":
    """inputs, targets, fresh and condition of a batch, as the network takes them."""
    from torch import from_numpy

    return (
        from_numpy(batch.inputs),
        from_numpy(batch.targets),
        from_numpy(batch.fresh),
        from_numpy(batch.condition),
    )


def network(
    model: "Network",
    corpus: Corpus,
    split: str,
    limit: int = 0,
    beat: Callable[[], None] = lambda: None,
) -> Score:
    """Score a network on a split, each song from its beginning, state carried to its end.

    limit: whole songs of at most so many frames (0: all); beat is called between batches.
    """
    import torch

    count = max(1, min(LANES, len(corpus.select(split))))
    lanes = Lanes(corpus, split, count, WINDOW, limit=limit)
    state = model.zero_state(count)
    total, frames = 0.0, 0
    was_training = model.training
    model.eval()
    with torch.no_grad():
        while (batch := lanes.next()) is not None:
            inputs, targets, fresh, condition = tensors(batch)
            nats, state = model.nats(inputs, targets, fresh, condition, state)
            weight = torch.from_numpy(batch.weight)
            total += (nats * weight).sum(dtype=torch.float64).item()
            frames += int(batch.weight.sum())
            beat()
    model.train(was_training)
    return Score(total / frames, frames)


def counting(
    model: CountingModel, corpus: Corpus, split: str, beat: Callable[[], None] = lambda: None
) -> Score:
    """Score a counting model on a split."""
    rows = corpus.select(split)
    if not len(rows):
        raise InputError(
            f"{corpus.name} has no {split} songs: prepare it with data.{split} above 0."
        )
    total, frames = 0.0, 0
    for row in rows:
        nats = model.nats(corpus.song(row))
        total += float(nats.sum(dtype=np.float64))
        frames += len(nats)
        beat()
    return Score(total / frames, frames)
