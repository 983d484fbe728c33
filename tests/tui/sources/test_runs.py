import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.runs import events as kinds
from engine.runs import run_dir
from engine.runs.run_dir import RunDir
from tui.sources import runs as source
from tui.sources.run_view import start_time
from tui.sources.runs import RunChanged, RunList, RunReader, follow_run

WriteRun = Callable[..., RunDir]
Append = Callable[..., None]


def test_one_row_a_run_newest_first_reading_only_what_is_new(
    write_run: WriteRun, append: Callable[..., None]
) -> None:
    runs = RunList()
    assert runs.look() == ()
    write_run("first", stamp="20250301-120000")
    run = write_run("second", events=[], stamp="20250302-120000")
    rows = runs.look()
    assert [row.run.name for row in rows] == ["second", "first"]
    first = rows[1]
    assert (first.kind, first.model, first.corpus) == ("lyrics", "lstm 2 × 256", "harbour")
    assert (first.step, first.steps, first.started_at) == (1000, 1000, "2025-03-01 12:00")
    assert len(first.evaluations) == 5
    assert first.best == first.evaluations[-1][1]
    assert (rows[0].step, rows[0].best, rows[0].state) == (0, None, "crashed")

    append(run, kinds.Evaluated(40, 1.0, 1.44, 10, True), kinds.Finished(40, "completed"))
    row = runs.look()[0]
    assert (row.step, row.best, row.state) == (40, 1.44, "finished")

    run_dir.remove(run)
    assert [row.run.name for row in runs.look()] == ["first"]


def test_a_run_of_another_version_is_listed_too(write_run: WriteRun) -> None:
    run = write_run()
    (run.path / "config.json").write_text('{"config": {"from": "the future"}}')
    assert RunList().look()[0].model == "lstm 2 × 256"


def test_when_a_run_began_is_in_its_name() -> None:
    assert start_time("20250301-120000-first") == "2025-03-01 12:00"
    assert start_time("my-own-folder") == ""
    assert start_time("20250301-1200") == ""


def step(number: int, bits: float | None = 2.0) -> kinds.Step:
    loss = None if bits is None else bits * 0.69
    return kinds.Step(number, loss, bits, 1e-3, None, 100.0, 50.0, 1.0, 9.0)


def test_a_fold_grows_with_the_file_and_forgets_what_a_resume_has_made_void(
    write_run: WriteRun, append: Append
) -> None:
    run = write_run(events=[step(5), step(10, None), step(15)])
    fold = RunReader(run)
    assert fold.read()
    first = fold.view("live")
    np.testing.assert_array_equal(first.columns.step, [5, 10, 15])
    np.testing.assert_array_equal(first.columns.bits, [2, np.nan, 2])
    assert np.isnan(first.columns.grad_norm).all()
    assert not fold.read()

    append(run, kinds.Resumed(10), step(15, 1.5), step(20, 1.25))
    assert fold.read()
    view = fold.view("live")
    np.testing.assert_array_equal(view.columns.step, [5, 10, 15, 20])
    np.testing.assert_array_equal(view.columns.bits, [2, np.nan, 1.5, 1.25])
    assert view.step == 20
    np.testing.assert_array_equal(first.columns.step, [5, 10, 15])  # what was told stays


def test_before_its_first_event_a_run_is_known_by_its_settings(write_run: WriteRun) -> None:
    run = write_run(begun=False)
    view = RunReader(run).view("starting")
    assert (view.model, view.corpus, view.steps, view.step) == ("lstm 2 × 256", "harbour", 1000, 0)
    (run.path / "config.json").write_text("{}")
    assert RunReader(run).view("starting").model == ""


def test_samples_come_newest_first(write_run: WriteRun) -> None:
    view = RunReader(write_run())
    view.read()
    samples = view.view("finished").samples
    assert [sample.step for sample in samples] == [s for s in range(1000, 0, -200) for _ in "ab"]


@pytest.fixture
def following() -> Iterator[Callable[[RunDir], list[RunChanged]]]:
    """Follows runs in threads that end with the test."""
    cancelled, threads = threading.Event(), []

    def begin(run: RunDir) -> list[RunChanged]:
        told: list[RunChanged] = []
        thread = threading.Thread(target=follow_run, args=(run, 7, told.append, cancelled))
        thread.start()
        threads.append(thread)
        return told

    yield begin
    cancelled.set()
    for thread in threads:
        thread.join()


def wait(true: Callable[[], object]) -> None:
    clock = threading.Event()
    for _ in range(1000):
        if true():
            return
        clock.wait(0.01)
    raise AssertionError("it never came true")


def test_following_tells_of_new_events_and_of_the_state(
    write_run: WriteRun, append: Append, following: Callable[[RunDir], list[RunChanged]]
) -> None:
    run = write_run(begun=False)
    run_dir.write_worker(run, os.getpid())
    told = following(run)
    wait(lambda: told)
    assert (told[0].view.state, told[0].generation) == ("starting", 7)
    append(run, step(5))
    wait(lambda: told[-1].view.step == 5)
    assert told[-1].view.state == "live"
    append(run, kinds.Finished(5, "stopped"))
    wait(lambda: told[-1].view.state == "stopped")
    count = len(told)
    shutil.rmtree(run.path)
    wait(lambda: told[-1].view.state == "gone")
    assert len(told) == count + 1  # nothing is told twice


def test_a_crashed_run_shows_the_last_of_its_log(write_run: WriteRun) -> None:
    run = write_run(events=[step(5)])
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    run_dir.write_worker(run, ended.pid)
    run.log.write_text("".join(f"line {number}\n" for number in range(2000)) + "\n")
    fold = RunReader(run)
    fold.read()
    assert fold.state() == "crashed"
    view = fold.view("crashed")
    assert view.log == ("line 1996", "line 1997", "line 1998", "line 1999")


def test_the_newest_live_run_comes_first(write_run: WriteRun, home: Path) -> None:
    assert source.newest_run() is None
    old = write_run("old", stamp="20250101-000000")
    new = write_run("new", stamp="20250202-000000")
    assert source.newest_run() == new
    run_dir.write_worker(old, os.getpid())
    assert source.newest_run() == old
