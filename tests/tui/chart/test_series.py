import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tui.chart import series
from tui.chart.series import FloatArray, Series
from tui.chart.viewport import Viewport

numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
with_gaps = st.one_of(numbers, st.just(float("nan")), st.just(float("inf")))


def naive_average(values: FloatArray, decay: float) -> FloatArray:
    total = weight = 0.0
    result = []
    for value in values:
        total, weight = decay * total, decay * weight
        if np.isfinite(value):
            total += (1 - decay) * value
            weight += 1 - decay
        result.append(total / weight if np.isfinite(value) else np.nan)
    return np.array(result)


@given(arrays(np.float64, st.integers(1, 400), elements=with_gaps), st.floats(0.01, 0.99))
def test_smoothing_is_the_bias_corrected_moving_average(values: FloatArray, decay: float) -> None:
    smooth = series.smooth(values, decay)
    np.testing.assert_allclose(smooth, naive_average(values, decay), rtol=1e-6, atol=1e-6)


@given(numbers, st.integers(1, 500), st.floats(0, 0.99))
def test_smoothing_a_constant_returns_the_constant(value: float, count: int, decay: float) -> None:
    np.testing.assert_allclose(series.smooth(np.full(count, value), decay), value, rtol=1e-9)


def test_without_smoothing_values_stay_and_infinity_is_a_gap() -> None:
    smooth = series.smooth(np.array([1.0, np.inf, 3.0]), 0.0)
    np.testing.assert_array_equal(smooth, [1.0, np.nan, 3.0])


def columns_of(x: FloatArray, low: float, high: float, columns: int) -> FloatArray:
    return np.minimum((x - low) / (high - low) * columns, columns - 1).astype(np.int64)


@given(arrays(np.float64, st.integers(2, 600), elements=with_gaps), st.integers(1, 40))
def test_decimation_keeps_the_smallest_and_largest_of_each_column(
    y: FloatArray, columns: int
) -> None:
    x = np.arange(y.size, dtype=np.float64)
    low, high = 0.0, float(y.size - 1)
    kept_x, kept_y, connected = series.decimate(x, y, low, high, columns)
    assert (
        kept_x.size == kept_y.size == connected.size <= 4 * (columns + (~np.isfinite(y)).sum() + 1)
    )
    finite = np.isfinite(y)
    before, after = columns_of(x, low, high, columns), columns_of(kept_x, low, high, columns)
    for column in np.unique(before[finite]):
        assert kept_y[after == column].min() == y[finite & (before == column)].min()
        assert kept_y[after == column].max() == y[finite & (before == column)].max()


def test_points_on_both_sides_of_a_gap_are_not_connected() -> None:
    y = np.array([1.0, 2.0, np.nan, 3.0, 4.0])
    kept_x, _, connected = series.decimate(np.arange(5.0), y, 0.0, 4.0, 100)
    breaks = kept_x[~connected]
    np.testing.assert_array_equal(breaks, [1.0, 4.0])


def test_a_line_is_clipped_at_the_edges() -> None:
    x, y = np.array([0.0, 10.0, 20.0]), np.array([0.0, 1.0, 5.0])
    kept_x, kept_y, _ = series.decimate(x, y, 5.0, 15.0, 10)
    assert (kept_x[0], kept_y[0]) == (5.0, 0.5)
    assert (kept_x[-1], kept_y[-1]) == (15.0, 3.0)


def test_without_visible_points_none_are_kept() -> None:
    for y in (np.array([1.0]), np.array([np.nan])):
        kept, _, _ = series.decimate(np.array([50.0]), y, 0.0, 10.0, 4)
        assert kept.size == 0


def test_log_axes_have_no_position_for_values_that_are_not_positive() -> None:
    scaled = series.axis_values(np.array([100.0, 0.0, -1.0, np.nan]), log=True)
    np.testing.assert_array_equal(scaled, [2.0, np.nan, np.nan, np.nan])


def test_the_range_of_x_is_that_of_points_that_can_be_drawn() -> None:
    one = Series("a", np.array([0.0, 1.0, 2.0, 3.0]), np.array([5.0, 6.0, 7.0, np.nan]))
    assert series.x_range([one], log_x=False) == (0.0, 2.0)
    assert series.x_range([one], log_x=True) == (1.0, 2.0)
    assert series.x_range([], log_x=False) is None


@pytest.fixture
def line() -> Series:
    return Series("a", np.arange(0.0, 100.0, 10.0), np.arange(10.0))


def test_the_cursor_moves_from_point_to_point(line: Series) -> None:
    span = (0.0, 90.0)
    viewport = series.move_cursor(Viewport(), [line], span, 0, 45)
    assert viewport.cursor == 90.0  # it appears at the last point
    viewport = series.move_cursor(viewport, [line], span, -1, 45)
    assert viewport.cursor == 80.0  # a cell is two wide, the points are ten apart
    assert series.move_cursor(viewport, [line], span, -20, 45).cursor == 40.0
    assert series.move_cursor(viewport, [line], span, 99, 45).cursor == 90.0
    assert series.move_cursor(Viewport(), [line], (12.0, 14.0), 0, 45).cursor is None


def test_the_nearest_value_is_never_in_a_gap(line: Series) -> None:
    assert series.nearest_value(line, 42.0) == (4.0, 4)
    hole = Series("a", np.array([0.0, 1.0, 3.0]), np.array([3.0, np.nan, 5.0]))
    assert series.nearest_value(hole, 1.0) == (3.0, 0)


def test_before_and_after_a_series_there_is_no_value(line: Series) -> None:
    assert series.nearest_value(line, 94.0) == (9.0, 9)  # half a distance is near
    assert series.nearest_value(line, 96.0) is None
    assert series.nearest_value(line, -6.0) is None
    single = Series("a", np.array([3.0, 4.0]), np.array([1.0, np.nan]))
    assert series.nearest_value(single, 3.0) == (1.0, 0)
    assert series.nearest_value(single, 4.0) is None
    assert series.nearest_value(Series("a", np.zeros(0), np.zeros(0)), 1.0) is None
