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
    segments = " or segments (--set train.checkpoint_segment=auto)"
    return (
        f"Memory ran out while training {settings.lanes} lanes with {window}; the last checkpoint "
        "is kept: go on from it with a shorter window (--set train.bptt=…)"
        f"{segments if settings.checkpoint_segment != 'auto' else ''}, or start a new run with "
        f"fewer lanes (train.lanes is {settings.lanes})."
    )
