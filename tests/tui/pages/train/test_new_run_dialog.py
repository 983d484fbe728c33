from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from textual.widgets import DataTable, Static, TextArea

from engine import config
from engine.runs.run_dir import RunDir
from tests.tui.fake_command import FakeCommand
from tests.tui.page import FAILING, Page, in_front, make_app
from tui.app import RnnTuiApp
from tui.pages.train.new_run_dialog import NewRunDialog, SourceSuggester
from tui.pages.train.new_run_values import Form
from tui.pages.train.screen import TrainScreen
from tui.pages.train.settings_dialog import SettingsDialog
from tui.sources.child_commands import Programs

WriteRun = Callable[..., RunDir]


class FormPage(Page[NewRunDialog]):
    kind = NewRunDialog  # a dialog over the Train page, without a mode

    @staticmethod
    def line(dialog: SettingsDialog, selector: str) -> str:
        return str(dialog.query_one(selector, Static).visual)


@pytest.fixture(autouse=True)
def _presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {
        "inner": 'kind = "lyrics"\ninner = true\n',
        "own-songs": 'kind = "lyrics"\n[train]\nsteps = 70\n',
        "quick": 'about = "A first one"\nkind = "lyrics"\n[train]\nsteps = 60\n',
        "sketch": 'kind = "music"\n',
        "wide": 'about = "A wide one"\n[model]\nhidden_size = 512\n',
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.toml").write_text(text)
    monkeypatch.setattr(
        config, "presets", lambda: {name: tmp_path / f"{name}.toml" for name in texts}
    )


@asynccontextmanager
async def opened(programs: Programs = FAILING) -> AsyncIterator[FormPage]:
    async with make_app(programs=programs).run_test(size=(100, 32)) as pilot:
        await in_front(pilot, TrainScreen)
        await pilot.press("n")
        form = await FormPage.of(pilot)
        await form.until(lambda: form.field("name").value)
        yield form


async def test_fields_are_suggested_and_checked(
    fake_command: FakeCommand, write_run: WriteRun
) -> None:
    write_run("quick")
    async with opened(fake_command.programs) as form:
        # The included songs and the quick preset are chosen at first.
        assert form.screen.form == Form("lyrics", "originals", "quick", "quick-2")
        assert form.text_of("#summary").startswith("lstm 2 × 256 · 60 steps")
        await form.until(lambda: "as fast as the run quick" in form.text_of("#estimate"))

        # Presets are those of the kind, without inner ones; of a path, those for own songs.
        presets = [str(value) for _, value in form.select("preset")._options]
        assert presets[1:] == ["own-songs", "quick", "wide"]
        await form.fill(data="~/songs.csv")
        await form.until(lambda: form.screen.form.preset == "own-songs")
        assert "about 25 s as fast as" in form.text_of("#estimate")
        form.select("kind").value = "music"
        await form.until(lambda: form.screen.form.preset == "sketch")
        form.select("kind").value = "lyrics"

        # Suggestions come from the command.
        await form.fill(data="")
        await form.until(lambda: "harbour" in form.text_of("#data-note"))
        assert "preludes" not in form.text_of("#data-note")  # not lyrics
        assert "data list --json" in fake_command()
        await form.press("h", "a", "r")
        field = form.field("data")
        await form.until(lambda: field._suggestion == "harbour")
        await form.press("right")
        assert field.value == "harbour"
        await form.until(lambda: form.text_of("#data-note") == "Invented sea songs")
        await form.fill(data="")
        form.select("kind").value = "music"
        await form.until(lambda: "preludes" in form.text_of("#data-note"))
        assert "harbour" not in form.text_of("#data-note")

        # Fields are checked as they are typed.
        form.select("kind").value = "lyrics"
        await form.until(lambda: form.field("name").value == "quick-2")
        await form.fill(steps="none")
        assert form.text_of("#steps-note").startswith(
            "✗ train.steps must be a whole number of 1 or more, not 'none'."
        )
        await form.fill(steps="500")
        assert "500 steps" in form.text_of("#summary")
        area = form.screen.query_one("#settings", TextArea)
        area.focus()
        await form.press(*"model.hid")
        await form.until(lambda: "units in each" in form.text_of("#settings-note"))
        assert "from 1 to 16,384; default 256" in form.text_of("#settings-note")
        await form.press(*"den_size=x")
        await form.until(lambda: "whole number" in form.text_of("#settings-note"))
        area.text = "model.hidden_size=128"
        await form.until(lambda: "lstm 2 × 128" in form.text_of("#summary"))
        form.select("preset").value = "wide"
        await form.until(lambda: form.field("name").value == "wide")
        area.text = ""
        await form.until(lambda: "lstm 2 × 512" in form.text_of("#summary"))
        await form.press("ctrl+s")
        assert form.text_of("#data-note").startswith("✗ Enter the name of a data set")
        assert "train" not in fake_command()

        # A taken name is refused, and one typed by hand is kept.
        await form.fill(name="quick")
        assert form.text_of("#name-note") == "✗ The name 'quick' is taken; choose another."
        form.select("preset").value = "own-songs"
        await form.pilot.pause()
        assert form.field("name").value == "quick"  # a name typed by hand is kept
        await form.fill(name="folk")  # an included model
        assert form.text_of("#name-note") == "✗ The name 'folk' is taken; choose another."


@pytest.mark.slow
async def test_errors_help_and_closing(fake_command: FakeCommand) -> None:
    async with opened(fake_command.programs) as form:
        # After an error of the command every field is kept.
        await form.fill(data="nowhere")
        await form.fill(name="mine")
        await form.pilot.click("#start")
        await form.until(lambda: form.status.startswith("✗ There are no songs at nowhere"))
        assert form.app.screen is form.screen
        assert form.screen.form.data == "nowhere"
        assert form.screen.form.name == "mine"
        await form.fill(data="harbour")  # an error about the old values is removed
        assert not form.screen.query_one("#status").display

        # Closing during the preparation ends the command.
        await form.fill(data="slow")
        await form.press("ctrl+s")
        await form.until(lambda: form.status == "Reading the songs")
        children = psutil.Process().children()
        assert any("slow" in child.cmdline() for child in children)
        await form.press("ctrl+s")  # it does not start twice
        await form.press("escape")
        assert isinstance(form.app.screen, TrainScreen)
        await form.until(lambda: not any(child.is_running() for child in children))
        assert fake_command().count("--data slow") == 1

        # The close button, and help.
        await form.press("n")
        form = await FormPage.of(form.pilot)
        await form.press("f1")
        await form.until(lambda: form.app.screen is not form.screen)
        await form.press("escape")
        await form.pilot.click("#close")
        assert isinstance(form.app.screen, TrainScreen)


@pytest.mark.slow
async def test_data_sets_are_downloaded_and_runs_started_and_attached(
    fake_command: FakeCommand,
) -> None:
    async with opened(fake_command.programs) as form:
        # The kind is that of the data set, which the arrow keys choose.
        kind = form.select("kind")
        await form.until(lambda: "harbour" in form.screen._data_sets)
        form.field("data").focus()
        await form.fill(data="harbour")
        await form.press("down")
        await form.until(lambda: kind.value == "music" and "frames" in form.text_of("#summary"))
        assert form.screen.form.preset == "sketch"

        # A data set that is not here is downloaded first.
        await form.press("down")
        assert form.text_of("#data-note").startswith("Tunes. Not downloaded yet (1.5 MB, licence")
        await form.press("ctrl+s")
        assert "far is not downloaded yet: press f4." in form.text_of("#data-note")
        await form.press("f4")
        await form.until(lambda: form.text_of("#status") == "far has been downloaded.")
        assert form.text_of("#data-note") == "Tunes"
        assert "data fetch far --json --progress" in fake_command()

        # All settings are shown with their meanings, found by words, and changed.
        await form.press("f3")
        dialog = await form.in_front(SettingsDialog)
        await form.press("slash", *"recurrent layers", "enter")
        table = dialog.query_one(DataTable)
        assert [cell.plain for cell in table.get_row_at(0)] == ["model.layers", "2", "2"]
        await form.press("enter", "ctrl+u", "0", "enter")
        assert "must be a whole number from 1 to 16" in form.line(dialog, "#meaning")
        await form.press("ctrl+u", "3", "enter")
        assert [cell.plain for cell in table.get_row_at(0)] == ["model.layers", "3", "2"]
        await form.press("escape")
        await form.until(lambda: form.screen.form.settings == "model.layers=3")
        assert form.text_of("#summary").startswith("lstm 3 × 256")
        await form.press("f3")
        dialog = await form.in_front(SettingsDialog)
        await form.press("slash", *"layers", "enter", "delete", "escape")
        await form.until(lambda: form.screen.form.settings == "")

        # A run is started and attached.
        app = form.app
        assert isinstance(app, RnnTuiApp)
        await form.fill(data="harbour")
        await form.until(lambda: kind.value == "lyrics")
        await form.fill(steps="300")
        form.screen.query_one("#data").focus()
        await form.press("enter")
        await form.until(lambda: not isinstance(app.screen, NewRunDialog))
        page = app.screen
        assert isinstance(page, TrainScreen)
        await form.until(lambda: page.run and page.run.name == "quick" and app._started)
        assert (
            "train lyrics --data harbour --preset quick --run quick --set train.steps=300 "
            "--detach --json" in fake_command()
        )


async def test_paths_are_suggested(tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs.csv").touch()
    suggester = SourceSuggester()
    assert await suggester.get_suggestion(f"{tmp_path}/so") == f"{tmp_path}/songs/"
    assert await suggester.get_suggestion(f"{tmp_path}/songs.") == f"{tmp_path}/songs.csv"
    assert await suggester.get_suggestion(f"{tmp_path}/x/y") is None
    assert await suggester.get_suggestion(f"{tmp_path}/") is None
