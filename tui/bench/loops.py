"""Two training loops as people write them, to be measured beside ours: reference code.

The same model for both, of torch's own layers: vectors of characters, two layers of `nn.LSTM`, a
softmax. Index 0 is padding for the first and never occurs for the second.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from engine.config import ModelConfig

Step = Callable[[], int]  # takes one step, and says from how many characters it learned
State = tuple[Tensor, Tensor]


class Model(nn.Module):
    """Vectors (V, E) → LSTM (H) → logits (V)."""

    def __init__(self, config: ModelConfig, size: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(size, config.embedding)
        self.cells = nn.LSTM(config.embedding, config.hidden, config.layers)
        self.logits = nn.Linear(config.hidden, size)


def padded(config: ModelConfig, size: int, songs: list[Tensor], batch: int, lr: float) -> Step:
    """The article's loop: so many whole songs, padded to the longest and packed for the LSTM.

    songs: each (length,) of indices over 0, the end mark last. The longest come first in a batch,
    as packing wants them; the padding counts for nothing in the loss.
    """
    model = Model(config, size)
    adam = torch.optim.Adam(model.parameters(), lr=lr)

    def batches() -> Iterator[list[Tensor]]:
        while True:
            order = torch.randperm(len(songs)).tolist()
            for start in range(0, len(order) - batch + 1, batch):
                yield [songs[place] for place in order[start : start + batch]]

    source = batches()

    def step() -> int:
        some = sorted(next(source), key=len, reverse=True)
        lengths = [len(song) for song in some]
        targets = pad_sequence(some)  # (T, B), zeros past the end
        inputs = torch.cat((torch.zeros_like(targets[:1]), targets[:-1]))
        packed = pack_padded_sequence(model.vectors(inputs), lengths)
        hidden, _ = pad_packed_sequence(model.cells(packed)[0])  # (T, B, H)
        logits = model.logits(hidden)
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=0)
        adam.zero_grad()
        loss.backward()
        adam.step()
        return sum(lengths)

    return step


def contiguous(
    config: ModelConfig, size: int, songs: list[Tensor], lanes: int, window: int, lr: float
) -> Step:
    """The usual loop: all songs as one text, cut into lanes that are read side by side."""
    model = Model(config, size)
    adam = torch.optim.Adam(model.parameters(), lr=lr)
    text = torch.cat(songs)
    text = text[: len(text) // lanes * lanes].view(lanes, -1).t().contiguous()  # (N / L, L)
    state: State | None = None
    place = 0

    def step() -> int:
        nonlocal state, place
        if place + window + 1 > len(text):
            state, place = None, 0
        inputs, targets = text[place : place + window], text[place + 1 : place + window + 1]
        place += window
        hidden, last = model.cells(model.vectors(inputs), state)
        state = last[0].detach(), last[1].detach()
        logits = model.logits(hidden)
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        adam.zero_grad()
        loss.backward()
        clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        return targets.numel()

    return step
