import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.widgets import DataTable, Input, Static
from textual.widgets._footer import FooterKey

from engine.config import settings
from engine.runs import run_dir
from engine.runs.events import Event, Finished, Heartbeat
from engine.runs.run_dir import RunDir
from tests.strange_files import replace
from tests.tui.fake_command import FakeCommand
from tests.tui.page import FAILING, Page
from tui.chart.widget import LineChart
from tui.pages.run_actions import MoreStepsDialog
from tui.pages.runs.config_dialog import ConfigDialog
from tui.pages.runs.name_dialog import NameDialog
from tui.pages.runs.screen import RunsScreen
from tui.pages.runs.table import RunTable
from tui.pages.train.new_run_dialog import NewRunDialog
from tui.pages.train.screen import TrainScreen
from tui.sources.child_commands import INSTALLED, Programs
from tui.widgets.confirm import ConfirmScreen
from tui.widgets.file_dialog import FileDialog
from tui.widgets.footer import Footer

WriteRun = Callable[..., RunDir]
Append = Callable[..., None]
StepsOf = Callable[..., list[Event]]


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
        for key in ("space", "b", "s", "r", "c", "x", "enter"):
            await page.press(key)
        await page.until_notified("No runs yet")


async def test_runs_are_sorted_filtered_named_and_compared_by_any_metric(
    write_run: WriteRun, steps_of: StepsOf, append: Append, tmp_path: Path
) -> None:
    ends = {"gulls": 400, "bells": 1000, "Anchor": 200}
    for day, (name, last) in enumerate(ends.items(), 1):
        write_run(name, events=steps_of(5, last, day), stamp=f"2025030{day}-120000")
    async with opened(3) as page:
        table = page.table

        # The runs are sorted by a click on a column's name, another reverses them; and by keys.
        assert page.column(1) == ["Anchor", "bells", "gulls"]
        await page.pilot.click(RunTable, offset=(5, 0))
        assert page.column(1) == ["Anchor", "bells", "gulls"]
        await page.pilot.click(RunTable, offset=(5, 0))
        assert page.column(1) == ["gulls", "bells", "Anchor"]
        assert [column.label.plain for column in table.ordered_columns][1] == "run ▼"
        await page.press("greater_than_sign", "greater_than_sign")
        assert page.column(3) == ["1,000/1,000", "400/1,000", "200/1,000"]
        assert table.current == "20250303-120000-Anchor"  # the cursor has stayed
        await page.press("R")
        assert page.column(1) == ["Anchor", "gulls", "bells"]
        await page.press("less_than_sign", "less_than_sign", "less_than_sign")
        assert [column.label.plain for column in table.ordered_columns][-1] == "started ▼"

        # The footer has what can be done with the run under the cursor.
        footer = page.screen.query_one(Footer)
        keys = [key.description for key in footer.query(FooterKey)]
        assert {"Attach", "Resume", "Delete"} < set(keys)
        assert "Stop" not in keys

        # The table is filtered while words are typed.
        await page.press("slash", *"GULL")
        assert page.column(1) == ["gulls"]
        await page.press("x")
        assert page.column(1) == []
        await page.press("enter", "space")
        await page.until_notified("No run contains these words")
        await page.press("escape")
        assert page.column(1) == ["Anchor", "bells", "gulls"]
        assert not page.field("filter").display

        # A run is renamed, and gets a note; a wrong name is refused.
        await page.press("home", "e")
        dialog = await page.in_front(NameDialog)
        dialog.query_one("#name", Input).value = "bells"
        await page.press("enter")
        await page.until(
            lambda: "already exists" in str(dialog.query_one("#problem", Static).visual)
        )
        dialog.query_one("#name", Input).value = "chain"
        dialog.query_one("#note", Input).value = "half the steps"
        await page.pilot.click("#save")
        await page.until(lambda: page.column(1) == ["chain", "bells", "gulls"])
        assert page.column(2) == ["half the steps", "", ""]
        assert run_dir.find("chain").note == "half the steps"
        await page.press("slash", *"half", "enter")
        assert page.column(1) == ["chain"]
        await page.press("escape")

        # All are marked and compared, by any metric, over steps, time or characters.
        chart = page.screen.query_one(LineChart)
        await page.press("ctrl+a", "b")
        await page.until(lambda: len(chart._series) == 3)
        assert [s.label for s in chart._series] == ["chain", "bells", "gulls"]
        assert chart.y_label == "bits/char"
        await page.press("full_stop", "full_stop")
        assert [s.label for s in chart._series][:2] == ["chain train", "chain valid"]
        await page.press("full_stop")
        assert [s.y[0] for s in chart._series] == pytest.approx([4.18e-3] * 3)
        await page.press("full_stop", "full_stop")
        assert chart.y_label == "characters per second"
        await page.press("a")
        assert [s.x[-1] for s in chart._series] == pytest.approx([50 / 60, 250 / 60, 100 / 60])
        await page.press("a")
        assert [s.x[-1] for s in chart._series] == [200 * 4096, 1000 * 4096, 400 * 4096]

        # The keys of the chart work while the table has the focus, and its cursor is silent
        # about runs that have ended.
        await page.press("a", "comma", "v")
        assert page.focused == "table"
        assert chart.viewport.cursor == 1000
        read = "".join(strip.text for strip in chart._strips)
        assert read.count("–") == 2
        await page.press("shift+left", "left", "m", "plus")
        assert chart.viewport.cursor < 1000
        assert chart.viewport.smoothing > 0
        assert chart.viewport.span is not None

        # A click marks; a click on the name of a metric chooses it.
        await page.pilot.click(RunTable, offset=(1, 2))
        assert [s.label for s in chart._series] == ["chain", "gulls"]
        await page.pilot.click("#choices", offset=(4, 0))
        assert chart._series[0].kind == "points"

        # What is seen is exported: the chart, and without it the table.
        for name, start in (("chart.csv", "step,chain,gulls"), ("table.csv", "run,note,state")):
            await page.press("E")
            files = await page.in_front(FileDialog)
            files.query_one("#file", Input).value = str(tmp_path / name)
            await page.press("enter")
            await page.until((tmp_path / name).exists)
            assert (tmp_path / name).read_text().startswith(start)
            await page.in_front(RunsScreen)
            await page.press("b")

        # Two runs differ in a setting.
        config = run_dir.find("gulls").path / "config.json"
        config.write_text(config.read_text().replace('"hidden_size": 256', '"hidden_size": 64'))
        await page.press("d")
        shown = await page.in_front(ConfigDialog)
        rows = shown.query_one(DataTable)
        assert [cell.plain for cell in rows.get_row_at(0)] == ["model.hidden_size", "256", "64"]
        assert rows.row_count == 1
        assert "units in each recurrent layer" in str(shown.query_one("#meaning", Static).visual)
        await page.press("c")
        assert page.app.clipboard.endswith("# gulls\nmodel.hidden_size=64")
        await page.press("d")
        assert rows.row_count == len(settings()) + 1
        await page.press("escape")

        # n starts a run on the Train page.
        await page.press("n")
        await page.in_front(NewRunDialog)


@pytest.mark.slow
async def test_runs_are_copied_compared_followed_and_attached(
    three: list[RunDir], append: Append, write_run: WriteRun
) -> None:
    async with opened(3) as page:
        # The path is copied.
        await page.press("c")
        assert page.app.clipboard == str(three[2].path)

        # Marked runs are compared, each in its color.
        chart = page.screen.query_one(LineChart)

        def compared() -> list[tuple[str, int]]:
            return [(one.label, one.number) for one in chart._series]

        await page.press("b")
        await page.until(lambda: compared() == [("a", 0)])  # the one under the cursor
        assert chart.is_on_screen
        await page.press("down", "down", "space")
        await page.until(lambda: page.column(0) == ["●", " ", "◆"])
        await page.until(lambda: compared() == [("a", 0), ("c", 1)])
        await page.press("up", "up", "space")  # unmark a: c keeps its color
        assert compared() == [("c", 1)]
        await page.until(lambda: "◆" in chart._strips[0].text)
        await page.press("down", "space")
        await page.until(lambda: compared() == [("c", 1), ("b", 0)])
        await page.press("b")
        assert not chart.is_on_screen

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
        await page.in_front(MoreStepsDialog)
        await page.press(*"+40", "enter")
        await page.until_notified("b cannot be resumed")
        words = f"train lyrics --resume {three[1].path} --detach --json --set train.steps=1040"
        assert words in fake_command()

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
    strange = write_run("strange", started=False, stamp="20250101-120000")
    replace(strange.path / "config.json", "fifo")
    replace(strange.path / "note.txt", "fifo")
    async with opened(2, INSTALLED) as page:
        assert page.column(1) == ["old", "strange"]
        assert page.column(2) == ["! crashed", "! crashed"]
        assert page.column(5) == ["(cannot be read)"] * 2
        await page.press("r")
        await page.until_notified(
            "The run 'old' was made by another version of rnn-tui (format 1, not"
        )
