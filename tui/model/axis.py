"""Ticks at round numbers, one, two or five times a power of ten, and their labels."""

import itertools
import math

# From which size on a unit is used, its size, its name: four digits still read well without.
_UNITS = ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"))


def linear_ticks(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    """Every round number from `low` to `high`, with the smallest step that gives at most `most`.

    whole: only whole numbers, as for training steps.
    """
    if most < 1:
        return []
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    steps = (factor * power * scale for scale in (1, 10, 100) for factor in (1, 2, 5))
    for step in steps:
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most and (step >= 1 or not whole):
            return [index * step for index in range(first, last + 1)]
    return []


def log_ticks(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    """Round numbers for a logarithmic axis from `low` to `high`, both above zero.

    1-2-5 in each decade, or powers of ten where that is too many, or, over less than a decade,
    the linear ones.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    powers = range(first, last + 1)

    def inside(values: list[float]) -> list[float]:
        return [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]

    fine = inside([factor * 10.0**power for power in powers for factor in (1, 2, 5)])
    if 3 <= len(fine) <= most:
        return fine
    if len(fine) > most:
        decades = inside([10.0**power for power in powers])
        if len(decades) >= 2:
            return decades[:: max(1, math.ceil(len(decades) / max(1, most)))]
    return linear_ticks(low, high, most, whole)


def labels(ticks: list[float]) -> list[str]:
    """One label for each tick, all with as many decimals as tell them apart."""
    if not ticks:
        return []
    largest = max(abs(tick) for tick in ticks)
    gaps = [after - before for before, after in itertools.pairwise(ticks)]
    even = bool(gaps) and max(gaps) - min(gaps) < 1e-6 * max(gaps)
    if not even:  # a logarithmic axis, or one tick alone
        return [_single(tick) for tick in ticks]
    unit, name = _unit(largest)
    step = gaps[0] / unit
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if decimals > 6:
        return [f"{tick:.0e}" for tick in ticks]
    return [f"{tick / unit:.{decimals}f}{name if tick else ''}" for tick in ticks]


def _unit(value: float) -> tuple[float, str]:
    return next(((size, name) for least, size, name in _UNITS if value >= least), (1.0, ""))


def _single(value: float) -> str:
    unit, name = _unit(abs(value))
    return f"{value / unit:g}{name}"
