"""The Neurons page, each key and field, with a fake sampler; and snapshots."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, TextArea

from tests.tui import fake_worker as fake
from tests.tui.page import Page, drawn, fake_programs, make_app, settle, use_models
from tui.pages.neurons import units
from tui.pages.neurons.activation_view import NeuronRoll, NeuronText
from tui.pages.neurons.controls import TextDialog
from tui.pages.neurons.screen import NeuronsScreen
from tui.pages.neurons.units import Unit
from tui.widgets.file_dialog import FileDialog

SONGS = fake.READ_SONGS
LARGE, USUAL, SMALL = (120, 36), (80, 24), (40, 12)


class NeuronsPage(Page[NeuronsScreen]):
    kind, mode, programs = NeuronsScreen, "neurons", fake_programs("neurons")

    @property
    def text(self) -> NeuronText:
        return self.screen.query_one(NeuronText)

    @property
    def unit(self) -> Unit | None:
        told = self.screen.activations
        return Unit(told.layer, told.unit) if told else None

    @property
    def features(self) -> list[str]:
        options = self.screen.query_one("#features", OptionList)
        return [str(options.get_option_at_index(i).prompt) for i in range(options.option_count)]

    async def sees(self, layer: int, number: int) -> None:
        await self.until(lambda: self.unit == Unit(layer, number))


Open = Callable[..., AbstractAsyncContextManager[NeuronsPage]]


@pytest.fixture
def page(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens the page with the lyrics' model, its first song read."""
    monkeypatch.chdir(tmp_path)

    @asynccontextmanager
    async def opened(
        models: str = "models", size: tuple[int, int] = LARGE
    ) -> AsyncIterator[NeuronsPage]:
        use_models(monkeypatch, models)
        async with NeuronsPage.opened(size) as page:
            if models == "models":
                await page.sees(2, 5)
            else:
                await page.until(lambda: not page.screen._searching)
            yield page

    return opened


@pytest.mark.slow
async def test_units_are_chosen_by_features_steps_and_numbers(page: Open) -> None:
    async with page() as here:
        # A song is read at once, and shaded by the best unit.
        assert here.text.text == SONGS[0]
        held = fake.activations(2, 5, len(SONGS[0]))
        assert list(here.text.levels) == units.levels(held)
        assert here.features[0].split() == ["place", "in", "line", "2:5", "+0.81"]
        assert here.features[2].endswith("not in song")
        assert "song 1 of 2" in here.text_of("#title")
        assert "unit 2:5 · place in line +0.81" in here.status
        assert "full color = ±0.90" in here.status
        assert here.field("unit").value == "2:5"
        strips = here.text.render_lines(here.text.size.region)
        colours = {segment.style.bgcolor for strip in strips for segment in strip if segment.style}
        assert len(colours) >= 1 + 2 * units.LEVELS

        # Features and ranks show their units.
        await here.press("down")
        await here.sees(1, 7)
        await here.press("down")  # one that never changes leaves the unit
        await here.press("down")
        await here.sees(2, 2)
        await here.press("up", "up", "up")
        await here.sees(2, 5)
        await here.press("right_square_bracket")
        await here.sees(1, 3)
        assert here.features[0].split()[-2:] == ["1:3", "−0.61"]
        await here.press("right_square_bracket", "right_square_bracket")
        await here.sees(2, 8)
        await here.press("left_square_bracket")
        await here.sees(1, 3)

        # Plus and minus step through the units.
        await here.press("left_square_bracket")
        await here.sees(2, 5)
        await here.press("plus")
        await here.sees(2, 6)
        await here.press("plus", "plus", "plus")
        await here.sees(1, 1)
        await here.press("minus")
        await here.sees(2, 8)
        assert here.field("unit").value == "2:8"

        # A unit is typed.
        await here.focus_by("u", "unit")
        await here.fill(unit="2:9")
        await here.press("enter")
        await here.until(lambda: "no unit 2:9" in here.problem)
        await here.fill(unit="1:4")
        await here.press("enter")
        await here.sees(1, 4)
        assert here.problem == ""
        assert here.focused == "features"


async def test_a_selected_character_shows_its_activation(page: Open) -> None:
    async with page(size=USUAL) as here:
        await here.press("right", "right")
        held = fake.activations(2, 5, 2)
        await here.until(lambda: f"after h, character 2: {units.signed(held[1], 3)}" in here.status)
        await here.press("left", "left", "left")
        await here.until(lambda: "after T, character 1:" in here.status)
        await here.press("down")  # another unit: the same character
        await here.until(lambda: "unit 1:7" in here.status)
        assert "after T, character 1:" in here.status
        here.text.action_select(len(SONGS[0]))
        assert here.text.scroll_offset.y > 0  # it is kept in sight
        row = len(here.text.wrapped.rows) - 2 - here.text.scroll_offset.y
        assert row == here.text.size.height - 1


@pytest.mark.slow
async def test_other_songs_and_own_texts_are_read(page: Open) -> None:
    async with page() as here:
        # Another song keeps the unit.
        await here.press("plus")
        await here.sees(2, 6)
        await here.press("full_stop")
        await here.until(lambda: here.text.text == SONGS[1])
        await here.sees(2, 6)
        await here.press("full_stop")
        await here.until(lambda: here.text.text == SONGS[0])
        await here.press("comma")
        await here.until(lambda: here.text.text == SONGS[1])

        # Returning to the page reads the same song again.
        await here.press("4")
        await here.until(lambda: here.app.screen is not here.screen)
        before = here.screen.reading
        await here.press("6")
        await here.until(lambda: here.screen.reading is not before)
        await here.sees(2, 6)
        assert here.text.text == SONGS[1]

        # Own texts are read, and refused ones leave what is in view.
        await here.press("o")
        await here.in_front(TextDialog)
        await here.press("escape")
        await here.until(lambda: here.app.screen is here.screen)
        assert here.text.text == SONGS[1]
        for typed, said in (
            ("a b", ""), ("long", "only the first 4"), ("wrong", "was not trained on ('w')"),
        ):  # fmt: skip
            await here.press("o")
            dialog = await here.in_front(TextDialog)
            dialog.query_one(TextArea).text = typed
            await here.press("ctrl+s")
            await here.until(lambda: here.app.screen is here.screen)
            if typed == "wrong":
                await here.until(lambda: said in here.status)  # noqa: B023
                assert here.text.text == "long"  # what was in view stays
            else:
                await here.until(lambda: here.text.text == typed)  # noqa: B023
                assert said in here.text_of("#title")
        await here.press("full_stop")
        await here.until(lambda: here.text.text == SONGS[0])
        await here.until(lambda: "was not trained on" not in here.status)

        # A sampler that ended is restarted.
        await here.press("o")
        dialog = await here.in_front(TextDialog)
        dialog.query_one(TextArea).text = "die"
        await here.press("ctrl+s")
        await here.until(lambda: "the bellows burst" in here.status)
        await here.press("full_stop")
        await here.until(lambda: "unit 2:6" in here.status)


async def test_models_of_music_and_without_units(page: Open, tmp_path: Path) -> None:
    async with page() as here:
        # A model without units is refused.
        here.select("model").value = "run/mine"
        await here.until(lambda: "✗ mine is an n-gram model" in here.status)
        assert here.screen.reading is None  # what the other model read is gone
        assert (here.text_of("#title"), here.features) == ("", [])
        here.select("model").value = "bundled/first"
        await here.until(lambda: "unit 2:5" in here.status)

        # Music is a strip of frames.
        here.select("model").value = "bundled/folk"
        roll = here.screen.query_one(NeuronRoll)
        await here.until(lambda: roll.display and here.unit == Unit(1, 5) and roll._values)
        assert not here.text.display
        lines = drawn(roll)
        assert lines[0].split()[:3] == ["bar", "│1", "│2"]
        assert any(line.startswith("  C4 ") for line in lines)
        await here.press("right", "right")
        await here.until(lambda: "after frame 2, bar 1:" in here.status)
        assert "C3 C♯4 G4" in here.status
        roll.action_select(100)
        await here.until(lambda: "after frame 102, bar 16:" in here.status)
        assert roll._start > 0
        file = tmp_path / "tune.mid"
        file.write_bytes(b"MThd")
        await here.press("o")
        dialog = await here.in_front(FileDialog)
        dialog.query_one(Input).value = "tune.mid"
        await here.press("enter")
        await here.until(lambda: "the text given" in here.text_of("#title"))
        assert here.screen._request.path == str(file)


async def test_without_models_the_page_shows_what_to_do(
    page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with page("none") as here:
        await here.until(lambda: here.text.wrapped.text)
        assert here.text.text == ""
        await here.press("full_stop", "plus", "right", "o", "right_square_bracket")
        assert here.screen.reading is None
        use_models(monkeypatch, "broken")
        await here.press("r")
        await here.until(lambda: "cannot be read" in here.status)


@pytest.fixture
def look(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    snap_compare: Callable[..., bool],
) -> Callable[..., bool]:
    """look(size, *keys, model="first", theme=None): compare the page with its picture."""
    monkeypatch.chdir(tmp_path)

    def compare(
        size: tuple[int, int], *keys: str, model: str = "", theme: str | None = None
    ) -> bool:
        app = make_app("neurons", programs=NeuronsPage.programs)
        if theme:
            app.theme = theme

        async def before(pilot: Pilot[None]) -> None:
            page = await NeuronsPage.of(pilot)
            screen = page.screen
            await page.until(lambda: screen.activations and not screen._load_id)
            if model:
                page.select("model").value = model
                await page.until(
                    lambda: screen.reading and screen.reading.frames and screen.activations
                )
            for key in keys:
                await page.press(key)
                await page.until(lambda: not (screen.waiting))
            await page.stop_blinking()
            await settle(pilot)

        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


Look = Callable[..., bool]


@pytest.mark.parametrize("size", [LARGE, USUAL, SMALL], ids=["120x36", "80x24", "40x12"])
def test_text(look: Look, size: tuple[int, int]) -> None:
    assert look(size, "down", "right", "right")


def test_text_in_light(look: Look) -> None:
    assert look(USUAL, "plus", theme="textual-light")


@pytest.mark.parametrize("size", [LARGE, USUAL, SMALL], ids=["120x36", "80x24", "40x12"])
def test_music(look: Look, size: tuple[int, int]) -> None:
    assert look(size, "right", "right", model="bundled/folk")


def test_text_dialog(look: Look) -> None:
    assert look(USUAL, "o")
