"""A counting model with the interface of a network, so that it can be sampled from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.model.counting import BEGIN, CountingModel
from engine.sample.network import State


@dataclass(frozen=True)
class Chain:
    """Steps a counting model; a state holds the last frames it looks back on, (N, k)."""

    model: CountingModel

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
