"""The Lyrics page before a made-up sampler, and what its tests look at and press."""

import asyncio
import runpy
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.errors import NoWidget
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.app import RnnTuiApp
from tui.screens.lyrics import LyricsScreen
from tui.sources import command, sampler
from tui.widgets.lyrics_grid import SongTile
from tui.widgets.lyrics_song import Song
from tui.widgets.lyrics_text import LyricsText

FAKE = Path(__file__).parent / "lyrics_fake.py"
fake: dict[str, Any] = runpy.run_path(str(FAKE))


@pytest.fixture(autouse=True)
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    use(monkeypatch)


def use(monkeypatch: pytest.MonkeyPatch, models: str = "models", *worker: str) -> None:
    """Have the page find these models and this worker."""
    monkeypatch.setattr(command, "prefix", (sys.executable, str(FAKE), models))
    monkeypatch.setattr(sampler, "command", (sys.executable, str(FAKE), "worker", *worker))


async def until(pilot: Pilot[None], true: Callable[[], object], seconds: float = 30) -> None:
    if true():
        return
    for _ in range(int(seconds / 0.01)):
        await asyncio.sleep(0.01)  # not a pause of the pilot's: that costs as much again
        if true():
            await pilot.pause()
            if true():
                return
    raise AssertionError("it never came true")


class Page:
    """What a test looks at."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self.pilot = pilot
        screen = pilot.app.screen
        assert isinstance(screen, LyricsScreen)
        self.screen = screen

    @property
    def text(self) -> LyricsText:
        return self.screen.query_one(LyricsText)

    @property
    def song(self) -> Song:
        return self.screen.songs[-1]

    @property
    def status(self) -> str:
        return str(self.screen.query_one("#status", Static).render())

    @property
    def problem(self) -> str:
        return str(self.screen.query_one("#problem", Static).render())

    @property
    def tiles(self) -> list[SongTile]:
        """Those that are shown."""
        return [tile for tile in self.screen.query(SongTile) if tile.display]

    def field(self, name: str) -> Input:
        return self.screen.query_one(f"#{name}", Input)

    @property
    def focused(self) -> str | None:
        return self.screen.focused.id if self.screen.focused else None

    def seen(self, widget: Widget) -> bool:
        try:
            return bool(self.screen.find_widget(widget).visible_region)
        except NoWidget:
            return False

    def says(self, words: str) -> bool:
        """Whether the line of the dialog in front has these words."""
        return words in str(self.pilot.app.screen.query_one(Static).render())

    @property
    def lines(self) -> str:
        """The sheet as drawn."""
        strips = self.text.render_lines(self.text.size.region)
        return "\n".join(strip.text for strip in strips)

    async def until(self, true: Callable[[], object]) -> None:
        await until(self.pilot, true)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def go(self, key: str, name: str) -> None:
        await self.press(key)
        await self.until(lambda: self.focused == name)

    async def fill(self, **values: str) -> None:
        for name, value in values.items():
            self.field(name).value = value
        await self.pilot.pause()

    async def sing(self, *keys: str) -> Song:
        """Press keys that start a song, and wait for its end."""
        before = len(self.screen.songs)
        await self.press(*(keys or ("g",)))
        await self.until(lambda: len(self.screen.songs) > before and not self.song.under_way)
        return self.song


@asynccontextmanager
async def page(size: tuple[int, int] = (80, 24), ready: str = "○ ready") -> AsyncIterator[Page]:
    app = RnnTuiApp("lyrics")
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(app.screen, LyricsScreen))
        result = Page(pilot)
        await result.until(lambda: ready in result.status)
        yield result
