from pathlib import Path

import numpy as np
import pytest

from engine.runs.events import Evaluated, Step
from engine.runs.run_dir import RunDir
from tui.sources import run_summary
from tui.sources.run_summary import STATES, MetricColumns, RunSummary

NONE = np.zeros(0)


def view(state: str = "live", **changes: object) -> RunSummary:
    values: dict[str, object] = {
        "run": RunDir(Path("runs/20250301-120000-first")),
        "state": state,
        "model": "lstm 2 × 256",
        "kind": "lyrics",
        "data_set": "harbour",
        "unit": "character",
        "step": 0,
        "total_steps": 1000,
        "started": None,
        "last_step": None,
        "last_evaluation": None,
        "best_evaluation": None,
        "columns": MetricColumns(NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
        "samples": (),
        "doing": "",
        "reason": "",
        "log": (),
    }
    return RunSummary(**{**values, **changes})  # type: ignore[arg-type]


STEP = Step(250, 1.2, 1.73, 3e-3, 0.5, 12_400.0, 612.0, 62.0, 187.0, time=0.0)
EVALUATION = Evaluated(200, 1.3, 1.875, 1000, True, time=0.0)


def test_a_run_without_events_has_metrics_without_values() -> None:
    metrics = run_summary.metrics(view("starting"))
    assert [metric.value for metric in metrics] == ["–"] * 6
    assert run_summary.progress_text(view("starting")) == "0 / 1,000 steps · 0 %"


def test_the_metrics_of_a_live_run() -> None:
    metrics = run_summary.metrics(
        view(last_step=STEP, last_evaluation=EVALUATION, best_evaluation=EVALUATION, step=250)
    )
    assert [(metric.value, metric.note) for metric in metrics] == [
        ("1.731 bits", "per character"),
        ("1.876 bits", "best 1.876 at 200"),
        ("0.500", "before clipping"),
        ("3.00e-03", ""),
        ("12.4 k char/s", "memory 612 MB"),
        ("1 min 02 s", "0.25 s per step"),
    ]


def test_losses_of_music_are_in_nats() -> None:
    music = view(kind="music", unit="frame", last_step=STEP, best_evaluation=EVALUATION)
    metrics = run_summary.metrics(music)
    assert (metrics[0].value, metrics[0].note) == ("1.200 nats", "per frame")
    assert metrics[1].note == "best 1.300 at 200"


def test_a_loss_that_is_not_finite_has_no_value() -> None:
    bad = Step(5, None, None, 3e-3, None, 1.0, 1.0, 1.0, None, time=0.0)
    assert run_summary.metrics(view(last_step=bad))[0].value == "–"


def test_progress_in_words() -> None:
    live = view(last_step=STEP, step=250, doing="evaluating")
    assert (
        run_summary.progress_text(live) == "250 / 1,000 steps · 25 % · 3 min 07 s left · evaluating"
    )
    finished = view("finished", last_step=STEP, step=1000)
    assert run_summary.progress_text(finished) == "1,000 / 1,000 steps · 100 %"


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_its_own_mark(state: str) -> None:
    marks = [style.mark for style in STATES.values()]
    assert marks.count(STATES[state].mark) == 1
    run_summary.problem_lines(view(state))  # does not fail


def test_problems_have_a_remedy() -> None:
    assert run_summary.problem_lines(view("live")) == []
    failed = run_summary.problem_lines(view("failed", reason="The loss is not finite."))
    assert failed == [
        "Failed: The loss is not finite.",
        "Press r to resume from the last checkpoint.",
    ]
    crashed = run_summary.problem_lines(view("crashed", step=5, log=("Killed\x1b[0m",)))
    assert crashed[0] == "Killed␛[0m"
    assert "Press r to resume" in crashed[1]
    assert "Press n to start another" in run_summary.problem_lines(view("crashed"))[0]


def test_a_trend_is_short_and_omits_values_that_are_not_finite() -> None:
    assert run_summary.trend(np.array([1.0, np.nan, 3.0])) == (1.0, 3.0)
    long = run_summary.trend(np.arange(1000.0))
    assert len(long) == 40
    assert long[0] == pytest.approx(12.0)
    assert list(long) == sorted(long)
