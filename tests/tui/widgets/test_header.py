"""The header at all widths: what is left out, and room for the attached run."""

import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Static

from tui.widgets.header import PageHeader

PAGES = {"train": ("1", "Train"), "lyrics": ("2", "Lyrics"), "music": ("3", "Music"),
         "runs": ("4", "Runs"), "ladder": ("5", "Ladder"), "neurons": ("6", "Neurons"),
         "map": ("7", "Map")}  # fmt: skip
NAMED = "1 Train 2 Lyrics 3 Music 4 Runs 5 Ladder 6 Neurons 7 Map ?"


class Header(App[None]):
    def compose(self) -> ComposeResult:
        yield PageHeader(PAGES, "ladder")


@pytest.mark.parametrize(
    ("width", "tabs", "brand"),
    [
        (
            120,
            "1 Train   2 Lyrics   3 Music   4 Runs   5 Ladder   6 Neurons   7 Map   ? Keys",
            True,
        ),
        (100, NAMED, True),
        (80, NAMED, False),
        (60, "1 2 3 4 5 Ladder 6 7 ?", False),
        (40, "1 2 3 4 5 Ladder 6 7 ?", False),
    ],
)
async def test_the_header_leaves_out_what_does_not_fit(width: int, tabs: str, brand: bool) -> None:
    app = Header()
    async with app.run_test(size=(width, 12)) as pilot:
        header = app.query_one(PageHeader)
        header.show(Content("● training a run 12 %"))
        await pilot.pause()
        assert str(header.query_one("#tabs", Static).render()).strip() == tabs
        assert header.query_one("#brand").display is brand
        assert header.query_one("#attached").region.width >= 18
        await pilot.resize_terminal(140, 12)
        await pilot.pause()
        assert header.query_one("#brand").display
