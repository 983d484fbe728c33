from pathlib import Path

import numpy as np
import pytest

from engine.runs import events as kinds
from engine.runs.event_log import History
from engine.runs.run_dir import RunDir
from tui.sources import run_view as views
from tui.sources.run_view import CSV_COLUMNS, STATES, MetricColumns, RunView, metrics_csv

NONE = np.zeros(0)


def view(state: str = "live", **changes: object) -> RunView:
    values: dict[str, object] = {
        "run": RunDir(Path("runs/20250301-120000-first")),
        "state": state,
        "model": "lstm 2 × 256",
        "corpus": "harbour",
        "unit": "character",
        "step": 0,
        "steps": 1000,
        "started": None,
        "last": None,
        "latest": None,
        "best": None,
        "columns": MetricColumns(NONE, NONE, NONE, NONE, NONE, NONE, NONE),
        "samples": (),
        "doing": "",
        "reason": "",
        "log": (),
    }
    return RunView(**{**values, **changes})  # type: ignore[arg-type]


STEP = kinds.Step(250, 1.2, 1.73, 3e-3, 0.5, 12_400.0, 612.0, 62.0, 187.0, time=0.0)
LOOK = kinds.Evaluated(200, 1.3, 1.875, 1000, True, time=0.0)


def test_a_run_that_has_said_nothing_has_figures_all_the_same() -> None:
    figures = views.metrics(view("starting"))
    assert [figure.value for figure in figures] == ["–"] * 6
    assert views.progress_text(view("starting")) == "0 / 1,000 steps · 0 %"


def test_the_figures_of_a_live_run() -> None:
    figures = views.metrics(view(last=STEP, latest=LOOK, best=LOOK, step=250))
    assert [(figure.value, figure.note) for figure in figures] == [
        ("1.730 bits", "loss 1.200 nats"),
        ("1.875 bits", "best 1.875"),
        ("0.500", "unclipped norm"),
        ("3.00e-03", "learning rate"),
        ("12.4 k/s", "memory 612 MB"),
        ("1 min 02 s", "3 min 07 s left"),
    ]


def test_a_loss_that_is_no_number_is_said_so() -> None:
    bad = kinds.Step(5, None, None, 3e-3, None, 1.0, 1.0, 1.0, None, time=0.0)
    assert views.metrics(view(last=bad))[0].value == "–"


def test_progress_in_words() -> None:
    live = view(last=STEP, step=250, doing="evaluating")
    assert views.progress_text(live) == "250 / 1,000 steps · 25 % · 3 min 07 s left · evaluating"
    assert (
        views.progress_text(view("finished", last=STEP, step=1000)) == "1,000 / 1,000 steps · 100 %"
    )


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_mark_of_its_own(state: str) -> None:
    marks = [mark for mark, _, _ in STATES.values()]
    assert marks.count(STATES[state][0]) == 1
    views.problem_lines(view(state))  # and something, or nothing, to say


def test_trouble_is_said_with_its_remedy() -> None:
    assert views.problem_lines(view("live")) == []
    failed = views.problem_lines(view("failed", reason="The loss is not finite."))
    assert failed == ["Failed: The loss is not finite.", "r goes on from its last checkpoint."]
    crashed = views.problem_lines(view("crashed", step=5, log=("Killed\x1b[0m",)))
    assert crashed[0] == "Killed␛[0m"
    assert "r resumes" in crashed[1]
    assert "n starts another" in views.problem_lines(view("crashed"))[0]


def test_a_trend_is_short_and_leaves_out_what_is_no_number() -> None:
    assert views.trend(np.array([1.0, np.nan, 3.0])) == (1.0, 3.0)
    long = views.trend(np.arange(1000.0))
    assert len(long) == 40
    assert long[0] == pytest.approx(12.0)
    assert list(long) == sorted(long)


def test_a_line_a_step_with_what_is_known_there() -> None:
    history = History()
    history.add(kinds.Step(5, 1.5, 2.25, 0.004, None, 1000.0, 50.0, 1.0, None, time=10.0))
    history.add(kinds.Step(10, 1.25, 2.0, 0.003, 0.5, 1000.0, 50.0, 2.0, 3.0, time=11.0))
    history.add(kinds.Evaluated(10, 1.375, 2.125, 99, True, time=12.0))
    history.add(kinds.Evaluated(12, 1.5, 2.5, 99, False, time=13.0))
    assert metrics_csv(history).splitlines() == [
        ",".join(CSV_COLUMNS),
        "5,10.0,1.0,1.5,2.25,,,,0.004,,1000.0,50.0",
        "10,11.0,2.0,1.25,2.0,1.375,2.125,1,0.003,0.5,1000.0,50.0",
        "12,13.0,,,,1.5,2.5,0,,,,",
    ]


def test_nothing_but_the_header_before_the_first_step() -> None:
    assert metrics_csv(History()) == ",".join(CSV_COLUMNS) + "\n"
