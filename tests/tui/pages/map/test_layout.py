"""Labels of the map that do not overlap, and steps from point to point."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from engine.protocol import MapPoint
from tui.pages.map import layout


def point(name: str, x: float, y: float, songs: int = 0) -> MapPoint:
    return MapPoint(name, songs, x=x, y=y)


numbers = st.floats(-3, 3) | st.integers(-1, 1).map(float)
points = st.lists(
    st.builds(point, st.text(max_size=40), numbers, numbers, st.integers(0, 9)),
    min_size=1,
    max_size=25,
)


@settings(deadline=None)
@given(points, st.integers(1, 70), st.integers(1, 12))
def test_labels_are_inside_the_area_apart_and_cover_no_point(
    drawn: list[MapPoint], width: int, height: int
) -> None:
    marks = layout.layout(drawn, width, height, cursor=0)
    assert len(marks) == len(drawn)
    taken = {(mark.row, mark.column) for mark in marks}
    assert all(0 <= row < height and 0 <= column < width for row, column in taken)
    spans: dict[int, list[tuple[int, int]]] = {}
    for mark in marks:
        if mark.label:
            end = mark.label_column + cell_len(mark.label)
            assert 0 <= mark.label_row < height
            assert 0 <= mark.label_column < end <= width
            assert (
                not {(mark.label_row, column) for column in range(mark.label_column, end)} & taken
            )
            spans.setdefault(mark.label_row, []).append((mark.label_column, end))
    for row in spans.values():
        row.sort()
        assert all(left[1] < right[0] for left, right in itertools.pairwise(row))


def test_points_are_scaled_to_fill_the_area() -> None:
    corners = [point("a", -1, 2), point("b", 1, 2), point("c", 1, -2), point("d", 0, 0)]
    marks = layout.layout(corners, 61, 21)
    assert [mark[:2] for mark in marks] == [(0, 0), (60, 0), (60, 20), (30, 10)]
    assert [mark.label for mark in marks] == ["a", "b", "c", "d"]
    assert [mark.label_column for mark in marks] == [
        2,
        58,
        58,
        32,
    ]  # on the left of points at the right edge
    assert layout.layout([point("alone", 5, 5)], 11, 5)[0][:2] == (5, 2)
    assert layout.layout([], 10, 10) == []
    assert layout.layout(corners, 0, 3) == []


def test_in_a_crowd_the_cursor_and_artists_with_many_songs_have_labels() -> None:
    crowd = [point(f"name {songs}", 0, 0, songs=songs) for songs in range(20)]
    labels = [mark.label for mark in layout.layout(crowd, 40, 3, cursor=4)]
    assert labels[4] == "name 4"
    assert labels[19] == "name 19"
    assert "" in labels


def test_labels_are_shortened_and_safe_to_print() -> None:
    assert layout.label("a\nb\x1b[31m") == "a b␛[31m"
    assert layout.label(" ") == layout.label("\U000e0000") == "–"
    assert cell_len(layout.label("词" * 40)) <= layout.MAX_LABEL
    assert layout.label("x" * 28) == "x" * 28
    assert layout.label("x" * 29) == "x" * 27 + "…"


@pytest.mark.slow
@settings(deadline=None)
@given(points, st.data())
def test_a_step_moves_in_its_direction_or_not_at_all(
    drawn: list[MapPoint], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(drawn) - 1))
    right, up = data.draw(st.sampled_from([(1, 0), (-1, 0), (0, 1), (0, -1)]))
    origin = drawn[start]
    reached = drawn[layout.step(drawn, start, right, up)]
    ahead = [p for p in drawn if (p.x - origin.x) * right + (p.y - origin.y) * up > 0]
    if not ahead:
        assert reached is origin
    else:
        assert reached in ahead
