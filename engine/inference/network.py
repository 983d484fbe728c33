"""Recurrent networks and n-gram models in NumPy, stepped to sample songs and to read them.

`Network` has the weights that `engine.model.network` trains. It shares an interface with
`NgramStepper`: `initial_state` returns the state of N songs, `read` reads frames of each, `step`
reads one frame of each and returns the logits of the next.

T: frames; N: songs; H: hidden units; V: characters; A: artists; C: size of an artist's vector;
M: kinds of match (see `MatchMemory`); S·H: columns of a layer's pre-activations (see
`engine.inference.cells`). *frame is the shape of a frame: () for a character, (K,) for piano keys.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.config import ModelConfig
from engine.data.match_memory import MatchMemory
from engine.frame_spec import BEGIN, FrameSpec
from engine.inference.cells import CELLS, Array, Cell
from engine.inference.heads import CharacterHead, Head, HeadInput, head_class
from engine.inference.matmul import (
    FULL,
    PRECISIONS,
    GateSums,
    Precision,
    Product,
    Quantized,
    table_sums,
)
from engine.model import position_encoding
from engine.model.ngram import NgramModel

State = list[Any]  # arrays (N, …) and lists of N items; a step replaces them in this list


def select_songs(state: State, rows: Sequence[int]) -> State:
    """Return the state of the songs at `rows` only, in that order; no row may occur twice.

    The match memories are shared with `state`, which must not be stepped afterwards.
    """
    return [
        [part[row] for row in rows] if isinstance(part, list) else part[list(rows)]
        for part in state
    ]


def copy_songs(state: State, rows: Sequence[int]) -> State:
    """Return an independent copy of the state of the songs at `rows`; a row may occur twice."""
    return [
        [memory.copy() for memory in part] if isinstance(part, list) else part
        for part in select_songs(state, rows)
    ]


def join_songs(states: Sequence[State]) -> State:
    """Return the state of the songs of all states, in their order; none may be stepped alone."""
    return [
        [memory for part in parts for memory in part]
        if isinstance(parts[0], list)
        else np.concatenate(parts)
        for parts in zip(*states, strict=True)
    ]


def tensor_shapes(
    config: ModelConfig, spec: FrameSpec, conditions: int
) -> dict[str, tuple[int, ...]]:
    """Return the shape of each of a network's tensors by name; conditions: number of artists."""
    cell = CELLS[config.cell].spec
    artist = config.condition_size if conditions else 0
    result = head_class(config, spec).shapes(config, spec)
    if artist:
        result["condition.weight"] = (conditions + 1, artist)
    first = (
        config.embedding_size * (2 if config.match_memory else 1)
        + (spec.match_kinds(config.match_recovery) if config.match_memory else 0)
        + (position_encoding.WIDTH if config.beat_position else 0)
        + artist
    )
    width = cell.gates * config.hidden_size
    for layer in range(config.layers):
        result[f"cells.{layer}.input"] = (config.hidden_size if layer else first, width)
        result[f"cells.{layer}.hidden"] = (config.hidden_size, width)
        result[f"cells.{layer}.bias"] = (width,)
        if cell.hidden_bias:
            result[f"cells.{layer}.hidden_bias"] = (config.hidden_size,)
    return result


class _Layout(NamedTuple):
    """The indices of the parts of a network's state."""

    cells: tuple[slice, ...]  # each layer's state arrays, (N, H)
    outputs: tuple[int, ...]  # each layer's last output, quantized for products, (N, H)
    position: int  # number of frames read of each song, (N,); only with beat positions
    artist: int = 0  # the artist's term of the first pre-activations, (N, S·H); (N, 0): no artist
    memories: int = -1  # list of the N songs' match memories; only with a match memory


@dataclass(frozen=True)
class Network:
    """A recurrent network's weights, arranged to be stepped; made by `build`."""

    spec: FrameSpec
    cell: Cell
    head: Head
    match_input: Array  # (M, S·H) each match kind's term of the first pre-activations; or (0, S·H)
    position_input: Array  # (WIDTH, S·H) weights of the position encoding; or (0, S·H)
    condition: Product  # (N, A + 1) → (N, C); (N, 1) → (N, 0) in a network without artists
    condition_input: Product  # (N, C) → (N, S·H)
    precision: Precision  # of the products of the layers and of the head
    layers: tuple[GateSums, ...]
    hidden: int  # H
    match_recovery: bool  # `recovery` of the match memory, see `MatchMemory`

    @classmethod
    def build(
        cls,
        config: ModelConfig,
        spec: FrameSpec,
        tensors: Mapping[str, Array],
        precision: str = "full",
    ) -> "Network":
        """Build a network from float32 tensors with the names and shapes of `tensor_shapes`.

        precision: one of `PRECISIONS`, for the products of the layers and of the head.
        """
        empty = np.zeros((1, 0), np.float32)
        product, cell = PRECISIONS[precision].product, CELLS[config.cell]
        tensors = cell.pack_gates(tensors)
        layers = [table_sums(product(tensors["cells.0.hidden"]))]
        for layer in range(1, config.layers):
            input_weights, hidden_weights, bias = (
                tensors[f"cells.{layer}.{part}"] for part in ("input", "hidden", "bias")
            )
            layers.append(
                PRECISIONS[precision].gate_sums(input_weights, hidden_weights, bias[None])
            )
        condition = tensors.get("condition.weight", empty)
        # Its rows in order: frame, matched frame, match kind, position encoding, artist.
        rows = tensors["cells.0.input"]
        artist = len(rows) - condition.shape[1]
        position = artist - (position_encoding.WIDTH if config.beat_position else 0)
        match = config.embedding_size * (2 if config.match_memory else 1)
        return cls(
            spec=spec,
            cell=cell,
            head=head_class(config, spec).build(config, tensors, product),
            match_input=rows[match:position],
            position_input=rows[position:artist],
            condition=FULL.product(condition),
            condition_input=FULL.product(rows[artist:]),
            precision=PRECISIONS[precision],
            layers=tuple(layers),
            hidden=config.hidden_size,
            match_recovery=config.match_recovery,
        )

    def initial_state(self, condition: Array | None, count: int) -> State:
        """Return the state before the first frames of `count` songs.

        condition: weights that mix the rows of the artist table, (A + 1,) for all songs or
        (count, A + 1); row 0 is no artist, row 1 the first. None: no artist.
        """
        if condition is None:
            artist = np.zeros((1, 0), np.float32)
        else:
            artist = self.condition_input(self.condition(np.atleast_2d(condition)))
        zeros = np.zeros((count, self.hidden), np.float32)
        positions = [np.zeros(count, np.int64)] if len(self.position_input) else []
        memories = [MatchMemory(self.spec, self.match_recovery) for _ in range(count)]
        return [
            np.broadcast_to(artist, (count, artist.shape[1])),
            *[zeros] * (self.cell.spec.states * len(self.layers)),
            *[self.precision.quantize(zeros)] * len(self.layers),
            *positions,
            *([memories] if len(self.match_input) else []),
        ]

    @functools.cached_property
    def _layout(self) -> _Layout:
        states, layers = self.cell.spec.states, len(self.layers)
        outputs = 1 + states * layers
        return _Layout(
            cells=tuple(slice(1 + n * states, 1 + (n + 1) * states) for n in range(layers)),
            outputs=tuple(range(outputs, outputs + layers)),
            position=outputs + layers,
        )

    def read(self, state: State, frames: NDArray[Any], match_weight: float = 1.0) -> HeadInput:
        """Read T frames of each song, (T, N, *frame); return the head inputs after each, (T·N, …).

        match_weight, from 0 to 1, limits the match kinds: those above round(match_weight · (M − 1))
        are replaced by that number, at 0 by no match.
        """
        size, count = frames.shape[:2]
        frames = frames.reshape(size * count, *frames.shape[2:])
        x, matched, kind = self._first_sums(state, frames, match_weight)
        for layer, gate_sums in enumerate(self.layers):
            precomputed = gate_sums.precompute(x)
            rows = range(0, size * count, count)
            outputs = [self._step(state, layer, precomputed[row : row + count]) for row in rows]
            x = np.concatenate(outputs)
        return HeadInput(x, frames, matched, kind)

    def feed(self, state: State, frames: NDArray[Any], match_weight: float = 1.0) -> HeadInput:
        """Read one frame of each song, (N, *frame); return the head's inputs (N, …). See `read`."""
        x, matched, kind = self._first_sums(state, frames, match_weight)
        for layer, gate_sums in enumerate(self.layers):
            x = self._step(state, layer, gate_sums.precompute(x))
        return HeadInput(x, frames, matched, kind)

    def step(self, state: State, frames: NDArray[Any], match_weight: float = 1.0) -> Array:
        """Read one character of each song, (N,), and return the logits (N, V) of the next."""
        assert isinstance(self.head, CharacterHead)  # frames of keys are drawn by `head.sample`
        return self.head.logits(self.feed(state, frames, match_weight))

    def activations(self, state: State) -> Array:
        """Return the value of each unit of each layer in a state, (N, layers, H), −1 … 1.

        That is h, or for an LSTM tanh(c), as in Karpathy, Johnson & Fei-Fei 2015 (Visualizing and
        Understanding Recurrent Networks), which shows what a unit remembers even while its output
        gate is closed.
        """
        return np.stack([self.cell.activation(*state[part]) for part in self._layout.cells], 1)

    def _step(self, state: State, layer: int, precomputed: Quantized) -> Quantized:
        """Step one layer, update `state` and return the layer's quantized output (N, H)."""
        layout = self._layout
        cell, output = layout.cells[layer], layout.outputs[layer]
        sums = self.layers[layer].complete(precomputed, state[output])
        state[cell] = arrays = self.cell.step(sums, *state[cell])
        result = state[output] = self.precision.quantize(arrays[0])
        return result

    def _first_sums(
        self, state: State, frames: NDArray[Any], match_weight: float
    ) -> tuple[Array, NDArray[Any], NDArray[np.int64]]:
        """Return the terms of all inputs in the first layer's pre-activations, (T·N, S·H).

        The term of the layer's own last output is missing. frames: (T·N, *frame). Also returns the
        matched frames (T·N, *frame) and the match kinds (T·N,), and updates `state`.
        """
        x = self.head.input_sums(frames)
        layout = self._layout
        size = len(frames) // len(state[layout.artist])  # T
        if len(self.match_input):
            matched, kind = _push(state[layout.memories] * size, frames)
            longest = round(match_weight * (len(self.match_input) - 1))
            kind = np.minimum(kind, longest)
            if not longest:
                matched[:] = 0
            x += self.head.matched_sums(matched)
            x += self.match_input.take(kind, 0)
        else:
            matched, kind = np.zeros(frames.shape, frames.dtype), np.zeros(len(frames), np.int64)
        if len(self.position_input):
            positions = state[layout.position] + np.arange(size)[:, None]  # (T, N)
            rows = positions.reshape(-1) % position_encoding.COMMON_PERIOD
            x += position_encoding.TABLE[rows] @ self.position_input
            state[layout.position] = state[layout.position] + size
        if state[layout.artist].size:
            by_song = x.reshape(size, *state[layout.artist].shape)  # a view
            by_song += state[layout.artist]
        return x, matched, kind


def _push(
    memories: list[MatchMemory], frames: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Push a frame into each of N memories; return matched frames (N, *frame) and kinds (N,)."""
    pairs = [memory.push(frame) for memory, frame in zip(memories, frames, strict=True)]
    matched, kinds = zip(*pairs, strict=True)
    return np.array(matched, frames.dtype), np.array(kinds, np.int64)


@dataclass(frozen=True)
class NgramStepper:
    """An n-gram model with the interface of `Network`.

    The state has one array: the last k frames of each song, (N, k), k the order of the model.
    """

    model: NgramModel

    def initial_state(
        self,
        condition: NDArray[np.float32] | None,  # noqa: ARG002
        count: int,
    ) -> State:
        """Return the state before the first frames of `count` songs; `condition` is ignored."""
        context = max(len(self.model.levels) - 1, 0)
        return [np.full((count, context), BEGIN, np.min_scalar_type(self.model.size - 1))]

    def read(
        self,
        state: State,
        frames: NDArray[Any],
        match_weight: float = 1.0,  # noqa: ARG002
    ) -> None:
        """Read T frames of each song, (T, N); `match_weight` is ignored."""
        longer = np.concatenate([state[0], frames.T.astype(state[0].dtype)], 1)
        state[0] = longer[:, len(frames) :]

    def step(
        self, state: State, frames: NDArray[Any], match_weight: float = 1.0
    ) -> NDArray[np.float64]:
        """Read one frame of each song, (N,), and return the log probabilities (N, V) of the next.

        The begin mark has −inf.
        """
        self.read(state, frames[None], match_weight)
        with np.errstate(divide="ignore"):
            return np.log([self.model.probabilities(context) for context in state[0]])
