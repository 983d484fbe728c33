import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.inference import models
from engine.runs import run_dir
from engine.runs.events import Evaluated, Finished, Resumed, Step
from engine.runs.run_dir import RunDir
from tests.strange_files import STRANGE, replace
from tui.sources.run_summary import start_time
from tui.sources.runs import RunChanged, RunList, RunReader, follow_run, newest_run

WriteRun = Callable[..., RunDir]
Append = Callable[..., None]


def test_a_row_for_each_run_newest_first_reading_only_new_events(
    write_run: WriteRun, append: Callable[..., None]
) -> None:
    runs = RunList()
    assert runs.read() == ()
    write_run("first", stamp="20250301-120000")
    run = write_run("second", events=[], stamp="20250302-120000")
    rows = runs.read()
    assert [row.run.name for row in rows] == ["second", "first"]
    first = rows[1]
    assert (first.kind, first.model, first.data_set) == ("lyrics", "lstm 2 × 256", "harbour")
    assert (first.step, first.total_steps, first.started_at) == (1000, 1000, "2025-03-01 12:00")
    assert first.best is not None
    assert first.best.step == 1000
    assert first.best_loss == f"{first.best.bits:.3f} bits"
    assert (rows[0].step, rows[0].best_loss, rows[0].state) == (0, "–", "crashed")

    append(run, Evaluated(40, 1.0, 1.44, 10, True), Finished(40, "completed"))
    row = runs.read()[0]
    assert (row.step, row.best_loss, row.state) == (40, "1.443 bits", "finished")

    run_dir.remove(run)
    assert [row.run.name for row in runs.read()] == ["first"]


def test_a_run_of_another_version_is_listed_too(write_run: WriteRun) -> None:
    run = write_run()
    (run.path / "config.json").write_text('{"config": {"from": "the future"}}')
    assert RunList().read()[0].model == "lstm 2 × 256"


def test_a_strange_run_is_named_and_the_others_are_listed(write_run: WriteRun) -> None:
    for file in ("config.json", "events.jsonl", "summary.json", "worker.json", "note.txt"):
        for kind in STRANGE:
            run = write_run(f"{kind}-{file}")
            replace(run.path / file, kind)
            if file == "config.json":
                run.events.unlink()
    write_run("good", stamp="20250302-120000")
    worker = f'{{"pid": Infinity, "host": "{socket.gethostname()}"}}'
    (write_run("infinite").path / "worker.json").write_text(worker)
    rows = {row.run.name: row for row in RunList().read()}
    assert len(rows) == 2 + 5 * len(STRANGE)
    assert (rows.pop("good").step, rows["infinite"].state) == (1000, "crashed")
    for name, row in rows.items():
        model = "(cannot be read)" if name.endswith("config.json") else "lstm 2 × 256"
        assert row.model == model, name
        RunReader(row.run).view(row.state)
        assert len(row.note) <= 4096
    assert len(models.list_models()) >= 5
    assert newest_run() is not None


def test_a_run_starts_at_the_time_in_its_folder_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    assert start_time("20250301-120000-first") == "2025-03-01 21:00"
    monkeypatch.undo()
    time.tzset()
    assert start_time("my-own-folder") == ""
    assert start_time("20250301-1200") == ""


def step(number: int, bits: float | None = 2.0) -> Step:
    loss = None if bits is None else bits * 0.69
    return Step(number, loss, bits, 1e-3, None, 100.0, 50.0, 1.0, 9.0)


def test_a_reader_adds_new_events_and_drops_those_that_a_resume_made_void(
    write_run: WriteRun, append: Append
) -> None:
    run = write_run(events=[step(5), step(10, None), step(15)])
    reader = RunReader(run)
    assert reader.read()
    first = reader.view("live")
    np.testing.assert_array_equal(first.columns.step, [5, 10, 15])
    np.testing.assert_array_equal(first.columns.loss, [1.38, np.nan, 1.38])
    assert np.isnan(first.columns.grad_norm).all()
    assert not reader.read()

    append(run, Resumed(10), step(15, 1.5), step(20, 1.25))
    assert reader.read()
    view = reader.view("live")
    np.testing.assert_array_equal(view.columns.step, [5, 10, 15, 20])
    np.testing.assert_allclose(view.columns.loss, [1.38, np.nan, 1.035, 0.8625])
    assert view.step == 20
    np.testing.assert_array_equal(first.columns.step, [5, 10, 15])  # a snapshot does not change


def test_before_its_first_event_a_run_is_described_by_its_config(write_run: WriteRun) -> None:
    run = write_run(started=False)
    view = RunReader(run).view("starting")
    assert (view.model, view.data_set, view.total_steps, view.step) == (
        "lstm 2 × 256",
        "harbour",
        1000,
        0,
    )
    (run.path / "config.json").write_text("{}")
    assert RunReader(run).view("starting").model == "(cannot be read)"


def test_samples_are_newest_first(write_run: WriteRun) -> None:
    reader = RunReader(write_run())
    reader.read()
    samples = reader.view("finished").samples
    assert [sample.step for sample in samples] == [s for s in range(1000, 0, -200) for _ in "ab"]


@pytest.fixture
def following() -> Iterator[Callable[[RunDir], list[RunChanged]]]:
    """Return a function that follows a run in a thread, which ends with the test."""
    cancelled, threads = threading.Event(), []

    def start(run: RunDir) -> list[RunChanged]:
        posted: list[RunChanged] = []
        thread = threading.Thread(target=follow_run, args=(run, 7, posted.append, cancelled))
        thread.start()
        threads.append(thread)
        return posted

    yield start
    cancelled.set()
    for thread in threads:
        thread.join()


def wait(condition: Callable[[], object]) -> None:
    clock = threading.Event()
    for _ in range(1000):
        if condition():
            return
        clock.wait(0.01)
    raise AssertionError("the condition never held")


def test_following_posts_new_events_and_states(
    write_run: WriteRun, append: Append, following: Callable[[RunDir], list[RunChanged]]
) -> None:
    run = write_run(started=False)
    run_dir.write_worker(run, os.getpid())
    posted = following(run)
    wait(lambda: posted)
    assert (posted[0].view.state, posted[0].generation) == ("starting", 7)
    append(run, step(5))
    wait(lambda: posted[-1].view.step == 5)
    assert posted[-1].view.state == "live"
    append(run, Finished(5, "stopped"))
    wait(lambda: posted[-1].view.state == "stopped")
    count = len(posted)
    shutil.rmtree(run.path)
    wait(lambda: posted[-1].view.state == "gone")
    assert len(posted) == count + 1  # nothing is posted twice


def test_a_crashed_run_has_the_last_lines_of_its_log(write_run: WriteRun) -> None:
    run = write_run(events=[step(5)])
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    run_dir.write_worker(run, ended.pid)
    run.log.write_text("".join(f"line {number}\n" for number in range(2000)) + "\n")
    reader = RunReader(run)
    reader.read()
    assert reader.state() == "crashed"
    view = reader.view("crashed")
    assert view.log == ("line 1996", "line 1997", "line 1998", "line 1999")


def test_the_newest_run_in_training_is_preferred(write_run: WriteRun, home: Path) -> None:
    assert newest_run() is None
    old = write_run("old", stamp="20250101-000000")
    new = write_run("new", stamp="20250202-000000")
    assert newest_run() == new
    run_dir.write_worker(old, os.getpid())
    assert newest_run() == old
