"""Bars and beats of music, by its tempos and its metre."""

import bisect
import itertools
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """Where the bars are. A beat is a quarter note, as in MIDI, whatever the metre."""

    tempo: float = 120.0  # beats a minute, at the start
    metre: tuple[int, int] = (4, 4)
    changes: tuple[tuple[float, float], ...] = ()  # later tempos: from which second, beats a minute

    @property
    def unit(self) -> float:
        """What the metre counts, in beats: an eighth in 6/8 is half of one."""
        return 4 / self.metre[1]

    @property
    def bar(self) -> float:
        """A bar, in beats."""
        return self.metre[0] * self.unit

    def beats(self, seconds: float) -> float:
        """The beats from the start to a moment."""
        knots, sums, rates = self._knots()
        place = max(bisect.bisect_right(knots, seconds) - 1, 0)
        return sums[place] + (seconds - knots[place]) * rates[place]

    def seconds(self, beats: float) -> float:
        """The moment of a beat; the inverse of `beats`."""
        knots, sums, rates = self._knots()
        place = max(bisect.bisect_right(sums, beats) - 1, 0)
        return knots[place] + (beats - sums[place]) / rates[place]

    def place(self, seconds: float) -> tuple[int, int]:
        """The bar and, in it, the beat that the metre counts; both from 1."""
        counts = self.beats(seconds) / self.unit + 1e-6
        bar, rest = divmod(counts, self.metre[0])
        return int(bar) + 1, int(rest) + 1

    def _knots(self) -> tuple[list[float], list[float], list[float]]:
        """From which second on, how many beats had passed then, beats a second."""
        knots = [0.0, *(second for second, _ in self.changes)]
        rates = [self.tempo / 60, *(tempo / 60 for _, tempo in self.changes)]
        passed = ((b - a) * rate for (a, b), rate in zip(itertools.pairwise(knots), rates))  # noqa: B905
        return knots, list(itertools.accumulate(passed, initial=0.0)), rates
