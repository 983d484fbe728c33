"""Which part of a curve is looked at, and how: zoom, pan, logarithmic axes, smoothing, cursor."""

import dataclasses
import math
from dataclasses import dataclass

SMOOTHINGS = (0.0, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99)
LEAST_SPAN = 1e-9

Span = tuple[float, float]


@dataclass(frozen=True)
class Viewport:
    """How the series are looked at."""

    span: Span | None = None  # what is seen of x; None: all
    log_x: bool = False
    log_y: bool = False
    smoothing: float = 0.9  # share of the past in the moving average
    cursor: float | None = None  # an x


def to_axis(view: Viewport, x: float) -> float:
    """Where on the axis an x lies."""
    return math.log10(max(x, 1e-300)) if view.log_x else x


def from_axis(view: Viewport, place: float) -> float:
    """The x at a place on the axis."""
    return 10.0**place if view.log_x else place


def seen(view: Viewport, full: Span) -> Span:
    """What is seen of the data's whole extent, on the axis."""
    low, high = view.span or full
    return to_axis(view, low), to_axis(view, high)


def zoom(view: Viewport, full: Span, factor: float, centre: float | None = None) -> Viewport:
    """Show a `factor` of what is seen now (below 1: closer), around an x or the middle."""
    low, high = seen(view, full)
    middle = (low + high) / 2 if centre is None else to_axis(view, centre)
    return _show(view, full, middle - (middle - low) * factor, middle + (high - middle) * factor)


def pan(view: Viewport, full: Span, share: float) -> Viewport:
    """Move by a share of what is seen, to the right where positive, but not past the data."""
    low, high = seen(view, full)
    least, greatest = (to_axis(view, edge) for edge in full)
    by = min(max(share * (high - low), least - low), greatest - high)
    return _show(view, full, low + by, high + by)


def _show(view: Viewport, full: Span, low: float, high: float) -> Viewport:
    least, greatest = (to_axis(view, edge) for edge in full)
    if (low <= least and high >= greatest) or greatest - least < LEAST_SPAN:
        return dataclasses.replace(view, span=None)
    low, high = max(low, least), min(high, greatest)
    if high - low < 1e-5 * (greatest - least):
        return view
    return dataclasses.replace(view, span=(from_axis(view, low), from_axis(view, high)))


def smoother(view: Viewport, by: int) -> Viewport:
    """The next of SMOOTHINGS, or the one before."""
    place = min(max(SMOOTHINGS.index(view.smoothing) + by, 0), len(SMOOTHINGS) - 1)
    return dataclasses.replace(view, smoothing=SMOOTHINGS[place])
