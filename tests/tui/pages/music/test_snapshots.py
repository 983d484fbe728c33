"""The Music page: snapshots."""

from collections.abc import Callable

import pytest

from tests.tui.music_page import MusicPage
from tests.tui.page import picture_comparison

LARGE, USUAL, SMALL = (120, 36), (80, 24), (40, 12)

Compare = Callable[..., bool]
Look = Callable[..., bool]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch, snap_compare: Compare) -> Look:
    return picture_comparison(MusicPage, monkeypatch, snap_compare)


def test_ready(look: Look) -> None:
    assert look(LARGE)


def test_a_piece(look: Look) -> None:
    assert look(LARGE, "g", length="64")


@pytest.mark.slow
def test_a_piece_in_light(look: Look) -> None:
    assert look(LARGE, "g", theme="textual-light", length="64")


def test_a_piece_in_80_by_24(look: Look) -> None:
    assert look(USUAL, "g", length="64", begins="C4 E4 G4")


def test_no_model_in_80_by_24(look: Look) -> None:
    assert look(USUAL, models="none")


def test_a_piece_in_40_by_12(look: Look) -> None:
    assert look(SMALL, "g", length="64")
