import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from engine.runs import run_dir
from engine.runs.events import Finished, Heartbeat
from engine.runs.run_dir import RunDir
from tests.tui.fake_command import FakeCommand
from tests.tui.page import FAILING, Page
from tui.chart.widget import LineChart
from tui.pages.runs.screen import RunsScreen
from tui.pages.runs.table import RunTable
from tui.pages.train.screen import TrainScreen
from tui.sources.child_commands import INSTALLED, Programs
from tui.widgets.confirm import ConfirmScreen

WriteRun = Callable[..., RunDir]
Append = Callable[..., None]


class RunsPage(Page[RunsScreen]):
    kind, mode = RunsScreen, "runs"

    @property
    def table(self) -> RunTable:
        return self.screen.query_one(RunTable)

    def column(self, number: int) -> list[str]:
        return [self.table.get_row_at(row)[number].plain for row in range(self.table.row_count)]


@asynccontextmanager
async def opened(count: int, programs: Programs = FAILING) -> AsyncIterator[RunsPage]:
    async with RunsPage.opened((120, 36), programs=programs) as page:
        await page.until(lambda: page.table.row_count == count)
        yield page


@pytest.fixture
def three(write_run: WriteRun) -> list[RunDir]:
    return [write_run(name, stamp=f"2025030{day}-120000") for day, name in enumerate("cba", 1)]


async def test_without_runs_the_page_shows_what_to_do(home: object) -> None:
    async with opened(0) as page:
        await page.until(lambda: page.screen.has_class("-empty"))
        page.table.action_page_down()  # as its key does before the runs were read
        page.table.action_select_cursor()
        for key in ("space", "o", "s", "r", "y", "x", "enter"):
            await page.press(key)
        await page.until_notified("No runs yet")


async def test_no_more_runs_than_colors_are_compared(write_run: WriteRun) -> None:
    for number in range(7):
        write_run(f"run{number}", events=[], stamp=f"2025030{number + 1}-120000")
    async with opened(7) as page:
        for _ in range(7):
            await page.press("space", "down")
        await page.until_notified("At most 6 runs")


async def test_runs_are_copied_compared_followed_and_attached(
    three: list[RunDir], append: Append, write_run: WriteRun
) -> None:
    async with opened(3) as page:
        # The path is copied.
        await page.press("y")
        assert page.app.clipboard == str(three[2].path)

        # Marked runs are compared, each in its color.
        chart = page.screen.query_one(LineChart)
        await page.press("o")
        assert chart.display
        assert [s.label for s in chart._series] == ["a"]  # the one under the cursor
        await page.press("down", "down", "space")
        await page.until(lambda: page.column(0) == ["●", " ", "◆"])
        assert [(s.label, s.color) for s in chart._series] == [("a", 0), ("c", 1)]
        await page.press("up", "up", "space")  # unmark a: c keeps its color
        assert [(s.label, s.color) for s in chart._series] == [("c", 1)]
        await page.until(lambda: "◆" in chart._strips[0].text)
        await page.press("down", "space")
        assert [(s.label, s.color) for s in chart._series] == [("c", 1), ("b", 0)]
        await page.press("o")
        assert not chart.display

        # The table follows the runs, and the cursor stays.
        await page.press("up")
        assert page.column(1) == ["a", "b", "c"]
        assert page.column(3) == ["1,000/1,000"] * 3
        await page.press("down")
        append(three[1], Finished(1000, "completed"))
        await page.until(lambda: page.column(2) == ["! crashed", "✓ finished", "! crashed"])
        write_run("new", stamp="20250401-120000")
        await page.until(lambda: page.table.row_count == 4)
        assert page.table.current == "20250302-120000-b"

        # Enter attaches the run.
        await page.press("enter")
        train = await page.in_front(TrainScreen)
        await page.until(lambda: train.view and train.view.run.name == "b")

        # A run locked by another process is not deleted.
        await page.press("4", "up")
        await page.in_front(RunsScreen)
        with three[2].lock():
            await page.press("x", "y")
            await page.until_notified("is already being trained")
        assert three[2].path.exists()


async def test_runs_are_stopped_resumed_and_deleted(
    three: list[RunDir], append: Append, fake_command: FakeCommand
) -> None:
    run_dir.write_worker(three[2], os.getpid())
    append(three[2], Heartbeat(1000, "waiting"))
    append(three[1], Finished(1000, "stopped"))
    async with opened(3, fake_command.programs) as page:
        # Stop and resume.
        await page.press("s")
        await page.until((three[2].path / "control" / "stop").exists)
        await page.press("down", "s")
        await page.until_notified("b is not running (stopped)")
        await page.press("r")
        await page.until_notified("b cannot be resumed")
        assert f"train lyrics --resume {three[1].path} --detach --json" in fake_command()

        # Deleting asks first, and refuses a run in training.
        await page.press("up")
        await page.press("x")
        await page.until_notified("a is being trained")
        await page.press("down", "x")
        assert isinstance(page.app.screen, ConfirmScreen)
        await page.press("enter")  # "No" has the focus
        assert three[1].path.exists()
        await page.press("x", "n")
        assert three[1].path.exists()
        await page.press("x")
        await page.pilot.click("#no")
        assert three[1].path.exists()
        await page.press("x", "y")
        await page.until(lambda: not three[1].path.exists())
        await page.until(lambda: page.column(1) == ["a", "c"])


async def test_a_run_of_another_format_is_listed_and_why_it_cannot_be_resumed(
    write_run: WriteRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run("old", started=False)
    (run.path / "config.json").write_text('{"config": {"train": {"lanes": 4}}}')
    async with opened(1, INSTALLED) as page:
        assert page.column(1) == ["old"]
        assert page.column(2) == ["! crashed"]
        await page.press("r")
        await page.until_notified(
            "The run 'old' was made by another version of rnn-tui (format 1, not"
        )
