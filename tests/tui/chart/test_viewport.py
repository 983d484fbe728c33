import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.chart.viewport import SMOOTHINGS, Viewport

FULL = (1.0, 1000.0)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("zoom"), st.floats(0.3, 3.0)),
            st.tuples(st.just("pan"), st.floats(-2.0, 2.0)),
        ),
        max_size=30,
    ),
    st.booleans(),
)
def test_the_visible_range_stays_within_the_data(
    moves: list[tuple[str, float]], log_x: bool
) -> None:
    viewport = Viewport(log_x=log_x)
    for name, by in moves:
        viewport = viewport.zoom(FULL, by) if name == "zoom" else viewport.pan(FULL, by)
        if viewport.span is not None:
            low, high = viewport.span
            assert FULL[0] - 1e-6 <= low < high <= FULL[1] * (1 + 1e-9)


def test_zoom_keeps_its_center_in_place() -> None:
    viewport = Viewport().zoom((0.0, 100.0), 0.5, center=20.0)
    assert viewport.span == (10.0, 60.0)
    assert viewport.zoom((0.0, 100.0), 10.0).span is None


def test_pan_keeps_the_width() -> None:
    viewport = Viewport(span=(10.0, 30.0)).pan((0.0, 100.0), 0.5)
    assert viewport.span == pytest.approx((20.0, 40.0))
    assert viewport.pan((0.0, 100.0), 99.0).span == pytest.approx((80.0, 100.0))


def test_smoothing_stops_at_both_ends() -> None:
    viewport = Viewport()
    for _ in SMOOTHINGS:
        viewport = viewport.smooth(1)
    assert viewport.smoothing == SMOOTHINGS[-1]
    for _ in SMOOTHINGS:
        viewport = viewport.smooth(-1)
    assert viewport.smoothing == 0.0


@pytest.mark.parametrize(
    "viewport",
    [Viewport(), Viewport(span=(10.0, 250.5), log_x=True, log_y=True, smoothing=0.6, cursor=9.0)],
)
def test_it_is_kept_over_restarts_but_for_the_cursor(viewport: Viewport) -> None:
    assert Viewport().restored(viewport.kept()) == dataclasses.replace(viewport, cursor=None)


def test_unusable_values_are_ignored() -> None:
    odd = {"low": 7, "high": "x", "log_x": 1, "smoothing": 0.123}
    assert Viewport().restored(odd) == Viewport()
