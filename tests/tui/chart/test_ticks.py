"""Ticks and their labels."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.chart.ticks import linear_ticks, log_ticks, tick_labels

spans = st.tuples(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6)).map(lambda s: (s[0], s[0] + s[1]))


@given(spans, st.integers(3, 20))
def test_linear_ticks_are_round_and_cover_the_range(
    span: tuple[float, float], max_ticks: int
) -> None:
    low, high = span
    ticks = linear_ticks(low, high, max_ticks)
    slack = 1e-6 * (high - low) + 1e-8 * max(abs(low), abs(high))
    assert 1 <= len(ticks) <= max_ticks
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    if len(ticks) > 1:
        step = ticks[1] - ticks[0]
        assert ticks[0] - low < step + slack
        assert high - ticks[-1] < step + slack
        assert all(
            math.isclose(b - a, step, rel_tol=1e-3, abs_tol=slack) for a, b in pairwise(ticks)
        )
        leading = step / 10 ** math.floor(math.log10(step) + 1e-9)
        assert min(abs(leading - round_one) for round_one in (1, 2, 5, 10)) < 1e-2


@pytest.mark.parametrize(
    ("low", "high", "max_ticks", "expected"),
    [
        (0.0, 1.0, 3, ["0.0", "0.5", "1.0"]),
        (1.5, 4.5, 3, ["2", "3", "4"]),
        (5.0, 50_000.0, 6, ["10k", "20k", "30k", "40k", "50k"]),
        (0.0, 3e6, 4, ["0", "1M", "2M", "3M"]),
        (-0.02, 0.02, 5, ["-0.02", "-0.01", "0.00", "0.01", "0.02"]),
    ],
)
def test_linear_labels(low: float, high: float, max_ticks: int, expected: list[str]) -> None:
    assert tick_labels(linear_ticks(low, high, max_ticks)) == expected


def test_steps_are_whole() -> None:
    assert linear_ticks(0.5, 3.5, 20, whole=True) == [1.0, 2.0, 3.0]


@given(st.floats(-6, 6), st.floats(0.1, 12), st.integers(3, 12))
def test_log_ticks_are_inside_the_range_and_few(low: float, decades: float, max_ticks: int) -> None:
    ticks = log_ticks(10**low, 10 ** (low + decades), max_ticks)
    assert len(ticks) <= max_ticks
    assert all(10**low * 0.999 <= tick <= 10 ** (low + decades) * 1.001 for tick in ticks)
    assert ticks == sorted(ticks)


def test_log_ticks_by_range() -> None:
    assert log_ticks(1, 100, 9) == [1, 2, 5, 10, 20, 50, 100]
    assert log_ticks(1, 1e6, 4) == [1, 100, 10_000, 1_000_000]
    assert log_ticks(1.9, 4.1, 4) == [2, 3, 4]  # less than a decade: linear
    assert tick_labels(log_ticks(1, 1e6, 4)) == ["1", "100", "10k", "1M"]
