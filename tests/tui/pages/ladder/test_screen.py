"""The Ladder page, each key and field, with a fake sampler."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from engine.protocol import SampleLadder
from tests.tui import fake_worker as fake
from tests.tui.page import Page, fake_programs, make_app, settle, use_models
from tui.pages.ladder.controls import RungView
from tui.pages.ladder.screen import LadderScreen

NAMES = [*fake.LADDER_NAMES, "first"]

Snap = Callable[..., bool]
Open = Callable[..., AbstractAsyncContextManager["LadderPage"]]


class LadderPage(Page[LadderScreen]):
    kind, mode, programs = LadderScreen, "ladder", fake_programs("ladder")

    @property
    def texts(self) -> list[str]:
        return [rung.text for rung in self.screen.ladder.rungs]

    def rung(self, place: int) -> RungView:
        return list(self.screen.query(RungView))[place]

    async def write(self, *keys: str) -> None:
        before = self.screen.request_id
        await self.press(*(keys or ("g",)))
        await self.until(lambda: self.screen.request_id > before and not self.screen.active)


@pytest.fixture
def opened(home: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """opened(size, models, ready) opens the page and waits until its model is loaded."""

    def open_(
        size: tuple[int, int] = (80, 24), models: str = "models", ready: str = "○ ready"
    ) -> AbstractAsyncContextManager[LadderPage]:
        use_models(monkeypatch, models)
        return LadderPage.opened(size, ready)

    return open_


async def test_without_a_trained_model_the_page_starts_by_itself(opened: Open) -> None:
    async with opened(models="bundled", ready="✓") as page:
        assert page.texts[10] == fake.LADDER_VERSE * 3
        assert page.field("prime").value == "Why"


async def test_every_rung_shows_its_bits_and_its_text(opened: Open) -> None:
    async with opened(size=(120, 36)) as page:
        await page.write()
        assert page.status.startswith("✓ full length · seed 7 · bits per character")
        for place, (name, bits) in enumerate(zip(NAMES, fake.LADDER_BITS, strict=True)):
            assert page.rung(place).border_title == name
            assert page.rung(place).border_subtitle == f"{bits:.3f} bits"
        assert page.texts[0].startswith("789012")
        shown = str(page.rung(10).query(Static).last().render())
        assert shown.startswith("Why the kettle hums to the window pane // and the window")


@pytest.mark.slow
async def test_fields_make_requests_stops_and_refusals_are_shown(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened() as page:
        # Wrong values are explained, and not sent.
        await page.fill(temperature="hot")
        assert "Temperature must be a number from 0 to inf, not 'hot'." in page.problem
        await page.press("g")
        assert page.screen.request_id == 0
        await page.fill(temperature="0")
        await page.write()
        assert page.screen.state == "length"

        # Arrows move from rung to rung.
        assert page.rung(10).has_focus
        await page.press("up", "up")
        assert page.rung(8).has_focus
        assert page.rung(8).size.height > page.rung(10).size.height
        await page.press(*["up"] * 12)
        assert page.rung(0).has_focus
        await page.press("down")
        assert page.rung(1).has_focus

        # Escape stops, and then leaves the field.
        await page.fill(prime="wait")
        await page.press("g")
        half = len(fake.LADDER_VERSE * 3) // 2
        await page.until(lambda: [len(text) for text in page.texts] == [half] * 11)
        assert page.status.startswith("♪ writing · seed 7")
        await page.press("escape")
        assert page.status.startswith("■ stopped")
        await page.focus_by("p", "prime")
        await page.press("escape")
        assert isinstance(page.screen.focused, RungView)

        # The fields make the request.
        await page.fill(prime="Snow", temperature="0.5", seed="3")
        asked: list[SampleLadder] = []
        send = page.screen.sampler.request

        def noted(request: SampleLadder) -> int:
            asked.append(request)
            return send(request)

        monkeypatch.setattr(page.screen.sampler, "request", noted)
        await page.write("enter")
        assert asked == [SampleLadder("first", "Snow", 0.5, 3)]
        await page.fill(seed="")
        await page.write("G")
        assert asked[-1].seed == 3
        await page.press("right_square_bracket")
        assert page.field("temperature").value == "0.6"
        await page.press("left_square_bracket", "left_square_bracket")
        assert page.field("temperature").value == "0.4"
        await page.write()
        assert asked[-1] == SampleLadder("first", "Snow", 0.4, None)
        await page.focus_by("k", "seed")
        await page.write("5", "enter")
        assert asked[-1].seed == 5
        assert isinstance(page.screen.focused, RungView)

        # Refusals are shown.
        await page.fill(prime="wrong")
        await page.write()
        assert page.status.startswith("✗ The prompt has characters")
        await page.fill(prime="die")
        await page.write()
        assert "the ladder fell" in page.status
        await page.fill(prime="")
        await page.write()
        assert page.status.startswith("✓")
        await page.fill(prime="wrong")
        await page.write()
        page.select("model").value = "run/mine"
        await page.until(lambda: "○ ready" in page.status)
        assert page.texts == [""] * 11
        await page.fill(prime="")
        await page.write()
        assert page.status == "✗ There is no file songs.csv: check the path."


async def test_without_a_model_the_page_shows_what_to_do(opened: Open) -> None:
    async with opened(models="none", ready="There is no lyrics model") as page:
        await page.press("g")
        assert page.screen.request_id == 0


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12)], ids=["120x36", "80x24", "40x12"])
def test_ladder(
    snap_compare: Snap,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
) -> None:
    use_models(monkeypatch)

    async def before(pilot: Pilot[None]) -> None:
        page = await LadderPage.of(pilot)
        await page.until(lambda: "○ ready" in page.status)
        await page.write()
        await settle(pilot)

    assert snap_compare(
        make_app("ladder", programs=LadderPage.programs), terminal_size=size, run_before=before
    )
