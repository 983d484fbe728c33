"""Reference implementations in plain PyTorch, which our code is compared with.

"The article" is D. Pakhomov's "Learning to generate lyrics and music with Recurrent Neural
Networks" (see README.md). `ArticleSampler` is its sampling loop: an `nn.LSTM` is called with each
character as a one-hot vector, and the next one is drawn by the Gumbel-max trick.
`python -m tui.bench.references MODEL` writes characters until it is killed.

`padded` (the article's) and `contiguous` are two usual training loops for `TrainingModel`. L: songs
or streams in a batch; T: frames; E: embedding size; H: hidden units; V: characters.
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

State = tuple[Tensor, Tensor]  # h and c of all layers, (layers, L, H) each
Step = Callable[[], int]  # takes one training step and returns its number of characters
_GATES = (0, 1, 3, 2)  # PyTorch's order i, f, g, o from ours: i, f, o, g


class ArticleSampler(nn.Module):
    """An `nn.LSTM` over one-hot characters, with the weights of an LSTM of ours without artists."""

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
        """Read a character; return logits (V,) of the next, and the state (None before a text)."""
        one_hot = functional.one_hot(torch.tensor(character), self.size).float().view(1, 1, -1)
        output, state = self.lstm(one_hot, state)
        return self.out(output)[0, 0], state

    def write(self, prompt: list[int], count: int, temperature: float = 0.7) -> list[int]:
        """Return `count` characters sampled after a prompt, which must not be empty."""
        state = None
        written: list[int] = []
        with torch.no_grad():
            for character in prompt:
                logits, state = self(character, state)
            while True:
                noise = -torch.log(-torch.log(torch.rand(self.size)))
                written.append(int(torch.argmax(logits / temperature + noise)))
                if len(written) == count:
                    return written
                logits, state = self(written[-1], state)


def load_sampler(folder: Path) -> ArticleSampler:
    """Load the weights of one of our models into the article's sampler."""
    return ArticleSampler(safetensors.torch.load_file(folder / "model.safetensors")).eval()


class TrainingModel(nn.Module):
    """A usual model for training: embedding (V, E), LSTM layers of H units, logits (V)."""

    def __init__(self, config: ModelConfig, size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size, config.embedding_size)
        self.lstm = nn.LSTM(config.embedding_size, config.hidden_size, config.layers)
        self.logits = nn.Linear(config.hidden_size, size)


def padded(config: ModelConfig, size: int, songs: list[Tensor], batch: int, lr: float) -> Step:
    """Return the article's training step: on `batch` whole songs, padded and packed for the LSTM.

    songs: (length,) each, of indices above 0, the end mark last. Index 0 is the padding, which does
    not count in the loss. A batch is sorted by length, the longest first, as packing requires.
    """
    model = TrainingModel(config, size)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)

    def batches() -> Iterator[list[Tensor]]:
        while True:
            order = torch.randperm(len(songs)).tolist()
            for start in range(0, len(order) - batch + 1, batch):
                yield [songs[index] for index in order[start : start + batch]]

    source = batches()

    def step() -> int:
        chosen = sorted(next(source), key=len, reverse=True)
        lengths = [len(song) for song in chosen]
        targets = pad_sequence(chosen)  # (T, L), zeros past the end
        inputs = torch.cat((torch.zeros_like(targets[:1]), targets[:-1]))
        packed = pack_padded_sequence(model.embedding(inputs), lengths)
        hidden, _ = pad_packed_sequence(model.lstm(packed)[0])  # (T, L, H)
        logits = model.logits(hidden)
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return sum(lengths)

    return step


def contiguous(
    config: ModelConfig, size: int, songs: list[Tensor], batch_size: int, window: int, lr: float
) -> Step:
    """Return the usual training step of truncated BPTT, on `window` frames of parallel streams.

    The songs are joined to one text, which is cut into `batch_size` streams of equal length. The
    state is carried from one step to the next, across songs.
    """
    model = TrainingModel(config, size)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    text = torch.cat(songs)
    text = text[: len(text) // batch_size * batch_size]
    streams = text.view(batch_size, -1).t().contiguous()  # (N / L, L)
    state: State | None = None
    start = 0

    def step() -> int:
        nonlocal state, start
        if start + window + 1 > len(streams):
            state, start = None, 0
        inputs, targets = streams[start : start + window], streams[start + 1 : start + window + 1]
        start += window
        hidden, last = model.lstm(model.embedding(inputs), state)
        state = last[0].detach(), last[1].detach()
        logits = model.logits(hidden)
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return targets.numel()

    return step


def main() -> None:
    """Write characters with the model in the folder that the first argument names, until killed."""
    torch.set_num_threads(1)
    sampler = load_sampler(Path(sys.argv[1]))
    while True:
        print(sampler.write([0], 1)[0], flush=True)


if __name__ == "__main__":
    main()
