"""What part of the music is seen, wherever one goes."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from engine.music.score import HIGHEST, LOWEST, Note
from tui.model import window as windows
from tui.model.sheet import Sheet
from tui.model.window import Window

WINDOWS = st.builds(
    Window, columns=st.integers(1, 200), rows=st.integers(1, 60), start=st.integers(0, 5000),
    low=st.integers(10, 54).map(lambda half: 2 * half), cell=st.sampled_from([0.01, 0.15, 1.0]),
)  # fmt: skip


def sheet(*pitches: int) -> Sheet:
    made = Sheet()
    made.add(Note(float(place), place + 0.5, pitch) for place, pitch in enumerate(pitches))
    return made


@given(WINDOWS, st.floats(0, 500))
def test_one_that_follows_has_the_moment_in_sight(window: Window, moment: float) -> None:
    seen = windows.followed(window, moment)
    assert seen.start <= seen.column(moment) < seen.start + seen.columns
    assert windows.followed(seen, moment) == seen
    away = replace(window, following=False)
    assert windows.followed(away, moment) == away


@given(WINDOWS, st.integers(-500, 500), st.integers(-45, 45), st.floats(0, 500))
def test_moving_stays_on_the_keyboard_and_near_the_music(
    window: Window, columns: int, rows: int, end: float
) -> None:
    seen = windows.moved(window, columns, rows, end)
    assert 0 <= seen.start <= max(window.start, window.column(end))
    assert seen.low % 2 == 0
    assert seen.low >= LOWEST - 1
    assert seen.high <= HIGHEST + 2 or 2 * seen.rows > HIGHEST - LOWEST
    assert seen.following == (window.following and seen.start == window.start)


@given(WINDOWS, st.sampled_from([1.5, 1 / 1.5, 100, 0.001]), st.floats(0, 500))
def test_a_zoom_leaves_what_is_in_sight_there(window: Window, factor: float, at: float) -> None:
    window = windows.followed(window, at)
    seen = windows.zoomed(window, factor, at)
    assert windows.CLOSEST <= seen.cell <= windows.FURTHEST
    assert 0 <= seen.column(at) - seen.start < seen.columns


@given(WINDOWS, st.lists(st.integers(LOWEST, HIGHEST), min_size=1))
def test_all_keys_are_seen_where_there_is_room(window: Window, pitches: list[int]) -> None:
    made = sheet(*pitches)
    for seen in (windows.fitted(window, made), windows.widened(window, made)):
        if max(pitches) - min(pitches) < 2 * seen.rows - 2:
            assert seen.low <= min(pitches)
            assert max(pitches) <= seen.high
    if max(pitches) - min(pitches) >= 2 * window.rows - 1:
        assert windows.widened(window, made) == window


def test_too_many_keys_show_where_most_notes_are() -> None:
    seen = windows.fitted(Window(rows=4), sheet(21, 60, 62, 64, 108))
    assert seen.low <= 60 <= 64 <= seen.high


def test_seconds_and_columns() -> None:
    window = Window(columns=10, cell=0.15, start=4)
    assert window.seconds == (0.6, 2.1)
    assert [window.column(0.15 * place) for place in range(200)] == list(range(200))
