"""Ticks of a chart's axes at round numbers, and their labels."""

import itertools
import math

from tui.chart.viewport import Span

# The smallest value for which a unit is used, its size and its name; 1,000 to 9,999 need no unit.
_UNITS = ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"))


def linear_ticks(low: float, high: float, max_ticks: int, whole: bool = False) -> list[float]:
    """Return the multiples of 1, 2 or 5 × a power of ten from `low` to `high`.

    The step is the smallest that yields at most `max_ticks` ticks. whole: whole numbers only, for
    example training steps. Returns [] if no step fits.
    """
    if max_ticks < 1:
        return []
    power = 10.0 ** math.floor(math.log10((high - low) / max_ticks))
    steps = (factor * power * scale for scale in (1, 10, 100) for factor in (1, 2, 5))
    for step in steps:
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < max_ticks and (step >= 1 or not whole):
            return [index * step for index in range(first, last + 1)]
    return []


def log_ticks(low: float, high: float, max_ticks: int, whole: bool = False) -> list[float]:
    """Return ticks for a logarithmic axis from `low` to `high`, both above zero.

    They are 1, 2 and 5 × powers of ten; powers of ten alone if those are too many; linear ticks if
    there would be too few.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    powers = range(first, last + 1)

    def inside(values: list[float]) -> list[float]:
        return [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]

    fine = inside([factor * 10.0**power for power in powers for factor in (1, 2, 5)])
    if 3 <= len(fine) <= max_ticks:
        return fine
    if len(fine) > max_ticks:
        decades = inside([10.0**power for power in powers])
        if len(decades) >= 2:
            return decades[:: max(1, math.ceil(len(decades) / max(1, max_ticks)))]
    return linear_ticks(low, high, max_ticks, whole)


def tick_labels(ticks: list[float]) -> list[str]:
    """Return a label for each tick, with the fewest decimals that distinguish them."""
    if not ticks:
        return []
    largest = max(abs(tick) for tick in ticks)
    gaps = [after - before for before, after in itertools.pairwise(ticks)]
    even = bool(gaps) and max(gaps) - min(gaps) < 1e-6 * max(gaps)
    if not even:  # ticks of a logarithmic axis, or a single tick
        return [_single_label(tick) for tick in ticks]
    unit, name = _unit(largest)
    step = gaps[0] / unit
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if decimals > 6:
        return [f"{tick:.0e}" for tick in ticks]
    return [f"{tick / unit:.{decimals}f}{name if tick else ''}" for tick in ticks]


def _unit(value: float) -> tuple[float, str]:
    return next(((size, name) for start, size, name in _UNITS if value >= start), (1.0, ""))


def _single_label(value: float) -> str:
    unit, name = _unit(abs(value))
    return f"{value / unit:g}{name}"


def axis_ticks(span: Span, log: bool, max_ticks: int, whole: bool = False) -> list[float]:
    """Return the ticks, as values, of an axis that covers `span`, two positions on it.

    See `Viewport` for positions, and `linear_ticks` for `max_ticks` and `whole`.
    """
    if log:
        return log_ticks(10 ** span[0], 10 ** span[1], max_ticks, whole)
    return linear_ticks(*span, max_ticks, whole)
