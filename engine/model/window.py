"""Windows of truncated back-propagation as tensors: T frames of each of L streams, time first."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor


def to_device(array: np.ndarray[Any, Any], device: torch.device) -> Tensor:
    """Copy an array to a device, to CUDA from pinned memory without waiting for the copy."""
    tensor = torch.from_numpy(array)
    if device.type == "cpu":
        return tensor
    return tensor.pin_memory().to(device, non_blocking=True)


class Window(NamedTuple):
    """A batch as tensors; `frame` is () for characters, (keys,) for piano keys."""

    inputs: Tensor  # (T, L, *frame): the frame before
    targets: Tensor  # (T, L, *frame): the frame to predict
    reset: Tensor  # (T, L) bool: the stream's state is reset before this frame; always on the CPU
    condition: Tensor  # (T, L): 1 + the index of the artist; 0: no artist
    matched: Tensor | None = None  # (T, L, *frame): the target by the match memory
    match_kind: Tensor | None = None  # (T, L): 0: no match
    position: Tensor | None = None  # (T, L): of the target in its song, from 0

    def part(self, start: int, stop: int) -> "Window":
        """Return the steps from `start` to before `stop`, as views."""
        tensors = self._asdict().items()
        cut = {name: tensor[start:stop] for name, tensor in tensors if tensor is not None}
        return self._replace(**cut)
