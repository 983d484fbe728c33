import csv
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, OptionList, Static

from engine.runs import run_dir
from engine.runs.event_log import EventLog
from engine.runs.events import (
    Evaluated,
    Event,
    Failed,
    Finished,
    Heartbeat,
    Resumed,
    Sampled,
    Started,
    Step,
)
from engine.runs.run_dir import RunDir
from tests.tui.fake_command import FakeCommand
from tests.tui.page import FAILING, Page
from tui.chart.widget import LineChart
from tui.pages.run_actions import MoreStepsDialog
from tui.pages.train.choose_run_dialog import ChooseRunDialog
from tui.pages.train.new_run_dialog import NewRunDialog
from tui.pages.train.samples import Samples
from tui.pages.train.screen import TrainScreen
from tui.sources.child_commands import Programs
from tui.sources.run_summary import RunSummary
from tui.widgets.file_dialog import FileDialog

WriteRun = Callable[..., RunDir]
Append = Callable[..., None]
Opened = Callable[..., AbstractAsyncContextManager["TrainPage"]]


class TrainPage(Page[TrainScreen]):
    kind, mode = TrainScreen, "train"

    @property
    def view(self) -> RunSummary:
        assert self.screen.view is not None
        return self.screen.view

    @property
    def curve(self) -> LineChart:
        return self.screen.query_one(LineChart)

    async def until_drawn(self, name: str) -> None:
        await self.until(
            lambda: self.screen.view and self.screen.view.run.name == name and self.curve._strips
        )


@pytest.fixture
def train(home: Path) -> Opened:
    @asynccontextmanager
    async def opened(
        name: str | None = None,
        size: tuple[int, int] = (120, 36),
        programs: Programs = FAILING,
    ) -> AsyncIterator[TrainPage]:
        async with TrainPage.opened(size, programs=programs) as page:
            if name is not None:
                await page.until_drawn(name)
            yield page

    return opened


async def test_without_runs_the_page_shows_what_to_do(train: Opened, write_run: WriteRun) -> None:
    async with train() as page:
        await page.until(lambda: page.screen.has_class("-empty"))
        assert "train the demo" in page.text_of("Welcome Static")
        for key in ("s", "r", "g", "S", "c", "E"):
            await page.press(key)
        await page.until_notified("No run is attached")
        assert page.app.is_running
        write_run("first")  # by another process, meanwhile
        await page.press("4", "1")
        await page.until_drawn("first")
        assert not page.screen.has_class("-empty")


@pytest.mark.slow
async def test_the_newest_run_is_shown_zoomed_and_exported(
    train: Opened, write_run: WriteRun, append: Append, fake_command: FakeCommand
) -> None:
    write_run("old", stamp="20250101-000000")
    run = write_run("first")
    append(run, Finished(1000, "completed"))
    async with train("first", programs=fake_command.programs) as page:
        # The newest run is attached and shown in full.
        await page.until(lambda: "finished" in page.text_of("#state"))
        assert page.text_of("#facts") == "lstm 2 × 256 · 894 k parameters · data set harbour"
        assert page.text_of("#state") == "✓ finished"
        values = [str(value.visual) for value in page.screen.query(".value").results(Static)]
        assert values[0].endswith("bits")
        assert values[4].endswith("k char/s")
        assert not page.screen.query_one("#problems").display
        samples = page.text_of("#texts")
        assert samples.startswith("step 1,000 · The Lanterns · temperature 0.7\nWell do the")

        # The keys of the chart.
        press, curve = page.press, page.curve
        await press("m")
        assert curve.viewport.smoothing == 0.95
        await press("M", "M")
        assert curve.viewport.smoothing == 0.8
        await press("l", "L")
        assert (curve.viewport.log_y, curve.viewport.log_x) == (True, True)
        await press("l", "L")
        assert (curve.viewport.log_y, curve.viewport.log_x) == (False, False)

        await press("plus")
        closer = curve.viewport.span
        assert closer is not None
        assert closer[1] - closer[0] == pytest.approx(995 / 1.6)
        await press("right")
        assert curve.viewport.span is not None
        assert curve.viewport.span[0] > closer[0]
        await press("left", "shift+left")
        assert curve.viewport.span[0] == pytest.approx(5)
        await press("shift+right", "minus", "minus")
        assert curve.viewport.span is None
        await press("equals_sign", "0")
        assert curve.viewport.span is None

        await press("v")
        assert curve.viewport.cursor == 1000
        assert "step 1,000   train 1.48" in "".join(s.text for s in curve._strips)
        await press("left")
        assert curve.viewport.cursor is not None
        near = curve.viewport.cursor
        assert 980 < near < 1000
        await press("shift+left")
        assert curve.viewport.cursor < near - 50
        await press("right", "shift+right", "shift+right", "v")
        assert curve.viewport.cursor is None

        # The mouse reads and zooms.
        chart = page.curve._chart
        assert chart is not None
        await page.pilot.click(LineChart, offset=(chart.left + chart.width // 2, 5))
        assert page.curve.viewport.cursor == pytest.approx(502, abs=15)
        await page.press("v")
        await page.pilot._post_mouse_events(  # the pilot has no wheel
            [_wheel_up()], LineChart, offset=(chart.left, 5), button=0
        )
        assert page.curve.viewport.span == pytest.approx((5, 5 + 995 / 1.6), abs=1)

        # The metrics and the chart are exported to a chosen place.
        exported = run.path / "metrics.csv"
        await page.press("E")
        dialog = await page.in_front(FileDialog)
        assert dialog.query_one("#file", Input).value == "first.png"
        for name, suffix in (("chart", "jpg"), ("chart", "svg"), ("metrics", "csv")):
            if not isinstance(page.app.screen, FileDialog):
                await page.press("E")
                dialog = await page.in_front(FileDialog)
            path = run.path / f"{name}.{suffix}"
            dialog.query_one("#file", Input).value = str(path)
            await page.press("enter")
            if suffix == "jpg":
                await page.until(lambda: page.dialog_shows("must end in .png, .svg or .csv"))
            else:
                await page.until(path.exists)
                await page.until(lambda: not isinstance(page.app.screen, FileDialog))
        assert "<svg" in (run.path / "chart.svg").read_text()
        rows = list(csv.DictReader(exported.open()))
        assert len(rows) == 200
        assert rows[-1]["step"] == "1000"
        assert float(rows[-1]["valid_bits"]) == pytest.approx(1.6, abs=0.1)

        # p shows the log and the machine; all keys of the chart are known without a focus.
        await page.press("p")
        await page.until(lambda: "completed at step 1000" in page.text_of("#log-text"))
        assert "processor" in page.text_of("#system")
        await page.press("p")
        page.screen.set_focus(None)
        await page.press("0", "v")
        assert curve.viewport.cursor == 1000

        # A finished run is given more steps.
        await page.press("r")
        steps = await page.in_front(MoreStepsDialog)
        await page.press("backspace", "backspace", "backspace", "backspace", *"900", "enter")
        assert "Enter a whole number above 1,000" in str(steps.query_one("#message", Static).visual)
        await page.press("ctrl+u", *"+40")
        await page.until(lambda: "40 more steps" in str(steps.query_one("#message").visual))
        await page.press("ctrl+u", *"1500", "enter")
        await page.until(lambda: "--set train.steps=1500" in fake_command())
        assert f"train lyrics --resume {run.path} --detach --json" in fake_command()

        # n opens the form.
        await page.press("n")
        assert [type(screen) for screen in page.app.screen_stack] == [TrainScreen, NewRunDialog]
        await page.press("escape")
        assert [type(screen) for screen in page.app.screen_stack] == [TrainScreen]


async def test_a_live_run_is_followed_through_training_stop_and_resume(
    train: Opened, write_run: WriteRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.app.WATCH_SECONDS", 0.05)
    rung: list[int] = []
    monkeypatch.setattr("tui.app.RnnTuiApp.bell", lambda app: rung.append(1))
    run = write_run("live", events=[], started=False)
    run_dir.write_worker(run, os.getpid())
    async with train() as page:
        await page.until(lambda: page.screen.view and page.screen.view.state == "starting")
        await page.press("c")
        await page.until_notified("No samples to copy")
        log = EventLog(run.events)
        log.append(Started("live", "lyrics", "gru 1 × 8", 10, 100, 64, 9, 9, "x", "character",
                                 1, "cpu"))  # fmt: skip
        for step in range(5, 55, 5):
            log.append(Step(step, 1.0, 1.44, 1e-3, 0.5, 99.0, 5.0, 1.0, 60.0))
        await page.until(lambda: page.view.step == 50)
        assert page.text_of("#state") == "● live"
        assert "50 / 100 steps · 50 % · 1 min 00 s left" in str(
            page.screen.query_one("ProgressLine").render()
        )
        log.append(Heartbeat(50, "evaluating"))
        await page.until(lambda: page.view.doing == "evaluating")
        log.append(Evaluated(50, 1.1, 1.5, 10, True))
        log.append(Sampled(50, "Why", None, " \x1b[2Jnot", 0.7))
        await page.until(lambda: page.view.samples)
        assert "Why ␛[2Jnot" in page.text_of("#texts")

        for key, request in (("s", "stop"), ("g", "sample"), ("S", "save")):
            await page.press(key)
            await page.until((run.path / "control" / request).exists)
        await page.press("r")
        await page.until_notified("is already being trained")

        log.append(Finished(50, "stopped"))
        await page.until(lambda: page.text_of("#state") == "■ stopped")
        await page.until_notified("live: stopped at step 50, best 1.587 bits.")
        assert rung == [1]
        assert "Press r to resume" in page.text_of("#problems")
        (run.path / "control" / "stop").unlink()
        await page.press("s")
        await page.until_notified("is not running (stopped)")
        assert not (run.path / "control" / "stop").exists()

        log.append(Resumed(30))
        log.append(Step(35, 1.0, 1.2, 1e-3, 0.5, 99.0, 5.0, 1.0, 60.0))
        await page.until(lambda: page.view.state == "live")
        await page.until(lambda: page.view.columns.step.tolist()[-2:] == [30.0, 35.0])
        log.append(Failed(35, "The loss is not a finite number."))
        await page.until(lambda: page.text_of("#state") == "✗ failed")
        assert "Failed: The loss is not a finite number." in page.text_of("#problems")
        log.close()


def _wheel_up() -> type:
    from textual.events import MouseScrollUp

    return MouseScrollUp


async def test_the_chart_is_drawn_once_for_each_change(
    train: Opened, write_run: WriteRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.chart import drawing

    write_run("first")
    drawn: list[int] = []
    real = drawing.draw

    def draw(*arguments: Any, **words: Any) -> drawing.RenderedChart:
        drawn.append(1)
        return real(*arguments, **words)

    monkeypatch.setattr(drawing, "draw", draw)
    async with train("first") as page:
        before = -1
        while before != len(drawn):  # until the page is idle
            before = len(drawn)
            await page.pilot.pause(0.1)
        page.curve.refresh()
        await page.pilot.pause()
        page.curve.render_line(0)
        assert len(drawn) == before
        await page.press("m")
        assert len(drawn) == before + 1


async def test_samples_are_copied_and_scrolled_and_the_layout_changes(
    train: Opened, write_run: WriteRun
) -> None:
    write_run("first")
    async with train("first", size=(80, 24)) as page:
        await page.press("c")
        assert page.app.clipboard.startswith("# step 1000 · The Lanterns\nWell do the lanterns")
        assert page.app.clipboard.count("# step") == 10
        samples = page.screen.query_one(Samples)
        await page.until(lambda: samples.max_scroll_y > 0)
        await page.press("pagedown")
        await page.until(lambda: samples.scroll_y > 0)
        await page.press("up")
        await page.until(lambda: samples.scroll_y == 0)
        await page.press("down", "pageup")
        await page.press("z")
        assert (page.curve.display, samples.display) == (True, False)
        await page.press("z")
        assert (page.curve.display, samples.display) == (False, True)
        await page.press("z")
        assert (page.curve.display, samples.display) == (True, True)


@pytest.mark.slow
async def test_another_run_is_attached_from_the_list_or_when_one_is_deleted(
    train: Opened, write_run: WriteRun
) -> None:
    write_run("old", stamp="20250101-000000")
    write_run("new", stamp="20250301-000000")
    async with train("new") as page:
        # Another run is attached from the list.
        await page.press("a")
        dialog = await page.in_front(ChooseRunDialog)
        await page.until(lambda: dialog.query_one(OptionList).option_count == 2)
        await page.press("escape")
        assert page.screen.run is not None
        assert page.screen.run.name == "new"
        await page.press("a")
        again = await page.in_front(ChooseRunDialog)
        await page.until(lambda: again.query_one(OptionList).option_count == 2)
        await page.press("down", "enter")
        await page.until_drawn("old")
        # A message posted for the previous run is ignored.
        stale = page.screen._generation - 1
        from tui.sources.runs import RunChanged, RunReader

        page.screen.post_message(RunChanged(RunReader(run_dir.find("new")).view("live"), stale))
        await page.pilot.pause()
        assert page.screen.view is not None
        assert page.screen.view.run.name == "old"

        # After a run is deleted, another is shown.
        run_dir.remove(run_dir.find("old"))
        await page.until_drawn("new")


async def test_resume_calls_the_command_and_shows_its_error(
    train: Opened,
    write_run: WriteRun,
    steps_of: Callable[..., list[Event]],
    append: Append,
    fake_command: FakeCommand,
) -> None:
    run = write_run("first", events=steps_of(5, 500))
    append(run, Finished(500, "stopped"))
    async with train("first", programs=fake_command.programs) as page:
        await page.until(lambda: page.view.state == "stopped")
        await page.press("r")
        await page.in_front(MoreStepsDialog)
        await page.press("enter")  # its own number of steps
        await page.until_notified("first cannot be resumed: it has no checkpoint.")
        assert f"train lyrics --resume {run.path} --detach --json\n" in fake_command() + "\n"
