from collections.abc import Callable

from engine import events as kinds
from engine import rundir
from engine.rundir import RunDir
from tui.model.runs import begun
from tui.sources.runs import RunList

WriteRun = Callable[..., RunDir]


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
    assert (first.step, first.steps, first.begun) == (1000, 1000, "2025-03-01 12:00")
    assert len(first.evaluations) == 5
    assert first.best == first.evaluations[-1][1]
    assert (rows[0].step, rows[0].best, rows[0].state) == (0, None, "crashed")

    append(run, kinds.Evaluated(40, 1.0, 1.44, 10, True), kinds.Finished(40, "completed"))
    row = runs.look()[0]
    assert (row.step, row.best, row.state) == (40, 1.44, "finished")

    rundir.remove(run)
    assert [row.run.name for row in runs.look()] == ["first"]


def test_a_run_of_another_version_is_listed_too(write_run: WriteRun) -> None:
    run = write_run()
    (run.path / "config.json").write_text('{"config": {"from": "the future"}}')
    assert RunList().look()[0].model == "lstm 2 × 256"


def test_when_a_run_began_is_in_its_name() -> None:
    assert begun("20250301-120000-first") == "2025-03-01 12:00"
    assert begun("my-own-folder") == ""
    assert begun("20250301-1200") == ""
