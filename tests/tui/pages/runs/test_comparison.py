import dataclasses

import numpy as np
import pytest

from tests.tui.conftest import WriteRun
from tui.pages.runs.comparison import AXES, METRICS, compare
from tui.pages.runs.table import Order, matching
from tui.sources.run_summary import RunSummary
from tui.sources.runs import CurveReaders, RunList, RunReader


@pytest.fixture
def view(write_run: WriteRun) -> RunSummary:
    reader = RunReader(write_run("first"))
    reader.read()
    return reader.view("finished")


def test_losses_have_the_unit_of_the_kind(view: RunSummary) -> None:
    music = dataclasses.replace(view, kind="music", unit="frame")
    (bits,), label, _ = compare([(0, view)], "train", "steps")
    assert label == "bits/char"
    (nats,), label, _ = compare([(0, music)], "train", "steps")
    assert label == "nats/frame"
    np.testing.assert_allclose(bits.y, nats.y / np.log(2))
    both, label, axis = compare([(0, view), (3, music)], "validation", "characters")
    assert [(one.label, one.number) for one in both] == [
        ("first bits/char", 0),
        ("first nats/frame", 3),
    ]
    assert (label, axis.label, axis.whole) == ("loss", "characters or frames", True)


def test_time_has_the_unit_of_the_longest_run(view: RunSummary) -> None:
    (line,), _, axis = compare([(0, view)], "speed", "time")
    assert (axis.label, axis.whole) == ("minutes", False)
    assert line.x[-1] == pytest.approx(250 / 60)
    slow = dataclasses.replace(
        view, columns=dataclasses.replace(view.columns, elapsed=view.columns.elapsed * 100)
    )
    lines, _, axis = compare([(0, view), (1, slow)], "validation", "time")
    assert axis.label == "hours"
    assert [line.x[-1] for line in lines] == pytest.approx([250 / 3600, 25_000 / 3600])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("axis", AXES)
def test_a_run_without_events_has_no_values(write_run: WriteRun, metric: str, axis: str) -> None:
    reader = RunReader(write_run("new", started=False))
    series, _, _ = compare([(0, reader.view("starting"))], metric, axis)
    assert all(one.x.size == one.y.size == 0 for one in series)
    assert compare([], metric, axis)[0] == []


def test_curves_are_read_again_only_after_a_change(write_run: WriteRun) -> None:
    first, second = write_run("first"), write_run("second", stamp="20250302-120000")
    readers = CurveReaders()
    before = readers.read([first, second])
    assert readers.read([first, second]) == before
    assert readers.read([first])[first.path.name] is before[first.path.name]
    assert list(readers.read([second])) == [second.path.name]


def test_runs_without_a_value_are_last_in_both_directions(write_run: WriteRun) -> None:
    for day, name in enumerate(("scored", "empty", "other"), 1):
        write_run(name, events=[] if name == "empty" else None, stamp=f"2025030{day}-120000")
    rows = RunList().read()
    order = Order().by("best valid")
    assert not order.descending
    for one in (order, order.by("best valid")):
        assert one.sort(rows)[-1].run.name == "empty"
    assert [row.run.name for row in matching(rows, "OTHER lstm")] == ["other"]
    assert matching(rows, "other gru") == []
