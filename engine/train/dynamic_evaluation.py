"""Dynamic evaluation: a network is trained on each song while it is scored on it.

Each window of a song is scored before the network is trained on it, and each song starts from the
original weights, so that the network adapts to one song at a time (Krause et al. 2018, "Dynamic
evaluation of neural sequence models"). As there, each weight's step is divided by the root mean
square of its gradient on training songs, and weights decay towards their original values.
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

WINDOW = 24  # frames between two updates of the weights
LEARNING_RATE = 2e-3
DECAY = 5e-3  # fraction of the difference to the original weights that each update removes
RMS_WINDOWS = 200  # windows of training songs from which the root mean squares are computed
# Added to the root mean square of each weight, as a fraction of the mean over all weights, to limit
# the steps of weights with small gradients.
_RMS_FLOOR = 0.5
Tensors = list[Tensor]


def score_songs(
    model: Network,
    corpus: Corpus,
    split: str,
    on_progress: Callable[[], None] = lambda: None,
) -> SongScores:
    """Score a network on each song of a split by dynamic evaluation, then restore its weights.

    on_progress: called after each song. Raises InputError for a split without songs.
    """
    weights: Tensors = [*model.parameters()]
    original = [weight.detach().clone() for weight in weights]
    device = weights[0].device
    was_training = model.training
    model.eval()
    rates = [-LEARNING_RATE * scale for scale in _step_scales(model, weights, corpus)]
    batches = _single_stream(model, corpus, split, 0)
    songs = []
    while (batch := batches.next_batch()) is not None:
        nats = _score_song(model, weights, original, rates, to_window(batch, device))
        songs.append(nats[batch.frames[:, 0]])
        with torch.no_grad():
            torch._foreach_copy_(weights, original)
        on_progress()
    model.train(was_training)
    return SongScores(
        np.array([nats.sum() for nats in songs]),
        np.array([nats[0] for nats in songs]),
        np.array([len(nats) for nats in songs]),
    )


def _single_stream(
    model: Network, corpus: Corpus, split: str, window: int, seed: int | None = None
) -> BatchStream:
    return BatchStream(corpus, split, 1, window, seed=seed, model=model.config)


def _score_song(
    model: Network,
    weights: Tensors,
    original: Tensors,
    rates: Tensors,
    song: Window,
) -> npt.NDArray[np.float64]:
    """Return the nats of each target of a song, (T,), training on it window by window.

    rates: for each weight, a tensor of the same shape with its negative learning rates.
    """
    length, state, result = len(song.inputs), model.zero_state(1), []
    for start in range(0, length, WINDOW):
        part = song.part(start, start + WINDOW)
        hidden, state = model(part, detach_state(state))
        nats = model.head.nats(hidden, part)
        result.append(nats.detach()[:, 0])
        gradients = _gradients(nats, weights)
        with torch.no_grad():
            torch._foreach_addcmul_(weights, gradients, rates)
            torch._foreach_lerp_(weights, original, DECAY)
    return torch.cat(result).cpu().numpy().astype(np.float64)


def _step_scales(model: Network, weights: Tensors, corpus: Corpus) -> Tensors:
    """Return 1 / (r + floor) for each weight; r: the RMS of its gradient on training songs."""
    batches = _single_stream(model, corpus, "train", WINDOW, seed=0)
    squares = [torch.zeros_like(weight) for weight in weights]
    state = model.zero_state(1)
    for _ in range(RMS_WINDOWS):
        batch = batches.next_batch()
        assert batch is not None  # a stream with a seed never ends
        window = to_window(batch, weights[0].device)
        hidden, state = model(window, detach_state(state))
        nats = model.head.nats(hidden, window)
        gradients = _gradients(nats, weights)
        torch._foreach_addcmul_(squares, gradients, gradients)
    rms = [(square / RMS_WINDOWS).sqrt() for square in squares]
    floor = _RMS_FLOOR * torch.cat([each.flatten() for each in rms]).mean()
    return [1 / (each + floor) for each in rms]


def _gradients(nats: Tensor, weights: Tensors) -> Tensors:
    """Return the gradient of the mean of `nats` for each weight: 0 for those of the end mark."""
    return list(torch.autograd.grad(nats.mean(), weights, materialize_grads=True))
