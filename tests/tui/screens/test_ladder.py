"""The Ladder page, each key and field of it, before a made-up sampler."""

import runpy
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Select, Static

from tui.app import RnnTuiApp
from tui.screens.ladder import LadderScreen
from tui.sources import command, sampler
from tui.widgets.rung import RungView

HERE = Path(__file__).parents[1]
fake: dict[str, Any] = runpy.run_path(str(HERE / "ladder_fake.py"))
NAMES = [*fake["NAMES"], "first"]

Until = Callable[[Pilot[None], Callable[[], object]], Awaitable[None]]
Snap = Callable[..., bool]
Open = Callable[..., Any]


class Page:
    """What a test looks at."""

    def __init__(self, pilot: Pilot[None], until: Until) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, LadderScreen)
        self.pilot, self.screen, self._until = pilot, screen, until

    @property
    def status(self) -> str:
        return str(self.screen.query_one("#status", Static).render())

    @property
    def texts(self) -> list[str]:
        return [step.text for step in self.screen.ladder.steps]

    def field(self, name: str) -> Input:
        return self.screen.query_one(f"#{name}", Input)

    def rung(self, place: int) -> RungView:
        return list(self.screen.query(RungView))[place]

    async def until(self, true: Callable[[], object]) -> None:
        await self._until(self.pilot, true)

    async def sing(self, *keys: str) -> None:
        before = self.screen._asked
        await self.pilot.press(*(keys or ("g",)))
        await self.until(lambda: self.screen._asked > before and not self.screen.under_way)


@pytest.fixture
def opened(home: Path, monkeypatch: pytest.MonkeyPatch, until: Until) -> Open:
    """opened(size, models) opens the page and waits until its model is loaded."""

    def use(models: str) -> None:
        lyrics = str(HERE / "lyrics_fake.py")
        monkeypatch.setattr(command, "prefix", (sys.executable, lyrics, models))
        worker = (sys.executable, str(HERE / "ladder_fake.py"), "worker")
        monkeypatch.setattr(sampler, "command", worker)

    @asynccontextmanager
    async def open_(
        size: tuple[int, int] = (80, 24), models: str = "models", ready: str = "○ ready"
    ) -> AsyncIterator[Page]:
        use(models)
        app = RnnTuiApp("ladder")
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: isinstance(app.screen, LadderScreen))
            page = Page(pilot, until)
            await page.until(lambda: ready in page.status)
            yield page

    return open_


async def test_where_nothing_was_trained_yet_it_is_climbed_at_once(opened: Open) -> None:
    async with opened(models="bundled", ready="✓") as page:
        assert page.texts[10] == fake["VERSE"] * 3
        assert page.field("prime").value == "Why"


async def test_every_rung_says_how_good_it_is_and_what_it_wrote(opened: Open) -> None:
    async with opened(size=(120, 36)) as page:
        await page.sing()
        assert page.status.startswith("✓ full length · seed 7 · bits per character")
        for place, (name, bits) in enumerate(zip(NAMES, fake["BITS"], strict=True)):
            assert page.rung(place).border_title == name
            assert page.rung(place).border_subtitle == f"{bits:.3f} bits"
        assert page.texts[0].startswith("789012")
        shown = str(page.rung(10).query(Static).last().render())
        assert shown.startswith("Why the kettle hums to the window pane // and the window")


async def test_the_fields_make_the_request(opened: Open) -> None:
    async with opened() as page:
        for name, value in {"prime": "Snow", "temperature": "0.5", "seed": "3"}.items():
            page.field(name).value = value
        asked: list[Any] = []
        ladder = page.screen.sampler.ladder
        page.screen.sampler.ladder = lambda request: asked.append(request) or ladder(request)  # type: ignore[func-returns-value]
        await page.sing("enter")
        assert asked == [sampler.LadderRequest("first", "Snow", 0.5, 3)]
        page.field("seed").value = ""
        await page.sing("G")
        assert asked[-1].seed == 3
        await page.pilot.press("right_square_bracket")
        assert page.field("temperature").value == "0.6"
        await page.pilot.press("left_square_bracket", "left_square_bracket")
        assert page.field("temperature").value == "0.4"
        await page.sing()
        assert (asked[-1].temperature, asked[-1].seed) == (0.4, None)
        await page.pilot.press("s")
        await page.until(lambda: page.field("seed").has_focus)
        await page.sing("5", "enter")
        assert asked[-1].seed == 5
        assert isinstance(page.screen.focused, RungView)


async def test_wrong_values_are_said_and_ask_for_nothing(opened: Open) -> None:
    async with opened() as page:
        page.field("temperature").value = "hot"
        await page.pilot.pause()
        assert "Temperature is 'hot'" in str(page.screen.query_one("#problem", Static).render())
        await page.pilot.press("g")
        assert page.screen._asked == 0
        page.field("temperature").value = "0"
        await page.sing()
        assert page.screen.state == "length"


async def test_what_is_refused_is_said(opened: Open) -> None:
    async with opened() as page:
        page.field("prime").value = "wrong"
        await page.sing()
        assert page.status.startswith("✗ The prime has characters")
        page.field("prime").value = "die"
        await page.sing()
        assert "the ladder fell" in page.status
        page.field("prime").value = ""
        await page.sing()
        assert page.status.startswith("✓")
        page.field("prime").value = "wrong"
        await page.sing()
        page.screen.query_one("#model", Select).value = "run/mine"
        await page.until(lambda: "○ ready" in page.status)
        assert page.texts == [""] * 11
        page.field("prime").value = ""
        await page.sing()
        assert page.status == "✗ There is no file songs.csv: check the path."


async def test_escape_stops_and_then_leaves_the_field(opened: Open) -> None:
    async with opened() as page:
        page.field("prime").value = "wait"
        await page.pilot.press("g")
        half = len(fake["VERSE"] * 3) // 2
        await page.until(lambda: [len(text) for text in page.texts] == [half] * 11)
        assert page.status.startswith("♪ singing · seed 7")
        await page.pilot.press("escape")
        assert page.status.startswith("■ stopped")
        await page.pilot.press("p")
        await page.until(lambda: page.field("prime").has_focus)
        await page.pilot.press("escape")
        assert isinstance(page.screen.focused, RungView)


async def test_arrows_go_from_rung_to_rung(opened: Open) -> None:
    async with opened() as page:
        await page.sing()
        assert page.rung(10).has_focus
        await page.pilot.press("up", "up")
        assert page.rung(8).has_focus
        assert page.rung(8).size.height > page.rung(10).size.height
        await page.pilot.press(*["up"] * 12)
        assert page.rung(0).has_focus
        await page.pilot.press("down")
        assert page.rung(1).has_focus


async def test_without_a_model_it_says_what_to_do(opened: Open) -> None:
    async with opened(models="none", ready="No model has learned") as page:
        await page.pilot.press("g")
        assert page.screen._asked == 0


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12)], ids=["120x36", "80x24", "40x12"])
def test_it_looks_so(
    snap_compare: Snap,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    until: Until,
    size: tuple[int, int],
) -> None:
    lyrics = str(HERE / "lyrics_fake.py")
    monkeypatch.setattr(command, "prefix", (sys.executable, lyrics, "models"))
    worker = (sys.executable, str(HERE / "ladder_fake.py"), "worker")
    monkeypatch.setattr(sampler, "command", worker)

    async def before(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: isinstance(pilot.app.screen, LadderScreen))
        page = Page(pilot, until)
        await page.until(lambda: "○ ready" in page.status)
        await page.sing()
        await pilot.pause()

    assert snap_compare(RnnTuiApp("ladder"), terminal_size=size, run_before=before)
