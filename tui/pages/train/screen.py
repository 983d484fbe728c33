"""The Train page: one run as it learns, or as it has learnt."""

import asyncio
from functools import partial
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import get_current_worker

from engine import files
from engine.errors import InputError
from engine.runs.run_dir import RunDir
from tui.chart.widget import LineChart
from tui.formatting import clean
from tui.pages import run_actions
from tui.pages.run_actions import RunStarted
from tui.pages.train.choose_run import ChooseRunScreen
from tui.pages.train.metrics import MetricTiles, ProgressLine
from tui.pages.train.new_run import NewRunScreen
from tui.pages.train.samples import Samples, plain
from tui.sources.run_view import (
    STATES,
    RunView,
    fraction_done,
    headline,
    metrics,
    metrics_csv,
    problem_lines,
    progress_text,
)
from tui.sources.runs import NewestRunFound, RunChanged, RunList, RunReader, follow_run, newest_run
from tui.widgets.footer import Footer

_VIEWS = ("", "-only-curve", "-only-samples")
_WELCOME = """\
[b]No runs yet[/b]

[@click=screen.new_run][b reverse] n [/][/]  start one: choose songs, and watch it learn
[@click=app.page('lyrics')][b reverse] 2 [/][/]  write lyrics with a model that is there already
[@click=app.page('music')][b reverse] 3 [/][/]  hear piano music that another writes
[@click=app.help][b reverse] ? [/][/]  all keys"""


def state_words(state: str) -> Content:
    """A state by mark, word and colour."""
    mark, colour, _ = STATES[state]
    return Content.styled(f"{mark} {state}", f"bold {colour}")


class TrainScreen(Screen[None]):
    """Shows the attached run; its keys ask things of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_run", "New", id="train.new", tooltip="Start a new run"),
        Binding("a", "choose", "Attach", id="train.attach", tooltip="Show another run"),
        Binding("s", "ask('stop')", "Stop", id="train.stop",
                tooltip="Stop the run after its next step; it can be resumed"),
        Binding("r", "resume", "Resume", id="train.resume",
                tooltip="Go on with a run that stopped, failed or crashed"),
        Binding("w", "ask('sample')", "Write", id="train.sample",
                tooltip="Have the run write samples now"),
        Binding("k", "ask('save')", "Save", id="train.save",
                tooltip="Have the run save a checkpoint now"),
        Binding("c", "copy", "Copy", show=False, id="train.copy",
                tooltip="Copy the samples to the clipboard"),
        Binding("e", "export", "Export", show=False, id="train.export",
                tooltip="Write the figures of all steps to metrics.csv in the run's folder"),
        Binding("z", "fold", "Fold", id="train.fold",
                tooltip="Show the curve alone, the samples alone, or both"),
        Binding("pageup,up", "scroll_samples(-1)", "Newer", show=False, id="train.newer",
                tooltip="Scroll the samples up"),
        Binding("pagedown,down", "scroll_samples(1)", "Older", show=False, id="train.older",
                tooltip="Scroll the samples down"),
    ]  # fmt: skip
    AUTO_FOCUS = "#curve"

    def __init__(self, runs: RunList, run: RunDir | None = None) -> None:
        super().__init__()
        self._runs = runs
        self._wanted = run
        self._generation = 0
        self._fold = 0
        self.run: RunDir | None = None
        self.view: RunView | None = None

    def compose(self) -> ComposeResult:
        """Lay out the page, and what is said instead of it while there is no run."""
        with Vertical(id="page"):
            with Horizontal(id="title"):
                yield Static(id="name", markup=False)
                yield Static(id="facts", markup=False)
                yield Static(id="state")
            yield Static(id="trouble", markup=False)
            yield MetricTiles()
            yield ProgressLine()
            with Horizontal(id="body"):
                yield LineChart(empty="The curve begins with the first step.", id="curve")
                yield Samples(id="samples")
        with Vertical(id="welcome"):
            yield Static(_WELCOME)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Attach to the run asked for."""
        if self._wanted is not None:
            self.attach(self._wanted)

    def on_screen_resume(self) -> None:
        """Look for a run, when there is none yet."""
        if self.run is None:
            self._look_for_runs()

    @work(group="look", exclusive=True)
    async def _look_for_runs(self) -> None:
        self.post_message(NewestRunFound(await asyncio.to_thread(newest_run)))

    def on_newest_run_found(self, event: NewestRunFound) -> None:
        """Attach to the newest run, unless another has been attached meanwhile."""
        if self.run is None and event.run is not None:
            self.attach(event.run)
        self.set_class(self.run is None, "-empty")

    def attach(self, run: RunDir) -> None:
        """Show this run from now on."""
        self._generation += 1
        self.run, self.view = run, None
        self.set_class(False, "-empty")
        following = partial(self._follow, run, self._generation)
        self.run_worker(following, thread=True, exclusive=True, group="follow")

    def _follow(self, run: RunDir, generation: int) -> None:
        follow_run(run, generation, self.post_message, get_current_worker().cancelled_event)

    def on_run_changed(self, event: RunChanged) -> None:
        """Show what has changed, unless another run has been attached since."""
        if event.generation != self._generation:
            event.stop()
            return
        if event.view.state == "gone":
            self.workers.cancel_group(self, "follow")
            self.run = self.view = None
            self._look_for_runs()
            return
        before, self.view = self.view, event.view
        with self.app.batch_update():
            self._show(event.view, before)

    def _show(self, view: RunView, before: RunView | None) -> None:
        self.query_one("#name", Static).update(clean(view.run.name))
        self.query_one("#facts", Static).update(headline(view))
        self.query_one("#state", Static).update(state_words(view.state))
        lines = problem_lines(view)
        note = self.query_one("#trouble", Static)
        note.display = bool(lines)
        note.update("\n".join(lines))
        self.query_one(MetricTiles).show(metrics(view))
        self.query_one(ProgressLine).show(fraction_done(view), progress_text(view))
        self.query_one(Samples).show(view.samples)
        if before is None or before.last is not view.last or before.latest is not view.latest:
            self._draw(view)

    def _draw(self, view: RunView) -> None:
        from tui.chart.series import Series

        columns = view.columns
        train = Series("train", columns.step, columns.bits)
        valid = Series("valid", columns.valid_step, columns.valid_bits, 1, "points")
        self.query_one(LineChart).show((train, valid), y_label=f"bits/{view.unit}")

    def _attached(self) -> RunView | None:
        if self.view is None:
            run_actions.warn(self, "No run is attached: n starts one, a shows another.")
        return self.view

    def action_new_run(self) -> None:
        """Open the form."""
        self.app.push_screen(NewRunScreen(), self._started)

    def _started(self, run: RunDir | None) -> None:
        if run is not None:
            self.attach(run)
            self.post_message(RunStarted(run))

    def action_choose(self) -> None:
        """Choose another run."""
        self.app.push_screen(ChooseRunScreen(self._runs), self._chosen)

    def _chosen(self, run: RunDir | None) -> None:
        if run is not None:
            self.attach(run)

    @work
    async def action_ask(self, request: str) -> None:
        """Ask the run for something."""
        if (view := self._attached()) is not None:
            await run_actions.request(self, view.run, view.state, request)

    @work(group="resume", exclusive=True)
    async def action_resume(self) -> None:
        """Go on with the run."""
        if (view := self._attached()) is not None:
            kind = view.started.kind if view.started else "lyrics"
            await run_actions.resume(self, view.run, view.state, kind)

    def action_copy(self) -> None:
        """Copy the samples."""
        if (view := self._attached()) is None:
            return
        if not view.samples:
            run_actions.warn(self, "There are no samples to copy yet: w asks for some.")
            return
        self.app.copy_to_clipboard(plain(view.samples))
        self.notify(f"Copied {len(view.samples)} samples.")

    @work(group="export", exclusive=True)
    async def action_export(self) -> None:
        """Write the figures to a file."""
        if (view := self._attached()) is None:
            return
        run, path = view.run, view.run.path / "metrics.csv"

        def write() -> None:
            fold = RunReader(run)
            fold.read()
            files.write_atomic(path, metrics_csv(fold.history))

        try:
            await asyncio.to_thread(write)
        except (InputError, OSError) as error:
            run_actions.fail(self, str(error))
            return
        self.notify(f"Wrote {path}", markup=False)

    def action_fold(self) -> None:
        """Go on to the next of both, the curve alone, the samples alone."""
        self._fold = (self._fold + 1) % len(_VIEWS)
        for number, name in enumerate(_VIEWS):
            if name:
                self.set_class(number == self._fold, name)

    def action_scroll_samples(self, pages: int) -> None:
        """Scroll the samples."""
        samples = self.query_one(Samples)
        (samples.scroll_page_down if pages > 0 else samples.scroll_page_up)(animate=False)
