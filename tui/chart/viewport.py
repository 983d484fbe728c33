"""Which part of a chart is visible and how: zoom, pan, logarithmic axes, smoothing, cursor."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Self

SMOOTHINGS = (0.0, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99)
MIN_SPAN = 1e-9

Span = tuple[float, float]


@dataclass(frozen=True)
class Viewport:
    """What of the data is drawn, and on which axes.

    A `full` argument is the range of x over all the data. A position on an axis is x itself, or
    log10 of it where that axis is logarithmic.
    """

    span: Span | None = None  # the visible range of x; None: all of it
    log_x: bool = False
    log_y: bool = False
    smoothing: float = 0.9  # decay of the moving average
    cursor: float | None = None  # the x whose values are read out

    def to_axis(self, x: float) -> float:
        """Return the position of an x on the axis."""
        return math.log10(max(x, 1e-300)) if self.log_x else x

    def from_axis(self, position: float) -> float:
        """Return the x at a position on the axis."""
        return 10.0**position if self.log_x else position

    def visible(self, full: Span) -> Span:
        """Return the visible range as positions on the axis."""
        low, high = self.span or full
        return self.to_axis(low), self.to_axis(high)

    def zoom(self, full: Span, factor: float, center: float | None = None) -> Self:
        """Scale the visible range (below 1: zoom in) around the x of `center`, or its middle."""
        low, high = self.visible(full)
        middle = (low + high) / 2 if center is None else self.to_axis(center)
        return self._with_range(
            full, middle - (middle - low) * factor, middle + (high - middle) * factor
        )

    def pan(self, full: Span, fraction: float) -> Self:
        """Move by a fraction of the visible range, to the right if positive, up to the edge."""
        low, high = self.visible(full)
        first, last = (self.to_axis(edge) for edge in full)
        shift = min(max(fraction * (high - low), first - low), last - high)
        return self._with_range(full, low + shift, high + shift)

    def smooth(self, steps: int) -> Self:
        """Move by `steps` through SMOOTHINGS, up to its ends."""
        index = min(max(SMOOTHINGS.index(self.smoothing) + steps, 0), len(SMOOTHINGS) - 1)
        return dataclasses.replace(self, smoothing=SMOOTHINGS[index])

    def _with_range(self, full: Span, low: float, high: float) -> Self:
        first, last = (self.to_axis(edge) for edge in full)
        if (low <= first and high >= last) or last - first < MIN_SPAN:
            return dataclasses.replace(self, span=None)
        low, high = max(low, first), min(high, last)
        if high - low < 1e-5 * (last - first):
            return self
        return dataclasses.replace(self, span=(self.from_axis(low), self.from_axis(high)))
