"""The Map page and its keys, with a fake sampler."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.page import Page, drawn, fake_programs, make_app, settle, use_models
from tui.pages.map.plane import MapPlane
from tui.pages.map.screen import MapScreen

Snap = Callable[..., bool]
Open = Callable[..., AbstractAsyncContextManager["MapPage"]]


class MapPage(Page[MapScreen]):
    kind, mode = MapScreen, "map"

    @property
    def plane(self) -> MapPlane:
        return self.screen.query_one(MapPlane)

    @property
    def name(self) -> str:
        return self.plane.point.name if self.plane.point else ""

    @property
    def similar(self) -> str:
        box = self.screen.query_one("#similar")
        return str(box.query_one(Static).render()) if box.display else ""

    @property
    def lines(self) -> list[str]:
        """Return the rows of the plane."""
        return drawn(self.plane)

    async def songs_of(self, name: str) -> None:
        while self.name != name:
            await self.press("full_stop")
        await self.press("enter")
        await self.until(lambda: f"songs by {name}" in self.status)


@pytest.fixture
def opened(home: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Return a function that opens the page: opened(*worker_arguments, size, models, ready)."""

    def open_(
        *words: str,
        size: tuple[int, int] = (80, 24),
        models: str = "models",
        ready: str = "6 artists",
    ) -> AbstractAsyncContextManager[MapPage]:
        use_models(monkeypatch, models)
        return MapPage.opened(size, ready, fake_programs("ladder", *words))

    return open_


@pytest.mark.slow
async def test_points_are_reached_by_keys_and_clicks(opened: Open) -> None:
    async with opened() as page:
        # Artists are shown at once.
        assert (
            page.status
            == "▸ Ada Moor, 3 songs · 6 artists · the two axes show 83 % of the variance"
        )
        shown = "\n".join(page.lines)
        for name in ("Ada Moor", "Quiet Harbour", "Moor & Daughters", "Tin Whistle"):
            assert f"● {name}" in shown or f"{name} ●" in shown

        # Keys move from point to point.
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
            await page.press(key)
            assert page.name == name, key
            await page.until(lambda: page.status.startswith(f"▸ {name}"))  # noqa: B023
        seen = set()
        for _ in range(6):
            await page.press("full_stop")
            seen.add(page.name)
        assert len(seen) == 6

        # A click moves to a point, and a second one opens it.
        while page.name != "Ada Moor":
            await page.press("full_stop")
        y, line = next((y, line) for y, line in enumerate(page.lines) if "Tin Whistle" in line)
        x = line.index("Tin Whistle") + 2
        await page.pilot.click(MapPlane, offset=(x, y))
        assert page.name == "Tin Whistle"
        await page.pilot.click(MapPlane, offset=(x, y))
        await page.until(lambda: "songs by Tin Whistle" in page.status)


@pytest.mark.slow
async def test_songs_of_an_artist_and_those_most_similar_to_one(opened: Open) -> None:
    async with opened() as page:
        # Enter opens an artist, and lists the songs most similar to a song.
        await page.songs_of("Bo")
        assert page.status == "▸ Kettle · 4 songs by Bo · the two axes show 30 % of the variance"
        assert not page.similar
        await page.press("full_stop", "enter")
        await page.until(lambda: page.similar)
        assert page.similar.splitlines()[:2] == ["Nearest to Lamp", " 0.90  Ada Moor – Song 0"]
        assert len(page.similar.splitlines()) == 11
        await page.press("escape")
        assert not page.similar
        assert "songs by Bo" in page.status
        await page.press("escape")
        await page.until(lambda: "6 artists" in page.status)
        assert page.name == "Bo"  # the artist whose songs were shown
        await page.press("escape")
        assert "6 artists" in page.status

        # Returning to the page keeps the cursor.
        await page.songs_of("Bo")
        await page.press("full_stop")
        name, asked = page.name, page.screen.sampler._last
        await page.press("1", "7")
        await page.until(lambda: page.screen.sampler._last == asked + 2)  # to load, and to place
        await page.until(lambda: not page.screen._request_id)
        assert page.name == name
        assert "songs by Bo" in page.status

        # Another model draws its own map.
        await page.focus_by("m", "model")
        select = page.select("model")
        select.value = "run/mine"
        await page.until(lambda: "has no hidden state" in page.status)
        assert page.name == ""
        await page.press("enter")
        select.value = "bundled/first"
        await page.until(lambda: "6 artists" in page.status)


async def test_reading_shows_its_progress_and_can_be_stopped(opened: Open) -> None:
    async with opened("slow", ready="read 120 of 240 songs") as page:
        await page.press("escape")
        assert page.status == "✗ Stopped. Press r to read the songs again."
        await page.press("r")
        await page.until(lambda: "read 120 of 240 songs" in page.status)


async def test_without_a_model_the_page_shows_what_to_do(opened: Open) -> None:
    async with opened(models="none", ready="No lyrics model yet") as page:
        await page.press("enter", "up", "comma", "escape")
        assert page.name == ""


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12)], ids=["120x36", "80x24", "40x12"])
def test_map(
    snap_compare: Snap,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
) -> None:
    async def before(pilot: Pilot[None]) -> None:
        page = await MapPage.of(pilot)
        await page.until(lambda: "6 artists" in page.status)
        if size[0] != 120:
            await page.songs_of("Bo")
            await pilot.press("full_stop", "enter")
            await page.until(lambda: page.similar)
        await settle(pilot)

    assert snap_compare(
        make_app("map", programs=fake_programs("ladder")), terminal_size=size, run_before=before
    )
