"""What each stage of a training process works with."""

from collections.abc import Callable
from dataclasses import dataclass

from engine.config import RunConfig
from engine.data.corpus import Corpus
from engine.runs.event_log import EventLog
from engine.runs.run_dir import RunDir
from engine.train.distributed import Ranks


@dataclass(frozen=True)
class RunContext:
    """A run, its settings and songs, and where it reports. Without torch, for n-gram runs."""

    run: RunDir
    config: RunConfig
    corpus: Corpus
    log: EventLog
    ranks: Ranks
    # Returns the requests since the last call: "stop", "save", "sample".
    poll_requests: Callable[[], set[str]]
