"""The article's sampling loop, written anew in PyTorch: what our sampler is measured against.

An `nn.LSTM` is called for every single character, one-hot, and the next is drawn by the Gumbel-max
trick. `python -m tui.bench.references MODEL` writes characters without end, as a fresh process.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from engine.config import ModelConfig

State = tuple[Tensor, Tensor]  # of all layers, (layers, 1, H) each
_GATES = (0, 1, 3, 2)  # PyTorch's i, f, g, o out of ours: i, f, o, g


class Article(nn.Module):
    """An LSTM of one-hot characters, from the tensors of one of our models without artists."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        tensors = {**tensors, "cells.0.input": tensors["head.embedding"] @ tensors["cells.0.input"]}
        layers = sum(name.endswith(".hidden") for name in tensors)
        self.size, hidden = tensors["head.weight"].shape
        self.lstm = nn.LSTM(self.size, hidden, layers)
        self.out = nn.Linear(hidden, self.size)
        state = {"out.weight": tensors["head.weight"], "out.bias": tensors["head.bias"]}
        for layer in range(layers):
            for ours, theirs in (
                ("input", "weight_ih"),
                ("hidden", "weight_hh"),
                ("bias", "bias_ih"),
            ):
                gates = tensors[f"cells.{layer}.{ours}"].chunk(4, -1)
                state[f"lstm.{theirs}_l{layer}"] = torch.cat([gates[g] for g in _GATES], -1).t()
            state[f"lstm.bias_hh_l{layer}"] = torch.zeros(4 * hidden)
        self.load_state_dict(state)

    def forward(self, character: int, state: State | None) -> tuple[Tensor, State]:
        """Logits (V,) of the next character, after one more."""
        one_hot = functional.one_hot(torch.tensor(character), self.size).float().view(1, 1, -1)
        output, state = self.lstm(one_hot, state)
        return self.out(output)[0, 0], state

    def write(self, prime: list[int], count: int, temperature: float = 0.7) -> list[int]:
        """Choose `count` characters after a prime that is not empty."""
        state = None
        written: list[int] = []
        with torch.no_grad():
            for character in prime:
                logits, state = self(character, state)
            while True:
                noise = -torch.log(-torch.log(torch.rand(self.size)))
                written.append(int(torch.argmax(logits / temperature + noise)))
                if len(written) == count:
                    return written
                logits, state = self(written[-1], state)


def load(folder: Path) -> Article:
    """Read a model's weights."""
    return Article(safetensors.torch.load_file(folder / "model.safetensors")).eval()


if __name__ == "__main__":
    torch.set_num_threads(1)
    article = load(Path(sys.argv[1]))
    while True:
        print(article.write([0], 1)[0], flush=True)


Step = Callable[[], int]  # takes one step, and says from how many characters it learned


class Model(nn.Module):
    """Vectors (V, E) → LSTM (H) → logits (V)."""

    def __init__(self, config: ModelConfig, size: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(size, config.embedding_size)
        self.cells = nn.LSTM(config.embedding_size, config.hidden_size, config.layers)
        self.logits = nn.Linear(config.hidden_size, size)


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
