"""What the network is shown at once: T frames of each of L lanes, time first."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor


def to_device(array: np.ndarray[Any, Any], device: torch.device) -> Tensor:
    """An array on a device: to CUDA from pinned memory, so that nothing waits for the copy."""
    tensor = torch.from_numpy(array)
    if device.type == "cpu":
        return tensor
    return tensor.pin_memory().to(device, non_blocking=True)


class Window(NamedTuple):
    """A batch as tensors; `frame` is () for characters, (keys,) for piano."""

    inputs: Tensor  # (T, L, *frame): the frame before
    targets: Tensor  # (T, L, *frame): the frame to predict
    reset: Tensor  # (T, L) bool: the lane's state is reset before this frame; always on the CPU
    condition: Tensor  # (T, L): 0 nobody, else 1 + the artist's place
    matched: Tensor | None = None  # (T, L, *frame): the target as the memory expects it
    match_kind: Tensor | None = None  # (T, L): the kind of the memory's match, 0 for none
    position: Tensor | None = None  # (T, L): how many frames of the song come before the target

    def part(self, start: int, stop: int) -> "Window":
        """The steps from `start` to before `stop`, of the same memory."""
        tensors = self._asdict().items()
        cut = {name: tensor[start:stop] for name, tensor in tensors if tensor is not None}
        return self._replace(**cut)
