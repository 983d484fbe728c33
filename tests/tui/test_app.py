import gc
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pexpect
import pytest
from textual import events
from textual._compositor import LayoutUpdate
from textual.binding import Binding
from textual.command import CommandPalette
from textual.dom import DOMNode
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Region, Size
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static

from engine.runs import run_dir
from engine.runs.run_dir import RunDir
from tests.tui.fake_command import FakeCommand
from tests.tui.page import in_front, make_app, settle, until
from tui.app import PAGES, RnnTuiApp
from tui.chart.widget import LineChart
from tui.pages.ladder.screen import LadderScreen
from tui.pages.lyrics.screen import LyricsScreen
from tui.pages.map.plane import MapPlane
from tui.pages.map.screen import MapScreen
from tui.pages.music.piano_roll import PianoRoll
from tui.pages.music.player_panel import PlayerPanel
from tui.pages.music.screen import MusicScreen
from tui.pages.neurons.controls import TextDialog, UnitField
from tui.pages.neurons.screen import NeuronsScreen
from tui.pages.run_actions import RunStarted
from tui.pages.runs.screen import RunsScreen
from tui.pages.runs.table import RunTable
from tui.pages.train.choose_run_dialog import ChooseRunDialog
from tui.pages.train.new_run_dialog import NewRunDialog
from tui.pages.train.screen import TrainScreen
from tui.sources.settings import Settings
from tui.widgets.confirm import ConfirmScreen
from tui.widgets.fields import ChoiceField, OptionField, PrimeField, StepField
from tui.widgets.file_dialog import FileDialog
from tui.widgets.header import PageHeader
from tui.widgets.help import HelpScreen, page_actions
from tui.widgets.history_dialog import HistoryDialog
from tui.widgets.jump import JumpScreen

WriteRun = Callable[..., RunDir]
KINDS: dict[str, type[Screen[None]]] = {
    "train": TrainScreen,
    "lyrics": LyricsScreen,
    "music": MusicScreen,
    "runs": RunsScreen,
    "ladder": LadderScreen,
    "neurons": NeuronsScreen,
    "map": MapScreen,
}
pytestmark = pytest.mark.usefixtures("home")


def has_text(widget: Static, text: str) -> bool:
    return text in str(widget.visual)


async def test_digits_and_clicks_open_pages_and_help_lists_their_keys() -> None:
    async with make_app().run_test(size=(120, 36)) as pilot:
        for mode, expected in reversed(PAGES.items()):
            await pilot.press("escape", expected.key)
            page = await in_front(pilot, KINDS[mode])
            tabs = page.query_one(PageHeader).query_one("#tabs", Static)
            await until(pilot, partial(has_text, tabs, f"{expected.key} {expected.name}"))
            await help_lists_every_key(pilot, page)
        await pilot.click("#tabs", offset=(37, 0))
        runs = await in_front(pilot, RunsScreen)
        assert len(runs.query(PageHeader)) == 1


async def help_lists_every_key(pilot: Pilot[None], page: Screen[None]) -> None:
    page.set_focus(None)
    await pilot.press("question_mark")
    shown = await in_front(pilot, HelpScreen)
    cells = {str(cell) for column in shown.table.columns for cell in column.cells}
    for node in (page, pilot.app):
        for binding in node.BINDINGS:
            if isinstance(binding, Binding) and binding.id:
                assert binding.tooltip in cells
    await pilot.press("escape")
    assert pilot.app.screen is page


async def test_full_garbage_collections_wait_for_pauses() -> None:
    before = gc.get_threshold()
    async with make_app().run_test() as pilot:
        await until(pilot, gc.get_freeze_count)  # what the first page has loaded
        assert gc.get_threshold()[2] > before[2]
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


async def test_a_terminal_resized_twice_while_the_app_is_busy_is_drawn_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[object] = []
    display = RnnTuiApp._display

    def noted(app: RnnTuiApp, screen: Screen[None], renderable: Any) -> None:
        drawn.append(renderable)
        display(app, screen, renderable)

    async with make_app().run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        monkeypatch.setattr(RnnTuiApp, "_display", noted)
        driver = pilot.app._driver
        assert isinstance(driver, HeadlessDriver)
        for size in (Size(200, 60), Size(120, 40)):  # both before the app handles the first
            driver._size = size
            pilot.app.post_message(events.Resize(size, size))
        await settle(pilot)
        whole = [update.region for update in drawn if isinstance(update, LayoutUpdate)]
        assert whole[-1] == Region(0, 0, 120, 40)


async def test_palette_themes_and_the_attached_run(write_run: WriteRun) -> None:
    write_run("first")
    async with make_app().run_test(size=(120, 36)) as pilot:
        # The palette lists every action.
        page = pilot.app.screen
        assert isinstance(page, TrainScreen)
        await until(pilot, lambda: page.view)
        titles = [command.title for command in pilot.app.get_system_commands(page)]
        assert len(titles) == len(set(titles))
        for name in ("Stop", "Smooth more", "Log x", "Runs", "Theme", "Quit", "Help", "Export"):
            assert name in titles
        await pilot.press("ctrl+p")
        palette = await in_front(pilot, CommandPalette)
        await pilot.press(*"log x")
        await until(pilot, lambda: palette.query_one(OptionList).option_count)
        await pilot.press("enter")
        await until(pilot, lambda: page.query_one(LineChart).viewport.log_x)

        # Themes change the chart, too.
        chart = page.query_one(LineChart)
        await until(pilot, lambda: chart._strips)
        before = chart._strips[5]
        await pilot.press("4")
        await in_front(pilot, RunsScreen)
        pilot.app.theme = "textual-light"
        await pilot.press("1")  # it was behind another page when the theme changed
        await until(pilot, lambda: chart._strips and chart._strips[5] != before)
        await pilot.press("f2")
        palette = await in_front(pilot, CommandPalette)
        palette.dismiss()
        palette.dismiss()  # as when a theme is clicked while escape is handled
        await in_front(pilot, TrainScreen)

        # Other pages show the attached run.
        await pilot.press("4")
        await in_front(pilot, RunsScreen)
        attached = pilot.app.screen.query_one("#attached", Static)
        await until(pilot, lambda: str(attached.visual) == "! crashed first 100 %")


@pytest.mark.slow
async def test_keys_are_remapped_controls_jumped_to_and_the_palette_searches_descriptions(
    home: Path,
) -> None:
    home.mkdir()
    (home / "settings.toml").write_text('[app]\nkeys = "vim"\n[keys]\napp.runs = "f7"\n')
    app = make_app("runs")
    async with app.run_test(size=(120, 36)) as pilot:
        await in_front(pilot, RunsScreen)
        found = {action.id: action for action in page_actions(pilot.app.screen)}
        assert found["app.runs"].keys == "f7"
        await pilot.press("1")
        await in_front(pilot, TrainScreen)
        await pilot.press("4")  # given to f7
        assert app.current_mode == "train"
        await pilot.press("f7")
        await in_front(pilot, RunsScreen)

        # j and k move in a list, but are typed in a field.
        await pilot.press("ctrl+p")
        palette = await in_front(pilot, CommandPalette)
        await pilot.press(*"jk")
        assert palette.query_one(Input).value == "jk"
        await pilot.press("backspace", "backspace", *"dark or light")
        options = palette.query_one(OptionList)
        await until(pilot, lambda: options.option_count == 1)
        assert "Theme" in str(options.get_option_at_index(0).prompt)
        await pilot.press("escape")
        app.use_key_set("emacs")
        await pilot.press("ctrl+p")  # up
        assert app.screen is await in_front(pilot, RunsScreen)
        await pilot.press("alt+x")
        await in_front(pilot, CommandPalette)
        await pilot.press("ctrl+g")
        await in_front(pilot, RunsScreen)

        # A letter goes to a control.
        app.use_key_set("default")
        await pilot.press("2")
        lyrics = await in_front(pilot, LyricsScreen)
        lyrics.form.set_models([])
        await pilot.press("ctrl+o")
        jump = await in_front(pilot, JumpScreen)
        letter = next(key for key, one in jump.controls.items() if one.id == "temperature")
        await pilot.press(letter)
        await until(pilot, lambda: lyrics.focused is lyrics.query_one("#temperature"))
        await pilot.press("escape", "ctrl+o", "escape")
        await in_front(pilot, LyricsScreen)

        # Themes of our own; a damaged file of settings is reported at the start.
        for theme in ("high-contrast", "color-blind-safe", "ansi-dark"):
            app.theme = theme
            await pilot.pause()
        await pilot.press("q")
    kept = Settings(home / "settings.toml")
    assert kept.table("app") == {"keys": "default", "page": "lyrics", "theme": "ansi-dark"}
    (home / "settings.toml").write_text("damaged")
    app = make_app(mode=None)
    async with app.run_test(size=(80, 24)) as pilot:
        await in_front(pilot, TrainScreen)
        await until(pilot, lambda: any("cannot be read" in n.message for n in app._notifications))
        app.keep_settings()
        assert (home / "settings.toml").read_text() == "damaged"
        app.theme = "textual-light"
        app.keep_settings()
    assert Settings(home / "settings.toml").table("app") == {"theme": "textual-light"}


def test_every_binding_has_its_own_id_a_tooltip_and_an_action() -> None:
    nodes: list[type[DOMNode]] = [
        RnnTuiApp,
        TrainScreen,
        RunsScreen,
        LyricsScreen,
        MusicScreen,
        LadderScreen,
        MapScreen,
        MapPlane,
        PlayerPanel,
        PianoRoll,
        NeuronsScreen,
        UnitField,
        TextDialog,
        PrimeField,
        OptionField,
        StepField,
        ChoiceField,
        FileDialog,
        NewRunDialog,
        ChooseRunDialog,
        ConfirmScreen,
        HelpScreen,
        HistoryDialog,
        JumpScreen,
        LineChart,
        RunTable,
    ]
    ids: list[str] = []
    for node in nodes:
        for binding in node.__dict__["BINDINGS"]:
            assert isinstance(binding, Binding)
            assert binding.id
            assert binding.tooltip
            assert binding.description
            ids.append(binding.id)
            target = binding.action.partition("(")[0]
            owner = RnnTuiApp if target.startswith("app.") else node
            assert hasattr(owner, f"action_{target.removeprefix('app.')}")
    assert len(ids) == len(set(ids))


def test_a_key_means_the_same_on_all_pages() -> None:
    pages = [
        TrainScreen, RunsScreen, LyricsScreen, MusicScreen, PlayerPanel, PianoRoll, LadderScreen,
        NeuronsScreen, MapScreen, MapPlane, HistoryDialog, LineChart,
    ]  # fmt: skip
    keys: dict[str, set[str]] = defaultdict(set)
    meanings: dict[str, set[str]] = defaultdict(set)
    for page in pages:
        for binding in page.__dict__["BINDINGS"]:
            key = binding.key.partition(",")[0]
            keys[binding.description].add(key)
            if len(key) == 1 or key in {"comma", "full_stop", "slash"}:
                meanings[key].add(binding.description)
    several = {deed: found for deed, found in keys.items() if len(found) > 1}
    assert several == {
        "Stop": {"s", "escape"},  # escape stops writing, s a run or playback
        "Write": {"g", "enter"}, "Sing": {"g", "enter"}, "Open": {"o", "enter"},
        "Back": {"escape", "left"}, "Previous": {"comma", "minus"},
    }  # fmt: skip
    different = {key for key, found in meanings.items() if len(found) > 1}
    similar = {"b", "c", "comma", "full_stop", "g", "k", "o", "slash", "z"}
    # A key that is taken on one page had better keep its meaning on another; these do not:
    assert different - similar == {"L", "M", "R", "a", "f", "l", "m", "p", "r"}


async def test_actions_of_a_dialog_and_ctrl_q_in_its_fields(
    fake_command: FakeCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    app = make_app(programs=fake_command.programs)
    async with app.run_test(size=(120, 36)) as pilot:
        # Actions are those of the current screen.
        await until(pilot, lambda: pilot.app.screen.has_class("-empty"))
        found = {action.id: action for action in page_actions(pilot.app.screen)}
        assert found["train.stop"].group == "This page"
        assert found["app.quit"].group == "Everywhere"
        assert found["app.help"].keys == "? f1"
        assert "runs.delete" not in found
        await pilot.press("n")
        assert {action.id for action in page_actions(pilot.app.screen)} == {
            "new_run.start", "new_run.settings", "new_run.download", "new_run.close",
            "new_run.help", "new_run.previous_data", "new_run.next_data",
        }  # fmt: skip

        # ctrl+q quits in a field.
        await pilot.press("1", "q")
        assert isinstance(app.screen, NewRunDialog)
        assert app.screen.form.data == "1q"
        await pilot.press("ctrl+q")
    assert app.return_code == 0
    assert capsys.readouterr().err == ""


async def test_quitting_prints_the_runs_in_training_and_does_not_stop_them(
    write_run: WriteRun, capsys: pytest.CaptureFixture[str]
) -> None:
    run, ended = write_run("training"), write_run("ended", stamp="20250101-000000")
    trainer = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        run_dir.write_worker(run, trainer.pid)
        app = make_app()
        async with app.run_test(size=(120, 36)) as pilot:
            page = pilot.app.screen
            assert isinstance(page, TrainScreen)
            await until(pilot, lambda: page.view)
            for one in (run, ended):
                page.post_message(RunStarted(one))
            await until(pilot, lambda: len(app._started) == 2)
            await pilot.press("q")
            await until(pilot, lambda: not app.is_running)
        assert "Still training: training." in capsys.readouterr().err
        assert trainer.poll() is None
        assert not list((run.path / "control").iterdir())
    finally:
        trainer.communicate(b"\n")


def test_importing_the_app_imports_nothing_slow() -> None:
    slow = ("torch", "numpy", "engine.data", "engine.model", "engine.train",
            "engine.sampling")  # fmt: skip
    script = f"import sys, tui.app; print([name for name in {slow!r} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.slow
def test_it_opens_and_closes_in_a_real_terminal(home: Path, write_run: WriteRun) -> None:
    write_run("first")
    script = "from tui.app import run_app; raise SystemExit(run_app())"
    environment = {**os.environ, "RNN_TUI_HOME": str(home), "TERM": "xterm-256color"}
    child = pexpect.spawn(
        sys.executable, ["-c", script], env=environment, dimensions=(24, 80), timeout=120
    )
    child.expect("crashed")
    child.send("4")
    child.expect("best valid")
    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
