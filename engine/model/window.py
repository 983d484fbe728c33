"""Windows of truncated back-propagation through time (BPTT) as tensors.

A window has T frames of each of L streams (the batch size), time first.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor


def to_device(array: np.ndarray[Any, Any], device: torch.device) -> Tensor:
    """Return an array as a tensor on a device.

    On the CPU it shares the array's memory; to CUDA it is copied from pinned memory asynchronously.
    """
    tensor = torch.from_numpy(array)
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


class Window(NamedTuple):
    """An `engine.data.batches.Batch` as tensors.

    The shape of a frame, *frame, is () for characters and (K,) for K keys of the piano.
    """

    inputs: Tensor  # (T, L, *frame): the frame before
    targets: Tensor  # (T, L, *frame): the frame to predict
    reset: Tensor  # (T, L) bool, on the CPU: the stream's state is reset before this frame
    condition: Tensor  # (T, L): 1 + the index of the artist; 0: no artist
    # What the match memory predicts for each target, see `MatchMemory`; None without one.
    matched: Tensor | None = None  # (T, L, *frame)
    match_kind: Tensor | None = None  # (T, L)
    position: Tensor | None = None  # (T, L): of the target in its song, from 0; None: not needed
    end: Tensor | None = None  # (T, L) bool: the song of music ends here; None: it does not

    def part(self, start: int, stop: int) -> "Window":
        """Return the steps `start` to `stop` − 1 as a window of views."""
        tensors = self._asdict().items()
        cut = {name: tensor[start:stop] for name, tensor in tensors if tensor is not None}
        return self._replace(**cut)
