"""The Music page: snapshots."""

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.music_page import MusicPage, use
from tests.tui.page import make_app

LARGE, USUAL, SMALL = (120, 36), (80, 24), (40, 12)

Compare = Callable[..., bool]
Look = Callable[..., bool]


@pytest.fixture
def look(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    snap_compare: Compare,
) -> Look:
    """look(size, *keys, models="models", theme=None, **fields): compare the page with its picture.

    The fields are filled in, then the keys pressed; a piece that was begun is waited for.
    """
    monkeypatch.chdir(tmp_path)

    def compare(
        size: tuple[int, int],
        *keys: str,
        models: str = "models",
        theme: str | None = None,
        **fields: str,
    ) -> bool:
        use(monkeypatch, models)
        app = make_app("music", programs=MusicPage.programs)
        if theme:
            app.theme = theme

        async def before(pilot: Pilot[None]) -> None:
            page = await MusicPage.of(pilot)
            if models == "models":
                await page.until(lambda: "ready" in page.status)
            else:
                await page.until(lambda: not page.screen._searching)
            await page.fill(**fields)
            for key in keys:
                await page.press(key)
                await page.until(
                    lambda: not any(piece.active for piece in page.screen.session.items)
                )
            await page.stop_blinking()

        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


def test_ready(look: Look) -> None:
    assert look(LARGE)


def test_a_piece(look: Look) -> None:
    assert look(LARGE, "g", length="64")


def test_a_piece_in_light(look: Look) -> None:
    assert look(LARGE, "g", theme="textual-light", length="64")


def test_a_piece_in_80_by_24(look: Look) -> None:
    assert look(USUAL, "g", length="64", begins="C4 E4 G4")


def test_no_model_in_80_by_24(look: Look) -> None:
    assert look(USUAL, models="none")


def test_a_piece_in_40_by_12(look: Look) -> None:
    assert look(SMALL, "g", length="64")
