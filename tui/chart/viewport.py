"""The view of a chart: its visible range, logarithmic axes, smoothing and cursor."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

SMOOTHINGS = (0.0, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99)  # decays to choose from
MIN_SPAN = 1e-9  # the smallest range of x that can be divided

Span = tuple[float, float]


@dataclass(frozen=True)
class Viewport:
    """Which part of the data a chart shows, on which axes, and where its cursor is.

    Immutable: the methods that change something return a new viewport. A position on an axis is a
    value, or its log10 where that axis is logarithmic. A `full` argument is the range of x over all
    the data.
    """

    span: Span | None = None  # the visible range of x; None: all of it
    log_x: bool = False
    log_y: bool = False
    smoothing: float = 0.9  # decay of the moving average, one of SMOOTHINGS; 0: no smoothing
    cursor: float | None = None  # the x whose values are shown; None: no cursor

    def kept(self) -> dict[str, bool | float]:
        """Return what is kept over restarts; all of the range is kept as 0 to 0."""
        low, high = self.span or (0.0, 0.0)
        axes = {"log_x": self.log_x, "log_y": self.log_y}
        return {**axes, "smoothing": self.smoothing, "low": low, "high": high}

    def restored(self, kept: Mapping[str, object]) -> Self:
        """Return this view with what `kept` returned before; what is not usable is ignored."""
        span: Span | None
        match kept:
            case {"low": int() | float() as low, "high": int() | float() as high} if low < high:
                span = float(low), float(high)
            case _:
                span = self.span
        smoothing = kept.get("smoothing")
        return dataclasses.replace(
            self,
            span=span,
            log_x=kept.get("log_x", self.log_x) is True,
            log_y=kept.get("log_y", self.log_y) is True,
            smoothing=next((one for one in SMOOTHINGS if one == smoothing), self.smoothing),
        )

    def to_axis(self, x: float) -> float:
        """Return the position of x on the x axis."""
        return math.log10(max(x, 1e-300)) if self.log_x else x

    def from_axis(self, position: float) -> float:
        """Return the x at a position on the x axis."""
        return 10.0**position if self.log_x else position

    def visible(self, full: Span) -> Span:
        """Return the visible range as positions on the x axis."""
        low, high = self.span or full
        return self.to_axis(low), self.to_axis(high)

    def zoom(self, full: Span, factor: float, center: float | None = None) -> Self:
        """Scale the visible range by a factor, which zooms in if it is below 1.

        center: the x that stays in place; None: the middle of the range.
        """
        low, high = self.visible(full)
        middle = (low + high) / 2 if center is None else self.to_axis(center)
        return self._with_range(
            full, middle - (middle - low) * factor, middle + (high - middle) * factor
        )

    def pan(self, full: Span, fraction: float) -> Self:
        """Move the visible range right by a fraction of its width, or left if negative.

        It stays within `full`.
        """
        low, high = self.visible(full)
        first, last = (self.to_axis(edge) for edge in full)
        shift = min(max(fraction * (high - low), first - low), last - high)
        return self._with_range(full, low + shift, high + shift)

    def smooth(self, steps: int) -> Self:
        """Smooth more by a number of steps in SMOOTHINGS, or less if negative, up to its ends."""
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
