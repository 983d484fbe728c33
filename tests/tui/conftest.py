"""Invented runs and a fake `rnn-tui` command."""

import os

os.environ["TEXTUAL_ANIMATIONS"] = "none"  # read once, when Textual is imported

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import config
from engine.runs import run_dir
from engine.runs.event_log import EventLog
from engine.runs.events import Evaluated, Event, Sampled, Saved, Started, Step
from engine.runs.run_dir import RunDir
from tests.tui.fake_command import FakeCommand

START = 1_740_830_400.0  # seconds since 1970, when the invented runs started
TEXT = " do the lanterns lean to me\nwhen all the harbour bells are slow\n\nOh carry me over\n"

WriteRun = Callable[..., RunDir]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty home."""
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _steps(first: int, last: int, floor: float = 1.5, steps: int = 1000) -> list[Event]:
    """Return events of a falling loss: steps every 5, evaluations and samples every 200."""
    found: list[Event] = []
    for step in range(first, last + 1, 5):
        moment = START + step / 4
        bits = floor + 3 * math.exp(-step / 200) + 0.1 * math.sin(step * 1.7)
        found.append(
            Step(
                step=step,
                loss=bits * math.log(2),
                bits=bits,
                lr=4e-3 * (1 - step / steps) + 2e-4,
                grad_norm=0.5 + 0.1 * math.sin(step),
                frames_per_second=12_400 + 300 * math.sin(step / 50),
                memory_mb=612.0,
                elapsed=step / 4,
                remaining=(steps - step) / 4,
                time=moment,
            )
        )
        if step % 200 == 0:
            valid = floor + 0.1 + 3 * math.exp(-step / 190)
            found += [
                Evaluated(step, valid * math.log(2), valid, 10_000, True, time=moment),
                Sampled(step, "Why", None, TEXT, 0.7, time=moment),
                Sampled(step, "Well", "The Lanterns", TEXT, 0.7, time=moment),
                Saved(step, f"step-{step:06}", True, time=moment),
            ]
    return found


def _started(name: str, steps: int = 1000) -> Started:
    return Started(
        run=name,
        kind="lyrics",
        model="lstm 2 × 256",
        parameters=894_112,
        steps=steps,
        frames_per_step=4096,
        train_frames=3_330_000,
        valid_frames=180_000,
        corpus="harbour",
        unit="character",
        threads=1,
        device="cpu",
        time=START,
    )


def _append(run: RunDir, *events: Event) -> None:
    log = EventLog(run.events)
    for event in events:
        log.append(event)
    log.close()


@pytest.fixture
def write_run(home: Path) -> WriteRun:
    """Return a function that writes a run: a folder with a fixed time, Started and `events`."""

    def write(
        name: str = "first",
        events: list[Event] | None = None,
        stamp: str = "20250301-120000",
        started: bool = True,
    ) -> RunDir:
        values = {"data": {"source": "harbour"}, "train": {"steps": 1000}}
        created = run_dir.create(name, config.from_mapping(values, "a test"), {})
        run = RunDir(created.path.rename(created.path.with_name(f"{stamp}-{name}")))
        if started:
            _append(run, _started(name), *(_steps(5, 1000) if events is None else events))
        return run

    return write


@pytest.fixture
def append() -> Callable[..., None]:
    """Return a function that appends events to a run."""
    return _append


@pytest.fixture
def steps_of() -> Callable[..., list[Event]]:
    """Return a function that makes the events from one step to another."""
    return _steps


@pytest.fixture
def fake_command(home: Path, tmp_path: Path) -> FakeCommand:
    """Return a fake `rnn-tui` for an app to run."""
    return FakeCommand(tmp_path / "calls")
