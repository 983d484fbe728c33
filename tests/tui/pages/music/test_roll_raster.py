"""The notes of a roll by their time, its viewport, and its cells."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.score import Note
from engine.music.tempo_map import TempoMap
from tui.pages.music.roll_raster import (
    LEVELS,
    MAX_CELL,
    MIN_CELL,
    ONSET,
    PROMPT,
    VOICE,
    RollView,
    Viewport,
    rasterize,
)

NOTES = st.builds(
    lambda start, length, pitch: Note(start, start + length, pitch),
    st.floats(0, 20), st.floats(0.1, 8), st.integers(21, 108),
)  # fmt: skip


@given(st.lists(NOTES), st.lists(NOTES, max_size=3), st.floats(0, 25), st.floats(0.01, 10))
def test_the_notes_between_two_moments_are_those_that_sound_there(
    notes: list[Note], held: list[Note], start: float, length: float
) -> None:
    view = RollView(open_notes=tuple(held))
    view.add(notes[::2])
    view.add(notes[1::2])
    assert list(view.notes) == sorted(view.notes, key=lambda note: note.start)
    end = start + length
    expected = [note for note in (*notes, *held) if note.start < end and note.end > start]
    key = lambda note: (note.start, note.end, note.pitch)  # noqa: E731
    assert sorted(view.between(start, end), key=key) == sorted(expected, key=key)
    pitches = [note.pitch for note in (*notes, *held)]
    assert view.pitch_range() == ((min(pitches), max(pitches)) if pitches else None)
    assert view.seconds == max((note.end for note in notes), default=0)
    assert view.sounding(start) == {
        note.pitch for note in (*notes, *held) if note.start < start + 1e-9 and note.end > start
    }


# By velocity: held, onset; of the prompt: held, onset.
SIGNS = "." + "abcd" + "ABCD" + "ghij" + "GHIJ"


def test_a_raster() -> None:
    view = RollView(TempoMap(120.0), prompt_seconds=0.5)
    view.add([
        Note(0.0, 0.75, 60, 127), Note(0.0, 1.0, 64, 1), Note(0.5, 1.0, 67, 80),
        Note(1.0, 1.25, 67, 80), Note(1.25, 2.0, 67, 80), Note(2.5, 3.0, 90), Note(3, 3.5, 40),
    ])  # fmt: skip
    drawn = rasterize(view, Viewport(columns=16, rows=4, cell=0.25, low=60))
    assert ["".join(SIGNS[code] for code in row) for row in drawn.cells] == [
        "..CcCCcc........",
        "................",
        "................",
        "Gggg............",
        "................",
        "................",
        "................",
        "Jjj.............",
    ]
    assert drawn.ruler == "│1      │2      "
    assert drawn.sections == "─┤        ▲▲    "
    assert drawn.times == "0:00    0:02▼▼  "
    assert drawn.bars == {0, 8}
    assert not drawn.earlier
    assert not drawn.later


def test_a_part_in_the_middle() -> None:
    view = RollView(TempoMap(100.0, (3, 4)), prompt_seconds=6.0)
    view.add([Note(0, 1, 60), Note(5, 6, 60), Note(30, 31, 60)])
    drawn = rasterize(view, Viewport(columns=30, rows=1, cell=0.2, start=20, low=60))
    assert drawn.ruler == " ·  ·  │4 ·  ·  │5 ·  ·  │6 · "
    assert drawn.sections == "─ prompt ┤                    "
    assert drawn.times == "0:04      0:06      0:08      "
    assert drawn.earlier
    assert drawn.later
    assert drawn.cells[1].hex() == "00" * 5 + "0f" + "0b" * 4 + "00" * 20


def test_bars_are_numbered_in_larger_steps_where_zoomed_out() -> None:
    view = RollView(TempoMap(120.0))
    view.add([Note(0, 400, 60)])
    drawn = rasterize(view, Viewport(columns=24, rows=1, cell=2.0, low=60))
    assert drawn.ruler == "│1      │9      │17     "
    assert drawn.times == "0:00           0:30     "


NOTES = st.builds(
    lambda start, length, pitch, velocity: Note(start / 4, (start + length) / 4, pitch, velocity),
    st.integers(0, 60), st.integers(1, 20), st.integers(50, 80), st.integers(1, 127),
)  # fmt: skip
PARTS = st.builds(
    Viewport, columns=st.integers(1, 30), rows=st.integers(1, 10), cell=st.just(0.25),
    start=st.integers(0, 50), low=st.integers(25, 40).map(lambda half: 2 * half),
)  # fmt: skip


@given(st.lists(NOTES, max_size=12), PARTS, st.integers(0, 40))
def test_every_cell_shows_what_sounds(notes: list[Note], viewport: Viewport, prompt: int) -> None:
    view = RollView(prompt_seconds=prompt / 4)
    view.add(notes)
    drawn = rasterize(view, viewport)
    assert {len(line) for line in (drawn.ruler, drawn.sections, drawn.times)} == {viewport.columns}
    assert len(drawn.cells) == 2 * viewport.rows
    for row, cells in enumerate(drawn.cells):
        mine = [note for note in notes if note.pitch == viewport.high - row]
        for column, code in enumerate(cells):
            at = (viewport.start + column) * 0.25
            sounding = [note for note in mine if note.start <= at < note.end]
            assert (code > 0) == bool(sounding)
            if sounding:
                newest = max(note.start for note in sounding)
                latest = [note for note in sounding if note.start == newest]
                assert (code - 1) % VOICE // PROMPT == (newest < view.prompt_seconds)
                assert ((code - 1) % PROMPT >= ONSET) == (newest == at)
                assert (code - 1) % LEVELS in {(n.velocity - 1) * LEVELS // 127 for n in latest}
    start, end = viewport.seconds
    for column in range(viewport.columns):
        at = (viewport.start + column) * 0.25
        up = any(n.pitch > viewport.high and n.start <= at < n.end for n in notes)
        down = any(n.pitch < viewport.low and n.start <= at < n.end for n in notes)
        assert (drawn.sections[column] == "▲") == up
        assert (drawn.times[column] == "▼") == down
    assert drawn.earlier == (viewport.start > 0 and any(note.start < start for note in notes))
    assert drawn.later == any(note.end > end for note in notes)


VIEWPORTS = st.builds(
    Viewport, columns=st.integers(1, 200), rows=st.integers(1, 60), start=st.integers(0, 5000),
    low=st.integers(10, 54).map(lambda half: 2 * half), cell=st.sampled_from([0.01, 0.15, 1.0]),
)  # fmt: skip


def roll_view(*pitches: int) -> RollView:
    made = RollView()
    made.add(Note(float(index), index + 0.5, pitch) for index, pitch in enumerate(pitches))
    return made


@given(VIEWPORTS, st.floats(0, 500))
def test_a_viewport_that_follows_has_the_moment_in_view(viewport: Viewport, moment: float) -> None:
    seen = viewport.followed(moment)
    assert seen.start <= seen.column(moment) < seen.start + seen.columns
    assert seen.followed(moment) == seen
    away = replace(viewport, following=False)
    assert away.followed(moment) == away


@given(VIEWPORTS, st.integers(-500, 500), st.integers(-45, 45), st.floats(0, 500))
def test_moving_stays_on_the_keyboard_and_near_the_music(
    viewport: Viewport, columns: int, rows: int, end: float
) -> None:
    seen = viewport.moved(columns, rows, end)
    assert 0 <= seen.start <= max(viewport.start, viewport.column(end))
    assert seen.low % 2 == 0
    assert seen.low >= LOWEST_PITCH - 1
    assert seen.high <= HIGHEST_PITCH + 2 or 2 * seen.rows > HIGHEST_PITCH - LOWEST_PITCH
    assert seen.following == (viewport.following and seen.start == viewport.start)


@given(VIEWPORTS, st.sampled_from([1.5, 1 / 1.5, 100, 0.001]), st.floats(0, 500))
def test_a_zoom_keeps_a_moment_in_view(viewport: Viewport, factor: float, at: float) -> None:
    viewport = viewport.followed(at)
    seen = viewport.zoomed(factor, at)
    assert MIN_CELL <= seen.cell <= MAX_CELL
    assert 0 <= seen.column(at) - seen.start < seen.columns


@given(VIEWPORTS, st.lists(st.integers(LOWEST_PITCH, HIGHEST_PITCH), min_size=1))
def test_all_notes_are_in_view_where_they_fit(viewport: Viewport, pitches: list[int]) -> None:
    made = roll_view(*pitches)
    for seen in (viewport.fitted(made), viewport.widened(made)):
        if max(pitches) - min(pitches) < 2 * seen.rows - 2:
            assert seen.low <= min(pitches)
            assert max(pitches) <= seen.high
    if max(pitches) - min(pitches) >= 2 * viewport.rows - 1:
        assert viewport.widened(made) == viewport


def test_too_many_keys_show_most_notes() -> None:
    seen = Viewport(rows=4).fitted(roll_view(21, 60, 62, 64, 108))
    assert seen.low <= 60 <= 64 <= seen.high


def test_seconds_and_columns() -> None:
    viewport = Viewport(columns=10, cell=0.15, start=4)
    assert viewport.seconds == (0.6, 2.1)
    assert [viewport.column(0.15 * column) for column in range(200)] == list(range(200))
