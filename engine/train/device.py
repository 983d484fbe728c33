"""The device that a network is trained on: its choice, its precision, and lack of memory."""

import contextlib
import os
from collections.abc import Callable, Iterator

import torch

from engine.config import TrainConfig
from engine.errors import InputError, WorkError
from engine.processes import processors
from engine.train.distributed import Ranks

# Parts of the messages, in lower case, of a plain RuntimeError for a failed allocation: torch
# raises its OutOfMemoryError for devices such as CUDA only.
_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc")


def default_threads(ranks: int = 1) -> int:
    """Return the number of threads of each of `ranks` processes on this machine: all but one."""
    return max(1, (processors() - 1) // ranks)


def choose_device(settings: TrainConfig, ranks: Ranks) -> torch.device:
    """Return the device of this rank: the CPU, or a GPU that no other rank uses.

    train.device=auto chooses CUDA if there are enough devices for all ranks of this machine, else
    the CPU. Raises InputError if the device that train.device names is not available.
    """
    kind, _, number = settings.device.partition(":")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise _unavailable(settings, "this machine has no GPU that PyTorch reaches by MPS")
    if (kind == "mps" or number) and ranks.local_size > 1:
        raise _unavailable(settings, "one device cannot be shared", " or --processes 1")
    available = torch.cuda.device_count() if torch.cuda.is_available() else 0
    needed = int(number) + 1 if number else ranks.local_size
    if kind == "cuda" and available < needed:
        if number and available:
            raise _unavailable(settings, f"the last CUDA device is cuda:{available - 1}")
        if available:
            problem = f"{available} of the {needed} CUDA devices needed are available"
            raise _unavailable(settings, problem, f" or --processes {available}")
        raise _unavailable(
            settings,
            "no CUDA device is available",
            ", or install PyTorch and a driver with CUDA",
        )
    if kind == "mps":
        return torch.device("mps")
    if kind == "cpu" or available < needed:
        return torch.device("cpu")
    return torch.device("cuda", int(number) if number else ranks.local)


def _unavailable(settings: TrainConfig, problem: str, remedy: str = "") -> InputError:
    return InputError(
        f"train.device is {settings.device!r}, but {problem}: use --set train.device=cpu{remedy}."
    )


def set_up_device(device: torch.device, settings: TrainConfig) -> None:
    """Make a CUDA device the default of this process, and apply train.deterministic to it.

    CUDA's deterministic algorithms are slower than the others, which sum in an order that varies.
    For other devices nothing is done: the CPU is always deterministic.
    """
    if device.type != "cuda":
        return
    if settings.deterministic:  # cuBLAS reads the variable when it is initialised
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.cuda.set_device(device)


def describe_device(device: torch.device) -> str:
    """Return the device's name for display, for example "cpu" or "cuda (NVIDIA H200)"."""
    if device.type != "cuda":
        return device.type
    return f"cuda ({torch.cuda.get_device_name(device)})"


def precision(
    device: torch.device, settings: TrainConfig
) -> contextlib.AbstractContextManager[object]:
    """Return the context manager for a forward pass: matrix products in bfloat16, or in float32.

    train.precision=auto chooses bfloat16 on devices with instructions for it; on others bfloat16
    would be slower.
    """
    half = settings.precision == "bfloat16"
    if settings.precision == "auto":
        half = device.type in _HAS_BFLOAT16 and _HAS_BFLOAT16[device.type]()
    return torch.autocast(device.type, torch.bfloat16, enabled=half)


def _cpu_has_bfloat16() -> bool:
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    # False if ONEDNN_MAX_CPU_ISA keeps oneDNN, which multiplies, from such instructions.
    allowed: bool = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return native and allowed


# Whether a device has instructions for bfloat16, rather than emulating it as older GPUs do.
_HAS_BFLOAT16: dict[str, Callable[[], bool]] = {
    "cpu": _cpu_has_bfloat16,
    "cuda": lambda: torch.cuda.is_bf16_supported(including_emulation=False),
}


@contextlib.contextmanager
def handle_out_of_memory(settings: TrainConfig) -> Iterator[None]:
    """Turn a failed allocation in the block into a WorkError that names the settings to lower.

    Other exceptions pass unchanged.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch.OutOfMemoryError is a RuntimeError
        typed = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not typed and not any(text in str(error).lower() for text in _OUT_OF_MEMORY):
            raise
        raise WorkError(_out_of_memory_message(settings)) from error


def _out_of_memory_message(settings: TrainConfig) -> str:
    window = f"train.bptt={settings.bptt}" if settings.bptt else "whole songs (train.bptt=0)"
    checkpointing = " or gradient checkpointing (--set train.checkpoint_segment=auto)"
    return (
        f"Memory ran out while training {settings.batch_size} streams with {window}; the last "
        "checkpoint is kept: resume from it with a shorter window (--set train.bptt=…)"
        f"{checkpointing if settings.checkpoint_segment != 'auto' else ''}, or start a new run "
        f"with fewer streams (train.batch_size is {settings.batch_size})."
    )
