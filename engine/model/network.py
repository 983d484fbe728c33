"""The network: the vector of a frame, with other inputs → recurrent layers → head.

Shapes: T steps, L streams (the batch size), H hidden units.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.config import CELL_SPECS, ModelConfig
from engine.frame_spec import FrameSpec
from engine.model import cudnn, position_encoding
from engine.model.cells import SCANS, Resets, State, prepare_resets
from engine.model.cudnn import Packing
from engine.model.heads import CharacterHead, head_class
from engine.model.window import Window


class Layer(nn.Module):
    """One recurrent layer, with the cells that `kind` names in `CELL_SPECS`."""

    def __init__(self, kind: str, inputs: int, hidden: int) -> None:
        super().__init__()
        self.kind, cell = kind, CELL_SPECS[kind]
        width = cell.gates * hidden
        bound = hidden**-0.5
        self.input = nn.Parameter(torch.empty(inputs, width).uniform_(-bound, bound))
        recurrent = [nn.init.orthogonal_(torch.empty(hidden, hidden)) for _ in range(cell.gates)]
        self.hidden = nn.Parameter(torch.cat(recurrent, 1))
        self.bias = nn.Parameter(torch.zeros(width))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden)) if cell.hidden_bias else None
        if cell.open_gate is not None:
            self.bias.data.view(cell.gates, hidden)[cell.open_gate] = 1.0

    def forward(self, x: Tensor, state: State, reset: Resets | Packing) -> tuple[Tensor, State]:
        """Return the outputs (T, L, H) for x (T, L, inputs), and the state after the last step.

        With a `Packing` the layer is run by `engine.model.cudnn`, else by `engine.model.cells`.
        """
        weights = [self.input, self.bias, self.hidden]
        if self.hidden_bias is not None:
            weights.append(self.hidden_bias)
        if isinstance(reset, Packing):
            outputs, *last = cudnn.scan(self.kind, x, weights, reset, state)
        else:
            outputs, *last = SCANS[self.kind](x, *weights, reset, *state)
        return outputs, tuple(last)


class Network(nn.Module):
    """A recurrent network over frames, optionally conditioned on one of `conditions` artists.

    The input of a step is the vector of the frame before. To it are joined, if the network has a
    match memory, the vector of the matched frame and the match kind (one-hot); if it has
    `beat_position`, the position encoding; if it has artists, the vector of the artist. Artist 0
    means no artist; its vector stays zero, so that one model writes with and without an artist.
    """

    positions: Tensor | None  # the table of the position encoding; None without `beat_position`

    def __init__(self, config: ModelConfig, spec: FrameSpec, conditions: int) -> None:
        super().__init__()
        self.config = config
        self.head = head_class(config, spec)(config, spec)
        self.match_kinds = spec.match_kinds(config.match_recovery) if config.match_memory else 0
        artist = config.condition_size if conditions else 0
        self.condition = nn.Embedding(conditions + 1, artist, padding_idx=0) if artist else None
        matched = self.head.width + self.match_kinds if config.match_memory else 0
        position = position_encoding.WIDTH if config.beat_position else 0
        table = torch.from_numpy(position_encoding.TABLE) if position else None
        self.register_buffer("positions", table, persistent=False)
        inputs = self.head.width + matched + position + artist
        sizes = [inputs] + [config.hidden_size] * (config.layers - 1)
        self.cells = nn.ModuleList(Layer(config.cell, size, config.hidden_size) for size in sizes)

    def output_weights(self) -> list[nn.Parameter]:
        """Return the weights that multiply hidden states: of the head and of layers 2 and up."""
        layers = [layer for layer in self.cells if isinstance(layer, Layer)]
        return [*(layer.input for layer in layers[1:]), self.head.output_weight]

    def zero_state(self, batch_size: int) -> list[State]:
        """Return the state before a song: for each layer a tuple (h,), or (h, c) for an LSTM.

        All tensors are zeros of shape (batch_size, hidden_size).
        """
        cell = CELL_SPECS[self.config.cell]
        zeros = self.head.bias.new_zeros(batch_size, self.config.hidden_size)
        return [tuple(zeros for _ in range(cell.states)) for _ in self.cells]

    def forward(self, window: Window, state: list[State]) -> tuple[Tensor, list[State]]:
        """Run a window from a state, that of `zero_state` or that of the window before.

        Returns the top layer's outputs (T, L, H) and the state after the last step.
        """
        x = self._join(window)
        reset: Resets | Packing
        if cudnn.is_used(self.config.cell, x.device):
            # Kernels for each step would leave the device idle most of the time.
            reset = cudnn.pack(window.reset, x.device, state[0][0].dtype)
        else:
            reset = prepare_resets(window.reset, x.dtype, x.device)
        last = []
        for layer, before in zip(self.cells, state, strict=True):
            x, after = layer(x, before, reset)
            x = functional.dropout(x, self.config.dropout, self.training)
            last.append(after)
        return x, last

    def _join(self, window: Window) -> Tensor:
        """Return the input of the first layer, (T, L, inputs)."""
        parts = [self.head.encode(window.inputs)]
        if window.matched is not None and window.match_kind is not None:
            parts.append(self.head.encode(window.matched))
        parts = [functional.dropout(x, self.config.input_dropout, self.training) for x in parts]
        if window.match_kind is not None:
            parts.append(functional.one_hot(window.match_kind, self.match_kinds).to(parts[0].dtype))
        if self.positions is not None:
            assert window.position is not None
            position = window.position % position_encoding.COMMON_PERIOD
            parts.append(functional.embedding(position, self.positions))
        if self.condition is not None:
            parts.append(self.condition(window.condition))
        return torch.cat(parts, 2)

    def nats(self, window: Window, state: list[State]) -> tuple[Tensor, list[State]]:
        """Return the negative log likelihood of each target in nats, (T, L), and the new state.

        In music that is the likelihood of the frame and of the song's not ending before it, or that
        of its end.
        """
        hidden, last = self(window, state)
        nats = self.head.nats(hidden, window)
        if not isinstance(self.head, CharacterHead):
            nats = nats + self.head.end.nats(hidden, window)
        return nats, last


def detach_state(state: list[State]) -> list[State]:
    """Return the state detached from the graph, so that back-propagation stops here."""
    return [tuple(tensor.detach() for tensor in layer) for layer in state]
