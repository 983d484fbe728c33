"""Looks over all runs: one line of facts each, reading of their events only what is new."""

import threading
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from textual.message import Message

from engine.errors import InputError
from engine.runs import events as kinds
from engine.runs import run_dir
from engine.runs.event_log import EventReader, History
from engine.runs.run_dir import RunDir
from tui.sources.run_view import MetricColumns, RunRow, RunView, start_time

POLL_SECONDS = 0.1  # seconds between two looks at the file
_STATE_EVERY = 10  # looks between two at the process
_SAMPLES = 60  # the newest that are shown
_LOG_BYTES, _LOG_LINES = 4096, 4


@dataclass
class RunChanged(Message):
    """A run's new state. generation: of the attachment that asked for it."""

    view: RunView
    generation: int

    def can_replace(self, message: Message) -> bool:
        """Whether an older message in the queue is void now."""
        return isinstance(message, RunChanged) and message.generation <= self.generation


@dataclass
class NewestRunFound(Message):
    """The run to be shown when none has been asked for; None when there is none at all."""

    run: RunDir | None


class RunReader:
    """A run's events, folded as they come; `view` gives what they add up to."""

    def __init__(self, run: RunDir) -> None:
        self.run = run
        self.history = History()
        self._reader = EventReader(run.events)
        self._steps = {name: array("d") for name in ("step", "bits", "lr", "grad_norm", "speed")}
        self._model, self._corpus, self._planned = "", "", 0
        try:
            config = run.config()
        except InputError:
            return  # of another version: the run's first event says the same
        self._model, self._corpus = config.model.words, Path(config.data.source).name
        self._planned = config.train.steps

    def read(self) -> bool:
        """Take in what is new; whether there was anything."""
        events = self._reader.poll()
        for event in events:
            self.history.add(event)
            if isinstance(event, kinds.Step):
                self._append(event)
            elif isinstance(event, kinds.Resumed):  # the history has dropped what is void
                for column in self._steps.values():
                    del column[len(self.history.steps) :]
        return bool(events)

    def _append(self, event: kinds.Step) -> None:
        values = (event.step, event.bits, event.lr, event.grad_norm, event.frames_per_second)
        for column, value in zip(self._steps.values(), values, strict=True):
            column.append(float("nan") if value is None else value)

    def state(self) -> str:
        """One of tui.sources.run_view.STATES."""
        if not self.run.path.is_dir():
            return "gone"
        return run_dir.state(self.run, self.history.last_event)

    def view(self, state: str) -> RunView:
        """What there is to show; shares nothing with the fold."""
        import numpy as np  # loaded here, in the thread, after the first screen is up

        history, started = self.history, self.history.started
        evaluations, last = history.evaluations, history.last_event
        columns = {name: np.array(column) for name, column in self._steps.items()}
        return RunView(
            run=self.run,
            state=state,
            model=started.model if started else self._model,
            corpus=started.corpus if started else self._corpus,
            unit=started.unit if started else "character",
            step=history.step,
            steps=started.steps if started else self._planned,
            started=started,
            last=history.steps[-1] if history.steps else None,
            latest=evaluations[-1] if evaluations else None,
            best=history.best_evaluation,
            columns=MetricColumns(
                **columns,
                valid_step=np.array([float(event.step) for event in evaluations]),
                valid_bits=np.array([event.bits for event in evaluations]),
            ),
            samples=tuple(history.samples[: -_SAMPLES - 1 : -1]),
            doing=last.doing if isinstance(last, kinds.Heartbeat) else "",
            reason=last.reason if isinstance(last, kinds.Failed) else "",
            log=log_tail(self.run) if state == "crashed" else (),
        )


def log_tail(run: RunDir) -> tuple[str, ...]:
    """The last lines that the run's process wrote to its standard error."""
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
    """Post the run's state whenever it changes, until cancelled; for a thread of its own."""
    fold = RunReader(run)
    told, looks = "", 0
    while not cancelled.is_set():
        news = fold.read()
        if news or looks % _STATE_EVERY == 0:
            state = fold.state()
            if news or state != told:
                post(RunChanged(fold.view(state), generation))
            told = state
        looks += 1
        cancelled.wait(POLL_SECONDS)


def newest_run() -> RunDir | None:
    """The newest run that is being trained, else the newest of all; None when there is none."""
    runs = run_dir.list_runs()
    return next((run for run in runs if run_dir.is_alive(run.worker())), runs[0] if runs else None)


@dataclass
class RunsRead(Message):
    """All runs as they are now, the newest first."""

    rows: tuple[RunRow, ...]


class _RunSummary:
    """What has been read of one run."""

    def __init__(self, run: RunDir) -> None:
        self.run = run
        self._history = History()
        self._reader = EventReader(run.events)
        self._row = ("", "", "", 0)  # kind, model, corpus, steps: as config.json has them
        try:
            config = run.config()
        except InputError:
            return  # of another version: the run's first event says the same
        source = Path(config.data.source).name
        self._row = config.kind, config.model.words, source, config.train.steps

    def row(self) -> RunRow:
        """Read on, and sum up."""
        history = self._history
        for event in self._reader.poll():
            history.add(event)
        # A table of many runs holds on to what it shows, not to every step of each.
        del history.steps[:-1], history.samples[:-1]
        kind, model, corpus, steps = self._row
        started = history.started
        if started is not None:
            kind, model, corpus, steps = started.kind, started.model, started.corpus, started.steps
        best = history.best_evaluation
        return RunRow(
            run=self.run,
            state=run_dir.state(self.run, history.last_event),
            kind=kind,
            model=model,
            corpus=corpus,
            step=history.step,
            steps=steps,
            best=best.bits if best else None,
            started_at=start_time(self.run.path.name),
            evaluations=tuple((float(event.step), event.bits) for event in history.evaluations),
        )


class RunList:
    """All runs; kept by the app so that every page reads each event once."""

    def __init__(self) -> None:
        self._known: dict[str, _RunSummary] = {}
        self._lock = threading.Lock()

    def look(self) -> tuple[RunRow, ...]:
        """The runs as they are now, the newest first; for a thread."""
        with self._lock:
            try:
                runs = run_dir.list_runs()
            except InputError:  # a folder that cannot be read just now shows no runs
                runs = []
            self._known = {
                run.path.name: self._known.get(run.path.name) or _RunSummary(run) for run in runs
            }
            return tuple(known.row() for known in self._known.values())
