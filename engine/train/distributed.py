"""The processes that train one run together, as torchrun starts them, and what they agree on.

Each rank reads its own slice of the lanes and the gradients are averaged over all, so that every
rank has the same weights. The first rank alone writes. A run in one process is one rank.
"""

import contextlib
import gc
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.data.batches import rank_slice

if TYPE_CHECKING:  # torch takes seconds to import, and counting models do without
    from torch import Tensor

# The others wait as long while the first evaluates or saves; a rank that died shows at once.
PATIENCE = timedelta(days=1)
WORDS = ("stop", "save", "sample", "report")  # what ranks can agree on


@dataclass(frozen=True)
class Ranks:
    """Which of the ranks this process is."""

    rank: int = 0
    size: int = 1  # of all machines together
    local: int = 0  # the rank among those on this machine
    local_size: int = 1
    launcher_pid: int | None = None  # the process of torchrun that started this one
    restarts: int = 0  # how often it has started all ranks anew

    @classmethod
    def from_environment(cls, values: Mapping[str, str] = os.environ) -> "Ranks":
        """As torchrun tells it to the processes that it starts."""
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
        """Whether the torchrun that started this process is gone."""
        return self.launcher_pid is not None and os.getppid() != self.launcher_pid

    def stream_slice(self, count: int) -> slice:
        """The lanes, of `count`, that this rank reads; InputError where they cannot be shared."""
        return rank_slice(count, self.rank, self.size)

    @contextlib.contextmanager
    def connected(self, cuda: bool) -> Iterator[None]:
        """Hold the connections between the ranks: gloo's, and NCCL's where they use CUDA.

        What trains through them is to be out of scope when the block ends.
        """
        if self.size == 1:
            yield
            return
        from torch import distributed

        backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"
        distributed.init_process_group(backend, timeout=PATIENCE)
        yield
        self.union(set())  # none leaves while another may still need it
        # DistributedDataParallel, freed after the group, would join gloo's threads with the
        # interpreter's lock held, for which one of them may wait.
        gc.collect()
        distributed.destroy_process_group()

    def union(self, words: set[str]) -> set[str]:
        """What any rank says, of WORDS: the same for all, at the same step."""
        if self.size == 1:
            return words
        import torch
        from torch import distributed

        said = torch.tensor([word in words for word in WORDS], dtype=torch.uint8)
        distributed.all_reduce(said, distributed.ReduceOp.MAX)
        return {word for word, there in zip(WORDS, said.tolist(), strict=True) if there}

    def sum(self, figures: "Tensor") -> "Tensor":
        """The sum of the ranks' figures (n,), on the CPU."""
        figures = figures.double().cpu()
        if self.size > 1:
            from torch import distributed

            distributed.all_reduce(figures)
        return figures

    def gather(self, tensor: "Tensor") -> "Tensor":
        """The tensors (lanes of a rank, …) of all ranks as one (lanes, …), on the CPU."""
        tensor = tensor.detach().cpu()
        if self.size == 1:
            return tensor
        import torch
        from torch import distributed

        parts = [torch.empty_like(tensor) for _ in range(self.size)]
        distributed.all_gather(parts, tensor.contiguous())
        return torch.cat(parts)


SINGLE_PROCESS = Ranks()
