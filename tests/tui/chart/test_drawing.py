import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tui.chart.drawing import CURSOR, SERIES, SMOOTHED, draw
from tui.chart.series import Axis, FloatArray, Series
from tui.chart.viewport import Viewport

RAW_ONLY = Viewport(smoothing=0.0)


def falling(count: int = 11) -> Series:
    x = np.arange(0.0, 100.0 * count, 100.0)
    return Series("train", x, 4 - 3 * x / x[-1])


def test_a_falling_line() -> None:
    chart = draw([falling()], RAW_ONLY, 30, 9)
    assert [line.rstrip() for line in chart.lines()] == [
        " ━━━ train",
        "4 ┤⠒⠤⣀⡀",
        "  │   ⠈⠉⠒⠢⢄⣀",
        "  │         ⠉⠒⠤⣀",
        "2 ┤             ⠉⠒⠢⠤⣀",
        "  │                  ⠉⠑⠢⠤⣀⡀",
        "  │                       ⠈⠉⠒⠤",
        "  └┴────────────┴────────────┴",
        "   0           500        1000",
    ]


def test_points_are_marked_and_the_newest_always() -> None:
    valid = Series("valid", np.arange(200.0), np.linspace(3, 1, 200), 1, "points")
    lines = draw([valid], Viewport(), 60, 12).lines()
    marks = "".join(lines[1:-2]).count("◆")
    assert 12 <= marks <= 20  # 55 columns, one in three
    assert "◆" in lines[0]
    assert any(line.rstrip().endswith("◆") for line in lines[1:-2])


def test_the_ends_of_a_clipped_line_are_not_marked() -> None:
    valid = Series("valid", np.array([0.0, 500.0, 1000.0]), np.array([3.0, 2.0, 1.5]), 1, "points")
    lines = draw([valid], Viewport(span=(100.0, 900.0)), 60, 12).lines()
    assert "".join(lines[1:-2]).count("◆") == 1


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.float64,
        st.integers(1, 200),
        elements=st.one_of(
            st.floats(-1e9, 1e9, allow_subnormal=False),
            st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1e-300]),
        ),
    ),
    st.booleans(),
    st.booleans(),
    st.sampled_from([(118, 30), (40, 8), (24, 7), (23, 6), (5, 2), (3, 1), (1, 1)]),
    st.sampled_from([0.0, 0.9]),
)
def test_any_values_are_drawn_at_any_size(
    y: FloatArray, log_x: bool, log_y: bool, size: tuple[int, int], smoothing: float
) -> None:
    x = np.arange(y.size, dtype=np.float64)
    viewport = Viewport(log_x=log_x, log_y=log_y, smoothing=smoothing, cursor=float(y.size // 2))
    points = Series("valid", x, y, 1, "points")
    chart = draw([Series("train", x, y), points], viewport, *size)
    assert chart.characters.shape == chart.styles.shape == size[::-1]
    assert all(len(line) == size[0] and line.isprintable() for line in chart.lines())


def test_values_that_are_not_finite_are_gaps_and_do_not_affect_the_range() -> None:
    x = np.arange(100.0)
    y = np.full(100, 2.0)
    y[10:60] = np.nan
    y[70] = np.inf
    chart = draw([Series("train", x, y)], RAW_ONLY, 60, 12)
    plot = chart.styles[1:-2, chart.left :]
    columns = np.flatnonzero((plot == SERIES).any(axis=0)) / chart.width
    assert not ((columns > 0.13) & (columns < 0.58)).any()
    assert columns.size > 20
    assert "2.000" in "".join(chart.lines())


def test_a_log_axis_omits_values_that_are_not_positive() -> None:
    x = np.arange(0.0, 50.0)
    y = np.concatenate([[-5.0, 0.0], np.full(48, 3.0)])
    chart = draw([Series("train", x, y)], Viewport(log_x=True, log_y=True, smoothing=0), 60, 12)
    assert chart.span == pytest.approx((1.0, 49.0))
    assert "3.000" in "".join(chart.lines())
    cells = np.flatnonzero((chart.styles[1:-2] == SERIES).any(axis=0))
    first = (np.log10(2) - 0) / np.log10(49) * chart.width + chart.left
    assert cells[0] == pytest.approx(first, abs=2)


def test_the_raw_line_has_the_color_and_the_smoothed_line_is_an_aid() -> None:
    x = np.arange(400.0)
    noisy = Series("train", x, 2 + np.sin(x * 1.7))
    styles = draw([noisy], Viewport(smoothing=0.9), 80, 20).styles
    assert (styles[1:-2] == SERIES).sum() > 100
    assert (styles[1:-2] == SMOOTHED).sum() > 40
    assert not (draw([noisy], RAW_ONLY, 80, 20).styles == SMOOTHED).any()


def test_lines_that_are_compared_are_told_apart_by_their_marks_and_colors() -> None:
    x = np.arange(100.0)
    runs = [Series(f"run{number}", x, x * 0 + number, number) for number in range(20)]
    assert len({(one.color, one.mark) for one in runs}) == 20
    chart = draw(runs, RAW_ONLY, 100, 30)
    text = chart.lines()
    assert all(f"━━{one.mark} {one.label}" in "".join(text[:4]) for one in runs)
    start = text[0].index("run1 ")
    assert set(chart.styles[0, start - 4 : start + 4]) == {SERIES + 1}  # name and symbol alike
    ends = {line.rstrip()[-1] for line in text[4:-2]}
    assert {one.mark for one in runs} <= ends


def test_a_legend_without_room_ends_in_the_number_of_those_left_out() -> None:
    x = np.arange(10.0)
    runs = [Series(f"a-run-with-a-long-name-{number}", x, x, number) for number in range(20)]
    lines = draw(runs, RAW_ONLY, 60, 12).lines()  # three rows of one name each and the rest
    assert "+ 17 more" in lines[2] or "+ 16 more" in lines[2]
    assert all("name" not in line for line in lines[3:])


def test_the_readout_is_silent_about_a_series_that_has_ended() -> None:
    long, short = falling(), Series("short", np.array([0.0, 250.0]), np.array([3.0, 2.5]), 1)
    read = draw([long, short], Viewport(cursor=500.0, smoothing=0), 80, 12).lines()[0]
    assert "train 2.5" in read
    assert "short –" in read


def test_an_axis_of_a_measure_has_fractions() -> None:
    hours = Series("train", np.array([0.0, 0.25, 0.5]), np.array([3.0, 2.0, 1.0]))
    axis = Axis("hours", whole=False)
    chart = draw([hours], Viewport(cursor=0.25), 60, 12, axis)
    assert chart.lines()[0].startswith(" hours 0.25")
    assert "0.1" in chart.lines()[-1]


def test_the_cursor_is_drawn_and_its_values_are_written() -> None:
    valid = Series("valid", np.array([0.0, 1000.0]), np.array([4.5, 1.5]), 1, "points")
    chart = draw([falling(), valid], Viewport(cursor=500.0), 80, 12)
    first = chart.lines()[0]
    assert "step 500" in first
    assert "train 2.5" in first
    assert "smoothed 3.1" in first
    assert "valid 4.5" in first or "valid 1.5" in first
    assert (chart.styles[1:-2] == CURSOR).any(axis=1).all()


def test_wide_characters_do_not_shift_the_legend() -> None:
    wide = Series("海の歌", np.arange(9.0), np.arange(9.0))
    assert "???" in draw([wide], Viewport(), 60, 12).lines()[0]


def test_without_data_the_chart_is_blank() -> None:
    chart = draw([Series("train", np.zeros(0), np.zeros(0))], Viewport(), 40, 10)
    assert chart.span is None
    assert not "".join(chart.lines()).strip()
