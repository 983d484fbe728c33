"""The app: its pages, the keys that work on all of them, and the message when it is left."""

import asyncio
import gc
import importlib
import os
import sys
import time
from collections.abc import Callable, Container, Iterable
from functools import partial
from typing import Any, ClassVar, NamedTuple

from textual import events, work
from textual.app import App, SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.command import CommandPalette, Hit, Hits
from textual.content import Content
from textual.screen import Screen
from textual.system_commands import SystemCommandsProvider
from textual.theme import ThemeProvider
from textual.widgets import Input, TextArea

from engine import paths
from engine.errors import InputError
from engine.runs import run_state
from engine.runs.run_dir import RunDir
from tui.formatting import clean
from tui.keymaps import KEY_SETS
from tui.pages.run_actions import AttachRun, RunStarted
from tui.pages.runs.screen import RunRenamed, RunsScreen
from tui.pages.train.screen import TrainScreen
from tui.sources.child_commands import INSTALLED, Programs
from tui.sources.run_notices import WATCH_SECONDS, RunWatcher, desktop_notification
from tui.sources.run_summary import STATES
from tui.sources.runs import RunChanged, RunList
from tui.sources.settings import Settings, State, Value
from tui.themes import THEMES, roll_colors
from tui.widgets.header import PageHeader
from tui.widgets.help import HelpScreen, page_actions
from tui.widgets.jump import JumpScreen, controls
from tui.widgets.kept_state import KeepsState

_KEEP_EVERY = 5.0  # seconds between writes of what the user has changed

_IMPORT_AFTER = 1.0  # seconds

# Garbage collection stops the app, a full one for 100 ms: that one is done while the user pauses.
_PAUSE = 2.0  # seconds without a key or the mouse
_MIN_YOUNG = 5  # partial collections since the last full one, below which there is little to find
_MAX_YOUNG = 40  # after this number, a full one is done in any case


class Page(NamedTuple):
    """A page: its key, its name, its purpose, and the function that makes its screen."""

    key: str
    name: str
    tooltip: str
    create: Callable[["RnnTuiApp"], Screen[None]]


# Pages with large imports are imported when they are opened, so that the first page is up sooner.


def _lyrics(app: "RnnTuiApp") -> Screen[None]:
    from tui.pages.lyrics.screen import LyricsScreen

    return LyricsScreen(app.programs)


def _music(app: "RnnTuiApp") -> Screen[None]:
    from tui.pages.music.screen import MusicScreen

    return MusicScreen(app.programs)


def _ladder(app: "RnnTuiApp") -> Screen[None]:
    from tui.pages.ladder.screen import LadderScreen

    return LadderScreen(app.programs)


def _neurons(app: "RnnTuiApp") -> Screen[None]:
    from tui.pages.neurons.screen import NeuronsScreen

    return NeuronsScreen(app.programs)


def _map(app: "RnnTuiApp") -> Screen[None]:
    from tui.pages.map.screen import MapScreen

    return MapScreen(app.programs)


PAGES = {  # by mode, in the order of the header
    "train": Page("1", "Train", "Train page: follow a training run",
                  lambda app: app.train),
    "lyrics": Page("2", "Lyrics", "Lyrics page: write lyrics with a model", _lyrics),
    "music": Page("3", "Music", "Music page: generate, view and play piano music", _music),
    "runs": Page("4", "Runs", "Runs page: list all runs and compare their curves",
                 lambda app: RunsScreen(app.programs, app.runs)),
    "ladder": Page("5", "Ladder", "Ladder page: one prompt, continued by ever better models",
                   _ladder),
    "neurons": Page("6", "Neurons", "Neurons page: what single units of a network track",
                    _neurons),
    "map": Page("7", "Map", "Map page: artists and songs placed by similarity", _map),
}  # fmt: skip


class ActionsProvider(SystemCommandsProvider):
    """The commands of the palette, found by their names or, less well, by their descriptions."""

    async def search(self, query: str) -> Hits:
        """Yield the commands that match a query."""
        matcher, words = self.matcher(query), query.casefold().split()
        for name, about, run, *_ in self.app.get_system_commands(self.screen):
            score = matcher.match(name)
            if not score and all(word in about.casefold() for word in words):
                score = 0.1
            if score > 0:
                yield Hit(score, matcher.highlight(name), run, help=about)


class Palette(CommandPalette):
    """Textual's palette, closed once: a choice made while escape closes it would close the page."""

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close it, if that has not been done."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class RnnTuiApp(App[None]):
    """A studio for recurrent networks.

    initial_mode: the key in PAGES of the first page; None: the page that was open last. run: the
    run that the Train page shows first; None: the newest run that is being trained, or else the
    newest of all.
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
        *(Binding(page.key, f"page('{mode}')", page.name, show=False, id=f"app.{mode}",
                  tooltip=page.tooltip) for mode, page in PAGES.items()),
        Binding("f2", "change_theme", "Theme", show=False, id="app.theme",
                tooltip="Choose a dark or light theme"),
        Binding("question_mark,f1", "help", "Help", show=False, id="app.help",
                tooltip="Show all keys of this page"),
        Binding("ctrl+p", "command_palette", "Palette", show=False, id="app.palette",
                tooltip="Search all actions by name and description"),
        Binding("ctrl+o", "jump", "Jump", show=False, id="app.jump",
                tooltip="Show a letter on each control; typing it goes there"),
        Binding("q", "quit", "Quit", id="app.quit",
                tooltip="Quit (ctrl+q works in fields too); training continues"),
    ]  # fmt: skip

    COMMANDS: ClassVar[set[Any]] = {ActionsProvider}

    programs: Programs
    runs: RunList
    train: TrainScreen

    def __init__(
        self,
        initial_mode: str | None = None,
        run: RunDir | None = None,
        programs: Programs = INSTALLED,
    ) -> None:
        super().__init__()
        self.programs = programs
        self.settings = Settings(paths.settings())
        for theme in THEMES:
            self.register_theme(theme)
        self.key_set = self._kept("keys", KEY_SETS) or "default"
        self._initial_mode = initial_mode or "train"
        if initial_mode is None and run is None:
            self._initial_mode = self._kept("page", PAGES) or "train"
        self.runs = RunList()
        self.train = TrainScreen(programs, self.runs, run)
        self._started: list[RunDir] = []  # runs started by this app
        self._attached = Content("")  # the attached run and its state
        self._first_theme = self.theme
        self._settings_error = ""  # the last problem of writing settings
        self._last_input = 0.0  # the monotonic time of the last key or mouse event
        for mode, page in PAGES.items():
            self.add_mode(mode, partial(self._create, page))

    def _kept(self, name: str, allowed: Container[str]) -> str | None:
        """Return a word kept for the whole app; None if it is not allowed."""
        value = self.settings.table("app").get(name)
        return value if isinstance(value, str) and value in allowed else None

    def _create(self, page: Page) -> Screen[None]:
        """Make the screen of a page, so that Textual does not style it more often than needed."""
        screen = page.create(self)
        if isinstance(screen, KeepsState):
            mode = next(mode for mode in PAGES if PAGES[mode] is page)
            screen.saved = {
                name: self.settings.table(f"{mode}.{name}" if name else mode)
                for name in screen.TABLES
            }
        # Of another number than the app's it would parse the styles of all widgets again, twice.
        screen._css_update_count = self._css_update_count
        return screen

    async def on_mount(self) -> None:
        """Open the first page, in the theme that was chosen."""
        self.use_key_set(self.key_set)
        if theme := self._kept("theme", self.available_themes):
            self.theme = theme
        self._first_theme = self.theme
        await self.action_page(self._initial_mode)
        if self.settings.problem:
            self.notify(self.settings.problem, severity="error", timeout=12, markup=False)
        self.set_interval(_KEEP_EVERY, self.keep_settings)
        self._collect_in_pauses()
        self._import_pages()
        self._watch_runs()

    @work
    async def _collect_in_pauses(self) -> None:
        """Do full garbage collections in pauses; leave out what pages have loaded."""
        threshold = gc.get_threshold()
        gc.set_threshold(*threshold[:2], _MAX_YOUNG)
        try:
            while True:
                await asyncio.sleep(_PAUSE)
                paused = time.monotonic() - self._last_input > _PAUSE
                if paused and gc.get_count()[2] >= _MIN_YOUNG:
                    gc.collect()
        finally:
            gc.set_threshold(*threshold)
            gc.unfreeze()

    @work
    async def _import_pages(self) -> None:
        """Import the other pages once the first one is drawn: the first key to them takes less."""
        await asyncio.sleep(_IMPORT_AFTER)
        for mode in PAGES:
            await asyncio.to_thread(importlib.import_module, f"tui.pages.{mode}.screen")

    @work
    async def _watch_runs(self) -> None:
        """Notify the user when a run ends, and when its validation loss no longer falls."""
        watcher = RunWatcher(self.runs)
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for notice in await asyncio.to_thread(watcher.read):
                self.notify(notice.sentence, severity=notice.severity, timeout=15, markup=False)
                self.bell()
                if self._driver is not None and not (self.is_headless or self.is_web):
                    self._driver.write(desktop_notification(notice.sentence, os.environ))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the colors of the piano roll where the theme has none of its own."""
        return roll_colors(self.current_theme)

    def use_key_set(self, name: str) -> None:
        """Use one of KEY_SETS, with the keys of the user's settings, by the ids of actions."""
        self.key_set = name
        own = {
            id_: keys for id_, keys in self.settings.table("keys").items() if isinstance(keys, str)
        }
        own |= {  # a dotted key, lyrics.sing = "f5", is a table in TOML
            f"{page}.{id_}": keys
            for page in (*PAGES, "app", "chart")
            for id_, keys in self.settings.table(f"keys.{page}").items()
            if isinstance(keys, str)
        }
        self.set_keymap({**KEY_SETS[name].actions, **own})

    async def on_event(self, event: events.Event) -> None:
        """Let keys of the key set stand for others, except where text is typed."""
        if isinstance(event, events.InputEvent):
            self._last_input = time.monotonic()
        if isinstance(event, events.Key) and not event.is_forwarded:
            other = KEY_SETS[self.key_set].keys.get(event.key)
            types = Input | TextArea if other != "escape" else TextArea
            if other is not None and not isinstance(self.focused, types):
                event = events.Key(other, None)
        await super().on_event(event)

    @work(exclusive=True, group="jump")
    async def action_jump(self) -> None:
        """Show a letter on each control in view, and go to the one that is chosen."""
        chosen = await self.push_screen_wait(JumpScreen(controls(self.screen)))
        if chosen is not None:
            chosen.focus()

    def keep_settings(self) -> None:
        """Write what the user has changed to the settings, if anything."""
        app: dict[str, Value] = {
            "page": self.current_mode, "theme": self.theme, "keys": self.key_set,
        }  # fmt: skip
        first = {"page": self._initial_mode, "theme": self._first_theme, "keys": "default"}
        changes = {"app": _changes(first, app, self.settings.table("app"))}
        for mode in PAGES:
            screen = next(iter(self._screen_stacks.get(mode, ())), None)
            if isinstance(screen, KeepsState) and screen.first_state:
                for name, table in screen.last_state().items():
                    key = f"{mode}.{name}" if name else mode
                    first_table = screen.first_state.get(name, {})
                    changes[key] = _changes(first_table, table, self.settings.table(key))
        try:
            for key, changed in changes.items():
                if changed:
                    self.settings.put(key, changed)
        except InputError as error:
            if str(error) != self._settings_error:
                self._settings_error = str(error)
                self.notify(str(error), severity="error", markup=False)

    async def action_page(self, mode: str) -> None:
        """Open a page; add the header to it when it is opened for the first time."""
        await self.switch_mode(mode)
        base = self.screen_stack[0]
        if not base.query(PageHeader):
            pages = {mode: (page.key, page.name) for mode, page in PAGES.items()}
            await base.mount(PageHeader(pages, mode))
            base.call_after_refresh(gc.freeze)  # see `_collect_in_pauses`
        self._show_attached()

    def on_run_changed(self, event: RunChanged) -> None:
        """Show the state of the attached run in the header."""
        view = event.view
        style = STATES[view.state]
        words = f" {clean(view.run.name)} {100 * view.fraction_done:.0f} %"
        self._attached = Content.assemble((f"{style.mark} {view.state}", style.color), words)
        if view.state == "gone":
            self._attached = Content("")
        self._show_attached()

    def _show_attached(self) -> None:
        # The Train page shows the attached run in its own title.
        attached = Content("") if self.current_mode == "train" else self._attached
        for header in self.screen_stack[0].query(PageHeader):
            header.show(attached)

    def on_run_started(self, event: RunStarted) -> None:
        """Remember the run, to name it when the app quits while it is still training."""
        self._started.append(event.run)

    async def on_attach_run(self, event: AttachRun) -> None:
        """Show a run on the Train page."""
        await self.action_page("train")
        self.train.attach(event.run)

    async def on_new_run_wanted(self) -> None:
        """Open the form for a new run on the Train page."""
        await self.action_page("train")
        self.train.action_new_run()

    def on_run_renamed(self, event: RunRenamed) -> None:
        """Show the run that was renamed on the Train page, if it was shown there."""
        if self.train.run == event.old:
            self.train.attach(event.new)

    def action_command_palette(self) -> None:
        """Open the palette."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(Palette(id="--command-palette"))

    def search_themes(self) -> None:
        """Open a palette of the themes."""
        self.push_screen(Palette(providers=[ThemeProvider], placeholder="Search for themes…"))

    def action_help(self) -> None:
        """Show the keys of the current screen."""
        self.push_screen(HelpScreen(page_actions(self.screen)))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Yield the commands of the palette: every action of the screen, then Textual's own."""
        for action in page_actions(screen):
            if action.id != "app.palette":
                run = partial(self.run_action, action.action, action.node)
                yield SystemCommand(action.name, f"{action.keys}  {action.tooltip}", run)
        for name in KEY_SETS:
            about = "Use this set of keys; the file of settings can change any key"
            yield SystemCommand(f"Keys: {name}", about, partial(self.use_key_set, name))
        replaced = {"Quit", "Theme", "Keys"}
        yield from (
            entry for entry in super().get_system_commands(screen) if entry.title not in replaced
        )

    async def action_quit(self) -> None:
        """Quit; print which runs started by this app are still training."""
        self.keep_settings()
        training = {run.name for run in self._started if run_state.is_alive(run.worker())}
        message = None
        if training:
            names = ", ".join(sorted(training))
            message = f"Still training: {names}. Follow it with 'rnn-tui watch', or in the app."
        self.exit(message=message)


def _changes(first: State, now: State, kept: State) -> dict[str, Value]:
    """Return what differs from the first state or is kept already, and is not kept like this."""
    return {name: value for name, value in now.items() if kept.get(name, first.get(name)) != value}


def run_app(
    initial_mode: str | None = None, run: RunDir | None = None, programs: Programs = INSTALLED
) -> int:
    """Run the app; return its exit status.

    Raises InputError for a terminal whose character set lacks what the app draws with.
    """
    # Textual draws on stderr, and in the browser in UTF-8.
    in_terminal = sys.__stderr__ is not None and "TEXTUAL_DRIVER" not in os.environ
    encoding = sys.__stderr__.encoding if in_terminal and sys.__stderr__ else "utf-8"
    try:
        "█⣿─●".encode(encoding)
    except UnicodeEncodeError as error:
        raise InputError(
            f"The app cannot draw in a terminal of the character set {encoding}: set "
            "PYTHONUTF8=1, or use a UTF-8 locale."
        ) from error
    app = RnnTuiApp(initial_mode, run, programs)
    app.run()
    return app.return_code or 0
