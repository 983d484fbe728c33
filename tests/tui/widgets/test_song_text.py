"""A song that grows is drawn without laying out the screen for each of its rows."""

import pytest
from textual.app import App, ComposeResult
from textual.screen import Screen

from tests.tui.page import drawn, settle
from tui.widgets.song_text import SongText


class _Page(App[None]):
    def compose(self) -> ComposeResult:
        yield SongText()


async def test_rows_need_no_layout_until_the_scrollbar_appears(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layouts = 0
    lay_out = Screen._refresh_layout

    def counted(screen: Screen[None], *args: object, **options: object) -> None:
        nonlocal layouts
        layouts += 1
        lay_out(screen, *args, **options)  # type: ignore[arg-type]

    app = _Page()
    async with app.run_test(size=(20, 6)) as pilot:
        text = app.query_one(SongText)
        text.writing = True
        text.show_text("one")
        await settle(pilot)
        monkeypatch.setattr(Screen, "_refresh_layout", counted)
        for row in range(2, 6):
            text.append(f"\nrow {row}")
            await settle(pilot)
        assert [line.strip() for line in drawn(text)][:5] == [
            "one", "row 2", "row 3", "row 4", "row 5▌",
        ]  # fmt: skip
        assert (layouts, text.show_vertical_scrollbar) == (0, False)
        text.append("\nrow 6\nrow 7")
        await settle(pilot)
        assert layouts
        assert text.show_vertical_scrollbar
        layouts = 0
        text.append("\nrow 8")
        await settle(pilot)
        assert drawn(text)[-1].strip() == "row 8▌"
        bar = text.vertical_scrollbar
        assert (layouts, bar.window_virtual_size, text.max_scroll_y) == (0, 8, 2)
