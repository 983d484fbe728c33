"""The ranks of a run: the processes that torchrun starts to train one network together.

Each rank reads its own slice of the streams of a batch, and gradients are averaged over all ranks,
so that all have the same weights. Only the first rank evaluates and writes. A run that is trained
in one process has one rank.

The ranks meet at a key-value store (torch's TCPStore, at MASTER_ADDR and MASTER_PORT):

arrived, host/RANK    number of ranks that have joined, and the machine of each
failed, stop          the error of a rank that will not join; a request to stop
verdict, left         what all do then, decided by the first: _TRAIN, _STOP or an error; number of
                      ranks that have read one of the last two
beat/RANK             a number that grows while a rank lives; `lost`: that one does not
"""

import contextlib
import gc
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.data.batches import rank_slice
from engine.errors import WorkError

if TYPE_CHECKING:  # torch takes seconds to import, and n-gram models do not need it
    from torch import Tensor
    from torch.distributed import Store  # type: ignore[attr-defined]

# Maximum time that the other ranks wait while the first evaluates or saves. The death of a rank is
# noticed at once, the loss of its machine after LOST_SECONDS.
TIMEOUT = timedelta(days=1)
JOIN_SECONDS = 600.0  # maximum wait for the other ranks, which may have songs to prepare
LOST_SECONDS = 45.0  # without a sign of life from a rank
LEAVE_SECONDS = 20.0  # in which the other ranks can read why they do not train
_POLL_SECONDS = 0.2  # between two reads of the store while the ranks join
_TRAIN, _STOP = "train", "stop"
# The requests that `Ranks.union` can exchange; those with "may" are of a fast device's clock.
REQUESTS = ("stop", "save", "sample", "report", "may evaluate", "may save", "may sample")


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
    def connected(self, cuda: bool, poll: Callable[[], set[str]]) -> Iterator[None]:
        """Connect the ranks, by gloo and with `cuda` also by NCCL, until the block ends.

        Any DistributedDataParallel module must be out of scope when the block ends. poll: returns
        new requests, called until all ranks have joined. Raises JoinStopped if one of them is
        "stop", and WorkError if a rank has failed or does not join within JOIN_SECONDS. A process
        ends at once, with status 1, when a rank is lost within the block.
        """
        if self.size == 1:
            yield
            return
        from torch import distributed

        backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"
        distributed.init_process_group(
            backend, store=self._join(poll), rank=self.rank, world_size=self.size, timeout=TIMEOUT
        )
        try:
            with self._heartbeat():
                yield
        except RuntimeError as error:  # also NCCL's errors
            if isinstance(error, distributed.DistError) or "gloo" in str(error):
                raise ConnectionError(
                    "Another process of the run has ended, or its machine cannot be reached: read "
                    "its log. (torchrun starts all again while it may.)"
                ) from error
            raise
        self.union(set())  # a barrier: no rank disconnects while another still needs it
        # A DistributedDataParallel module must be freed before the process group: its destructor
        # waits for gloo's threads while it holds the GIL, which one of them may need.
        gc.collect()
        distributed.destroy_process_group()

    def _join(self, poll: Callable[[], set[str]]) -> "Store":
        """Wait until all ranks have joined; return their store."""
        deadline = time.monotonic() + JOIN_SECONDS
        store = self._store(hosted=True)
        while store is None and time.monotonic() < deadline and "stop" not in poll():
            store = self._store()
        if store is None:
            if time.monotonic() < deadline:
                raise JoinStopped
            address = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
            raise WorkError(
                f"The first process of the run cannot be reached at {address}: start torchrun on "
                "its machine, with the same --rdzv-endpoint, and let the port through firewalls."
            )
        store.set(f"host/{self.rank}", socket.gethostname())
        store.set(f"beat/{self.rank}", "0")
        store.add("arrived", 1)
        while not store.check(["verdict"]):
            if "stop" in poll():
                store.set("stop", "")
            late = time.monotonic() > deadline
            if self.is_first and (verdict := self._verdict(store, late)):
                store.set("verdict", verdict)
            elif late and not self.is_first and not store.check(["host/0"]):
                raise WorkError(self._missing(store))
            time.sleep(_POLL_SECONDS)
        verdict = store.get("verdict").decode()
        if verdict == _TRAIN:
            return store
        store.add("left", 1)
        deadline = time.monotonic() + LEAVE_SECONDS
        while (
            self._opens_store and store.add("left", 0) < self.size and time.monotonic() < deadline
        ):
            time.sleep(_POLL_SECONDS)  # the store ends with this process: the others read it first
        raise JoinStopped if verdict == _STOP else WorkError(verdict)

    def _verdict(self, store: "Store", late: bool) -> str:
        """Return whether the ranks train: _TRAIN, _STOP, an error, or "" if that is not known yet.

        Only the first rank decides, so that all do the same.
        """
        if store.check(["failed"]):
            return str(store.get("failed").decode())
        if store.check(["stop"]):  # first: a request in the control folder is read only once
            return _STOP
        if store.add("arrived", 0) == self.size:
            return _TRAIN
        return self._missing(store) if late else ""

    @property
    def _opens_store(self) -> bool:
        """Whether this process opens the store; torchrun opens it for the ranks that it starts."""
        return self.is_first and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"

    def _store(self, hosted: bool = False) -> "Store | None":
        """Return the store of this start of the ranks; None if it cannot be reached in seconds.

        hosted: whether the first rank is to open it, unless torchrun has done so.
        """
        from torch.distributed import DistError, PrefixStore, TCPStore  # type: ignore[attr-defined]

        try:
            store = TCPStore(
                os.environ["MASTER_ADDR"],
                int(os.environ["MASTER_PORT"]),
                is_master=hosted and self._opens_store,
                wait_for_workers=False,
                timeout=timedelta(seconds=2),
            )
        except DistError:
            return None
        store.set_timeout(TIMEOUT)
        return PrefixStore(f"rnn-tui/{self.restarts}", store)

    def _missing(self, store: "Store") -> str:
        joined = [rank for rank in range(self.size) if store.check([f"host/{rank}"])]
        hosts = sorted({store.get(f"host/{rank}").decode() for rank in joined})
        missing = [str(rank) for rank in range(self.size) if rank not in joined]
        shown = ", ".join(missing[:8]) + (", …" if len(missing) > 8 else "")
        return (
            f"{len(missing)} of {self.size} processes did not join within {JOIN_SECONDS / 60:.3g} "
            f"minutes: rank {shown}. Those on {', '.join(hosts)} did. Start torchrun on each "
            "machine, with the same --nnodes and --rdzv-endpoint."
        )

    def report_failure(self, text: str) -> None:
        """Store the error of this rank, for those that are joining."""
        if self.size > 1 and (store := self._store()) is not None:
            store.set("failed", f"Process {self.rank} on {socket.gethostname()}: {text}")
            store.add("left", 1)

    @contextlib.contextmanager
    def _heartbeat(self) -> Iterator[None]:
        """Within the block, show that this rank lives, and end the process when another is lost."""
        ended = threading.Event()
        thread = threading.Thread(target=self._watch, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _watch(self, ended: threading.Event) -> None:
        """Show that this rank lives, and end the process if another does not, until `ended`."""
        from torch.distributed import DistError

        store = self._store()  # another connection: one that waits cannot be shared
        beats: dict[int, tuple[bytes, float]] = {}
        count = 0
        while not ended.wait(LOST_SECONDS / 9):
            count += 1
            text = "The machine of the first process cannot be reached"
            if store is not None:
                with contextlib.suppress(DistError):
                    store.set(f"beat/{self.rank}", str(count))
                    text = self._find_lost(store, beats)
            if text and not ended.is_set():
                # The main thread may wait for the lost rank within torch, where no exception
                # reaches it.
                print(f"{text}: the training ends here.", file=sys.stderr, flush=True)
                os._exit(1)

    def _find_lost(self, store: "Store", beats: dict[int, tuple[bytes, float]]) -> str:
        """Return which rank shows no sign of life; "" if all do.

        The first rank watches all others, which watch the first, so that hundreds of ranks are no
        burden. beats: the last beat of each watched rank, and when it came; updated.
        """
        now = time.monotonic()
        watched = range(1, self.size) if self.is_first else range(1)
        for rank, beat in zip(
            watched, store.multi_get([f"beat/{r}" for r in watched]), strict=True
        ):
            if rank not in beats or beat != beats[rank][0]:
                beats[rank] = beat, now
            elif now - beats[rank][1] > LOST_SECONDS:
                host = store.get(f"host/{rank}").decode()
                store.set("lost", f"Process {rank} on {host} shows no sign of life")
        return store.get("lost").decode() if store.check(["lost"]) else ""

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


class JoinStopped(Exception):  # noqa: N818 - not an error
    """The run was stopped while its ranks joined."""


SINGLE_PROCESS = Ranks()
