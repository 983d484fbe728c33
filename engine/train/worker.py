"""The trainer's process: trains the run of a directory and writes its events.

`rnn-tui train` calls `train_run` in the foreground; `python -m engine.train.worker RUN` trains in
the background; torchrun starts one such process for each rank. All end cleanly, with a checkpoint,
on SIGINT, SIGTERM or SIGHUP, and on a file named `stop` in the run's control folder.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from engine.data.corpus import Corpus, prepare_corpus
from engine.errors import InputError, WorkError
from engine.processes import processors
from engine.runs import event_log, run_dir
from engine.runs.event_log import EventLog, Listener
from engine.runs.events import Failed, Finished, Resumed, Started
from engine.runs.run_dir import RunDir
from engine.train.context import RunContext
from engine.train.distributed import SINGLE_PROCESS, Ranks

POLL_SECONDS = 0.5  # between two looks into the control folder
LOCK_TIMEOUT = 5.0  # seconds to wait for another trainer that is about to end


class RequestPoller:
    """Collects the requests to a run: by signal, by file, or by a listener that failed."""

    def __init__(self, run: RunDir, log: EventLog, ranks: Ranks) -> None:
        self._run, self._log, self._ranks = run, log, ranks
        self._last_poll = 0.0
        self.signal: int | None = None  # the signal that requested the stop

    def on_signal(self, number: int, _: object) -> None:
        """Request a stop. A second signal of the same number ends the process at once."""
        self.signal = number
        signal.signal(number, signal.SIG_DFL)

    def poll(self) -> set[str]:
        """Return the requests since the last call; reads the folder every POLL_SECONDS at most."""
        stop = self.signal is not None or self._log.listener_failed or self._ranks.is_orphaned
        requests = {"stop"} if stop else set()
        now = time.monotonic()
        if self._ranks.is_first and now - self._last_poll > POLL_SECONDS:
            self._last_poll = now
            requests |= self._run.poll_requests()
        return requests


@contextlib.contextmanager
def handling_signals(requests: RequestPoller) -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into requests to stop, until the block ends."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, requests.on_signal) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def train_run(
    run: RunDir, listener: Listener | None = None, ranks: Ranks = SINGLE_PROCESS
) -> int | None:
    """Train a run to its end, from its last checkpoint if it has one.

    listener: called with each event. Returns the signal that stopped the run, or None. Raises
    InputError or WorkError after appending a Failed event.

    Of several ranks only the first holds the run's lock and writes events. There, an error other
    than these two is not written as an event: it may follow from the death of another rank, after
    which torchrun restarts all of them.
    """
    lock = (
        run.lock(LOCK_TIMEOUT, ranks.launcher_pid) if ranks.is_first else contextlib.nullcontext()
    )
    with lock:
        config = run.config()
        log = EventLog(run.events if ranks.is_first else Path(os.devnull), listener)
        requests = RequestPoller(run, log, ranks)
        try:
            with handling_signals(requests):
                corpus = prepare_corpus(config.data, kind=config.kind)
                _require_same_songs(run, corpus)
                context = RunContext(run, config, corpus, log, ranks, requests.poll)
                train = _train_network if config.model.kind == "network" else _train_ngram
                reason = train(context)
                log.append(Finished(step=log.step, reason=reason))
        except Exception as error:
            expected = isinstance(error, InputError | WorkError)
            text = str(error) if expected else f"{type(error).__name__}: {error}"
            status = 2 if isinstance(error, InputError) else 1
            if expected or ranks.size == 1:
                with contextlib.suppress(InputError, OSError):  # the disk may be full
                    log.append(Failed(step=log.step, reason=text, status=status))
            raise
        finally:
            log.close()
    return requests.signal if reason == "stopped" else None


def _require_same_songs(run: RunDir, corpus: Corpus) -> None:
    if expected := run.metadata().get("corpus", {}).get("hash"):
        corpus.require_hash(
            expected,
            f"the run {run.name!r} was started: restore the old ones, or start a new run.",
        )


def _started(
    context: RunContext, parameters: int = 0, threads: int = 1, device: str = "cpu"
) -> Started:
    config, corpus = context.config, context.corpus
    network = config.model.kind == "network"
    splits = corpus.meta["splits"]
    train_frames, valid_frames = (int(splits[split]["frames"]) for split in ("train", "valid"))
    # With windows of whole songs, the mean length of a song.
    window = config.train.bptt or round(train_frames / max(1, int(splits["train"]["songs"])))
    return Started(
        run=context.run.name,
        kind=config.kind,
        model=config.model.words,
        parameters=parameters,
        steps=config.train.steps if network else 1,
        frames_per_step=config.train.batch_size * window if network else train_frames,
        train_frames=train_frames,
        valid_frames=valid_frames,
        corpus=corpus.name,
        unit="character" if config.kind == "lyrics" else "frame",
        threads=threads,
        device=device,
        ranks=context.ranks.size,
    )


def _train_network(context: RunContext) -> str:
    import torch  # takes seconds to import, which n-gram models do without

    from engine.train import checkpoint, loop, pretrained
    from engine.train.device import (
        choose_device,
        describe_device,
        handle_out_of_memory,
        set_up_device,
    )
    from engine.train.state import build_train_state

    run, config, ranks = context.run, context.config, context.ranks
    threads = config.train.threads or max(1, (processors() - 1) // ranks.local_size)
    torch.set_num_threads(threads)
    device = choose_device(config.train, ranks)
    set_up_device(device, config.train)

    def train() -> str:  # a function, so that `training` is freed before the ranks disconnect
        training = build_train_state(config, context.corpus, device, ranks)
        parameters = sum(p.numel() for p in training.network.parameters())
        context.log.append(_started(context, parameters, threads, describe_device(device)))
        restored = checkpoint.restore(run, training)
        if config.train.init_from and not restored:
            pretrained.load_weights(training, config, context.corpus)
        if restored or ranks.restarts or run.metadata().get("resumed"):
            context.log.append(Resumed(step=training.step))
        return loop.train(context, training)

    with ranks.connected(device.type == "cuda"), handle_out_of_memory(config.train):
        return train()


def _train_ngram(context: RunContext) -> str:
    from engine.train.ngram import train_ngram

    if context.ranks.size > 1:
        raise InputError(
            f"A {context.config.model.words} model is trained in one process: start only one."
        )
    context.log.append(_started(context))
    if context.run.metadata().get("resumed"):
        context.log.append(Resumed(step=0))
    return train_ngram(context)


def _failed_before_restart(run: RunDir, ranks: Ranks) -> bool:
    """Return whether torchrun restarted this rank after the run had failed, as it would again."""
    last = event_log.read_history(run.events).last_event if ranks.restarts else None
    if not isinstance(last, Failed) or ranks.launcher_pid is None:
        return False
    return last.time > psutil.Process(ranks.launcher_pid).create_time()


def main() -> int:
    """Train the run named by the first argument; returns the exit status."""
    ranks = Ranks.from_environment()
    try:
        run = run_dir.find(sys.argv[1])
        if _failed_before_restart(run, ranks):
            return 1
        train_run(run, ranks=ranks)
    except (InputError, WorkError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
