"""The trainer's process: takes a run's directory, trains, and says so in its events.

`python -m engine.train.worker RUN` for a run in the background; `rnn-tui train` calls `work` in the
foreground; torchrun starts several of it as the ranks of one run. Either way the run ends cleanly,
with a checkpoint, on SIGINT, SIGTERM, SIGHUP and on a file named `stop` in its control folder.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from engine.config import RunConfig
from engine.data import corpus as corpora
from engine.data.corpus import Corpus
from engine.errors import InputError, WorkError
from engine.processes import processors
from engine.runs import event_log, events, run_dir
from engine.runs.event_log import EventLog, Listener
from engine.runs.run_dir import RunDir
from engine.train.distributed import SINGLE_PROCESS, Ranks

POLL_SECONDS = 0.5  # seconds between two looks into the control folder
PATIENCE = 5.0  # seconds to wait for another trainer that is just ending


class Requests:
    """What has been asked of the run, by signal, by file, or by a listener that went away."""

    def __init__(self, run: RunDir, log: EventLog, ranks: Ranks) -> None:
        self._run, self._log, self._ranks = run, log, ranks
        self._looked = 0.0
        self.signal: int | None = None  # the one that asked for the stop

    def stop(self, number: int, _: object) -> None:
        """Take a signal; a second one of the same kind ends the process at once."""
        self.signal = number
        signal.signal(number, signal.SIG_DFL)

    def take(self) -> set[str]:
        """What was asked since the last call; looks at the disk only now and then."""
        ending = self.signal is not None or self._log.listener_failed or self._ranks.is_orphaned
        requests = {"stop"} if ending else set()
        now = time.monotonic()
        if self._ranks.is_first and now - self._looked > POLL_SECONDS:
            self._looked = now
            requests |= self._run.poll_requests()
        return requests


@contextlib.contextmanager
def handling_signals(requests: Requests) -> Iterator[None]:
    """Let the signals that stop a run ask for that, until the block ends."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, requests.stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def train_run(
    run: RunDir, listener: Listener | None = None, ranks: Ranks = SINGLE_PROCESS
) -> int | None:
    """Train the run to its end, or on from its last checkpoint; returns the signal that stopped it.

    Raises InputError or WorkError after saying so in the run's events. Of several ranks only the
    first holds the run and says anything; another error than those two is left unsaid there, for
    it may be the death of another rank, after which torchrun starts all anew.
    """
    holding = run.lock(PATIENCE, ranks.launcher_pid) if ranks.is_first else contextlib.nullcontext()
    with holding:
        config = run.config()
        log = EventLog(run.events if ranks.is_first else Path(os.devnull), listener)
        requests = Requests(run, log, ranks)
        try:
            with handling_signals(requests):
                corpus = corpora.prepare_corpus(config.data, kind=config.kind)
                _same_songs(run, corpus)
                take = _train if config.model.kind == "network" else _count
                reason = take(run, config, corpus, log, requests, ranks)
                log.append(events.Finished(step=log.step, reason=reason))
        except Exception as error:
            known = isinstance(error, InputError | WorkError)
            words = str(error) if known else f"{type(error).__name__}: {error}"
            status = 2 if isinstance(error, InputError) else 1
            if known or ranks.size == 1:
                with contextlib.suppress(InputError, OSError):  # the disk may be full
                    log.append(events.Failed(step=log.step, reason=words, status=status))
            raise
        finally:
            log.close()
    return requests.signal if reason == "stopped" else None


def _same_songs(run: RunDir, corpus: Corpus) -> None:
    wanted = run.metadata().get("corpus", {}).get("hash")
    if wanted and wanted != corpus.hash:
        raise InputError(
            f"The songs of {corpus.name} have changed since the run {run.name!r} began: put the "
            "old ones back, or start a new run."
        )


def _started(
    run: RunDir,
    config: RunConfig,
    corpus: Corpus,
    parameters: int = 0,
    threads: int = 1,
    device: str = "cpu",
    ranks: int = 1,
) -> events.Started:
    network = config.model.kind == "network"
    splits = corpus.meta["splits"]
    train_frames, valid_frames = (int(splits[split]["frames"]) for split in ("train", "valid"))
    # Of whole songs, the frames that a lane has on the average.
    window = config.train.bptt or round(train_frames / max(1, int(splits["train"]["songs"])))
    return events.Started(
        run=run.name,
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
        ranks=ranks,
    )


def _train(
    run: RunDir,
    config: RunConfig,
    corpus: Corpus,
    log: EventLog,
    requests: Requests,
    ranks: Ranks,
) -> str:
    import torch  # seconds; a counting model does without

    from engine.train import device as devices
    from engine.train import loop, pretrained
    from engine.train import state as trainings
    from engine.train.device import handle_out_of_memory

    threads = config.train.threads or max(1, (processors() - 1) // ranks.local_size)
    torch.set_num_threads(threads)
    device = devices.choose_device(config.train, ranks)
    devices.set_up_device(device, config.train)

    def trained() -> str:
        training = trainings.build(config, corpus, device, ranks)
        parameters = sum(p.numel() for p in training.network.parameters())
        words = devices.describe_device(device)
        log.append(_started(run, config, corpus, parameters, threads, words, ranks.size))
        goes_on = trainings.restore(run, training)
        if config.train.init_from and not goes_on:
            pretrained.load_pretrained(training, config, corpus)
        if goes_on or ranks.restarts or run.metadata().get("resumed"):
            log.append(events.Resumed(step=training.step))
        return loop.train(run, config, corpus, training, log, requests.take)

    with ranks.connected(device.type == "cuda"), handle_out_of_memory(config.train):
        return trained()


def _count(
    run: RunDir,
    config: RunConfig,
    corpus: Corpus,
    log: EventLog,
    requests: Requests,
    ranks: Ranks,
) -> str:
    from engine.train import ngram

    if ranks.size > 1:
        raise InputError(f"A {config.model.words} model counts in one process: leave out the rest.")
    log.append(_started(run, config, corpus))
    if run.metadata().get("resumed"):
        log.append(events.Resumed(step=0))
    return ngram.train_ngram(run, config, corpus, log, requests.take)


def _given_up(run: RunDir, ranks: Ranks) -> bool:
    """Whether a rank was started anew although the run has ended in words, which it would again."""
    last = event_log.read_history(run.events).last_event if ranks.restarts else None
    if not isinstance(last, events.Failed) or ranks.launcher_pid is None:
        return False
    return last.time > psutil.Process(ranks.launcher_pid).create_time()


def main() -> int:
    """Train the run whose directory is the first argument; its standard error is the run's log."""
    ranks = Ranks.from_environment()
    try:
        run = run_dir.find(sys.argv[1])
        if _given_up(run, ranks):
            return 1
        train_run(run, ranks=ranks)
    except (InputError, WorkError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
