"""The ranks of a run: the processes that torchrun starts to train one network together.

Each rank reads its own slice of the streams of a batch, and gradients are averaged over all ranks,
so that all have the same weights. Only the first rank evaluates and writes. A run that is trained
in one process has one rank.
"""

import contextlib
import gc
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.data.batches import rank_slice

if TYPE_CHECKING:  # torch takes seconds to import, and n-gram models do not need it
    from torch import Tensor

# Maximum time that the other ranks wait while the first evaluates or saves. The death of a rank is
# noticed at once, without a timeout.
TIMEOUT = timedelta(days=1)
REQUESTS = ("stop", "save", "sample", "report")  # the requests that `Ranks.union` can exchange


@dataclass(frozen=True)
class Ranks:
    """This process's rank, and the number of ranks."""

    rank: int = 0
    size: int = 1  # number of ranks on all machines
    local: int = 0  # this rank's number on this machine, from 0
    local_size: int = 1  # number of ranks on this machine
    launcher_pid: int | None = None  # of the torchrun that started this process; None: no torchrun
    restarts: int = 0  # number of times that torchrun has restarted all ranks

    @classmethod
    def from_environment(cls, values: Mapping[str, str] = os.environ) -> "Ranks":
        """Read the variables that torchrun sets for its processes; one rank if they are not set."""
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
        """Whether this is the rank that evaluates and writes."""
        return self.rank == 0

    @property
    def is_orphaned(self) -> bool:
        """Whether the torchrun that started this process has ended."""
        return self.launcher_pid is not None and os.getppid() != self.launcher_pid

    def stream_slice(self, batch_size: int) -> slice:
        """Return which streams of a batch this rank reads.

        Raises InputError if the ranks cannot share the batch equally.
        """
        return rank_slice(batch_size, self.rank, self.size)

    @contextlib.contextmanager
    def connected(self, cuda: bool) -> Iterator[None]:
        """Connect the ranks, by gloo and with `cuda` also by NCCL, until the block ends.

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
        # A DistributedDataParallel module must be freed before the process group: its destructor
        # waits for gloo's threads while it holds the GIL, which one of them may need.
        gc.collect()
        distributed.destroy_process_group()

    def union(self, requests: set[str]) -> set[str]:
        """Return the union of all ranks' `requests`, each of which is one of REQUESTS.

        All ranks must call this at the same step; the same holds for `sum` and `gather`.
        """
        if self.size == 1:
            return requests
        import torch
        from torch import distributed

        flags = torch.tensor([request in requests for request in REQUESTS], dtype=torch.uint8)
        distributed.all_reduce(flags, distributed.ReduceOp.MAX)
        return {request for request, flag in zip(REQUESTS, flags.tolist(), strict=True) if flag}

    def sum(self, figures: "Tensor") -> "Tensor":
        """Return the sum of all ranks' `figures` (n,), in double precision on the CPU."""
        figures = figures.double().cpu()
        if self.size > 1:
            from torch import distributed

            distributed.all_reduce(figures)
        return figures

    def gather(self, tensor: "Tensor") -> "Tensor":
        """Return the concatenation of all ranks' tensors (streams of the rank, …), on the CPU."""
        tensor = tensor.detach().cpu()
        if self.size == 1:
            return tensor
        import torch
        from torch import distributed

        parts = [torch.empty_like(tensor) for _ in range(self.size)]
        distributed.all_gather(parts, tensor.contiguous())
        return torch.cat(parts)


SINGLE_PROCESS = Ranks()
