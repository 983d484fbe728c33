"""A trained network, stepped in NumPy: the streaming side of `engine.model.network`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config import ModelConfig
from engine.frames import FrameSpec
from engine.sample.cells import CELLS, Array, Cell, Layer
from engine.sample.heads import HEADS, CharacterHead

State = list[NDArray[Any]]  # arrays (N, …), one row a song; a step replaces them


def shapes(config: ModelConfig, spec: FrameSpec, conditions: int) -> dict[str, tuple[int, ...]]:
    """The names and shapes of all tensors of such a network that knows so many artists."""
    cell = CELLS[config.cell]
    joined = config.condition if conditions else 0
    result = HEADS[spec.kind].shapes(config, spec)
    if joined:
        result["condition.weight"] = (conditions + 1, joined)
    gates = cell.gates * config.hidden
    for place in range(config.layers):
        inputs = config.hidden if place else config.embedding + joined
        result[f"cells.{place}.input"] = (inputs, gates)
        result[f"cells.{place}.hidden"] = (config.hidden, gates)
        result[f"cells.{place}.bias"] = (gates,)
        if cell.hidden_bias:
            result[f"cells.{place}.hidden_bias"] = (config.hidden,)
    return result


@dataclass(frozen=True)
class Network:
    """The weights, ready to be stepped; made by `build`.

    A state holds the artist's part of the first layer's gates (N, G·H), then each layer's arrays.
    """

    cell: Cell
    head: CharacterHead
    condition: Array  # (A + 1, C); (1, 0) in a network without artists
    condition_input: Array  # (C, G·H)
    layers: tuple[Layer, ...]

    @classmethod
    def build(cls, config: ModelConfig, spec: FrameSpec, tensors: Mapping[str, Array]) -> "Network":
        """Make it from float32 tensors that have the names and shapes `shapes` tells."""
        cell = CELLS[config.cell]
        empty = np.zeros((1, 0), np.float32)
        layers = [
            Layer(
                input=tensors[f"cells.{place}.input"] if place else empty,
                bias=tensors[f"cells.{place}.bias"],
                hidden=tensors[f"cells.{place}.hidden"],
                hidden_bias=tensors.get(f"cells.{place}.hidden_bias", empty[0]),
            )
            for place in range(config.layers)
        ]
        head = HEADS[spec.kind].build(config, tensors)
        condition = tensors.get("condition.weight", empty)
        return cls(
            cell, head, condition, tensors["cells.0.input"][config.embedding :], tuple(layers)
        )

    def begin(self, condition: Array | None, count: int) -> State:
        """The state before `count` songs.

        condition: a weight for each row of the table of artists, (A + 1,) or (count, A + 1), so
        that artists can be mixed; None: nobody, row 0.
        """
        vector = self.condition[0] if condition is None else condition @ self.condition
        part = (vector @ self.condition_input).astype(np.float32)  # (G·H) or (count, G·H)
        hidden = self.layers[0].hidden.shape[0]
        zeros = np.zeros((count, hidden), np.float32)
        return [
            np.broadcast_to(part, (count, part.shape[-1])),
            *[zeros] * (self.cell.states * len(self.layers)),
        ]

    def feed(self, state: State, frames: NDArray[Any]) -> None:
        """Take in one frame of each song, (N,)."""
        x = self.head.inputs(frames) + state[0]
        size = self.cell.states
        for place, layer in enumerate(self.layers):
            own = slice(1 + place * size, 1 + (place + 1) * size)
            if place:
                x = x @ layer.input + layer.bias
            state[own] = self.cell.step(layer, x, *state[own])
            x = state[own.start]

    def step(self, state: State, frames: NDArray[Any]) -> Array:
        """Take in one frame of each song, (N,), and give the logits (N, V) of the next."""
        self.feed(state, frames)
        return self.head.logits(state[-self.cell.states])
