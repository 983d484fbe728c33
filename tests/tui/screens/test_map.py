"""The Map page, each key of it, before a made-up sampler."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Select, Static

from tui.app import RnnTuiApp
from tui.screens.map import MapScreen
from tui.sources import command, sampler
from tui.widgets.map_plane import MapPlane

HERE = Path(__file__).parents[1]

Until = Callable[[Pilot[None], Callable[[], object]], Awaitable[None]]
Snap = Callable[..., bool]
Open = Callable[..., Any]


class Page:
    """What a test looks at."""

    def __init__(self, pilot: Pilot[None], until: Until) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, MapScreen)
        self.pilot, self.screen, self._until = pilot, screen, until

    @property
    def status(self) -> str:
        return str(self.screen.query_one("#status", Static).render())

    @property
    def plane(self) -> MapPlane:
        return self.screen.query_one(MapPlane)

    @property
    def name(self) -> str:
        return self.plane.point.name if self.plane.point else ""

    @property
    def near(self) -> str:
        box = self.screen.query_one("#near")
        return str(box.query_one(Static).render()) if box.display else ""

    @property
    def lines(self) -> list[str]:
        """The plane as drawn."""
        return [strip.text for strip in self.plane.render_lines(self.plane.size.region)]

    async def until(self, true: Callable[[], object]) -> None:
        await self._until(self.pilot, true)

    async def songs_of(self, name: str) -> None:
        while self.name != name:
            await self.pilot.press("full_stop")
        await self.pilot.press("enter")
        await self.until(lambda: f"songs by {name}" in self.status)


def use(monkeypatch: pytest.MonkeyPatch, models: str = "models", *words: str) -> None:
    lyrics = str(HERE / "lyrics_fake.py")
    monkeypatch.setattr(command, "prefix", (sys.executable, lyrics, models))
    worker = (sys.executable, str(HERE / "ladder_fake.py"), "worker", *words)
    monkeypatch.setattr(sampler, "command", worker)


@pytest.fixture
def opened(home: Path, monkeypatch: pytest.MonkeyPatch, until: Until) -> Open:
    """opened(size, *words of the worker, models, ready) opens the page."""

    @asynccontextmanager
    async def open_(
        *words: str,
        size: tuple[int, int] = (80, 24),
        models: str = "models",
        ready: str = "6 artists",
    ) -> AsyncIterator[Page]:
        use(monkeypatch, models, *words)
        app = RnnTuiApp("map")
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: isinstance(app.screen, MapScreen))
            page = Page(pilot, until)
            await page.until(lambda: ready in page.status)
            yield page

    return open_


async def test_artists_are_there_at_once(opened: Open) -> None:
    async with opened() as page:
        assert page.status == "▸ Ada Moor, 3 songs · 6 artists · 83 % of their variance"
        drawn = "\n".join(page.lines)
        for name in ("Ada Moor", "Quiet Harbour", "Moor & Daughters", "Tin Whistle"):
            assert f"● {name}" in drawn or f"{name} ●" in drawn


async def test_keys_go_from_point_to_point(opened: Open) -> None:
    async with opened() as page:
        for key, name in (
            ("down", "The Paper Lanterns"),
            ("right", "Bo"),
            ("right", "Tin Whistle"),
            ("right", "Tin Whistle"),
            ("left", "Quiet Harbour"),  # farther than Bo, but straight ahead
            ("down", "Moor & Daughters"),
            ("full_stop", "Quiet Harbour"),
            ("comma", "Moor & Daughters"),
        ):
            await page.pilot.press(key)
            assert page.name == name, key
            await page.until(lambda name=name: page.status.startswith(f"▸ {name}"))
        seen = set()
        for _ in range(6):
            await page.pilot.press("full_stop")
            seen.add(page.name)
        assert len(seen) == 6


async def test_an_artist_opens_and_a_song_lists_its_nearest(opened: Open) -> None:
    async with opened() as page:
        await page.songs_of("Bo")
        assert page.status == "▸ Kettle · 4 songs by Bo · 30 % of their variance"
        assert not page.near
        await page.pilot.press("full_stop", "enter")
        await page.until(lambda: page.near)
        assert page.near.splitlines()[:2] == ["Nearest to Lamp", " 0.90  Ada Moor – Song 0"]
        assert len(page.near.splitlines()) == 11
        await page.pilot.press("escape")
        assert not page.near
        assert "songs by Bo" in page.status
        await page.pilot.press("escape")
        await page.until(lambda: "6 artists" in page.status)
        assert page.name == "Bo"  # where one came from
        await page.pilot.press("escape")
        assert "6 artists" in page.status


async def test_clicks_go_to_a_point_and_then_open_it(opened: Open) -> None:
    async with opened() as page:
        y, line = next((y, line) for y, line in enumerate(page.lines) if "Tin Whistle" in line)
        x = line.index("Tin Whistle") + 2
        await page.pilot.click(MapPlane, offset=(x, y))
        assert page.name == "Tin Whistle"
        await page.pilot.click(MapPlane, offset=(x, y))
        await page.until(lambda: "songs by Tin Whistle" in page.status)


async def test_reading_is_told_and_stopped(opened: Open) -> None:
    async with opened("slow", ready="read 120 of 240 songs") as page:
        await page.pilot.press("escape")
        assert page.status == "✗ Stopped: r reads the songs again."
        await page.pilot.press("r")
        await page.until(lambda: "read 120 of 240 songs" in page.status)


async def test_another_model_begins_anew(opened: Open) -> None:
    async with opened() as page:
        await page.songs_of("Bo")
        await page.pilot.press("m")
        select = page.screen.query_one("#model", Select)
        assert select.has_focus
        select.value = "run/mine"
        await page.until(lambda: "has no hidden state" in page.status)
        assert page.name == ""
        await page.pilot.press("enter")
        select.value = "bundled/first"
        await page.until(lambda: "6 artists" in page.status)


async def test_coming_back_keeps_the_place(opened: Open) -> None:
    async with opened() as page:
        await page.songs_of("Bo")
        await page.pilot.press("full_stop")
        name, asked = page.name, page.screen.sampler._last
        await page.pilot.press("1", "7")
        await page.until(lambda: page.screen.sampler._last == asked + 2)  # to load, and to place
        await page.until(lambda: not page.screen._asked)
        assert page.name == name
        assert "songs by Bo" in page.status


async def test_without_a_model_it_says_what_to_do(opened: Open) -> None:
    async with opened(models="none", ready="No model of lyrics") as page:
        await page.pilot.press("enter", "up", "comma", "escape")
        assert page.name == ""


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12)], ids=["120x36", "80x24", "40x12"])
def test_it_looks_so(
    snap_compare: Snap,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    until: Until,
    size: tuple[int, int],
) -> None:
    use(monkeypatch)

    async def before(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: isinstance(pilot.app.screen, MapScreen))
        page = Page(pilot, until)
        await page.until(lambda: "6 artists" in page.status)
        if size[0] != 120:
            await page.songs_of("Bo")
            await pilot.press("full_stop", "enter")
            await page.until(lambda: page.near)
        await pilot.pause()

    assert snap_compare(RnnTuiApp("map"), terminal_size=size, run_before=before)
