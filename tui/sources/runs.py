"""Reading runs while they are being trained: one run in full, and a row for each run.

Every reader keeps its position in `events.jsonl` and reads only new events. Reading blocks, so it
is done in threads; results are posted as messages, since the page may be closed by then.
"""

import threading
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from textual.message import Message

from engine.errors import InputError
from engine.runs import run_dir
from engine.runs.event_log import EventReader, History
from engine.runs.events import Failed, Heartbeat, Resumed, Started, Step
from engine.runs.run_dir import RunDir
from engine.runs.run_state import is_alive, state_of
from tui.sources.run_summary import MetricColumns, RunRow, RunSummary, start_time

POLL_SECONDS = 0.1  # between two reads of the events
_POLLS_PER_STATE = 10  # reads of the events for each check of the trainer's process
_MAX_SAMPLES = 60  # newest samples in a summary
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
        return _Facts()  # from another version; its first event has the same facts
    source = Path(config.data.source).name
    return _Facts(config.kind, config.model.words, source, config.train.steps)


def _recorded(started: Started) -> _Facts:
    return _Facts(started.kind, started.model, started.corpus, started.steps, started.unit)


# ── one run ──────────────────────────────────────────────────────────────────────────────────────


class RunReader:
    """Reads a run's new events at each `read`; `view` returns a snapshot of the run."""

    def __init__(self, run: RunDir) -> None:
        self.run = run
        self.history = History()
        self._events = EventReader(run.events)
        self._columns = {name: array("d") for name in ("step", "bits", "lr", "grad_norm", "speed")}
        self._configured = _configured(run)

    def read(self) -> bool:
        """Read new events; return whether there were any."""
        events = self._events.poll()
        for event in events:
            self.history.add(event)
            if isinstance(event, Step):
                self._append(event)
            elif isinstance(event, Resumed):  # the history has dropped steps that are repeated
                for column in self._columns.values():
                    del column[len(self.history.steps) :]
        return bool(events)

    def _append(self, event: Step) -> None:
        values = (event.step, event.bits, event.lr, event.grad_norm, event.frames_per_second)
        for column, value in zip(self._columns.values(), values, strict=True):
            column.append(float("nan") if value is None else value)

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
        evaluations, last = history.evaluations, history.last_event
        facts = _recorded(started) if started else self._configured
        columns = {name: np.array(column) for name, column in self._columns.items()}
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
            last_step=history.steps[-1] if history.steps else None,
            last_evaluation=evaluations[-1] if evaluations else None,
            best_evaluation=history.best_evaluation,
            columns=MetricColumns(
                **columns,
                valid_step=np.array([float(event.step) for event in evaluations]),
                valid_bits=np.array([event.bits for event in evaluations]),
            ),
            samples=tuple(history.samples[: -_MAX_SAMPLES - 1 : -1]),
            doing=last.doing if isinstance(last, Heartbeat) else "",
            reason=last.reason if isinstance(last, Failed) else "",
            log=_log_tail(self.run) if state == "crashed" else (),
        )


def _log_tail(run: RunDir) -> tuple[str, ...]:
    """Return the last lines that the trainer's process wrote to stderr; () if there is no log."""
    try:
        with run.log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _LOG_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ()
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
    """Reads a run's new events at each `read`, and keeps only what the run's row needs."""

    def __init__(self, run: RunDir) -> None:
        self.run = run
        self._history = History()
        self._events = EventReader(run.events)
        self._configured = _configured(run)

    def read(self) -> RunRow:
        """Read new events and return the row."""
        history = self._history
        for event in self._events.poll():
            history.add(event)
        # The row shows only the last step and no samples.
        del history.steps[:-1], history.samples[:-1]
        facts = _recorded(history.started) if history.started else self._configured
        best = history.best_evaluation
        return RunRow(
            run=self.run,
            state=state_of(self.run, history.last_event),
            kind=facts.kind,
            model=facts.model,
            data_set=facts.data_set,
            step=history.step,
            total_steps=facts.total_steps,
            best_bits=best.bits if best else None,
            started_at=start_time(self.run.path.name),
            evaluations=tuple((float(event.step), event.bits) for event in history.evaluations),
        )
