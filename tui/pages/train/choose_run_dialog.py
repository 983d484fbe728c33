"""The dialog that chooses the run to show."""

import asyncio
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine.runs.run_dir import RunDir
from tui.formatting import clean
from tui.sources.run_summary import STATES, RunRow
from tui.sources.runs import RunList, RunsRead
from tui.widgets.footer import Footer
from tui.widgets.styling import StyledOnce


class ChooseRunDialog(StyledOnce, ModalScreen[RunDir | None]):
    """A list of all runs; returns the chosen run, or None if it was closed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", id="choose.close", tooltip="Keep the current run"),
    ]
    DEFAULT_CSS = """
    ChooseRunDialog {
        & OptionList {
            height: auto; max-height: 20; background: $surface;
            text-wrap: nowrap; text-overflow: ellipsis;
        }
    }
    """

    def __init__(self, runs: RunList) -> None:
        super().__init__()
        self._runs = runs
        self._rows: tuple[RunRow, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out an empty list."""
        with Vertical(classes="dialog wide") as box:
            box.border_title = "Attach to a run"
            yield OptionList(id="runs", compact=True)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Start to read the runs."""
        self._read()

    @work
    async def _read(self) -> None:
        self.post_message(RunsRead(await asyncio.to_thread(self._runs.read)))

    def on_runs_read(self, event: RunsRead) -> None:
        """List the runs."""
        self._rows = event.rows
        options = [Option(_line(row)) for row in self._rows]
        if not options:
            text = "No runs yet. Press escape, then n to start one."
            options = [Option(text, disabled=True)]
        self.query_one(OptionList).add_options(options)
        self.query_one(OptionList).highlighted = 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Return the run."""
        self.dismiss(self._rows[event.option_index].run)


def _line(row: RunRow) -> Content:
    style = STATES[row.state]
    best = f"  {row.best_loss}" if row.best else ""
    return Content.assemble(
        (f"{style.mark} {row.state:<9}", style.color),
        (f"{clean(row.run.name):<12}", "bold"),
        f"  {row.step:,}/{row.total_steps:,}{best}",
        (f"  {row.model}  {row.started_at}", "$foreground 60%"),
    )
