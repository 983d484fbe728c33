"""Where a network is trained, the processor or a CUDA device, and with how many bits."""

import contextlib
import os
from collections.abc import Iterator

import torch

from engine.config import TrainConfig
from engine.errors import InputError, WorkError
from engine.train.distributed import Ranks


def choose_device(settings: TrainConfig, ranks: Ranks) -> torch.device:
    """The device of this rank; every rank of a machine has a CUDA device of its own.

    `auto` is CUDA where there are devices enough. Raises InputError for one that is not there.
    """
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if settings.device == "cuda" and there < ranks.local_size:
        found = f"{there} of the {ranks.local_size} CUDA devices needed are" if there else "none is"
        raise InputError(
            f"train.device is 'cuda', but {found} there: use --set train.device=cpu"
            + (f" or --processes {there}." if there else ", or a PyTorch and a driver with CUDA.")
        )
    if settings.device == "cpu" or there < ranks.local_size:
        return torch.device("cpu")
    return torch.device("cuda", ranks.local)


def set_up_device(device: torch.device, settings: TrainConfig) -> None:
    """Make the device this process's own, and deterministic where that is asked.

    The processor always is; CUDA then gives up its faster sums in no fixed order.
    """
    if device.type == "cpu":
        return
    if settings.deterministic:  # cuBLAS reads the variable when it begins
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.cuda.set_device(device)


def describe_device(device: torch.device) -> str:
    """The device for people, as "cpu" or "cuda (NVIDIA H200)"."""
    if device.type == "cpu":
        return "cpu"
    return f"cuda ({torch.cuda.get_device_name(device)})"


def precision(
    device: torch.device, settings: TrainConfig
) -> contextlib.AbstractContextManager[object]:
    """What a step's forward pass runs under: products in bfloat16, or all in float32.

    `auto` is bfloat16 where the device multiplies in it; elsewhere it would be the slower.
    """
    cuda = device.type == "cuda"
    half = settings.precision == "bfloat16"
    if settings.precision == "auto":
        half = torch.cuda.is_bf16_supported() if cuda else _processor_has_bfloat16()
    return torch.autocast(device.type, torch.bfloat16, enabled=half)


def _processor_has_bfloat16() -> bool:
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


# What torch's allocators say beside torch.OutOfMemoryError, which is for devices.
_SAID = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc")


@contextlib.contextmanager
def handle_out_of_memory(settings: TrainConfig) -> Iterator[None]:
    """Turn an allocation that failed into a WorkError that says what to lower.

    Other errors pass as they are.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch.OutOfMemoryError is a RuntimeError
        known = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not known and not any(text in str(error).lower() for text in _SAID):
            raise
        raise WorkError(_remedy(settings)) from error


def _remedy(settings: TrainConfig) -> str:
    window = f"train.bptt={settings.bptt}" if settings.bptt else "whole songs (train.bptt=0)"
    segments = " or segments (--set train.checkpoint_segment=auto)"
    return (
        f"Memory ran out while training {settings.batch_size} lanes with {window}; the last "
        "checkpoint is kept: go on from it with a shorter window (--set train.bptt=…)"
        f"{segments if settings.checkpoint_segment != 'auto' else ''}, or start a new run with "
        f"fewer lanes (train.batch_size is {settings.batch_size})."
    )
