"""Dynamic evaluation: a network that goes on learning from each song while it is scored on it.

Every window is scored before it is learned from, and every song begins with the weights as they
were, so this is the score of a model of one song at a time (Krause et al. 2018, "Dynamic evaluation
of neural sequence models"). As there, steps are divided by each weight's root mean square gradient
on the songs it learned from, and the weights are drawn back to what they were.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.data.batches import BatchStream
from engine.data.corpus import Corpus
from engine.model.network import Network, detach_state
from engine.model.window import Window
from engine.train.evaluate import SongScores, to_window

WINDOW = 24  # frames between two steps
RATE = 2e-3
DECAY = 5e-3  # the share of the way back at each step
GATHERED = 200  # windows that the root mean squares are taken over
Tensors = list[Tensor]
_LEAST = 0.5  # of a weight's root mean square, as a share of the mean of all: no step is too large


def score_songs(
    model: Network,
    corpus: Corpus,
    split: str,
    on_progress: Callable[[], None] = lambda: None,
) -> SongScores:
    """Return the nats of each song of a split; the model is unchanged afterwards.

    on_progress: called after each song.
    """
    weights: Tensors = [*model.parameters()]
    learned = [weight.detach().clone() for weight in weights]
    device = weights[0].device
    was_training = model.training
    model.eval()
    rates = [-RATE * scale for scale in _scales(model, weights, corpus)]
    lanes = _lanes(model, corpus, split, 0)
    songs = []
    while (batch := lanes.next_batch()) is not None:
        songs.append(_song(model, weights, learned, rates, to_window(batch, device)))
        with torch.no_grad():
            torch._foreach_copy_(weights, learned)
        on_progress()
    model.train(was_training)
    return SongScores(
        np.array([nats.sum() for nats in songs]),
        np.array([nats[0] for nats in songs]),
        np.array([len(nats) for nats in songs]),
    )


def _lanes(
    model: Network, corpus: Corpus, split: str, window: int, seed: int | None = None
) -> BatchStream:
    return BatchStream(corpus, split, 1, window, seed=seed, model=model.config)


def _song(
    model: Network,
    weights: Tensors,
    learned: Tensors,
    rates: Tensors,
    window: Window,
) -> npt.NDArray[np.float64]:
    """The nats of each frame of a song (T,), learned from window by window."""
    length, state, result = len(window.inputs), model.zero_state(1), []
    for start in range(0, length, WINDOW):
        nats, state = model.nats(window.part(start, start + WINDOW), detach_state(state))
        result.append(nats.detach()[:, 0])
        gradients = list(torch.autograd.grad(nats.mean(), weights))
        with torch.no_grad():
            torch._foreach_addcmul_(weights, gradients, rates)
            torch._foreach_lerp_(weights, learned, DECAY)
    return torch.cat(result).cpu().numpy().astype(np.float64)


def _scales(model: Network, weights: Tensors, corpus: Corpus) -> Tensors:
    """One over each weight's root mean square gradient on songs to learn from."""
    lanes = _lanes(model, corpus, "train", WINDOW, seed=0)
    squares = [torch.zeros_like(weight) for weight in weights]
    state = model.zero_state(1)
    for _ in range(GATHERED):
        batch = lanes.next_batch()
        assert batch is not None  # lanes with a seed never end
        nats, state = model.nats(to_window(batch, weights[0].device), detach_state(state))
        gradients = list(torch.autograd.grad(nats.mean(), weights))
        torch._foreach_addcmul_(squares, gradients, gradients)
    roots = [(square / GATHERED).sqrt() for square in squares]
    least = _LEAST * torch.cat([root.flatten() for root in roots]).mean()
    return [1 / (root + least) for root in roots]
