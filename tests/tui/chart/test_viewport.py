import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.chart.viewport import SMOOTHINGS, Viewport, pan, smoother, zoom

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
def test_what_is_seen_never_leaves_the_data(moves: list[tuple[str, float]], log_x: bool) -> None:
    view = Viewport(log_x=log_x)
    for name, by in moves:
        view = zoom(view, FULL, by) if name == "zoom" else pan(view, FULL, by)
        if view.span is not None:
            low, high = view.span
            assert FULL[0] - 1e-6 <= low < high <= FULL[1] * (1 + 1e-9)


def test_zoom_is_around_the_cursor() -> None:
    view = zoom(Viewport(), (0.0, 100.0), 0.5, centre=20.0)
    assert view.span == (10.0, 60.0)
    assert zoom(view, (0.0, 100.0), 10.0).span is None


def test_pan_keeps_the_width() -> None:
    view = pan(Viewport(span=(10.0, 30.0)), (0.0, 100.0), 0.5)
    assert view.span == pytest.approx((20.0, 40.0))
    assert pan(view, (0.0, 100.0), 99.0).span == pytest.approx((80.0, 100.0))


def test_smoothing_goes_up_and_down_to_its_ends() -> None:
    view = Viewport()
    for _ in SMOOTHINGS:
        view = smoother(view, 1)
    assert view.smoothing == SMOOTHINGS[-1]
    for _ in SMOOTHINGS:
        view = smoother(view, -1)
    assert view.smoothing == 0.0
