"""The roll in cells: golden ones, and every cell against the notes."""

from hypothesis import given
from hypothesis import strategies as st

from engine.music.score import Note
from tui.model.measure import Measure
from tui.model.raster import GIVEN, LEVELS, ONSET, raster
from tui.model.sheet import Sheet
from tui.model.window import Window

SIGNS = "." + "abcd" + "ABCD" + "ghij" + "GHIJ"  # held, begun; given: held, begun; by velocity


def test_a_picture() -> None:
    sheet = Sheet(Measure(120.0), given=0.5)
    sheet.add([
        Note(0.0, 0.75, 60, 127), Note(0.0, 1.0, 64, 1), Note(0.5, 1.0, 67, 80),
        Note(1.0, 1.25, 67, 80), Note(1.25, 2.0, 67, 80), Note(2.5, 3.0, 90), Note(3, 3.5, 40),
    ])  # fmt: skip
    drawn = raster(sheet, Window(columns=16, rows=4, cell=0.25, low=60))
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
    sheet = Sheet(Measure(100.0, (3, 4)), given=6.0)
    sheet.add([Note(0, 1, 60), Note(5, 6, 60), Note(30, 31, 60)])
    drawn = raster(sheet, Window(columns=30, rows=1, cell=0.2, start=20, low=60))
    assert drawn.ruler == " ·  ·  │4 ·  ·  │5 ·  ·  │6 · "
    assert drawn.sections == "─ given ─┤                    "
    assert drawn.times == "0:04      0:06      0:08      "
    assert drawn.earlier
    assert drawn.later
    assert drawn.cells[1].hex() == "00" * 5 + "0f" + "0b" * 4 + "00" * 20


def test_bars_far_away_are_counted_in_strides() -> None:
    sheet = Sheet(Measure(120.0))
    sheet.add([Note(0, 400, 60)])
    drawn = raster(sheet, Window(columns=24, rows=1, cell=2.0, low=60))
    assert drawn.ruler == "│1      │9      │17     "
    assert drawn.times == "0:00           0:30     "


NOTES = st.builds(
    lambda start, length, pitch, velocity: Note(start / 4, (start + length) / 4, pitch, velocity),
    st.integers(0, 60), st.integers(1, 20), st.integers(50, 80), st.integers(1, 127),
)  # fmt: skip
PARTS = st.builds(
    Window, columns=st.integers(1, 30), rows=st.integers(1, 10), cell=st.just(0.25),
    start=st.integers(0, 50), low=st.integers(25, 40).map(lambda half: 2 * half),
)  # fmt: skip


@given(st.lists(NOTES, max_size=12), PARTS, st.integers(0, 40))
def test_every_cell_says_what_sounds(notes: list[Note], window: Window, given_: int) -> None:
    sheet = Sheet(given=given_ / 4)
    sheet.add(notes)
    drawn = raster(sheet, window)
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
