"""The Runs page: a table of all runs, and a chart that compares those that are marked."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widgets import DataTable, Input, Static

from engine import files
from engine.errors import InputError
from engine.runs import run_dir
from engine.runs.run_dir import RunDir
from engine.runs.run_state import ACTIVE
from tui.chart.keys import ChartScreen
from tui.chart.viewport import Viewport
from tui.chart.widget import LineChart
from tui.pages import run_actions
from tui.pages.run_actions import AttachRun
from tui.pages.runs import comparison
from tui.pages.runs.config_dialog import ConfigDialog
from tui.pages.runs.name_dialog import NameDialog
from tui.pages.runs.table import COLUMNS, Order, RunTable, matching, table_csv
from tui.sources.child_commands import Programs
from tui.sources.run_summary import RunRow, RunSummary
from tui.sources.runs import CurveReaders, CurvesRead, RunList, RunsRead
from tui.widgets.confirm import ConfirmScreen
from tui.widgets.footer import Footer, FooterContext
from tui.widgets.run_pane import RunPane
from tui.widgets.styling import StyledOnce
from tui.widgets.welcome import Welcome

_POLL_SECONDS = 1.0  # between two readings of the runs
_WELCOME = """\
[b]No runs yet[/b]

All training runs are listed here, also those started with [b]rnn-tui train[/b].

[@click=screen.new][b reverse] n [/][/]  start one"""


def _link(text: str, action: str, style: str) -> Content:
    """Return a text that runs an action when it is clicked."""
    return Content.styled(text, style).stylize(Style.from_meta({"@click": action}))


def _choices(names: Sequence[str], chosen: str) -> Content:
    """Return names to choose from, the chosen one in reverse."""
    return Content(" ").join(
        _link(f" {name} ", f"screen.choose({name!r})", style)
        for name in names
        for style in ["bold reverse" if name == chosen else "$foreground 70%"]
    )


@dataclass
class NewRunWanted(Message):
    """The user wants to start a run."""


@dataclass
class RunRenamed(Message):
    """A run has another name, and so another folder."""

    old: RunDir
    new: RunDir


class RunsScreen(StyledOnce, FooterContext, ChartScreen):
    """The table of runs; space marks those whose curves are compared."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "New", id="runs.new", tooltip="Start a new run"),
        Binding("space", "mark", "Mark", id="runs.mark",
                tooltip="Mark or unmark the run for comparison (or click left of its name)"),
        Binding("ctrl+a", "mark_all", "Mark all", show=False, id="runs.mark_all",
                tooltip="Mark all runs in the table, or unmark all"),
        Binding("b", "overlay", "Overlay", id="runs.overlay",
                tooltip="Show or hide the curves of the marked runs"),
        Binding("comma", "metric(-1)", "Previous metric", show=False, id="runs.previous_metric",
                tooltip="Compare by the previous metric"),
        Binding("full_stop", "metric(1)", "Next metric", show=False, id="runs.next_metric",
                tooltip="Compare by the next metric: losses, learning rate, gradient norm, speed"),
        Binding("a", "axis", "By", show=False, id="runs.axis",
                tooltip="Compare by steps, time or characters"),
        Binding("d", "config", "Config", id="runs.config",
                tooltip="Show the configuration, or what differs between the marked runs"),
        Binding("s", "stop", "Stop", id="runs.stop",
                tooltip="Stop the run after its next step; it can be resumed"),
        Binding("r", "resume", "Resume", id="runs.resume",
                tooltip="Resume a run; a stopped or finished one can get more steps"),
        Binding("x", "delete", "Delete", id="runs.delete",
                tooltip="Delete the run and its checkpoints; asks first"),
        Binding("e", "name", "Edit", id="runs.name",
                tooltip="Rename the run, or edit its note"),
        Binding("slash", "filter", "Filter", id="runs.filter",
                tooltip="Show only runs that contain the words typed"),
        Binding("greater_than_sign", "sort(1)", "Sort", key_display="< >", id="runs.sort_next",
                tooltip="Sort by the next column (or click on a column's name)"),
        Binding("less_than_sign", "sort(-1)", "Sort left", show=False, id="runs.sort_previous",
                tooltip="Sort by the previous column"),
        Binding("R", "reverse", "Reverse", show=False, id="runs.reverse",
                tooltip="Reverse the order (or click on the column's name again)"),
        Binding("p", "pane", "Log", id="runs.pane",
                tooltip="Show or hide the run's log and how busy the machine is"),
        Binding("E", "export", "Export", show=False, id="runs.export",
                tooltip="Export the chart as PNG, SVG or CSV; without a chart the table as CSV"),
        Binding("c", "copy_path", "Copy path", show=False, id="runs.copy_path",
                tooltip="Copy the path of the run's folder to the clipboard"),
        Binding("escape", "leave_filter", "Leave the filter", show=False, id="runs.leave_filter",
                tooltip="Leave the filter, and show all runs"),
    ]  # fmt: skip
    AUTO_FOCUS = "#table"
    DEFAULT_CSS = """
    RunsScreen {
        & #filter { display: none; margin-top: 1; padding: 0 1; background: $panel; }
        & #filter:focus { background: $primary 30%; }
        & #table { height: 1fr; margin-top: 1; background: $background; }
        & #table:focus { background-tint: $foreground 0%; }
        & #overlay { display: none; height: 1fr; border-top: hkey $foreground 20%; }
        & #choices { height: auto; padding: 0 1; link-style: none; link-style-hover: underline;
                     link-color-hover: $foreground; link-background-hover: $background; }
        &.-filtered #filter { display: block; }
        &.-filtered #table, &.-short #table, &.-short #filter { margin-top: 0; }
        &.-overlay #table { height: auto; max-height: 40%; }
        &.-short.-overlay #table { height: 2; scrollbar-size-horizontal: 0; }
        &.-empty #table, &.-empty #overlay { display: none; }
        &.-overlay #overlay { display: block; }
        &.-empty Welcome { display: block; }
    }
    """

    def __init__(self, programs: Programs, runs: RunList) -> None:
        super().__init__()
        self.programs = programs
        self._runs = runs
        self._curves = CurveReaders()
        self._rows: dict[str, RunRow] = {}
        self._numbers: dict[str, int] = {}  # of each marked run, for its color and mark
        self._views: dict[str, RunSummary] = {}  # of the marked runs
        self._order = Order()
        self._metric, self._axis = comparison.METRICS[0], comparison.AXES[0]

    def compose(self) -> ComposeResult:
        """Lay out the filter, the table, and below them the chart."""
        yield Input(placeholder="words of the runs to show", id="filter", compact=True)
        yield RunTable(id="table")
        with Vertical(id="overlay"):
            yield Static(id="choices")
            yield LineChart(
                "Press space to mark runs; their curves are compared here.",
                Viewport(smoothing=0.0),
                id="chart",
            )
        yield RunPane()
        yield Welcome(_WELCOME)
        yield Footer(show_command_palette=False)

    # ── reading and showing the runs ─────────────────────────────────────────────────────────────

    def on_mount(self) -> None:
        """Start to read the runs."""
        self._show_choices()
        self._poll()

    @work
    async def _poll(self) -> None:
        while True:
            if self.is_current:
                await self._read()
            await asyncio.sleep(_POLL_SECONDS)

    async def _read(self) -> None:
        # Posted as messages, since the page may be closed by the time the runs are read.
        self.post_message(RunsRead(await asyncio.to_thread(self._runs.read)))
        if self._is_comparing:
            await self._read_curves()

    async def _read_curves(self) -> None:
        marked = [self._rows[key].run for key in self._numbers if key in self._rows]
        self.post_message(CurvesRead(await asyncio.to_thread(self._curves.read, marked)))

    def on_runs_read(self, event: RunsRead) -> None:
        """Show the rows."""
        self._rows = {row.key: row for row in event.rows}
        self._numbers = {key: n for key, n in self._numbers.items() if key in self._rows}
        with self.app.batch_update():
            self._show()

    def on_curves_read(self, event: CurvesRead) -> None:
        """Draw the curves, if any has changed."""
        if event.views != self._views:
            self._views = event.views
            self._draw()

    @property
    def _shown_rows(self) -> list[RunRow]:
        return matching(list(self._rows.values()), self.query_one("#filter", Input).value)

    def _show(self) -> None:
        chart = self.query_one(LineChart)
        marks = {key: chart.mark(number) for key, number in self._numbers.items()}
        self.query_one(RunTable).show(self._shown_rows, marks, self._order)
        self.set_class(not self._rows, "-empty")
        self.refresh_bindings()

    def useless_actions(self) -> set[str]:
        """Return what cannot be done with the run under the cursor, or with fewer than two runs."""
        row = self._rows.get(self.query_one(RunTable).current or "")
        useless = {"filter", "sort(1)"} if len(self._rows) < 2 else set()
        if row is None:
            return useless | {
                "mark", "overlay", "config", "resume", "stop", "delete", "name", "pane",
            }  # fmt: skip
        return useless | ({"resume", "delete"} if row.state in ACTIVE else {"stop"})

    def _current(self) -> RunRow | None:
        """Return the run under the cursor; without one, warn and return None."""
        row = self._rows.get(self.query_one(RunTable).current or "")
        if row is None and self._rows:
            run_actions.warn(self, "No run contains these words: press escape to show all.")
        elif row is None:
            run_actions.warn(self, "No runs yet: press n to start one.")
        return row

    def on_data_table_row_highlighted(self) -> None:
        """Show the log of the run under the cursor."""
        row = self._rows.get(self.query_one(RunTable).current or "")
        self.query_one(RunPane).show_run(row.run if row else None)
        self.refresh_bindings()

    def action_pane(self) -> None:
        """Show or hide the run's log and the use of the machine."""
        self.query_one(RunPane).toggle()

    # ── sorting and filtering ────────────────────────────────────────────────────────────────────

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """Sort by the column that was clicked."""
        if (column := event.column_key.value) in COLUMNS:
            self._sort(self._order.by(str(column)))

    def action_sort(self, columns: int) -> None:
        """Sort by the column that is `columns` to the right."""
        names = [column.value for column in self.query_one(RunTable).columns if column != "mark"]
        if self._order.column in names:
            index = (names.index(self._order.column) + columns) % len(names)
            self._sort(self._order.by(str(names[index])))

    def action_reverse(self) -> None:
        """Reverse the order."""
        self._sort(self._order.by(self._order.column))

    def _sort(self, order: Order) -> None:
        self._order = order
        self._show()

    def action_filter(self) -> None:
        """Go to the filter."""
        self.add_class("-filtered")
        self.query_one("#filter").focus()

    @on(Input.Changed, "#filter")
    def _filter_changed(self) -> None:
        self._show()

    @on(Input.Submitted, "#filter")
    def _filter_submitted(self) -> None:
        self.query_one(RunTable).focus()

    def action_leave_filter(self) -> None:
        """Show all runs, and go to the table."""
        self.remove_class("-filtered")
        self.query_one("#filter", Input).value = ""
        self.query_one(RunTable).focus()

    # ── comparing ────────────────────────────────────────────────────────────────────────────────

    @property
    def _is_comparing(self) -> bool:
        return self.has_class("-overlay") and bool(self._numbers)

    def action_mark(self) -> None:
        """Mark or unmark the run under the cursor."""
        if (row := self._current()) is not None:
            self._toggle(row.key)

    def on_run_table_marked(self, event: RunTable.Marked) -> None:
        """Mark or unmark the run that was clicked."""
        self._toggle(event.key)

    def action_mark_all(self) -> None:
        """Mark all runs that are shown; if they are marked, unmark all runs."""
        keys = [row.key for row in self._order.sort(self._shown_rows)]
        if all(key in self._numbers for key in keys):
            self._numbers = {}
        else:
            for key in keys:
                self._mark(key)
        self._marks_changed()

    def _toggle(self, key: str) -> None:
        if key in self._numbers:
            del self._numbers[key]
        else:
            self._mark(key)
        self._marks_changed()

    def _mark(self, key: str) -> None:
        """Mark a run with the first free number; marked runs keep theirs."""
        taken = self._numbers.values()
        free = next(number for number in range(len(taken) + 1) if number not in taken)
        self._numbers.setdefault(key, free)

    def _marks_changed(self) -> None:
        self._show()
        self._draw()
        self._compare()

    @work(group="curves", exclusive=True)
    async def _compare(self) -> None:
        if self._is_comparing:
            await self._read_curves()

    def action_overlay(self) -> None:
        """Show or hide the curves; if no run is marked, mark the one under the cursor first."""
        self.toggle_class("-overlay")
        if self.has_class("-overlay") and not self._numbers and (row := self._current()):
            self._mark(row.key)
        self._marks_changed()

    def action_metric(self, steps: int) -> None:
        """Compare by a metric further on in the list."""
        metrics = comparison.METRICS
        self.action_choose(metrics[(metrics.index(self._metric) + steps) % len(metrics)])

    def action_axis(self) -> None:
        """Compare by steps, time or characters."""
        axes = comparison.AXES
        self.action_choose(axes[(axes.index(self._axis) + 1) % len(axes)])

    def action_choose(self, name: str) -> None:
        """Compare by this metric, or over this axis."""
        if name in comparison.METRICS:
            self._metric = name
        else:
            self._axis = name
        self._show_choices()
        self._draw()

    def on_resize(self) -> None:
        """Show as many of the metrics and axes as there is room for."""
        self._show_choices()

    def _show_choices(self) -> None:
        """Show the metrics and axes, to be clicked; without room only those chosen."""
        by = Content.styled("  by ", "$foreground 60%")
        line = Content.assemble(
            _choices(comparison.METRICS, self._metric), by, _choices(comparison.AXES, self._axis)
        )
        if line.cell_length > self.size.width - 2:
            metric = Content.styled(f" {self._metric} ", "bold")
            axis = _link(f"{self._axis} ›", "screen.axis", "bold")
            before, after = _link("‹", "screen.metric(-1)", ""), _link("›", "screen.metric(1)", "")
            line = Content.assemble(before, metric, after, by, axis)
        self.query_one("#choices", Static).update(line)

    def _draw(self) -> None:
        marked = [
            (number, self._views[key])
            for key, number in self._numbers.items()
            if key in self._views
        ]
        self.query_one(LineChart).show(*comparison.compare(marked, self._metric, self._axis))

    # ── acting on a run ──────────────────────────────────────────────────────────────────────────

    def action_new(self) -> None:
        """Start a new run, on the Train page."""
        self.post_message(NewRunWanted())

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
        """Resume the run, or give it more steps."""
        if (row := self._current()) is not None:
            await run_actions.resume(self, self.programs, row)

    def action_config(self) -> None:
        """Show the configuration of the run, or what differs between the marked runs."""
        marked = [self._rows[key].run for key in self._numbers]
        if len(marked) < 2:
            marked = [row.run] if (row := self._current()) else []
        if marked:
            self.app.push_screen(ConfigDialog(marked))

    @work(group="name", exclusive=True)
    async def action_name(self) -> None:
        """Rename the run, or edit its note."""
        if (row := self._current()) is None:
            return
        renamed = await self.app.push_screen_wait(NameDialog(row.run))
        if renamed is None:
            return
        key = renamed.path.name
        self._numbers = {key if k == row.key else k: n for k, n in self._numbers.items()}
        if renamed != row.run:
            self.post_message(RunRenamed(row.run, renamed))
        await self._read()

    @work(group="export", exclusive=True)
    async def action_export(self) -> None:
        """Write the chart or, where it is not shown, the table to a file that the user chooses."""
        if self._is_comparing:
            hint = "The suffix chooses the format: .png, .svg, or .csv for the values."
            await run_actions.export(self, hint, "runs.png", self.query_one(LineChart).export)
            return
        text = table_csv(self._order.sort(self._shown_rows))

        async def write(path: Path) -> None:
            await asyncio.to_thread(files.write_atomic, path, text)

        await run_actions.export(self, "The table as CSV.", "runs.csv", write)

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
