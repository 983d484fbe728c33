"""Notes found again by their time."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.score import Note
from engine.music.tempo_map import TempoMap
from tui.pages.music import roll_view as windows
from tui.pages.music.roll_view import GIVEN, LEVELS, ONSET, RollView, Viewport, rasterize

NOTES = st.builds(
    lambda start, length, pitch: Note(start, start + length, pitch),
    st.floats(0, 20), st.floats(0.1, 8), st.integers(21, 108),
)  # fmt: skip


@given(st.lists(NOTES), st.lists(NOTES, max_size=3), st.floats(0, 25), st.floats(0.01, 10))
def test_the_notes_of_a_while_are_those_that_sound_in_it(
    notes: list[Note], held: list[Note], start: float, length: float
) -> None:
    sheet = RollView(held=tuple(held))
    sheet.add(notes[::2])
    sheet.add(notes[1::2])
    assert list(sheet.notes) == sorted(sheet.notes, key=lambda note: note.start)
    end = start + length
    expected = [note for note in (*notes, *held) if note.start < end and note.end > start]
    key = lambda note: (note.start, note.end, note.pitch)  # noqa: E731
    assert sorted(sheet.between(start, end), key=key) == sorted(expected, key=key)
    pitches = [note.pitch for note in (*notes, *held)]
    assert sheet.pitches() == ((min(pitches), max(pitches)) if pitches else None)
    assert sheet.seconds == max((note.end for note in notes), default=0)
    assert sheet.sounding(start) == {
        note.pitch for note in (*notes, *held) if note.start < start + 1e-9 and note.end > start
    }


SIGNS = "." + "abcd" + "ABCD" + "ghij" + "GHIJ"  # held, begun; given: held, begun; by velocity


def test_a_picture() -> None:
    sheet = RollView(TempoMap(120.0), given=0.5)
    sheet.add([
        Note(0.0, 0.75, 60, 127), Note(0.0, 1.0, 64, 1), Note(0.5, 1.0, 67, 80),
        Note(1.0, 1.25, 67, 80), Note(1.25, 2.0, 67, 80), Note(2.5, 3.0, 90), Note(3, 3.5, 40),
    ])  # fmt: skip
    drawn = rasterize(sheet, Viewport(columns=16, rows=4, cell=0.25, low=60))
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
    sheet = RollView(TempoMap(100.0, (3, 4)), given=6.0)
    sheet.add([Note(0, 1, 60), Note(5, 6, 60), Note(30, 31, 60)])
    drawn = rasterize(sheet, Viewport(columns=30, rows=1, cell=0.2, start=20, low=60))
    assert drawn.ruler == " ·  ·  │4 ·  ·  │5 ·  ·  │6 · "
    assert drawn.sections == "─ given ─┤                    "
    assert drawn.times == "0:04      0:06      0:08      "
    assert drawn.earlier
    assert drawn.later
    assert drawn.cells[1].hex() == "00" * 5 + "0f" + "0b" * 4 + "00" * 20


def test_bars_far_away_are_counted_in_strides() -> None:
    sheet = RollView(TempoMap(120.0))
    sheet.add([Note(0, 400, 60)])
    drawn = rasterize(sheet, Viewport(columns=24, rows=1, cell=2.0, low=60))
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
def test_every_cell_says_what_sounds(notes: list[Note], window: Viewport, given_: int) -> None:
    sheet = RollView(given=given_ / 4)
    sheet.add(notes)
    drawn = rasterize(sheet, window)
    assert {len(line) for line in (drawn.ruler, drawn.sections, drawn.times)} == {window.columns}
    assert len(drawn.cells) == 2 * window.rows
    for row, cells in enumerate(drawn.cells):
        mine = [note for note in notes if note.pitch == window.high - row]
        for column, code in enumerate(cells):
            at = (window.start + column) * 0.25
            sounding = [note for note in mine if note.start <= at < note.end]
            assert (code > 0) == bool(sounding)
            if sounding:
                newest = max(note.start for note in sounding)
                latest = [note for note in sounding if note.start == newest]
                assert (code - 1) // GIVEN == (newest < sheet.given)
                assert ((code - 1) % GIVEN >= ONSET) == (newest == at)
                assert (code - 1) % LEVELS in {(n.velocity - 1) * LEVELS // 127 for n in latest}
    start, end = window.seconds
    for column in range(window.columns):
        at = (window.start + column) * 0.25
        up = any(n.pitch > window.high and n.start <= at < n.end for n in notes)
        down = any(n.pitch < window.low and n.start <= at < n.end for n in notes)
        assert (drawn.sections[column] == "▲") == up
        assert (drawn.times[column] == "▼") == down
    assert drawn.earlier == (window.start > 0 and any(note.start < start for note in notes))
    assert drawn.later == any(note.end > end for note in notes)


WINDOWS = st.builds(
    Viewport, columns=st.integers(1, 200), rows=st.integers(1, 60), start=st.integers(0, 5000),
    low=st.integers(10, 54).map(lambda half: 2 * half), cell=st.sampled_from([0.01, 0.15, 1.0]),
)  # fmt: skip


def sheet(*pitches: int) -> RollView:
    made = RollView()
    made.add(Note(float(place), place + 0.5, pitch) for place, pitch in enumerate(pitches))
    return made


@given(WINDOWS, st.floats(0, 500))
def test_one_that_follows_has_the_moment_in_sight(window: Viewport, moment: float) -> None:
    seen = windows.followed(window, moment)
    assert seen.start <= seen.column(moment) < seen.start + seen.columns
    assert windows.followed(seen, moment) == seen
    away = replace(window, following=False)
    assert windows.followed(away, moment) == away


@given(WINDOWS, st.integers(-500, 500), st.integers(-45, 45), st.floats(0, 500))
def test_moving_stays_on_the_keyboard_and_near_the_music(
    window: Viewport, columns: int, rows: int, end: float
) -> None:
    seen = windows.moved(window, columns, rows, end)
    assert 0 <= seen.start <= max(window.start, window.column(end))
    assert seen.low % 2 == 0
    assert seen.low >= LOWEST_PITCH - 1
    assert seen.high <= HIGHEST_PITCH + 2 or 2 * seen.rows > HIGHEST_PITCH - LOWEST_PITCH
    assert seen.following == (window.following and seen.start == window.start)


@given(WINDOWS, st.sampled_from([1.5, 1 / 1.5, 100, 0.001]), st.floats(0, 500))
def test_a_zoom_leaves_what_is_in_sight_there(window: Viewport, factor: float, at: float) -> None:
    window = windows.followed(window, at)
    seen = windows.zoomed(window, factor, at)
    assert windows.MIN_CELL <= seen.cell <= windows.MAX_CELL
    assert 0 <= seen.column(at) - seen.start < seen.columns


@given(WINDOWS, st.lists(st.integers(LOWEST_PITCH, HIGHEST_PITCH), min_size=1))
def test_all_keys_are_seen_where_there_is_room(window: Viewport, pitches: list[int]) -> None:
    made = sheet(*pitches)
    for seen in (windows.fitted(window, made), windows.widened(window, made)):
        if max(pitches) - min(pitches) < 2 * seen.rows - 2:
            assert seen.low <= min(pitches)
            assert max(pitches) <= seen.high
    if max(pitches) - min(pitches) >= 2 * window.rows - 1:
        assert windows.widened(window, made) == window


def test_too_many_keys_show_where_most_notes_are() -> None:
    seen = windows.fitted(Viewport(rows=4), sheet(21, 60, 62, 64, 108))
    assert seen.low <= 60 <= 64 <= seen.high


def test_seconds_and_columns() -> None:
    window = Viewport(columns=10, cell=0.15, start=4)
    assert window.seconds == (0.6, 2.1)
    assert [window.column(0.15 * place) for place in range(200)] == list(range(200))
