"""The key of music, by its pitch classes.

The method is Krumhansl and Schmuckler's (Krumhansl 1990, "Cognitive Foundations of Musical Pitch"):
the key whose profile correlates best with the time that each pitch class sounds.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.music.pitch import spell
from engine.music.score import Note

# How well each degree of the chromatic scale fits into a major and a minor key, from the tonic up
# (Krumhansl and Kessler 1982).
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


class MusicalKey(NamedTuple):
    """A key, such as C minor."""

    tonic: int  # a pitch class: 0 is C
    minor: bool

    @property
    def triad(self) -> tuple[int, int, int]:
        """The pitch classes of the tonic's chord, the tonic first."""
        return self.tonic, (self.tonic + 4 - self.minor) % 12, (self.tonic + 7) % 12

    @property
    def to_c(self) -> int:
        """The fewest semitones that move the tonic to C, -6 … 5."""
        return self.shift_to(0)

    def shift_to(self, tonic: int) -> int:
        """Return the fewest semitones that move its tonic to another one, -6 … 5."""
        return (tonic - self.tonic + 6) % 12 - 6

    @property
    def fifths(self) -> int:
        """The sharps of the key signature, or negative the flats: -5 … 6."""
        major = self.tonic + 3 * self.minor  # the tonic of the major key with the same scale
        return (7 * major + 5) % 12 - 5

    @property
    def name(self) -> str:
        """The tonic in the key's own spelling, and `m` for minor: `Bb`, `F#m`, as in MIDI files."""
        step, alter, _ = spell(self.tonic, self.fifths)
        return step + "#" * alter + "b" * -alter + "m" * self.minor


def find_key(notes: Iterable[Note]) -> MusicalKey:
    """Return the key that fits notes best; C major without notes."""
    durations = np.zeros(12)
    for note in notes:
        durations[note.pitch % 12] += note.end - note.start
    return fit_key(durations)


def fit_key(durations: npt.NDArray[Any]) -> MusicalKey:
    """Return the key that fits the durations (12,) of the pitch classes best; C major if equal."""
    if np.ptp(durations) == 0:  # nothing to correlate with
        return MusicalKey(0, minor=False)
    keys = [MusicalKey(tonic, minor) for minor in (False, True) for tonic in range(12)]
    fits = [
        np.corrcoef(durations, np.roll(_MINOR if key.minor else _MAJOR, key.tonic))[0, 1]
        for key in keys
    ]
    return keys[int(np.argmax(fits))]
