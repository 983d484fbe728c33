"""Looks over all runs: one line of facts each, reading of their events only what is new."""

import threading
from dataclasses import dataclass
from pathlib import Path

from textual.message import Message

from engine import rundir
from engine.errors import InputError
from engine.eventlog import EventReader
from engine.history import History
from engine.rundir import RunDir
from tui.model.runs import RunRow, begun


@dataclass
class RunsSeen(Message):
    """All runs as they are now, the newest first."""

    rows: tuple[RunRow, ...]


class _Known:
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
        for event in self._reader.read():
            history.add(event)
        # A table of many runs holds on to what it shows, not to every step of each.
        del history.steps[:-1], history.samples[:-1]
        kind, model, corpus, steps = self._row
        started = history.started
        if started is not None:
            kind, model, corpus, steps = started.kind, started.model, started.corpus, started.steps
        best = history.best
        return RunRow(
            run=self.run,
            state=rundir.state(self.run, history.last),
            kind=kind,
            model=model,
            corpus=corpus,
            step=history.step,
            steps=steps,
            best=best.bits if best else None,
            begun=begun(self.run.path.name),
            evaluations=tuple((float(event.step), event.bits) for event in history.evaluations),
        )


class RunList:
    """All runs; kept by the app so that every page reads each event once."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def look(self) -> tuple[RunRow, ...]:
        """The runs as they are now, the newest first; for a thread."""
        with self._lock:
            try:
                runs = rundir.list_runs()
            except InputError:  # a folder that cannot be read just now shows no runs
                runs = []
            self._known = {
                run.path.name: self._known.get(run.path.name) or _Known(run) for run in runs
            }
            return tuple(known.row() for known in self._known.values())
