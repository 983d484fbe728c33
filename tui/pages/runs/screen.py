"""The Runs page: all runs in a table, and their validation curves side by side."""

import asyncio
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import DataTable, Static

from engine.errors import InputError
from engine.runs import run_dir
from engine.runs.run_dir import ACTIVE
from tui.chart.widget import LineChart
from tui.pages import run_actions
from tui.pages.run_actions import AttachRun
from tui.pages.runs.table import RunTable
from tui.sources.run_view import RunRow
from tui.sources.runs import RunList, RunsRead
from tui.widgets.confirm import ConfirmScreen
from tui.widgets.footer import Footer

_EVERY = 1.0  # seconds between two looks at the runs
_WELCOME = """\
[b]No runs yet[/b]

Every training run is listed here, also those started by [b]rnn-tui train[/b].

[@click=app.page('train')][b reverse] 1 [/][/] then [b reverse] n [/]  start one"""


class RunsScreen(Screen[None]):
    """Lists the runs; space marks those whose curves are laid over each other."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark", id="runs.mark",
                tooltip="Mark the run for comparison, or unmark it"),
        Binding("o", "overlay", "Overlay", id="runs.overlay",
                tooltip="Lay the validation curves of the marked runs over each other"),
        Binding("s", "stop", "Stop", id="runs.stop",
                tooltip="Stop the run after its next step; it can be resumed"),
        Binding("r", "resume", "Resume", id="runs.resume",
                tooltip="Go on with a run that stopped, failed or crashed"),
        Binding("y", "copy_path", "Copy path", show=False, id="runs.copy_path",
                tooltip="Copy the path of the run's folder to the clipboard"),
        Binding("x", "delete", "Delete", id="runs.delete",
                tooltip="Delete the run with its checkpoints; asks first"),
    ]  # fmt: skip
    AUTO_FOCUS = "#table"

    def __init__(self, runs: RunList) -> None:
        super().__init__()
        self._runs = runs
        self._rows: dict[str, RunRow] = {}
        self._colours: dict[str, int] = {}  # of the marked runs, in the order they were marked

    def compose(self) -> ComposeResult:
        """Lay out the table, and below it the curves."""
        yield RunTable(id="table")
        yield LineChart(
            "valid bits",
            "Space marks runs; their validation curves are compared here.",
            id="overlay",
        )
        with Vertical(id="welcome"):
            yield Static(_WELCOME)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Keep looking."""
        self._watch()

    @work
    async def _watch(self) -> None:
        while True:
            if self.is_current:
                await self._look()
            await asyncio.sleep(_EVERY)

    async def _look(self) -> None:
        # A message, since the page may be gone by the time there is an answer.
        self.post_message(RunsRead(await asyncio.to_thread(self._runs.look)))

    def on_runs_read(self, event: RunsRead) -> None:
        """Show the runs as they are now."""
        with self.app.batch_update():
            self._show(event.rows)

    def _show(self, rows: tuple[RunRow, ...]) -> None:
        from tui.chart.drawing import MARKS

        self._rows = {row.key: row for row in rows}
        self._colours = {key: c for key, c in self._colours.items() if key in self._rows}
        curve = self.query_one(LineChart)
        marks = {
            key: Text(
                MARKS[c], curve.get_component_rich_style(f"line-chart--series-{c}", partial=True)
            )
            for key, c in self._colours.items()
        }
        self.query_one(RunTable).show(rows, marks)
        self.set_class(not rows, "-empty")
        self._draw()

    def _draw(self) -> None:
        import numpy as np

        from tui.chart.series import Series

        series = []
        for key, colour in self._colours.items():
            row = self._rows[key]
            points = np.array(row.evaluations, np.float64).reshape(-1, 2)  # (E, 2)
            series.append(Series(row.run.name, points[:, 0], points[:, 1], colour, "points"))
        self.query_one(LineChart).show(series)

    def _current(self) -> RunRow | None:
        row = self._rows.get(self.query_one(RunTable).current or "")
        if row is None:
            run_actions.warn(self, "There is no run yet: press 1, then n to start one.")
        return row

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Show the run on the Train page."""
        if (row := self._rows.get(event.row_key.value or "")) is not None:
            self.post_message(AttachRun(row.run))

    def action_mark(self) -> None:
        """Mark the run under the cursor, or unmark it; a colour once given stays."""
        if (row := self._current()) is None:
            return
        if row.key in self._colours:
            del self._colours[row.key]
        else:
            self._mark(row)
        self._show(tuple(self._rows.values()))

    def _mark(self, row: RunRow) -> None:
        from tui.chart.series import COLORS

        free = [colour for colour in range(COLORS) if colour not in self._colours.values()]
        if not free:
            run_actions.warn(self, f"At most {COLORS} runs are compared: space unmarks one.")
            return
        self._colours[row.key] = free[0]

    def action_overlay(self) -> None:
        """Show the curves of the marked runs, or hide them."""
        self.toggle_class("-overlay")
        if self.has_class("-overlay") and not self._colours and (row := self._current()):
            self._mark(row)
            self._show(tuple(self._rows.values()))

    @work
    async def action_stop(self) -> None:
        """Ask the run to stop."""
        if (row := self._current()) is not None:
            await run_actions.request(self, row.run, row.state, "stop")

    @work(group="resume", exclusive=True)
    async def action_resume(self) -> None:
        """Go on with the run."""
        if (row := self._current()) is not None:
            await run_actions.resume(self, row.run, row.state, row.kind or "lyrics")

    def action_copy_path(self) -> None:
        """Copy where the run lies."""
        if (row := self._current()) is not None:
            self.app.copy_to_clipboard(str(row.run.path))
            self.notify(f"Copied {row.run.path}", markup=False)

    def action_delete(self) -> None:
        """Delete the run, after a question."""
        if (row := self._current()) is None:
            return
        if row.state in ACTIVE:
            run_actions.warn(self, f"{row.run.name} is being trained: s stops it first.")
            return
        question = f"Delete {row.run.name!r} with its checkpoints and samples for good?"
        confirm = ConfirmScreen(question, f"Delete {row.run.name}")

        def answered(yes: bool | None) -> None:
            if yes:
                self._delete(row)

        self.app.push_screen(confirm, answered)

    @work
    async def _delete(self, row: RunRow) -> None:
        try:
            await asyncio.to_thread(run_dir.remove, row.run)
        except (InputError, OSError) as error:
            run_actions.fail(self, str(error))
            return
        self.notify(f"Deleted {row.run.name}.", markup=False)
        await self._look()
