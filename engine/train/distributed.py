"""The ranks: processes that torchrun starts to train one run together.

Each rank reads its own slice of the streams of a batch, and gradients are averaged over all ranks,
so that all have the same weights. Only the first rank writes. A run in one process has one rank.
"""

import contextlib
import gc
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.data.batches import rank_slice

if TYPE_CHECKING:  # torch takes seconds to import, and n-gram models do without it
    from torch import Tensor

# How long ranks wait while the first evaluates or saves. The death of a rank shows at once.
TIMEOUT = timedelta(days=1)
REQUESTS = ("stop", "save", "sample", "report")  # what `Ranks.union` can pass on


@dataclass(frozen=True)
class Ranks:
    """Which rank this process is, and of how many."""

    rank: int = 0
    size: int = 1  # ranks on all machines
    local: int = 0  # this rank's number on this machine
    local_size: int = 1  # ranks on this machine
    launcher_pid: int | None = None  # of the torchrun that started this process
    restarts: int = 0  # how often torchrun has restarted all ranks

    @classmethod
    def from_environment(cls, values: Mapping[str, str] = os.environ) -> "Ranks":
        """Read the variables that torchrun sets for the processes that it starts."""
        size = int(values.get("WORLD_SIZE", 1))
        return cls(
            rank=int(values.get("RANK", 0)),
            size=size,
            local=int(values.get("LOCAL_RANK", 0)),
            local_size=int(values.get("LOCAL_WORLD_SIZE", size)),
            launcher_pid=os.getppid() if "TORCHELASTIC_RUN_ID" in values else None,
            restarts=int(values.get("TORCHELASTIC_RESTART_COUNT", 0)),
        )

    @property
    def is_first(self) -> bool:
        """Whether this is the rank that writes."""
        return self.rank == 0

    @property
    def is_orphaned(self) -> bool:
        """Whether the torchrun that started this process has ended."""
        return self.launcher_pid is not None and os.getppid() != self.launcher_pid

    def stream_slice(self, batch_size: int) -> slice:
        """Return which streams of a batch this rank reads. InputError for unequal shares."""
        return rank_slice(batch_size, self.rank, self.size)

    @contextlib.contextmanager
    def connected(self, cuda: bool) -> Iterator[None]:
        """Hold the connections between the ranks: by gloo, for tensors on CUDA by NCCL.

        Any DistributedDataParallel module must be out of scope when the block ends.
        """
        if self.size == 1:
            yield
            return
        from torch import distributed

        backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"
        distributed.init_process_group(backend, timeout=TIMEOUT)
        yield
        self.union(set())  # a barrier: no rank disconnects while another still needs it
        # A DistributedDataParallel module that is freed after the group waits for gloo's threads
        # with the GIL held, which one of them may need.
        gc.collect()
        distributed.destroy_process_group()

    def union(self, requests: set[str]) -> set[str]:
        """Return the requests, of REQUESTS, of all ranks. All must call this at the same step."""
        if self.size == 1:
            return requests
        import torch
        from torch import distributed

        flags = torch.tensor([request in requests for request in REQUESTS], dtype=torch.uint8)
        distributed.all_reduce(flags, distributed.ReduceOp.MAX)
        return {request for request, flag in zip(REQUESTS, flags.tolist(), strict=True) if flag}

    def sum(self, figures: "Tensor") -> "Tensor":
        """Return the sum over all ranks of `figures` (n,), in double precision on the CPU."""
        figures = figures.double().cpu()
        if self.size > 1:
            from torch import distributed

            distributed.all_reduce(figures)
        return figures

    def gather(self, tensor: "Tensor") -> "Tensor":
        """Concatenate the tensors (streams of a rank, …) of all ranks, on the CPU."""
        tensor = tensor.detach().cpu()
        if self.size == 1:
            return tensor
        import torch
        from torch import distributed

        parts = [torch.empty_like(tensor) for _ in range(self.size)]
        distributed.all_gather(parts, tensor.contiguous())
        return torch.cat(parts)


SINGLE_PROCESS = Ranks()
