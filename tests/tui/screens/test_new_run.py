from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Select, Static, TextArea

from engine import config as configs
from engine.rundir import RunDir
from tui.app import RnnTuiApp
from tui.screens.new_run import NewRunScreen, SourceSuggester
from tui.screens.train import TrainScreen

WriteRun = Callable[..., RunDir]
Until = Callable[[Pilot[None], Callable[[], object]], Awaitable[None]]
Calls = Callable[[], str]


class FormPage:
    """The form in an app under test."""

    def __init__(self, pilot: Pilot[None], until: Until) -> None:
        self.pilot = pilot
        self._until = until
        screen = pilot.app.screen
        assert isinstance(screen, NewRunScreen)
        self.screen = screen

    async def until(self, true: Callable[[], object]) -> None:
        await self._until(self.pilot, true)

    def said(self, name: str) -> str:
        return str(self.screen.query_one(f"#{name}", Static).visual)

    async def fill(self, name: str, value: str) -> None:
        self.screen.query_one(f"#{name}", Input).value = value
        await self.pilot.pause()


@pytest.fixture(autouse=True)
def _presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = tmp_path / "wide.toml"
    wide.write_text('about = "A wide one"\n[model]\nhidden = 512\n')
    tunes = tmp_path / "tunes.toml"
    tunes.write_text('kind = "music"\n')
    monkeypatch.setattr(configs, "presets", lambda: {"wide": wide, "tunes": tunes})


@asynccontextmanager
async def opened(until: Until) -> AsyncIterator[FormPage]:
    async with RnnTuiApp().run_test(size=(100, 32)) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, TrainScreen))
        await pilot.press("n")
        form = FormPage(pilot, until)
        await form.until(lambda: form.screen.query_one("#name", Input).value)
        yield form


async def test_suggestions_come_from_the_command_and_the_disk(
    fake_command: Calls, until: Until, tmp_path: Path
) -> None:
    async with opened(until) as form:
        await form.until(lambda: "harbour" in form.said("data-note"))
        assert "preludes" not in form.said("data-note")  # no lyrics
        assert "data list --json" in fake_command()
        await form.pilot.press("h", "a", "r")
        field = form.screen.query_one("#data", Input)
        await form.until(lambda: field._suggestion == "harbour")
        await form.pilot.press("right")
        assert field.value == "harbour"
        await form.until(lambda: form.said("data-note") == "Made-up sea songs")
        await form.fill("data", "")
        form.screen.query_one("#kind", Select).value = "music"
        await form.until(lambda: "preludes" in form.said("data-note"))
        assert "harbour" not in form.said("data-note")
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs.csv").touch()
    suggester = SourceSuggester()
    assert await suggester.get_suggestion(f"{tmp_path}/so") == f"{tmp_path}/songs/"
    assert await suggester.get_suggestion(f"{tmp_path}/songs.") == f"{tmp_path}/songs.csv"
    assert await suggester.get_suggestion(f"{tmp_path}/x/y") is None
    assert await suggester.get_suggestion(f"{tmp_path}/") is None


async def test_fields_are_looked_over_as_they_are_typed(fake_command: Calls, until: Until) -> None:
    async with opened(until) as form:
        assert form.said("summary").startswith("lstm 2 × 256 · 2,000 steps")
        await form.fill("steps", "none")
        assert form.said("steps-note").startswith("✗ train.steps is 'none'")
        await form.fill("steps", "500")
        assert "500 steps" in form.said("summary")
        area = form.screen.query_one("#settings", TextArea)
        area.focus()
        await form.pilot.press(*"model.hid")
        await form.until(lambda: form.said("settings-note") == "model.hidden=256")
        await form.pilot.press(*"den=x")
        await form.until(lambda: "whole number" in form.said("settings-note"))
        area.text = "model.hidden=128"
        await form.until(lambda: "lstm 2 × 128" in form.said("summary"))
        form.screen.query_one("#preset", Select).value = "wide"
        await form.until(lambda: form.screen.query_one("#name", Input).value == "wide")
        area.text = ""
        await form.until(lambda: "lstm 2 × 512" in form.said("summary"))
        await form.pilot.press("ctrl+s")
        assert form.said("data-note").startswith("✗ Name a dataset")
        assert "train" not in fake_command()


async def test_a_name_that_is_taken_is_refused_and_a_free_one_offered(
    fake_command: Calls, until: Until, write_run: WriteRun
) -> None:
    write_run("run")
    async with opened(until) as form:
        await form.until(lambda: form.screen.query_one("#name", Input).value == "run-2")
        await form.fill("name", "run")
        assert form.said("name-note") == "✗ There is a run 'run' already: choose another name."
        form.screen.query_one("#preset", Select).value = "wide"
        await form.pilot.pause()
        assert form.screen.query_one("#name", Input).value == "run"  # named by hand: left alone


async def test_a_run_is_started_attached_and_remembered(fake_command: Calls, until: Until) -> None:
    async with opened(until) as form:
        await form.fill("data", "harbour")
        await form.fill("steps", "300")
        app = form.pilot.app
        assert isinstance(app, RnnTuiApp)
        form.screen.query_one("#data").focus()
        await form.pilot.press("enter")
        await form.until(lambda: not isinstance(app.screen, NewRunScreen))
        page = app.screen
        assert isinstance(page, TrainScreen)
        await form.until(lambda: page.run and page.run.name == "run" and app._started)
        assert (
            "train lyrics --data harbour --run run --set train.steps=300 --detach --json"
            in fake_command()
        )


async def test_an_error_of_the_command_leaves_every_field_as_it_was(
    fake_command: Calls, until: Until
) -> None:
    async with opened(until) as form:
        await form.fill("data", "nowhere")
        await form.fill("name", "mine")
        await form.pilot.click("#start")
        await form.until(lambda: form.said("status").startswith("✗ There are no songs at nowhere"))
        assert form.pilot.app.screen is form.screen
        assert form.screen.form.data == "nowhere"
        assert form.screen.form.name == "mine"


async def test_leaving_while_it_prepares_ends_the_command(
    fake_command: Calls, until: Until
) -> None:
    async with opened(until) as form:
        await form.fill("data", "slow")
        await form.pilot.press("ctrl+s")
        await form.until(lambda: form.said("status") == "Reading the songs")
        children = psutil.Process().children()
        assert any("slow" in child.cmdline() for child in children)
        await form.pilot.press("ctrl+s")  # nothing twice
        await form.pilot.press("escape")
        assert isinstance(form.pilot.app.screen, TrainScreen)
        await form.until(lambda: not any(child.is_running() for child in children))
        assert fake_command().count("train lyrics") == 1


async def test_the_close_button_and_help(fake_command: Calls, until: Until) -> None:
    async with opened(until) as form:
        await form.pilot.press("f1")
        await form.until(lambda: form.pilot.app.screen is not form.screen)
        await form.pilot.press("escape")
        await form.pilot.click("#close")
        assert isinstance(form.pilot.app.screen, TrainScreen)


async def test_the_kind_is_that_of_the_songs_or_of_the_preset(
    fake_command: Calls, until: Until
) -> None:
    async with opened(until) as form:
        kind = form.screen.query_one("#kind", Select)
        await form.until(lambda: "harbour" in form.said("data-note"))
        assert kind.value == "lyrics"
        await form.fill("data", "preludes")
        await form.until(lambda: kind.value == "music" and "frames" in form.said("summary"))
        await form.fill("data", "harbour")
        await form.until(lambda: kind.value == "lyrics" and "characters" in form.said("summary"))
        form.screen.query_one("#preset", Select).value = "tunes"
        await form.until(lambda: kind.value == "music")
        kind.value = "lyrics"
        await form.until(lambda: "is for music" in form.said("preset-note"))
        await form.fill("data", "preludes")
        await form.until(lambda: not form.said("preset-note"))
        await form.pilot.press("ctrl+s")
        await form.until(lambda: "train music --data preludes --preset tunes" in fake_command())
