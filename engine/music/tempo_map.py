"""Tempo maps, which convert between seconds, beats and bars.

A beat is a quarter note, as in MIDI, whatever the time signature.
"""

import bisect
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # NumPy is imported when a tempo map is used, which the player never does
    import numpy as np
    import numpy.typing as npt

DENOMINATORS = (1, 2, 4, 8, 16, 32, 64)  # of a time signature


def is_time_signature(value: object) -> bool:
    """Return whether a value is a time signature, such as (3, 8)."""
    match value:
        case (int(numerator), int(denominator)):
            return 1 <= numerator <= 255 and denominator in DENOMINATORS
    return False


@dataclass(frozen=True)
class TempoMap:
    """The tempos and the time signature of a piece; raises ValueError for invalid ones."""

    tempo: float = 120.0  # beats per minute at the start
    time_signature: tuple[int, int] = (4, 4)  # such as (3, 8); the denominator is a power of two
    tempo_changes: tuple[tuple[float, float], ...] = ()  # (seconds, beats per minute from then on)

    def __post_init__(self) -> None:
        seconds = [0.0, *(second for second, _ in self.tempo_changes)]
        tempos = [self.tempo, *(tempo for _, tempo in self.tempo_changes)]
        if seconds != sorted(seconds) or not all(0 < tempo < math.inf for tempo in tempos):
            raise ValueError(f"tempos {tempos} from the seconds {seconds}")
        if not is_time_signature(self.time_signature):
            raise ValueError(f"a time signature of {self.time_signature}")

    @property
    def unit_length(self) -> float:
        """Length in beats of the time signature's unit: 0.5 for 6/8, which counts eighth notes."""
        return 4 / self.time_signature[1]

    @property
    def pulse(self) -> int:
        """The units of the time signature from one felt beat to the next: 3 for 6/8, 9/8, 12/8."""
        numerator, denominator = self.time_signature
        return 3 if denominator >= 8 and numerator > 3 and numerator % 3 == 0 else 1

    @property
    def bar_length(self) -> float:
        """Length of a bar in beats."""
        return self.time_signature[0] * self.unit_length

    def beats(self, seconds: "npt.ArrayLike") -> "npt.NDArray[Any]":
        """Return the number of beats from the start to each of `seconds`, in the same shape."""
        return integrate(self._seconds, self._rates, seconds)

    def beat_at(self, second: float) -> float:
        """Return the number of beats from the start to one time in seconds."""
        return float(self.beats(second))

    def second_at(self, beat: float) -> float:
        """Return the time in seconds of a number of beats; the inverse of `beat_at`."""
        i = max(bisect.bisect_right(self._beats, beat) - 1, 0)
        return float(self._seconds[i] + (beat - self._beats[i]) / self._rates[i])

    def bar_and_beat(self, second: float) -> tuple[int, int]:
        """Return the bar at a time, and the unit of the time signature in that bar, both from 1."""
        counts = self.beat_at(second) / self.unit_length + 1e-6
        bar, rest = divmod(counts, self.time_signature[0])
        return int(bar) + 1, int(rest) + 1

    @cached_property
    def _seconds(self) -> "npt.NDArray[np.float64]":
        """When each of the k tempos begins, (k,)."""
        import numpy as np

        return np.array([0.0, *(second for second, _ in self.tempo_changes)])

    @cached_property
    def _beats(self) -> "npt.NDArray[Any]":
        """The number of beats before each tempo begins, (k,)."""
        return self.beats(self._seconds)

    @cached_property
    def _rates(self) -> "npt.NDArray[np.float64]":
        """Beats per second of each tempo, (k,)."""
        import numpy as np

        return np.array([self.tempo, *(tempo for _, tempo in self.tempo_changes)]) / 60


def integrate(
    knots: "npt.NDArray[Any]", rates: "npt.NDArray[Any]", points: "npt.ArrayLike"
) -> "npt.NDArray[Any]":
    """Return the integral of a step function from 0 to each of `points`, in the same shape.

    The function's value is `rates[i]` from `knots[i]` to `knots[i + 1]`, both (k,). The knots begin
    with 0 and ascend.
    """
    import numpy as np

    at = np.asarray(points, np.float64)
    before = np.concatenate([[0.0], np.cumsum(np.diff(knots) * rates[:-1])])  # (k,)
    i = np.maximum(np.searchsorted(knots, at, side="right") - 1, 0)
    return np.asarray(before[i] + (at - knots[i]) * rates[i])
