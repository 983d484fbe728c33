"""The app: its pages, what is on every page, and how it is left."""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from engine.runs import run_dir
from engine.runs.run_dir import RunDir
from tui.formatting import clean
from tui.pages.lyrics.screen import LyricsScreen
from tui.pages.run_actions import AttachRun, RunStarted
from tui.pages.runs.screen import RunsScreen
from tui.pages.train.screen import TrainScreen
from tui.sources.run_view import STATES, fraction_done
from tui.sources.runs import RunChanged, RunList
from tui.widgets.header import PageHeader
from tui.widgets.help import HelpScreen, page_actions

PAGES = {  # by mode, the digit that leads there and the name
    "train": ("1", "Train"),
    "lyrics": ("2", "Lyrics"),
    "music": ("3", "Music"),
    "runs": ("4", "Runs"),
    "ladder": ("5", "Ladder"),
    "neurons": ("6", "Neurons"),
    "map": ("7", "Map"),
}


class RnnTuiApp(App[None]):
    """A studio for recurrent networks.

    initial_mode: one of PAGES. run: what the Train page shows first; the most live run by default.
    """

    TITLE = "rnn-tui"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 (Textual types it as an instance variable)
        (0, "-narrow"),
        (60, "-medium"),
        (100, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-short"),
        (18, "-normal"),
        (30, "-tall"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "page('train')", "Train", show=False, id="app.train",
                tooltip="The Train page: a run as it learns"),
        Binding("2", "page('lyrics')", "Lyrics", show=False, id="app.lyrics",
                tooltip="The Lyrics page: have a model write"),
        Binding("3", "page('music')", "Music", show=False, id="app.music",
                tooltip="The Music page: have a model write piano music, see and hear it"),
        Binding("4", "page('runs')", "Runs", show=False, id="app.runs",
                tooltip="The Runs page: all runs, and their curves compared"),
        Binding("5", "page('ladder')", "Ladder", show=False, id="app.ladder",
                tooltip="The Ladder page: from chance to the network, the same beginning"),
        Binding("6", "page('neurons')", "Neurons", show=False, id="app.neurons",
                tooltip="The Neurons page: what single units of a network keep track of"),
        Binding("7", "page('map')", "Map", show=False, id="app.map",
                tooltip="The Map page: artists and songs by what a network makes of them"),
        Binding("f2", "change_theme", "Theme", show=False, id="app.theme",
                tooltip="Choose among dark and light themes"),
        Binding("question_mark,f1", "help", "Help", show=False, id="app.help",
                tooltip="All keys of this page"),
        Binding("ctrl+p", "command_palette", "Palette", show=False, id="app.palette",
                tooltip="Find an action by its name"),
        Binding("q", "quit", "Quit", id="app.quit",
                tooltip="Leave the app, as ctrl+q does anywhere; runs go on without it"),
    ]  # fmt: skip

    def __init__(self, initial_mode: str = "train", run: RunDir | None = None) -> None:
        super().__init__()
        self._initial_mode = initial_mode
        self._runs = RunList()
        self._train = TrainScreen(self._runs, run)
        self._started: list[RunDir] = []  # from here, to be named when leaving
        self._attached = Content("")
        self.add_mode("train", lambda: self._train)
        self.add_mode("lyrics", LyricsScreen)
        self.add_mode("music", _music)
        self.add_mode("runs", partial(RunsScreen, self._runs))
        self.add_mode("ladder", _ladder)
        self.add_mode("neurons", _neurons)
        self.add_mode("map", _map)

    async def on_mount(self) -> None:
        """Go to the first page."""
        await self.action_page(self._initial_mode)

    async def action_page(self, mode: str) -> None:
        """Go to a page; the first time, put the header on it."""
        await self.switch_mode(mode)
        base = self.screen_stack[0]
        if not base.query(PageHeader):
            await base.mount(PageHeader(PAGES, mode))
        self._show_attached()

    def on_run_changed(self, event: RunChanged) -> None:
        """Say on every page how the attached run is."""
        view = event.view
        mark, colour, _ = STATES[view.state]
        words = f" {clean(view.run.name)} {100 * fraction_done(view):.0f} %"
        self._attached = Content.assemble((f"{mark} {view.state}", colour), words)
        if view.state == "gone":
            self._attached = Content("")
        self._show_attached()

    def _show_attached(self) -> None:
        """On the Train page itself the run's own title says it."""
        here = self.current_mode == "train"
        for header in self.screen_stack[0].query(PageHeader):
            header.show(Content("") if here else self._attached)

    def on_run_started(self, event: RunStarted) -> None:
        """Remember the run, to name it when leaving."""
        self._started.append(event.run)

    async def on_attach_run(self, event: AttachRun) -> None:
        """Show a run on the Train page."""
        await self.action_page("train")
        self._train.attach(event.run)

    def action_help(self) -> None:
        """List the keys of the page in front."""
        self.push_screen(HelpScreen(page_actions(self.screen)))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every action of the page in the palette."""
        for action in page_actions(screen):
            if action.id != "app.palette":
                run = partial(self.run_action, action.action, action.node)
                yield SystemCommand(action.name, f"{action.keys}  {action.tooltip}", run)
        ours = {"Quit", "Theme", "Keys"}
        yield from (
            entry for entry in super().get_system_commands(screen) if entry.title not in ours
        )

    async def action_quit(self) -> None:
        """Leave; say which runs go on that were started here."""
        going = {run.name for run in self._started if run_dir.is_alive(run.worker())}
        hint = None
        if going:
            names = ", ".join(sorted(going))
            hint = f"Still training: {names}. Watch with 'rnn-tui watch', or come back any time."
        self.exit(message=hint)


# Pages that bring much along are not imported before they are wanted.


def _music() -> Screen[None]:
    from tui.pages.music.screen import MusicScreen

    return MusicScreen()


def _ladder() -> Screen[None]:
    from tui.pages.ladder.screen import LadderScreen

    return LadderScreen()


def _neurons() -> Screen[None]:
    from tui.pages.neurons.screen import NeuronsScreen

    return NeuronsScreen()


def _map() -> Screen[None]:
    from tui.pages.map.screen import MapScreen

    return MapScreen()


def run_app(initial_mode: str = "train", run: RunDir | None = None) -> int:
    """Open the app until it is left; the exit status."""
    app = RnnTuiApp(initial_mode, run)
    app.run()
    return app.return_code or 0
