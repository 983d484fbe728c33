"""A trained network, stepped in NumPy: the streaming side of `engine.model.network`."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config import ModelConfig
from engine.data.match_memory import MatchMemory
from engine.frames import FrameSpec
from engine.inference.cells import CELLS, Array, Cell
from engine.inference.heads import HEADS, CharacterHead, Head, HeadInput
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
from engine.model.ngram import BEGIN, NgramModel

State = list[Any]  # arrays (N, …), one row a song, that a step replaces


def select_songs(state: State, places: Sequence[int]) -> State:
    """The state of the songs at `places` alone, in that order; one may stand there twice."""
    return [
        [part[place].copy() for place in places] if isinstance(part, list) else part[places]
        for part in state
    ]


def tensor_shapes(
    config: ModelConfig, spec: FrameSpec, conditions: int
) -> dict[str, tuple[int, ...]]:
    """The names and shapes of all tensors of such a network that knows so many artists."""
    cell = CELLS[config.cell]
    joined = config.condition_size if conditions else 0
    result = HEADS[spec.kind][config.head].shapes(config, spec)
    if joined:
        result["condition.weight"] = (conditions + 1, joined)
    frames = config.embedding_size * (2 if config.match_memory else 1)
    known = (spec.match_kinds(config.match_recovery) if config.match_memory else 0) + (
        position_encoding.WIDTH if config.beat_position else 0
    )
    gates = cell.gates * config.hidden_size
    for place in range(config.layers):
        inputs = config.hidden_size if place else frames + known + joined
        result[f"cells.{place}.input"] = (inputs, gates)
        result[f"cells.{place}.hidden"] = (config.hidden_size, gates)
        result[f"cells.{place}.bias"] = (gates,)
        if cell.hidden_bias:
            result[f"cells.{place}.hidden_bias"] = (config.hidden_size,)
    return result


@dataclass(frozen=True)
class Network:
    """The weights, ready to be stepped; made by `build`.

    A state holds the artist's part of the first layer's sums, (N, S·H), of nobody's songs (N, 0),
    then each layer's arrays, then each layer's output once more as products take it (N, H), with a
    clock how many frames each song has had (N,), and with a memory the list of the N songs'
    memories.
    """

    spec: FrameSpec
    cell: Cell
    head: Head
    match_input: (
        Array  # (M, S·H) what each kind of match gives to the first gates; (0, S·H) without
    )
    clock_input: Array  # (WIDTH, S·H) what the clock's signals give there; (0, S·H) without
    condition: Product  # (N, A + 1) → (N, C); (N, 1) → (N, 0) in a network without artists
    condition_input: Product  # (N, C) → (N, S·H)
    precision: Precision  # of the layers' and the head's products
    layers: tuple[GateSums, ...]  # of each layer's cells
    hidden: int  # H
    lapses: bool  # the memory of a song goes on where a match has lapsed

    @classmethod
    def build(
        cls,
        config: ModelConfig,
        spec: FrameSpec,
        tensors: Mapping[str, Array],
        precision: str = "full",
    ) -> "Network":
        """Make it from float32 tensors that have the names and shapes `shapes` tells.

        precision: one of `PRECISIONS`, of the products of the layers and of a characters' head.
        """
        empty = np.zeros((1, 0), np.float32)
        product, cell = PRECISIONS[precision].product, CELLS[config.cell]
        tensors = cell.lay(tensors)
        layers = [table_sums(product(tensors["cells.0.hidden"]))]
        for place in range(1, config.layers):
            below, own, bias = (
                tensors[f"cells.{place}.{part}"] for part in ("input", "hidden", "bias")
            )
            layers.append(PRECISIONS[precision].sums(below, own, bias[None]))
        condition = tensors.get("condition.weight", empty)
        # Rows of the frame, the recalled one, its match, the clock, the artist.
        rows = tensors["cells.0.input"]
        artist = len(rows) - condition.shape[1]
        ticks = artist - (position_encoding.WIDTH if config.beat_position else 0)
        frames = config.embedding_size * (2 if config.match_memory else 1)
        return cls(
            spec=spec,
            cell=cell,
            head=HEADS[spec.kind][config.head].build(config, tensors, product),
            match_input=rows[frames:ticks],
            clock_input=rows[ticks:artist],
            condition=FULL.product(condition),
            condition_input=FULL.product(rows[artist:]),
            precision=PRECISIONS[precision],
            layers=tuple(layers),
            hidden=config.hidden_size,
            lapses=config.match_recovery,
        )

    def begin(self, condition: Array | None, count: int) -> State:
        """The state before `count` songs.

        condition: a weight for each row of the table of artists, (A + 1,) or (count, A + 1), so
        that artists can be mixed; None: nobody, the row of zeros.
        """
        if condition is None:
            part = np.zeros((1, 0), np.float32)
        else:
            part = self.condition_input(self.condition(np.atleast_2d(condition)))
        zeros = np.zeros((count, self.hidden), np.float32)
        places = [np.zeros(count, np.int64)] if len(self.clock_input) else []
        songs = [MatchMemory(self.spec, self.lapses) for _ in range(count)]
        memories = [songs] if len(self.match_input) else []
        return [
            np.broadcast_to(part, (count, part.shape[1])),
            *[zeros] * (self.cell.states * len(self.layers)),
            *[self.precision.ready(zeros)] * len(self.layers),
            *places,
            *memories,
        ]

    def read(self, state: State, frames: NDArray[Any], trust: float = 1.0) -> HeadInput:
        """Take in T frames of each song, (T, N, *frame), layer by layer: the moments, (T·N, …).

        trust: how far the memory of the song is believed, 0 … 1: matches of the longest kinds
        count as no longer than such a share of the kinds allows, and at 0 as none.
        """
        size, count = frames.shape[:2]
        frames = frames.reshape(size * count, *frames.shape[2:])
        x, recalled, match = self._enter(state, frames, trust)
        for place, layer in enumerate(self.layers):
            ahead = layer.ahead(x)
            rows = range(0, size * count, count)
            outputs = [self._step(state, place, ahead[row : row + count]) for row in rows]
            x = np.concatenate(outputs)
        return HeadInput(x, frames, recalled, match)

    def feed(self, state: State, frames: NDArray[Any], trust: float = 1.0) -> HeadInput:
        """Take in one frame of each song, (N, *frame), as `read` does: the moment after it."""
        x, recalled, match = self._enter(state, frames, trust)
        for place, layer in enumerate(self.layers):
            x = self._step(state, place, layer.ahead(x))
        return HeadInput(x, frames, recalled, match)

    def activations(self, state: State) -> Array:
        """What each unit of each layer holds in a state of N songs, (N, layers, H), −1 … 1.

        Of an LSTM tanh(c), as in Karpathy, Johnson & Fei-Fei 2015 (Visualizing and Understanding
        Recurrent Networks): what a unit remembers shows there also while its output gate is shut.
        """
        held = [self.cell.holds(*state[own]) for own, _ in self._places]
        return np.stack(held, 1)

    def _step(self, state: State, place: int, ahead: Quantized) -> Quantized:
        """Step a layer with what is ahead of N songs: its output, ready for products."""
        arrays, ready = self._places[place]
        sums = self.layers[place].sums(ahead, state[ready])
        state[arrays] = self.cell.step(sums, *state[arrays])
        output = state[ready] = self.precision.ready(state[arrays.start])
        return output

    @functools.cached_property
    def _places(self) -> list[tuple[slice, int]]:
        """Where each layer's arrays are in a state, and where its output for products is."""
        size, count = self.cell.states, len(self.layers)
        return [
            (slice(1 + place * size, 1 + (place + 1) * size), 1 + size * count + place)
            for place in range(count)
        ]

    def _enter(
        self, state: State, frames: NDArray[Any], trust: float
    ) -> tuple[Array, NDArray[Any], NDArray[np.int64]]:
        """What frames (T·N, *frame) give to the first gates, (T·N, S·H), with bias and artist.

        Also the frames that the memory recalls, (T·N, *frame), and their matches, (T·N,).
        """
        x = self.head.inputs(frames)
        recalled, match = np.zeros(frames.shape, frames.dtype), np.zeros(len(frames), np.int64)
        size = len(frames) // len(state[0])  # T
        if len(self.match_input):
            recalled, match = _recall(state[-1] * size, frames)
            longest = round(trust * (len(self.match_input) - 1))
            match = np.minimum(match, longest)
            if not longest:
                recalled[:] = 0
            x += self.head.remember(recalled)
            x += self.match_input.take(match, 0)
        if len(self.clock_input):
            own = 1 + (self.cell.states + 1) * len(self.layers)
            places = state[own] + np.arange(size)[:, None]  # (T, N)
            x += (
                position_encoding.TABLE[places.reshape(-1) % position_encoding.COMMON_PERIOD]
                @ self.clock_input
            )
            state[own] = state[own] + size
        if state[0].size:
            rows = x.reshape(size, *state[0].shape)  # a view
            rows += state[0]
        return x, recalled, match

    def step(self, state: State, frames: NDArray[Any], trust: float = 1.0) -> Array:
        """Take in one character of each song, (N,), and give the logits (N, V) of the next."""
        assert isinstance(self.head, CharacterHead)  # frames of keys are told by `head.sample`
        return self.head.logits(self.feed(state, frames, trust))


def _recall(
    memories: list[MatchMemory], frames: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Push each frame into its memory: recalled frames (N, *frame), their matches (N,)."""
    pairs = [memory.push(frame) for memory, frame in zip(memories, frames, strict=True)]
    recalled, matches = zip(*pairs, strict=True)
    return np.array(recalled, frames.dtype), np.array(matches, np.int64)


@dataclass(frozen=True)
class NgramStepper:
    """Steps a counting model; a state holds the last frames it looks back on, (N, k)."""

    model: NgramModel

    def begin(self, condition: NDArray[np.float32] | None, count: int) -> State:  # noqa: ARG002
        """The state before `count` songs; every artist writes alike."""
        back = max(len(self.model.levels) - 1, 0)
        return [np.full((count, back), BEGIN, np.min_scalar_type(self.model.size - 1))]

    def read(self, state: State, frames: NDArray[Any], trust: float = 1.0) -> None:  # noqa: ARG002
        """Take in T frames of each song, (T, N); there is no memory to trust."""
        longer = np.concatenate([state[0], frames.T.astype(state[0].dtype)], 1)
        state[0] = longer[:, len(frames) :]

    def step(self, state: State, frames: NDArray[Any], trust: float = 1.0) -> NDArray[np.float64]:
        """Take in one frame of each song, (N,), and give the log probabilities (N, V) of the next.

        That of the begin mark is −inf.
        """
        self.read(state, frames[None], trust)
        with np.errstate(divide="ignore"):
            return np.log([self.model.probabilities(context) for context in state[0]])
