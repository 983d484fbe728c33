"""Reading runs while they are being trained: one run in full, and a row for each run.

Every reader keeps its position in `events.jsonl` and reads only new events. Reading blocks, so it
is done in threads; results are posted as messages, since the page may be closed by then.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from textual.message import Message

from engine.errors import InputError
from engine.files import read_end
from engine.runs import run_dir
from engine.runs.event_log import HistoryReader
from engine.runs.events import Event, Failed, Heartbeat, Started
from engine.runs.log_summary import History
from engine.runs.run_dir import RunDir
from engine.runs.run_state import ENDED, is_alive, state_of
from tui.sources.run_summary import MetricColumns, RunRow, RunSummary, start_time

if TYPE_CHECKING:  # NumPy is imported after the first page is up
    import numpy as np
    from numpy.typing import NDArray

POLL_SECONDS = 0.1  # between two reads of the events
_POLLS_PER_STATE = 10  # reads of the events for each check of the trainer's process
_LOG_BYTES, _LOG_LINES = 4096, 4  # how much of the log's end is read, and shown at most


@dataclass
class RunChanged(Message):
    """A run has changed.

    generation: the number passed to `follow_run`, which is higher in each later call, so that
    messages of earlier calls can be ignored.
    """

    view: RunSummary
    generation: int

    def can_replace(self, message: Message) -> bool:
        """Return whether an older message in the queue is obsolete because of this one."""
        return isinstance(message, RunChanged) and message.generation <= self.generation


@dataclass
class NewestRunFound(Message):
    """The run to show first; None if there are no runs."""

    run: RunDir | None


@dataclass
class CurvesRead(Message):
    """Snapshots of the runs whose curves are shown, by the names of their folders."""

    views: dict[str, RunSummary]


@dataclass
class RunsRead(Message):
    """The rows of all runs were read, newest first."""

    rows: tuple[RunRow, ...]


class _Facts(NamedTuple):
    """Facts of a run that do not change during training."""

    kind: str = ""
    model: str = ""  # its description
    data_set: str = ""
    total_steps: int = 0
    unit: str = "character"


def _configured(run: RunDir) -> _Facts:
    """Return the facts from `config.json`, for a run without events yet."""
    try:
        config = run.config()
    except InputError:
        # If it is only from another version, its first event has the same facts.
        return _Facts(model="(cannot be read)")
    source = Path(config.data.source).name
    return _Facts(config.kind, config.model.words, source, config.train.steps)


def _recorded(started: Started) -> _Facts:
    return _Facts(started.kind, started.model, started.corpus, started.steps, started.unit)


# ── one run ──────────────────────────────────────────────────────────────────────────────────────


class RunReader:
    """Reads a run's new events at each `read`; `view` returns a snapshot of the run."""

    def __init__(self, run: RunDir) -> None:
        self.run = run
        self._reader = HistoryReader(run.events)
        self._configured = _configured(run)

    @property
    def history(self) -> History:
        """The run's history up to the last `read`."""
        return self._reader.history

    def read(self) -> bool:
        """Read new events; return whether there were any."""
        return self._reader.read()

    def state(self) -> str:
        """Return the run's state, a key of `tui.sources.run_summary.STATES`."""
        if not self.run.path.is_dir():
            return "gone"
        return state_of(self.run, self.history.last_event)

    def view(self, state: str) -> RunSummary:
        """Return a snapshot that shares no data with the reader.

        state: as `state` returned it.
        """
        import numpy as np  # imported late, in the thread, so that the first page is up sooner

        history, started = self.history, self.history.started
        steps, evaluations = history.steps, history.evaluations
        last = history.last_event
        facts = _recorded(started) if started else self._configured

        def column(events: Sequence[Event], name: str) -> "NDArray[np.float64]":
            return np.array([getattr(event, name) for event in events], np.float64)  # None: NaN

        return RunSummary(
            run=self.run,
            state=state,
            kind=facts.kind,
            model=facts.model,
            data_set=facts.data_set,
            unit=facts.unit,
            step=history.step,
            total_steps=facts.total_steps,
            started=started,
            last_step=history.step_curve.last,
            last_evaluation=history.evaluation_curve.last,
            best_evaluation=history.best_evaluation,
            columns=MetricColumns(
                step=column(steps, "step"),
                loss=column(steps, "loss"),
                lr=column(steps, "lr"),
                grad_norm=column(steps, "grad_norm"),
                speed=column(steps, "frames_per_second"),
                elapsed=column(steps, "elapsed"),
                valid_step=column(evaluations, "step"),
                valid_loss=column(evaluations, "loss"),
            ),
            samples=tuple(history.samples[::-1]),
            doing=last.doing if isinstance(last, Heartbeat) else "",
            reason=last.reason if isinstance(last, Failed) else "",
            log=_log_tail(self.run) if state == "crashed" else (),
        )


def _log_tail(run: RunDir) -> tuple[str, ...]:
    """Return the last lines that the trainer's process wrote to stderr; () if there is no log."""
    text, _ = read_end(run.log, _LOG_BYTES)
    lines = [line.rstrip() for line in text.split("\n")]
    return tuple([line for line in lines if line][-_LOG_LINES:])


def follow_run(
    run: RunDir,
    generation: int,
    post: Callable[[RunChanged], object],
    cancelled: threading.Event,
) -> None:
    """Post a snapshot of the run after every change, until `cancelled` is set; run it in a thread.

    generation: see `RunChanged`.
    """
    reader = RunReader(run)
    posted_state, polls = "", 0
    while not cancelled.is_set():
        changed = reader.read()
        if changed or polls % _POLLS_PER_STATE == 0:
            state = reader.state()
            if changed or state != posted_state:
                post(RunChanged(reader.view(state), generation))
            posted_state = state
        polls += 1
        cancelled.wait(POLL_SECONDS)


def newest_run() -> RunDir | None:
    """Return the newest run in training, or else the newest run; None if there are no runs."""
    runs = run_dir.list_runs()
    return next((run for run in runs if is_alive(run.worker())), runs[0] if runs else None)


class CurveReaders:
    """Reads the events of several runs, each once, for their curves."""

    def __init__(self) -> None:
        self._readers: dict[str, RunReader] = {}
        self._views: dict[str, RunSummary] = {}
        self._lock = threading.Lock()

    def read(self, runs: Sequence[RunDir]) -> dict[str, RunSummary]:
        """Return a snapshot of each run, by the name of its folder; forget the other runs."""
        with self._lock:
            keys = {run.path.name: run for run in runs}
            self._readers = {
                key: self._readers.get(key) or RunReader(run) for key, run in keys.items()
            }
            views = {}
            for key, reader in self._readers.items():
                changed = reader.read()
                old = self._views.get(key)
                views[key] = reader.view(reader.state()) if changed or old is None else old
            self._views = views
            return dict(views)


# ── all runs ─────────────────────────────────────────────────────────────────────────────────────


class RunList:
    """Reads the rows of all runs; the app's pages share one, so that each event is read once."""

    def __init__(self) -> None:
        self._readers: dict[str, _RowReader] = {}
        self._lock = threading.Lock()

    def read(self) -> tuple[RunRow, ...]:
        """Return the rows, newest first."""
        with self._lock:
            try:
                runs = run_dir.list_runs()
            except InputError:  # the folder of runs cannot be read at the moment
                runs = []
            self._readers = {
                run.path.name: self._readers.get(run.path.name) or _RowReader(run) for run in runs
            }
            return tuple(reader.read() for reader in self._readers.values())


class _RowReader:
    """Reads a run's new events at each `read`, and of an ended run keeps only the row."""

    def __init__(self, run: RunDir) -> None:
        self.run = run
        self._reader: HistoryReader | None = None  # None: the log is unchanged since the last read
        self._last_event: Event | None = None
        self._size = -1  # of the log at the last read, in bytes
        self._row: RunRow | None = None
        self._configured = _configured(run)

    def read(self) -> RunRow:
        """Read new events and return the row."""
        size = self._log_size()
        if self._row is None or size != self._size:
            self._reader = self._reader or HistoryReader(self.run.events)
            self._reader.read()
            self._row, self._size = self._new_row(self._reader.history), size
            self._last_event = self._reader.history.last_event
        state = state_of(self.run, self._last_event)
        if state in ENDED:
            self._reader = None
        self._row = replace(self._row, state=state, note=self.run.note)
        return self._row

    def _log_size(self) -> int:
        try:
            return self.run.events.stat().st_size
        except OSError:
            return 0

    def _new_row(self, history: History) -> RunRow:
        facts = _recorded(history.started) if history.started else self._configured
        best = history.best_evaluation
        return RunRow(
            run=self.run,
            state="",
            kind=facts.kind,
            model=facts.model,
            data_set=facts.data_set,
            step=history.step,
            total_steps=facts.total_steps,
            best=best,
            started_at=start_time(self.run.path.name),
            note="",
            worse=sum(one.step > best.step for one in history.evaluations) if best else 0,
        )
