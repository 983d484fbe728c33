"""A list of all runs, to choose the one to be shown."""

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
from tui.sources.run_view import STATES, RunRow
from tui.sources.runs import RunList, RunsRead
from tui.widgets.footer import Footer


class ChooseRunScreen(ModalScreen[RunDir | None]):
    """Gives the run chosen, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", id="choose.close", tooltip="Stay with this run"),
    ]

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
        """Look for runs."""
        self._look()

    @work
    async def _look(self) -> None:
        self.post_message(RunsRead(await asyncio.to_thread(self._runs.look)))

    def on_runs_read(self, event: RunsRead) -> None:
        """List the runs."""
        self._rows = event.rows
        options = [Option(_line(row)) for row in self._rows]
        if not options:
            options = [Option("No runs yet: close this, and n starts one.", disabled=True)]
        self.query_one(OptionList).add_options(options)
        self.query_one(OptionList).highlighted = 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose."""
        self.dismiss(self._rows[event.option_index].run)


def _line(row: RunRow) -> Content:
    mark, colour, _ = STATES[row.state]
    best = f"  {row.best:.3f} bits" if row.best is not None else ""
    return Content.assemble(
        (f"{mark} {row.state:<9}", colour), (f"{clean(row.run.name):<12}", "bold"),
        f"  {row.step:,}/{row.steps:,}{best}",
        (f"  {row.model}  {row.started_at}", "$foreground 60%"),
    )  # fmt: skip
