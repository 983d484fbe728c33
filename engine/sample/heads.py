"""Heads in NumPy: how a frame enters the first layer, and what the last one says of the next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config import ModelConfig
from engine.frames import FrameSpec
from engine.sample.cells import Array
from engine.sample.keys import IndependentHead, JointHead
from engine.sample.products import Product
from engine.sample.seen import Seen


@dataclass(frozen=True)
class CharacterHead:
    """Characters: a row of a table on the way in, logits over all V of them on the way out."""

    table: Array  # (V, S·H) what each character gives to the first layer's gates, with the bias
    remembered: Array  # (V, S·H) what it gives there as the recalled one; (0, 0) without a memory
    weight: Product  # (N, H) → (N, V)
    bias: Array  # (1, V): NumPy adds arrays faster that have as many axes
    gain: Array  # (M) what each kind of match adds to the recalled one's logit; (0) without

    @staticmethod
    def shapes(config: ModelConfig, spec: FrameSpec) -> dict[str, tuple[int, ...]]:
        """The names and shapes of the tensors it is made from."""
        size, hidden, width = spec.size, config.hidden, config.embedding  # V, H, E
        out = {"head.project": (hidden, width)} if config.tied else {"head.weight": (size, hidden)}
        gain = {"head.gain": (spec.kinds(config.lapses), 1)} if config.memory else {}
        return {"head.embedding": (size, width), **out, "head.bias": (size,), **gain}

    @classmethod
    def build(
        cls,
        config: ModelConfig,
        tensors: Mapping[str, Array],
        product: Callable[[Array], Product],
    ) -> "CharacterHead":
        """Make it from a network's tensors, all float32; product: how its weight is multiplied."""
        embedding, width = tensors["head.embedding"], config.embedding  # (V, E)
        joined = tensors["cells.0.input"]
        none = np.zeros((0, 0), np.float32)
        if config.tied:
            weight = tensors["head.project"] @ embedding.T
        else:
            weight = np.ascontiguousarray(tensors["head.weight"].T)
        return cls(
            table=embedding @ joined[:width] + tensors["cells.0.bias"],
            remembered=embedding @ joined[width : 2 * width] if config.memory else none,
            weight=product(weight),
            bias=tensors["head.bias"][None],
            gain=tensors.get("head.gain", none).ravel(),
        )

    def inputs(self, frames: NDArray[Any]) -> Array:
        """What characters (N,) give to the first layer's gates, (N, S·H), with its bias."""
        rows: Array = self.table.take(frames, 0)  # faster than [frames]
        return rows

    def remember(self, frames: NDArray[Any]) -> Array:
        """What recalled characters (N,) give to the first layer's gates, (N, S·H)."""
        rows: Array = self.remembered.take(frames, 0)
        return rows

    def logits(self, seen: Seen) -> Array:
        """Logits (N, V) of the next character."""
        logits = self.weight(seen.hidden)
        logits += self.bias
        if self.gain.size:
            logits[np.arange(len(logits)), seen.recalled] += self.gain[seen.match]
        return logits


Head = CharacterHead | IndependentHead | JointHead

HEADS: dict[str, dict[str, type[Head]]] = {
    "characters": {"joint": CharacterHead, "independent": CharacterHead},
    "keys": {"joint": JointHead, "independent": IndependentHead},
}
