"""Memory that runs out while a network is trained, said in words."""

import contextlib
from collections.abc import Iterator

import torch

from engine.config import TrainConfig
from engine.errors import WorkError

# What torch's allocators say beside torch.OutOfMemoryError, which is for devices.
_SAID = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc")


@contextlib.contextmanager
def refusing_shortage(settings: TrainConfig) -> Iterator[None]:
    """Turn an allocation that failed into a WorkError that says what to lower.

    Other errors pass as they are.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch.OutOfMemoryError is a RuntimeError
        known = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not known and not any(words in str(error).lower() for words in _SAID):
            raise
        raise WorkError(_remedy(settings)) from error


def _remedy(settings: TrainConfig) -> str:
    window = f"train.bptt={settings.bptt}" if settings.bptt else "whole songs (train.bptt=0)"
    ways = [f"fewer lanes (train.lanes is {settings.lanes})", "a shorter window (train.bptt)"]
    if settings.checkpoint_segment != "auto":
        ways.append("segments (--set train.checkpoint_segment=auto)")
    return (
        f"Memory ran out while training {settings.lanes} lanes with {window}; the last checkpoint "
        f"is kept: start again with {', '.join(ways[:-1])} or {ways[-1]}."
    )
