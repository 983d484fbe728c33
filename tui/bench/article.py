"""The article's sampling loop, written anew in PyTorch: what our sampler is measured against.

An `nn.LSTM` is called for every single character, one-hot, and the next is drawn by the Gumbel-max
trick. `python -m tui.bench.article MODEL` writes characters without end, as a fresh process.
"""

import sys
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional

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
