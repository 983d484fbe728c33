from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from textual.widgets import TextArea

from engine import config
from engine.runs.run_dir import RunDir
from tests.tui.fake_command import FakeCommand
from tests.tui.page import FAILING, Page, in_front, make_app
from tui.app import RnnTuiApp
from tui.pages.train.new_run_dialog import NewRunDialog, SourceSuggester
from tui.pages.train.screen import TrainScreen
from tui.sources.child_commands import Programs

WriteRun = Callable[..., RunDir]


class FormPage(Page[NewRunDialog]):
    kind = NewRunDialog  # a dialog over the Train page, without a mode


@pytest.fixture(autouse=True)
def _presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = tmp_path / "wide.toml"
    wide.write_text('about = "A wide one"\n[model]\nhidden_size = 512\n')
    tunes = tmp_path / "tunes.toml"
    tunes.write_text('kind = "music"\n')
    monkeypatch.setattr(config, "presets", lambda: {"wide": wide, "tunes": tunes})


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
    write_run("run")
    async with opened(fake_command.programs) as form:
        # Suggestions come from the command.
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
        await form.until(lambda: form.field("name").value == "run-2")
        assert form.text_of("#summary").startswith("lstm 2 × 256 · 2,000 steps")
        await form.fill(steps="none")
        assert form.text_of("#steps-note").startswith(
            "✗ train.steps must be a whole number of 1 or more, not 'none'."
        )
        await form.fill(steps="500")
        assert "500 steps" in form.text_of("#summary")
        area = form.screen.query_one("#settings", TextArea)
        area.focus()
        await form.press(*"model.hid")
        await form.until(lambda: form.text_of("#settings-note") == "model.hidden_size=256")
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
        await form.fill(name="run")
        assert form.text_of("#name-note") == "✗ The name 'run' is taken; choose another."
        form.select("preset").value = "tunes"
        await form.pilot.pause()
        assert form.field("name").value == "run"  # a name typed by hand is kept
        await form.fill(name="folk")  # an included model
        assert form.text_of("#name-note") == "✗ The name 'folk' is taken; choose another."


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


async def test_runs_are_started_and_attached(fake_command: FakeCommand) -> None:
    async with opened(fake_command.programs) as form:
        # The kind is that of the data set or of the preset.
        kind = form.select("kind")
        await form.until(lambda: "harbour" in form.text_of("#data-note"))
        assert kind.value == "lyrics"
        await form.fill(data="preludes")
        await form.until(lambda: kind.value == "music" and "frames" in form.text_of("#summary"))
        await form.fill(data="harbour")
        await form.until(
            lambda: kind.value == "lyrics" and "characters" in form.text_of("#summary")
        )
        form.select("preset").value = "tunes"
        await form.until(lambda: kind.value == "music")
        kind.value = "lyrics"
        await form.until(lambda: "is for music" in form.text_of("#preset-note"))
        await form.fill(data="preludes")
        await form.until(lambda: not form.text_of("#preset-note"))
        await form.press("ctrl+s")
        await form.until(lambda: "train music --data preludes --preset tunes" in fake_command())

        # A run is started and attached.
        app = form.app
        assert isinstance(app, RnnTuiApp)
        await form.until(lambda: isinstance(app.screen, TrainScreen))
        await form.press("n")
        form = await FormPage.of(form.pilot)
        await form.until(lambda: form.field("name").value == "run")
        await form.fill(data="harbour")
        await form.fill(steps="300")
        form.screen.query_one("#data").focus()
        await form.press("enter")
        await form.until(lambda: not isinstance(app.screen, NewRunDialog))
        page = app.screen
        assert isinstance(page, TrainScreen)
        await form.until(lambda: page.run and page.run.name == "run" and app._started)
        assert (
            "train lyrics --data harbour --run run --set train.steps=300 --detach --json"
            in fake_command()
        )


async def test_paths_are_suggested(tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs.csv").touch()
    suggester = SourceSuggester()
    assert await suggester.get_suggestion(f"{tmp_path}/so") == f"{tmp_path}/songs/"
    assert await suggester.get_suggestion(f"{tmp_path}/songs.") == f"{tmp_path}/songs.csv"
    assert await suggester.get_suggestion(f"{tmp_path}/x/y") is None
    assert await suggester.get_suggestion(f"{tmp_path}/") is None
