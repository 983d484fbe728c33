"""Heads in NumPy: how a frame enters the first layer, and what the last one says of the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config import ModelConfig
from engine.frames import FrameSpec
from engine.sample.cells import Array


@dataclass(frozen=True)
class CharacterHead:
    """Characters: a row of a table on the way in, logits over all V of them on the way out."""

    table: Array  # (V, G·H) what each character gives to the first layer's gates, with the bias
    weight: Array  # (H, V)
    bias: Array  # (V)

    @staticmethod
    def shapes(config: ModelConfig, spec: FrameSpec) -> dict[str, tuple[int, ...]]:
        """The names and shapes of the tensors it is made from."""
        size, hidden, width = spec.size, config.hidden, config.embedding  # V, H, E
        out = {"head.project": (hidden, width)} if config.tied else {"head.weight": (size, hidden)}
        return {"head.embedding": (size, width), **out, "head.bias": (size,)}

    @classmethod
    def build(cls, config: ModelConfig, tensors: Mapping[str, Array]) -> "CharacterHead":
        """Make it from a network's tensors, all float32."""
        embedding = tensors["head.embedding"]  # (V, E)
        joined = tensors["cells.0.input"][: config.embedding]  # (E, G·H): the character's part
        table = embedding @ joined + tensors["cells.0.bias"]
        if config.tied:
            weight = tensors["head.project"] @ embedding.T
        else:
            weight = np.ascontiguousarray(tensors["head.weight"].T)
        return cls(table, weight, tensors["head.bias"])

    def inputs(self, frames: NDArray[Any]) -> Array:
        """The first layer's input product (N, G·H) of characters (N,)."""
        rows: Array = self.table[frames]
        return rows

    def logits(self, hidden: Array) -> Array:
        """Logits (N, V) from the last layer's output (N, H)."""
        return hidden @ self.weight + self.bias


HEADS = {"characters": CharacterHead}
