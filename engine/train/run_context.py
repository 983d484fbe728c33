"""The run that a trainer works on, as passed to each part of the training; without torch."""

from collections.abc import Callable
from dataclasses import dataclass

from engine.config import RunConfig
from engine.data.corpus import Corpus
from engine.runs.event_log import EventLog
from engine.runs.run_dir import RunDir
from engine.train.distributed import Ranks


@dataclass(frozen=True)
class RunContext:
    """A run, its settings and songs, its event log, and the requests to it."""

    run: RunDir
    config: RunConfig
    corpus: Corpus
    log: EventLog
    ranks: Ranks
    poll_requests: Callable[[], set[str]]  # see `RequestPoller.poll`
