"""The Runs page: a table of all runs, and the validation curves of the marked runs."""

import asyncio
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import DataTable

from engine.errors import InputError
from engine.runs import run_dir
from engine.runs.run_state import ACTIVE
from tui.chart.widget import LineChart
from tui.pages import run_actions
from tui.pages.run_actions import AttachRun
from tui.pages.runs.table import RunTable
from tui.sources.child_commands import Programs
from tui.sources.run_summary import RunRow
from tui.sources.runs import RunList, RunsRead
from tui.widgets.confirm import ConfirmScreen
from tui.widgets.footer import Footer
from tui.widgets.welcome import Welcome

_POLL_SECONDS = 1.0  # between two readings of the runs
_WELCOME = """\
[b]No runs yet[/b]

All training runs are listed here, also those started with [b]rnn-tui train[/b].

[@click=app.page('train')][b reverse] 1 [/][/] then [b reverse] n [/]  start one"""


class RunsScreen(Screen[None]):
    """The table of runs; space marks those whose curves are compared."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark", id="runs.mark",
                tooltip="Mark or unmark the run for comparison"),
        Binding("o", "overlay", "Overlay", id="runs.overlay",
                tooltip="Show or hide the validation curves of the marked runs"),
        Binding("s", "stop", "Stop", id="runs.stop",
                tooltip="Stop the run after its next step; it can be resumed"),
        Binding("r", "resume", "Resume", id="runs.resume",
                tooltip="Resume a run that was stopped, failed or crashed"),
        Binding("y", "copy_path", "Copy path", show=False, id="runs.copy_path",
                tooltip="Copy the path of the run's folder to the clipboard"),
        Binding("x", "delete", "Delete", id="runs.delete",
                tooltip="Delete the run and its checkpoints; asks first"),
    ]  # fmt: skip
    AUTO_FOCUS = "#table"
    DEFAULT_CSS = """
    RunsScreen {
        & #table { height: 1fr; margin-top: 1; background: $background; }
        & #table:focus { background-tint: $foreground 0%; }
        & #overlay { display: none; height: 1fr; border-top: hkey $foreground 20%; }
        &.-short #table { margin-top: 0; }
        &.-empty #table, &.-empty #overlay { display: none; }
        &.-overlay #overlay { display: block; }
        &.-empty Welcome { display: block; }
    }
    """

    def __init__(self, programs: Programs, runs: RunList) -> None:
        super().__init__()
        self.programs = programs
        self._runs = runs
        self._rows: dict[str, RunRow] = {}
        self._colors: dict[str, int] = {}  # color index of each marked run, in the order of marking

    def compose(self) -> ComposeResult:
        """Lay out the table, and below it the chart."""
        yield RunTable(id="table")
        yield LineChart(
            "valid bits",
            "Press space to mark runs; their validation curves are compared here.",
            id="overlay",
        )
        yield Welcome(_WELCOME)
        yield Footer(show_command_palette=False)

    # ── reading and showing the runs ─────────────────────────────────────────────────────────────

    def on_mount(self) -> None:
        """Start to read the runs."""
        self._poll()

    @work
    async def _poll(self) -> None:
        while True:
            if self.is_current:
                await self._read()
            await asyncio.sleep(_POLL_SECONDS)

    async def _read(self) -> None:
        # Posted as a message, since the page may be closed by the time the runs are read.
        self.post_message(RunsRead(await asyncio.to_thread(self._runs.read)))

    def on_runs_read(self, event: RunsRead) -> None:
        """Show the rows."""
        with self.app.batch_update():
            self._show(event.rows)

    def _show(self, rows: tuple[RunRow, ...]) -> None:
        from tui.chart.drawing import MARKS

        self._rows = {row.key: row for row in rows}
        self._colors = {key: c for key, c in self._colors.items() if key in self._rows}
        chart = self.query_one(LineChart)
        marks = {
            key: Text(
                MARKS[c], chart.get_component_rich_style(f"line-chart--series-{c}", partial=True)
            )
            for key, c in self._colors.items()
        }
        self.query_one(RunTable).show(rows, marks)
        self.set_class(not rows, "-empty")
        self._draw()

    def _draw(self) -> None:
        import numpy as np

        from tui.chart.series import Series

        series = []
        for key, color in self._colors.items():
            row = self._rows[key]
            points = np.array(row.evaluations, np.float64).reshape(-1, 2)  # (E, 2)
            series.append(Series(row.run.name, points[:, 0], points[:, 1], color, "points"))
        self.query_one(LineChart).show(series)

    def _current(self) -> RunRow | None:
        """Return the run under the cursor; without runs, warn and return None."""
        row = self._rows.get(self.query_one(RunTable).current or "")
        if row is None:
            run_actions.warn(self, "No runs yet: press 1, then n to start one.")
        return row

    # ── comparing ────────────────────────────────────────────────────────────────────────────────

    def action_mark(self) -> None:
        """Mark or unmark the run under the cursor; marked runs keep their colors."""
        if (row := self._current()) is None:
            return
        if row.key in self._colors:
            del self._colors[row.key]
        else:
            self._mark(row)
        self._show(tuple(self._rows.values()))

    def _mark(self, row: RunRow) -> None:
        from tui.chart.series import COLORS

        free = [color for color in range(COLORS) if color not in self._colors.values()]
        if not free:
            run_actions.warn(self, f"At most {COLORS} runs are compared; unmark one first.")
            return
        self._colors[row.key] = free[0]

    def action_overlay(self) -> None:
        """Show or hide the curves; if no run is marked, mark the one under the cursor first."""
        self.toggle_class("-overlay")
        if self.has_class("-overlay") and not self._colors and (row := self._current()):
            self._mark(row)
            self._show(tuple(self._rows.values()))

    # ── acting on a run ──────────────────────────────────────────────────────────────────────────

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Show the run on the Train page."""
        if (row := self._rows.get(event.row_key.value or "")) is not None:
            self.post_message(AttachRun(row.run))

    @work
    async def action_stop(self) -> None:
        """Stop the run."""
        if (row := self._current()) is not None:
            await run_actions.request(self, row.run, row.state, "stop")

    @work(group="resume", exclusive=True)
    async def action_resume(self) -> None:
        """Resume the run."""
        if (row := self._current()) is not None:
            kind = row.kind or "lyrics"
            await run_actions.resume(self, self.programs, row.run, row.state, kind)

    def action_copy_path(self) -> None:
        """Copy the path of the run's folder."""
        if (row := self._current()) is not None:
            self.app.copy_to_clipboard(str(row.run.path))
            self.notify(f"Copied {row.run.path}", markup=False)

    def action_delete(self) -> None:
        """Ask for confirmation, then delete the run under the cursor."""
        if (row := self._current()) is None:
            return
        if row.state in ACTIVE:
            run_actions.warn(self, f"{row.run.name} is being trained; press s to stop it first.")
            return
        question = f"Permanently delete {row.run.name!r} with its checkpoints and samples?"

        def on_answer(confirmed: bool | None) -> None:
            if confirmed:
                self._delete(row)

        self.app.push_screen(ConfirmScreen(question, f"Delete {row.run.name}"), on_answer)

    @work
    async def _delete(self, row: RunRow) -> None:
        try:
            await asyncio.to_thread(run_dir.remove, row.run)
        except (InputError, OSError) as error:
            run_actions.fail(self, str(error))
            return
        self.notify(f"Deleted {row.run.name}.", markup=False)
        await self._read()
