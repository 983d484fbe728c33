"""The pane with the log of a run and the use of the machine."""

import asyncio
from dataclasses import dataclass

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Static

from engine.runs.run_dir import RunDir
from engine.runs.run_state import is_alive
from tui.sources.run_log import log_lines
from tui.sources.system import SystemMonitor, Usage

_SECONDS = 1.0  # between two readings while the pane is shown
_BAR = 10  # cells
_MIN_WIDTH = 100  # cells for the log and the system side by side


class RunPane(Horizontal, can_focus=False):
    """The end of a run's log, and how busy the machine is; hidden until `toggle`."""

    DEFAULT_CSS = """
    RunPane {
        display: none; height: 10; max-height: 40%; border-top: hkey $foreground 20%;
        &.-open { display: block; }
        & #log { width: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
        & #log-text { text-wrap: nowrap; text-overflow: ellipsis; color: $foreground 80%; }
        & #system { width: 46; padding: 0 1; border-left: vkey $foreground 20%; }
        &.-stacked { layout: vertical; }
        &.-stacked #log { height: 1fr; }
        &.-stacked #system { width: 1fr; height: auto; max-height: 50%; border-left: none; }
    }
    """

    @dataclass
    class Read(Message):
        """The log and the use of the machine were read."""

        run: RunDir | None
        lines: list[str]
        usage: Usage

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._run: RunDir | None = None
        self._shown: list[str] = []
        self._monitor: SystemMonitor | None = None

    def compose(self) -> ComposeResult:
        """Lay out the log and the system."""
        with VerticalScroll(id="log", can_focus=False):
            yield Static(id="log-text", markup=False)
        yield Static(id="system", markup=False)

    def on_mount(self) -> None:
        """Read again and again while the pane is shown; stay at the log's end until a scroll."""
        self.query_one("#log", VerticalScroll).anchor()
        self.set_interval(_SECONDS, self._poll)

    def on_resize(self) -> None:
        """Put the system below the log where there is no room beside it."""
        self.set_class(self.size.width < _MIN_WIDTH, "-stacked")

    def show_run(self, run: RunDir | None) -> None:
        """Show the log of this run; None: only the system."""
        if run != self._run:
            self._run = run
            self._poll()

    def toggle(self) -> None:
        """Show or hide the pane."""
        self.toggle_class("-open")
        self._poll()

    def _poll(self) -> None:
        if self.has_class("-open") and self.screen.is_current:
            self._read(self._run)

    @work(exclusive=True, group="pane")
    async def _read(self, run: RunDir | None) -> None:
        self.post_message(await asyncio.to_thread(self._measure, run))

    def _measure(self, run: RunDir | None) -> "RunPane.Read":
        self._monitor = self._monitor or SystemMonitor()
        worker = run.worker() if run else {}
        pid = int(worker["pid"]) if is_alive(worker) else None
        lines = log_lines(run, 0) if run else []
        return self.Read(run, lines, self._monitor.read(pid))

    def on_run_pane_read(self, event: Read) -> None:
        """Show what was read."""
        event.stop()
        self.query_one("#system", Static).update("\n".join(event.usage.lines(_BAR)))
        if event.run != self._run or event.lines == self._shown:
            return
        self._shown = event.lines
        self.query_one("#log-text", Static).update("\n".join(event.lines) or "No log yet.")
