"""What every musician knows: durations, scales, keys, and chords by their Roman numerals."""

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

QUARTER = 12  # ticks: sixteenths are 3, eighths of a triplet 4
_LENGTHS = {"w": 48, "h": 24, "q": 12, "e": 6, "s": 3, "l": 8, "t": 4}  # l t: a swung pair

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "major blues": (0, 2, 3, 4, 7, 9),
}
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ROOTS = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
}
_NUMERALS = ("i", "ii", "iii", "iv", "v", "vi", "vii")
_FIGURES = {"": (3, 0), "6": (3, 1), "64": (3, 2), "7": (4, 0), "65": (4, 1), "43": (4, 2)}
_SYMBOL = re.compile(r"([b#]?)([iv]+|[IV]+)([oøM]?)(64|65|43|6|7|)(?:/([b]?)([iv]+|[IV]+))?")


class Event(NamedTuple):
    """A note in ticks."""

    start: int
    length: int
    pitch: int
    velocity: int


def rhythm(text: str) -> list[tuple[int, bool]]:
    """Durations in ticks, each with whether it sounds: "q. e rq" is 18, 6 and a rest of 12.

    A stroke before an upbeat, as in "h | q", is of no length.
    """
    result = []
    for token in text.replace("|", " ").split():
        name = token.removeprefix("r")
        length = _LENGTHS[name[0]] * (3 if name.endswith(".") else 2) // 2
        result.append((length, name == token))
    return result


@dataclass(frozen=True)
class Chord:
    """A chord over a tonic of 0: semitones, the root first."""

    tones: tuple[int, ...]  # root, third, fifth and perhaps seventh, each 0 … 11
    bass: int  # one of them
    degrees: tuple[tuple[int, int], ...]  # which degree of the scale, 0 … 6, each tone is

    def holds(self, pitch: int, tonic: int) -> bool:
        """Whether a pitch is one of its tones."""
        return (pitch - tonic) % 12 in self.tones


def chord(symbol: str, mode: str) -> Chord:
    """A chord by its numeral: capitals are major; o, ø and M tell the fifth and the seventh.

    "V65/V" is the dominant seventh of the dominant over its third. `mode` is major or minor.
    """
    match = _SYMBOL.fullmatch(symbol)
    if match is None:
        raise ValueError(f"no chord: {symbol}")
    flat, numeral, quality, figure, flat_of, of = match.groups()
    degree, root = _root(flat, numeral, quality, mode)
    if of:
        above, shift = _root(flat_of, of, "", mode)
        degree = (above + _NUMERALS.index(numeral.lower())) % 7
        root = (shift + _ROOTS["major"][_NUMERALS.index(numeral.lower())]) % 12
    third = 4 if numeral.isupper() else 3
    fifth = 6 if quality in ("o", "ø") else 7
    seventh = {"o": 9, "M": 11}.get(quality, 10)
    count, bass = _FIGURES[figure]
    tones = tuple((root + x) % 12 for x in (0, third, fifth, seventh))[:count]
    degrees = tuple(((degree + 2 * place) % 7, tone) for place, tone in enumerate(tones))
    return Chord(tones, tones[bass], degrees)


def _root(sign: str, numeral: str, quality: str, mode: str) -> tuple[int, int]:
    degree = _NUMERALS.index(numeral.lower())
    if degree == 6 and quality == "o":  # the chord of the leading note, in minor too
        return 6, 11
    scale = "major" if sign else mode
    return degree, _ROOTS[scale][degree] - (sign == "b") + (sign == "#")


@dataclass(frozen=True)
class Key:
    """A tonic, 60 … 71, and a scale by its name."""

    tonic: int
    scale: str

    @classmethod
    def named(cls, name: str) -> "Key":
        """The key of a name, as "B flat minor" or "C pentatonic"."""
        letter, _, scale = name.partition(" ")
        shift = 0
        for word, by in (("flat ", -1), ("sharp ", 1)):
            if scale.startswith(word):
                scale, shift = scale.removeprefix(word), by
        return cls(60 + (_LETTERS[letter] + shift) % 12, scale)

    @property
    def mode(self) -> str:
        """The mode that its chords' numerals are of."""
        return "minor" if 3 in SCALES[self.scale] and 4 not in SCALES[self.scale] else "major"

    @property
    def size(self) -> int:
        """How many steps an octave has."""
        return len(SCALES[self.scale])

    def pitch(self, step: int, over: Chord) -> int:
        """The pitch of a step from the tonic, altered as the chord beneath asks for."""
        octave, degree = divmod(step, self.size)
        semitones = SCALES[self.scale][degree]
        if self.size == 7:
            semitones = dict(over.degrees).get(degree, semitones)
            semitones += 12 * round((SCALES[self.scale][degree] - semitones) / 12)
        return self.tonic + 12 * octave + semitones

    def steps(self, low: int, high: int) -> range:
        """The steps whose unaltered pitches lie in low … high."""
        inside = [
            step
            for step in range(-5 * self.size, 5 * self.size)
            if low
            <= self.tonic + 12 * (step // self.size) + SCALES[self.scale][step % self.size]
            <= high
        ]
        return range(inside[0], inside[-1] + 1)


class Span(NamedTuple):
    """A chord and when it sounds, in ticks of its section."""

    start: int
    length: int
    chord: Chord


def harmony(text: str, mode: str, bar: int, beat: int) -> list[list[Span]]:
    """The spans of each bar of a progression as "I | ii V7 | I"; bar and beat in ticks.

    The first of two chords has the longer half of the beats; more share a bar evenly.
    """
    bars = []
    for number, symbols in enumerate(text.split("|")):
        chords = [chord(symbol, mode) for symbol in symbols.split()]
        start, stop = number * bar, (number + 1) * bar
        if len(chords) == 2:
            middle = start + beat * math.ceil(bar / beat / 2)
            edges = [start, middle, stop]
        else:
            edges = [start + bar * place // len(chords) for place in range(len(chords) + 1)]
        spans = zip(edges[:-1], edges[1:], chords, strict=True)
        bars.append([Span(here, there - here, item) for here, there, item in spans])
    return bars


def sounding(bars: list[list[Span]], tick: int) -> Chord:
    """The chord at a tick of a section; at its end and later, the last."""
    chords = [span for bar in bars for span in bar]
    return next((s.chord for s in reversed(chords) if s.start <= tick), chords[0].chord)
