"""The Lyrics page: snapshots."""

from collections.abc import Callable

import pytest

from tests.tui.lyrics_page import LyricsPage
from tests.tui.page import picture_comparison

LARGE, USUAL, SMALL = (120, 36), (80, 24), (40, 12)

Compare = Callable[..., bool]
Look = Callable[..., bool]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch, snap_compare: Compare) -> Look:
    return picture_comparison(LyricsPage, monkeypatch, snap_compare)


def test_ready(look: Look) -> None:
    assert look(LARGE)


def test_second_song(look: Look) -> None:
    assert look(LARGE, "g", "g", artist="Ada Moor", seed="31", length="700", top_k="40")


def test_second_song_in_light(look: Look) -> None:
    assert look(LARGE, "g", "g", theme="textual-light", artist="Ada Moor", length="300")


@pytest.mark.slow
def test_shaded_by_surprise(look: Look) -> None:
    assert look(LARGE, "h", "g", "left", artist="Ada Moor", seed="31", length="300")


def test_copies_in_light(look: Look) -> None:
    assert look(USUAL, "h", "h", "g", theme="textual-light", seed="31", length="300")


def test_wrong_value(look: Look) -> None:
    assert look(LARGE, "t", temperature="hot")


def test_refused(look: Look) -> None:
    assert look(LARGE, "g", prime="wrong")


def test_song_in_80_by_24(look: Look) -> None:
    assert look(USUAL, "g", length="2000")


def test_artists_in_80_by_24(look: Look) -> None:
    assert look(USUAL, "g", "a", "m", "o")


@pytest.mark.parametrize("size", [LARGE, USUAL, SMALL], ids=["120x36", "80x24", "40x12"])
def test_nine_songs(look: Look, size: tuple[int, int]) -> None:
    assert look(size, "g", "right", artist="Ada Moor", seed="31", length="300", count="9")


def test_four_songs_shaded(look: Look) -> None:
    assert look(USUAL, "h", "g", seed="31", length="150", count="4")


def test_selected_character_in_80_by_24(look: Look) -> None:
    assert look(USUAL, "g", "left", "left", seed="31", length="300")


def test_selected_character_in_40_by_12(look: Look) -> None:
    assert look(SMALL, "h", "g", "left", seed="31", length="300")


@pytest.mark.slow
@pytest.mark.parametrize("size", [LARGE, USUAL, SMALL], ids=["120x36", "80x24", "40x12"])
def test_editing(look: Look, size: tuple[int, int]) -> None:
    assert look(size, "g", "e", seed="31", length="300")


def test_rewritten(look: Look) -> None:
    assert look(USUAL, "g", "left", "w", seed="0", length="100")


def test_save_in_80_by_24(look: Look) -> None:
    assert look(USUAL, "g", "S")


def test_no_model_in_80_by_24(look: Look) -> None:
    assert look(USUAL, models="none")


def test_ready_in_40_by_12(look: Look) -> None:
    assert look(SMALL)


def test_song_in_40_by_12(look: Look) -> None:
    assert look(SMALL, "g")


def test_field_in_40_by_12(look: Look) -> None:
    assert look(SMALL, "g", "t")
