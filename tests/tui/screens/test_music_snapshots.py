"""The Music page as it looks."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tui.app import RnnTuiApp
from tui.screens.music import MusicScreen
from tui.sources import command, player, sampler

FAKE = str(Path(__file__).parents[1] / "music_fake.py")
TAPED = str(Path(__file__).parents[2] / "engine" / "music" / "recording_player.py")
LARGE, USUAL, SMALL = (120, 36), (80, 24), (40, 12)

Until = Callable[[Pilot[None], Callable[[], object]], Awaitable[None]]
Compare = Callable[..., bool]
Look = Callable[..., bool]


@pytest.fixture
def look(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    until: Until,
    snap_compare: Compare,
) -> Look:
    """look(size, *keys, models="models", theme=None, **fields): compare the page with its picture.

    The fields are filled in, then the keys pressed; a piece that was begun is waited for.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sampler, "command", (sys.executable, FAKE, "worker"))
    monkeypatch.setattr(player, "command", (sys.executable, TAPED, "tape", "tape"))

    def compare(
        size: tuple[int, int],
        *keys: str,
        models: str = "models",
        theme: str | None = None,
        **fields: str,
    ) -> bool:
        monkeypatch.setattr(command, "prefix", (sys.executable, FAKE, models))
        app = RnnTuiApp("music")
        if theme:
            app.theme = theme

        async def before(pilot: Pilot[None]) -> None:
            await until(pilot, lambda: isinstance(app.screen, MusicScreen))
            page = app.screen
            assert isinstance(page, MusicScreen)
            if models == "models":
                status = page.query_one("#status", Static)
                await until(pilot, lambda: "ready" in str(status.render()))
            else:
                await until(pilot, lambda: not page._looking)
            for name, value in fields.items():
                page.query_one(f"#{name}", Input).value = value
            for key in keys:
                await pilot.press(key)
                await until(pilot, lambda: not any(piece.under_way for piece in page.pieces))
            for field in app.screen.query(Input):
                field.cursor_blink = False
            await pilot.pause()

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
