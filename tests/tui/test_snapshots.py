"""Snapshots of the Train and Runs pages, their dialogs and the list of keys."""

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from engine import config
from engine.runs.events import Event, Failed, Finished, Heartbeat
from engine.runs.run_dir import RunDir
from tests.tui.fake_command import FakeCommand
from tests.tui.page import Page, in_front, make_app, settle, until
from tui.chart.widget import LineChart
from tui.pages.runs.screen import RunsScreen
from tui.pages.runs.table import RunTable
from tui.pages.train.new_run_dialog import NewRunDialog
from tui.pages.train.screen import TrainScreen
from tui.sources import system
from tui.widgets.confirm import ConfirmScreen

WriteRun = Callable[..., RunDir]
Snap = Callable[..., bool]
Append = Callable[..., None]
StepsOf = Callable[..., list[Event]]

SIZES = [(120, 36), (80, 24), (40, 12)]
every_size = pytest.mark.parametrize("size", SIZES, ids=["120x36", "80x24", "40x12"])
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def finished(write_run: WriteRun, append: Append) -> RunDir:
    run = write_run("lanterns")
    append(run, Finished(1000, "completed", time=1_740_830_700.0))
    return run


@pytest.fixture
def several(write_run: WriteRun, append: Append, steps_of: StepsOf) -> None:
    ends = {
        "first": Finished(1000, "completed", time=0.0),
        "wider": Failed(600, "The loss is not a finite number.", time=0.0),
        "deeper": Finished(800, "stopped", time=0.0),
        "gone": Heartbeat(400, "evaluating", time=0.0),
    }
    for day, (name, event) in enumerate(ends.items(), start=1):
        last = getattr(event, "step", 0)
        run = write_run(
            name, events=steps_of(5, last, 1.3 + day / 10), stamp=f"2025030{day}-120000"
        )
        append(run, event)


def when_drawn(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Return what waits until the Train page shows its run, then presses keys."""

    async def ready(pilot: Pilot[None]) -> None:
        page = await in_front(pilot, TrainScreen)
        await until(pilot, lambda: page.has_class("-empty") or page.query_one(LineChart)._strips)
        await pilot.press(*keys)
        await settle(pilot)

    return ready


@every_size
def test_train(snap_compare: Snap, finished: RunDir, size: tuple[int, int]) -> None:
    assert snap_compare(make_app(), terminal_size=size, run_before=when_drawn())


def test_train_in_light(snap_compare: Snap, finished: RunDir) -> None:
    app = make_app()
    app.theme = "textual-light"
    assert snap_compare(app, terminal_size=(120, 36), run_before=when_drawn("plus", "v"))


def test_train_samples_alone(snap_compare: Snap, finished: RunDir) -> None:
    ready = when_drawn("z", "z")
    assert snap_compare(make_app(), terminal_size=(40, 12), run_before=ready)


@pytest.mark.parametrize("size", SIZES[1:], ids=["80x24", "40x12"])
def test_train_after_a_crash(
    snap_compare: Snap,
    write_run: WriteRun,
    steps_of: StepsOf,
    size: tuple[int, int],
) -> None:
    run = write_run("lanterns", events=steps_of(5, 400))
    run.log.write_text("MemoryError: Unable to allocate 12 GB\n")
    assert snap_compare(make_app(), terminal_size=size, run_before=when_drawn())


@pytest.mark.slow
@every_size
def test_train_without_runs(snap_compare: Snap, size: tuple[int, int]) -> None:
    assert snap_compare(make_app(), terminal_size=size, run_before=when_drawn())


@every_size
def test_help(snap_compare: Snap, finished: RunDir, size: tuple[int, int]) -> None:
    ready = when_drawn("question_mark")
    assert snap_compare(make_app(), terminal_size=size, run_before=ready)


@every_size
def test_new_run(
    snap_compare: Snap,
    fake_command: FakeCommand,
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(config, "presets", dict)
    monkeypatch.setattr(system, "gpus", tuple)

    async def ready(pilot: Pilot[None]) -> None:
        await pilot.press("n")
        form = Page(pilot, await in_front(pilot, NewRunDialog))
        await form.stop_blinking()
        await form.fill(data="", steps="many")
        await form.until(lambda: "harbour" in form.text_of("#data-note"))
        await settle(pilot)

    assert snap_compare(
        make_app(programs=fake_command.programs), terminal_size=size, run_before=ready
    )


def when_listed(rows: int, *keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Return what waits until the Runs page shows its runs, then presses keys."""

    async def ready(pilot: Pilot[None]) -> None:
        page = await in_front(pilot, RunsScreen)
        await until(pilot, lambda: page.query_one(RunTable).row_count == rows)
        await until(pilot, lambda: rows or page.has_class("-empty"))
        await settle(pilot)
        await pilot.press(*keys)
        await settle(pilot)

    return ready


@every_size
def test_runs(snap_compare: Snap, several: None, size: tuple[int, int]) -> None:
    ready = when_listed(4)
    assert snap_compare(make_app("runs"), terminal_size=size, run_before=ready)


@pytest.mark.parametrize("size", SIZES[:2], ids=["120x36", "80x24"])
def test_runs_compared(snap_compare: Snap, several: None, size: tuple[int, int]) -> None:
    ready = when_listed(4, "b", "down", "space", "down", "space")
    assert snap_compare(make_app("runs"), terminal_size=size, run_before=ready)


def test_runs_without_runs(snap_compare: Snap) -> None:
    ready = when_listed(0)
    assert snap_compare(make_app("runs"), terminal_size=(80, 24), run_before=ready)


def test_a_question_before_deleting(snap_compare: Snap, several: None) -> None:
    async def ready(pilot: Pilot[None]) -> None:
        await when_listed(4, "x")(pilot)
        await in_front(pilot, ConfirmScreen)
        await settle(pilot)

    assert snap_compare(make_app("runs"), terminal_size=(80, 24), run_before=ready)
