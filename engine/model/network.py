"""The network: head.encode (+ condition) → recurrent layers → head."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.config import ModelConfig
from engine.frames import FrameSpec
from engine.model.cells import CELLS, Resets, State, resets
from engine.model.heads import HEADS


class Layer(nn.Module):
    """The weights of one recurrent layer."""

    def __init__(self, kind: str, inputs: int, hidden: int) -> None:
        super().__init__()
        self.cell = CELLS[kind]
        width = self.cell.gates * hidden
        bound = hidden**-0.5
        self.input = nn.Parameter(torch.empty(inputs, width).uniform_(-bound, bound))
        recurrent = [
            nn.init.orthogonal_(torch.empty(hidden, hidden)) for _ in range(self.cell.gates)
        ]
        self.hidden = nn.Parameter(torch.cat(recurrent, 1))
        self.bias = nn.Parameter(torch.zeros(width))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden)) if self.cell.hidden_bias else None
        if kind == "lstm":  # remember at first (Jozefowicz et al. 2015)
            self.bias.data[hidden : 2 * hidden] = 1.0

    def forward(self, x: Tensor, state: State, reset: Resets) -> tuple[Tensor, State]:
        """Outputs (T, L, H) and the state after the last step, from x (T, L, inputs)."""
        weights = [self.input, self.bias, self.hidden]
        if self.hidden_bias is not None:
            weights.append(self.hidden_bias)
        outputs, *last = self.cell.scan(x, *weights, reset, *state)
        return outputs, tuple(last)


class Network(nn.Module):
    """A recurrent network over frames, optionally conditioned on one of `conditions` artists.

    The artist's vector is joined to the input of every step; artist 0 is nobody, whose vector is
    and stays zero, so that one model writes with and without an artist.
    """

    def __init__(self, config: ModelConfig, spec: FrameSpec, conditions: int) -> None:
        super().__init__()
        self.config = config
        self.head = HEADS[spec.kind](config, spec)
        joined = config.condition if conditions else 0
        self.condition = nn.Embedding(conditions + 1, joined, padding_idx=0) if joined else None
        sizes = [self.head.width + joined] + [config.hidden] * (config.layers - 1)
        self.cells = nn.ModuleList(Layer(config.cell, size, config.hidden) for size in sizes)

    def zero_state(self, lanes: int) -> list[State]:
        """The state before any song: for each layer the cell's tensors (L, H)."""
        cell = CELLS[self.config.cell]
        zeros = torch.zeros(lanes, self.config.hidden, dtype=self.head.bias.dtype)
        return [tuple(zeros for _ in range(cell.states)) for _ in self.cells]

    def forward(
        self, inputs: Tensor, fresh: Tensor, condition: Tensor, state: list[State]
    ) -> tuple[Tensor, list[State]]:
        """Run T steps of L lanes.

        inputs: frames (T, L) or (T, L, keys); fresh (T, L): reset the lane's state before the
        frame; condition (T, L): artists; state: as `zero_state` or the last call gave it.
        Returns the top layer's outputs (T, L, H) and the new state.
        """
        x = self.head.encode(inputs)
        if self.condition is not None:
            x = torch.cat((x, self.condition(condition)), 2)
        reset = resets(fresh, x.dtype)
        last = []
        for layer, before in zip(self.cells, state, strict=True):
            x, after = layer(x, before, reset)
            x = functional.dropout(x, self.config.dropout, self.training)
            last.append(after)
        return x, last

    def nats(
        self, inputs: Tensor, targets: Tensor, fresh: Tensor, condition: Tensor, state: list[State]
    ) -> tuple[Tensor, list[State]]:
        """The negative log likelihood of each target, (T, L), and the new state."""
        hidden, last = self(inputs, fresh, condition, state)
        return self.head.nats(hidden, targets), last


def detach(state: list[State]) -> list[State]:
    """The same state, with no history: where truncated back-propagation cuts."""
    return [tuple(tensor.detach() for tensor in layer) for layer in state]
