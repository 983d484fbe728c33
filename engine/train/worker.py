"""The trainer: trains one run and writes events and checkpoints to the run's directory.

`rnn-tui train` calls `train_run` in its own process; `python -m engine.train.worker RUN` is a
trainer in the background, of which torchrun starts one for each rank. On SIGINT, SIGTERM or SIGHUP,
or when a file named `stop` appears in the run's control folder, a trainer completes its step, saves
a checkpoint and ends. (An n-gram model that is still being counted is not saved.)
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from engine.data.corpus import Corpus, prepare_corpus
from engine.errors import InputError, WorkError
from engine.inference import models
from engine.runs import event_log, run_dir
from engine.runs.event_log import EventLog, Listener
from engine.runs.events import Failed, Finished, Resumed, Started
from engine.runs.run_dir import RunDir
from engine.train import initial_model
from engine.train.distributed import SINGLE_PROCESS, JoinStopped, Ranks
from engine.train.run_context import RunContext

POLL_SECONDS = 0.5  # minimum time between two reads of the control folder
LOCK_TIMEOUT = 5.0  # seconds to wait for the run's previous trainer to end


class RequestPoller:
    """Collects the requests to a trainer: files in the run's control folder, and reasons to stop.

    Reasons to stop are a signal, a failed event listener (such as a closed terminal), and the end
    of the torchrun that started this process.
    """

    def __init__(self, run: RunDir, log: EventLog, ranks: Ranks) -> None:
        self._run, self._log, self._ranks = run, log, ranks
        self._last_poll = 0.0
        self.signal: int | None = None  # the signal that requested the stop

    def on_signal(self, number: int, _: object) -> None:
        """Request a stop, and let a second signal of the same number end the process at once."""
        self.signal = number
        signal.signal(number, signal.SIG_DFL)

    def poll(self) -> set[str]:
        """Return the requests since the last call: "stop", "save" and "sample".

        Only the first rank reads the control folder, and only if POLL_SECONDS have passed since it
        last did. It raises WorkError if the run's folder was removed.
        """
        stop = self.signal or self._log.listener_error or self._ranks.is_orphaned
        requests = {"stop"} if stop else set()
        now = time.monotonic()
        if self._ranks.is_first and now - self._last_poll > POLL_SECONDS:
            self._last_poll = now
            self._run.require_exists()
            requests |= self._run.poll_requests()
        return requests


@contextlib.contextmanager
def handling_signals(requests: RequestPoller) -> Iterator[None]:
    """Within the block, treat SIGINT, SIGTERM and SIGHUP as requests to stop.

    Outside the main thread, where Python cannot handle signals, do nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
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
    """Train a run until it is completed or stopped, from its last checkpoint if it has one.

    listener: called with each event. Returns the signal that stopped the run; None if there was no
    signal. Raises InputError or WorkError after appending a Failed event, and WorkError if the run
    has stopped because the listener failed.

    Of several ranks, only the first holds the run's lock and writes events. It then appends a
    Failed event for these two exceptions only: any other may be due to the death of another rank,
    after which torchrun restarts all ranks.
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
    if reason == "completed":
        return None
    if requests.signal is None:
        log.check_listener(run.name)
    return requests.signal


def _require_same_songs(run: RunDir, corpus: Corpus) -> None:
    if expected := run.metadata().get("corpus", {}).get("hash"):
        corpus.require_hash(
            expected,
            f"the run {run.name!r} was started: restore the old songs, or start a new run.",
        )


def _started(
    context: RunContext, parameters: int = 0, threads: int = 1, device: str = "cpu"
) -> Started:
    config, corpus = context.config, context.corpus
    network = config.model.kind == "network"
    splits = corpus.meta["splits"]
    train_frames, valid_frames = (int(splits[split]["frames"]) for split in ("train", "valid"))
    # A window of a whole song (train.bptt=0) counts as the mean length of a song.
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
        initial=_initial(context),
    )


def _initial(context: RunContext) -> str:
    """Describe the model that a run starts from; "" for random weights."""
    if not initial_model.starts_from_model(context.config):
        return ""
    model = models.load(context.config.train.init_from)
    return initial_model.describe(model, context.corpus)


def _train_network(context: RunContext) -> str:
    import torch  # takes seconds; n-gram models do not need it

    from engine.train import checkpoint, initial_weights, loop
    from engine.train.device import (
        choose_device,
        default_threads,
        describe_device,
        handle_out_of_memory,
        set_up_device,
    )
    from engine.train.state import build_train_state

    run, config, ranks = context.run, context.config, context.ranks
    threads = config.train.threads or default_threads(ranks.local_size)
    torch.set_num_threads(threads)
    device = choose_device(config.train, ranks)
    set_up_device(device, config.train)

    def train() -> str:  # a function, so that `training` is freed before the ranks disconnect
        training = build_train_state(config, context.corpus, device, ranks)
        parameters = sum(p.numel() for p in training.network.parameters())
        context.log.append(_started(context, parameters, threads, describe_device(device)))
        restored = checkpoint.restore(run, training)
        if initial_model.starts_from_model(config) and not restored:
            initial_weights.load_weights(training, config, context.corpus)
        if restored or ranks.restarts or run.metadata().get("resumed"):
            context.log.append(Resumed(step=training.step))
        return loop.train(context, training)

    try:
        with (
            ranks.connected(device.type == "cuda", context.poll_requests),
            handle_out_of_memory(config.train),
        ):
            return train()
    except JoinStopped:
        return "stopped"


def _train_ngram(context: RunContext) -> str:
    from engine.train.ngram import train_ngram

    if context.ranks.size > 1:
        raise InputError(
            f"A {context.config.model.words} model is trained in one process: start one process "
            "only."
        )
    context.log.append(_started(context))
    if context.run.metadata().get("resumed"):
        context.log.append(Resumed(step=0))
    return train_ngram(context)


def _failed_before_restart(run: RunDir, ranks: Ranks) -> bool:
    """Return whether torchrun restarted this rank although the run failed with a reported error.

    The error would only occur again.
    """
    last = event_log.read_history(run.events).last_event if ranks.restarts else None
    if not isinstance(last, Failed) or ranks.launcher_pid is None:
        return False
    return last.time > psutil.Process(ranks.launcher_pid).create_time()


def main() -> int:
    """Train the run that the first argument names; returns the exit status."""
    ranks = Ranks.from_environment()
    try:
        run = run_dir.find(sys.argv[1])
        if _failed_before_restart(run, ranks):
            return 1
        train_run(run, ranks=ranks)
    except (InputError, WorkError) as error:
        print(error, file=sys.stderr)
        ranks.report_failure(str(error))
        return 2 if isinstance(error, InputError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
