"""The Train page: one run, while it trains or afterwards."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from engine.runs.run_dir import RunDir
from engine.runs.run_state import ACTIVE
from tui.chart.keys import ChartScreen
from tui.chart.widget import LineChart
from tui.formatting import clean
from tui.pages import run_actions
from tui.pages.run_actions import RunStarted
from tui.pages.train.choose_run_dialog import ChooseRunDialog
from tui.pages.train.metrics import MetricTiles, ProgressLine
from tui.pages.train.new_run_dialog import NewRunDialog
from tui.pages.train.samples import Samples, plain_text
from tui.sources.child_commands import Programs
from tui.sources.metrics_csv import write_metrics_csv
from tui.sources.run_summary import (
    STATES,
    RunSummary,
    headline,
    metrics,
    problem_lines,
    progress_text,
)
from tui.sources.runs import (
    NewestRunFound,
    RunChanged,
    RunList,
    follow_run,
    newest_run,
)
from tui.sources.settings import State
from tui.widgets.footer import Footer, FooterContext
from tui.widgets.kept_state import KeepsState
from tui.widgets.run_pane import RunPane
from tui.widgets.welcome import Welcome

_LAYOUTS = ("", "-only-curve", "-only-samples")  # CSS classes of the page
_WELCOME = """\
[b]Networks that learn to write songs and piano music[/b]

No runs yet. Press a key, or click:

[@click=app.page('lyrics')][b reverse] 2 [/][/]  write a song with an included model
[@click=app.page('music')][b reverse] 3 [/][/]  write and play piano music
[@click=screen.new_run][b reverse] n [/][/]  train the demo: a network learns from included songs
[@click=app.help][b reverse] ? [/][/]  all keys"""


class TrainScreen(FooterContext, ChartScreen, KeepsState):
    """The page of one run, the attached run: its metrics, curve and samples, and its actions."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_run", "New", id="train.new", tooltip="Start a new run"),
        Binding("a", "choose", "Attach", id="train.attach", tooltip="Show another run"),
        Binding("s", "request('stop')", "Stop", id="train.stop",
                tooltip="Stop the run after its next step; it can be resumed"),
        Binding("r", "resume", "Resume", id="train.resume",
                tooltip="Resume a run that has ended; a stopped one can get more steps"),
        Binding("r", "more_steps", "More steps", id="train.more_steps",
                tooltip="Give a finished run more steps"),
        Binding("g", "request('sample')", "Write", id="train.sample",
                tooltip="Write samples now"),
        Binding("S,ctrl+s", "request('save')", "Save", id="train.save",
                tooltip="Save a checkpoint now"),
        Binding("c", "copy", "Copy", show=False, id="train.copy",
                tooltip="Copy the samples to the clipboard"),
        Binding("E", "export", "Export", show=False, id="train.export",
                tooltip="Export the chart as PNG or SVG, or all metrics as CSV, to a chosen file"),
        Binding("z", "layout", "Layout", id="train.layout",
                tooltip="Show the curve alone, the samples alone, or both"),
        Binding("p", "pane", "Log", id="train.pane",
                tooltip="Show or hide the run's log and how busy the machine is"),
        Binding("pageup,up", "scroll_samples(-1)", "Newer", show=False, id="train.newer",
                tooltip="Scroll the samples up"),
        Binding("pagedown,down", "scroll_samples(1)", "Older", show=False, id="train.older",
                tooltip="Scroll the samples down"),
    ]  # fmt: skip
    AUTO_FOCUS = "#curve"
    TABLES = ("", "curve")
    DEFAULT_CSS = """
    TrainScreen {
        & #title { height: 1; padding: 0 1; margin-top: 1; }
        & #name { width: auto; text-style: bold; }
        & #facts { width: 1fr; padding: 0 2; color: $foreground 60%;
                   text-wrap: nowrap; text-overflow: ellipsis; }
        & #state { width: auto; }
        & #problems { height: auto; max-height: 7; padding: 0 1; color: $text-warning;
                      display: none; }
        & MetricTiles { margin: 1 0; }
        & #body { height: 1fr; margin-top: 1; }
        & #curve { width: 2fr; margin-right: 1; }
        & #samples { width: 1fr; border-left: vkey $foreground 20%; }

        &.-empty #page { display: none; }
        &.-empty Welcome { display: block; }

        &.-medium #body { layout: vertical; }
        &.-medium #curve { width: 1fr; height: 2fr; margin-right: 0; }
        &.-narrow #curve { margin-right: 0; }
        &.-medium #samples { width: 1fr; height: 1fr; border-left: none;
                             border-top: hkey $foreground 20%; }
        &.-medium MetricTiles, &.-normal MetricTiles { grid-size: 3; }
        &.-normal MetricTiles { margin: 0; }
        &.-normal #title { margin-top: 0; }
        &.-normal MetricTile .top { layout: horizontal; height: 1; }
        &.-normal MetricTile .label { width: auto; min-width: 11; max-width: 60%;
                                      padding-right: 1; }
        &.-normal MetricTile .note, &.-normal MetricTile Sparkline { display: none; }
        &.-normal #body { margin-top: 0; }

        &.-narrow MetricTiles, &.-short MetricTiles { display: none; }
        &.-narrow #samples, &.-short #samples { display: none; }
        &.-narrow #facts { display: none; }
        &.-narrow #state { width: 1fr; text-align: right; }
        &.-short #title, &.-short #body { margin-top: 0; }

        &.-only-curve #samples { display: none; }
        &.-only-samples #curve { display: none; }
        &.-only-samples #samples { display: block; width: 1fr; height: 1fr; border: none; }
    }
    """

    def __init__(self, programs: Programs, runs: RunList, run: RunDir | None = None) -> None:
        super().__init__()
        self.programs = programs
        self._runs = runs
        self._initial_run = run
        self._generation = 0  # counts attachments; messages of earlier ones are ignored
        self._layout = 0  # index into _LAYOUTS
        self.run: RunDir | None = None
        self.view: RunSummary | None = None

    def compose(self) -> ComposeResult:
        """Lay out the page, and the welcome that replaces it while there are no runs."""
        with Vertical(id="page"):
            with Horizontal(id="title"):
                yield Static(id="name", markup=False)
                yield Static(id="facts", markup=False)
                yield Static(id="state")
            yield Static(id="problems", markup=False)
            yield MetricTiles()
            yield ProgressLine()
            with Horizontal(id="body"):
                yield LineChart("The curve starts with the first step.", id="curve")
                yield Samples(id="samples")
            yield RunPane()
        yield Welcome(_WELCOME)
        yield Footer(show_command_palette=False)

    # ── kept over restarts ───────────────────────────────────────────────────────────────────────

    def kept_state(self) -> dict[str, State]:
        """Return what is kept: the layout, and the view of the curve."""
        curve = self.query_one(LineChart).viewport.kept()
        return {"": {"layout": _LAYOUTS[self._layout].removeprefix("-")}, "curve": curve}

    def restore_state(self, saved: Mapping[str, State]) -> None:
        """Take up the layout and the view of the curve."""
        layout = saved.get("", {}).get("layout")
        for index, name in enumerate(_LAYOUTS):
            if name.removeprefix("-") == layout:
                self._lay_out(index)
        chart = self.query_one(LineChart)
        chart.set_viewport(chart.viewport.restored(saved.get("curve", {})))

    # ── attaching to a run ───────────────────────────────────────────────────────────────────────

    def on_mount(self) -> None:
        """Attach to the initial run."""
        if self._initial_run is not None:
            self.attach(self._initial_run)

    def on_screen_resume(self) -> None:
        """Search for the newest run if no run is attached."""
        if self.run is None:
            self._find_newest()

    @work(group="find", exclusive=True)
    async def _find_newest(self) -> None:
        self.post_message(NewestRunFound(await asyncio.to_thread(newest_run)))

    def on_newest_run_found(self, event: NewestRunFound) -> None:
        """Attach to the newest run, unless another run was attached meanwhile."""
        if self.run is None and event.run is not None:
            self.attach(event.run)
        self.set_class(self.run is None, "-empty")

    def attach(self, run: RunDir) -> None:
        """Show this run."""
        self._generation += 1
        self.run, self.view = run, None
        self.set_class(False, "-empty")
        self.query_one(RunPane).show_run(run)
        follow = partial(self._follow, run, self._generation)
        self.run_worker(follow, thread=True, exclusive=True, group="follow")

    def _follow(self, run: RunDir, generation: int) -> None:
        follow_run(run, generation, self.post_message, get_current_worker().cancelled_event)

    def action_new_run(self) -> None:
        """Open the form for a new run."""
        self.app.push_screen(NewRunDialog(self.programs), self._on_started)

    def _on_started(self, run: RunDir | None) -> None:
        if run is not None:
            self.attach(run)
            self.post_message(RunStarted(run))

    def action_choose(self) -> None:
        """Open the list of runs."""
        self.app.push_screen(ChooseRunDialog(self._runs), self._on_chosen)

    def _on_chosen(self, run: RunDir | None) -> None:
        if run is not None:
            self.attach(run)

    # ── showing it ───────────────────────────────────────────────────────────────────────────────

    def on_run_changed(self, event: RunChanged) -> None:
        """Show the new state, unless another run has been attached since."""
        if event.generation != self._generation:
            event.stop()
            return
        if event.view.state == "gone":
            self.workers.cancel_group(self, "follow")
            self.run = self.view = None
            self.refresh_bindings()
            self._find_newest()
            return
        before, self.view = self.view, event.view
        if before is None or before.state != event.view.state:
            self.refresh_bindings()
        with self.app.batch_update():
            self._show(event.view, before)

    def _show(self, view: RunSummary, before: RunSummary | None) -> None:
        self.query_one("#name", Static).update(clean(view.run.name))
        self.query_one("#facts", Static).update(headline(view))
        style = STATES[view.state]
        state = Content.styled(f"{style.mark} {view.state}", f"bold {style.color}")
        self.query_one("#state", Static).update(state)
        lines = problem_lines(view)
        problems = self.query_one("#problems", Static)
        problems.display = bool(lines)
        problems.update("\n".join(lines))
        self.query_one(MetricTiles).show(metrics(view))
        self.query_one(ProgressLine).show(view.fraction_done, progress_text(view))
        self.query_one(Samples).show(view.samples)
        if (
            before is None
            or before.last_step is not view.last_step
            or before.last_evaluation is not view.last_evaluation
        ):
            self._draw(view)

    def _draw(self, view: RunSummary) -> None:
        from tui.chart.series import Series

        columns, unit = view.columns, view.loss_unit
        train = Series("train", columns.step, columns.loss * unit.per_nat)
        valid = Series("valid", columns.valid_step, columns.valid_loss * unit.per_nat, 1, "points")
        self.query_one(LineChart).show((train, valid), unit.short)

    def action_pane(self) -> None:
        """Show or hide the run's log and the use of the machine."""
        self.query_one(RunPane).toggle()

    def action_layout(self) -> None:
        """Switch between the curve and samples, the curve alone and the samples alone."""
        self._lay_out((self._layout + 1) % len(_LAYOUTS))

    def _lay_out(self, layout: int) -> None:
        self._layout = layout
        for index, name in enumerate(_LAYOUTS):
            if name:
                self.set_class(index == self._layout, name)

    def action_scroll_samples(self, pages: int) -> None:
        """Scroll the samples by pages."""
        samples = self.query_one(Samples)
        (samples.scroll_page_down if pages > 0 else samples.scroll_page_up)(animate=False)

    # ── acting on it ─────────────────────────────────────────────────────────────────────────────

    def _attached(self) -> RunSummary | None:
        """Return the attached run; without one, warn and return None."""
        if self.view is None:
            run_actions.warn(self, "No run is attached: press n to start one, or a to choose one.")
        return self.view

    @work
    async def action_request(self, name: str) -> None:
        """Send a request to the run's trainer."""
        if (view := self._attached()) is not None:
            await run_actions.request(self, view.run, view.state, name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action is possible: a finished run is given more steps."""
        finished = self.view is not None and self.view.state == "finished"
        if action in ("resume", "more_steps"):
            return finished == (action == "more_steps")
        return super().check_action(action, parameters)

    def useless_actions(self) -> set[str]:
        """Return what cannot be done in the run's state."""
        requests = {f"request({name!r})" for name in ("stop", "sample", "save")}
        if self.view is None:
            return requests | {"resume", "layout", "pane"}
        return {"resume"} if self.view.state in ACTIVE else requests

    def action_more_steps(self) -> None:
        """Ask how many steps the run is to have, and resume it."""
        self.action_resume()

    @work(group="resume", exclusive=True)
    async def action_resume(self) -> None:
        """Resume the run, or give a finished one more steps."""
        if (view := self._attached()) is not None:
            await run_actions.resume(self, self.programs, view)

    def action_copy(self) -> None:
        """Copy the samples."""
        if (view := self._attached()) is None:
            return
        if not view.samples:
            run_actions.warn(self, "No samples to copy yet: press g to write some.")
            return
        self.app.copy_to_clipboard(plain_text(view.samples))
        self.notify(f"Copied {len(view.samples)} samples.")

    @work(group="export", exclusive=True)
    async def action_export(self) -> None:
        """Write the chart, or the metrics of all steps, to a file that the user chooses."""
        if (view := self._attached()) is None:
            return
        run = view.run

        async def write(path: Path) -> None:
            if path.suffix.lower() == ".csv":
                await asyncio.to_thread(write_metrics_csv, run.events, path)
            else:
                await self.query_one(LineChart).export(path)

        hint = "The suffix chooses the format: .png or .svg for the chart, .csv for all metrics."
        await run_actions.export(self, hint, f"{run.name}.png", write)
