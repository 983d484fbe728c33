"""Music theory: durations, scales, keys, and chords by Roman numerals."""

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

QUARTER = 12  # ticks; a sixteenth has 3, a triplet eighth 4
# Whole, half, quarter, eighth and sixteenth; l and t, long and short, are a swung pair of eighths.
_LENGTHS = {"w": 48, "h": 24, "q": 12, "e": 6, "s": 3, "l": 8, "t": 4}

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
_NUMERALS = ("i", "ii", "iii", "iv", "v", "vi", "vii")
_FIGURES = {"": (3, 0), "6": (3, 1), "64": (3, 2), "7": (4, 0), "65": (4, 1), "43": (4, 2)}
_SYMBOL = re.compile(r"([b#]?)([iv]+|[IV]+)([oøM]?)(64|65|43|6|7|)(?:/([b]?)([iv]+|[IV]+))?")


class TickNote(NamedTuple):
    """A note timed in ticks."""

    start: int
    length: int
    pitch: int
    velocity: int


def parse_rhythm(text: str) -> list[tuple[int, bool]]:
    """Return durations in ticks, each with whether it sounds: "q. e rq" is 18, 6, a rest of 12.

    A "|" before an upbeat, as in "h | q", is ignored.
    """
    durations = []
    for token in text.replace("|", " ").split():
        name = token.removeprefix("r")
        length = _LENGTHS[name[0]] * (3 if name.endswith(".") else 2) // 2
        durations.append((length, name == token))
    return durations


@dataclass(frozen=True)
class Chord:
    """A chord; a tone is a number of semitones above the tonic, 0 … 11."""

    tones: tuple[int, ...]  # root, third, fifth and perhaps seventh
    bass: int  # the tone in the bass
    degrees: tuple[tuple[int, int], ...]  # (degree of the scale from 0 to 6, tone) of each tone

    def contains(self, pitch: int, tonic: int) -> bool:
        """Return whether a MIDI pitch is one of the tones."""
        return (pitch - tonic) % 12 in self.tones


def parse_chord(symbol: str, mode: str) -> Chord:
    """Parse a Roman numeral: capitals are major; o, ø and M set the fifth and the seventh.

    "V65/V" is the dominant seventh of the dominant, with its third in the bass. `mode` is major or
    minor.
    """
    match = _SYMBOL.fullmatch(symbol)
    if match is None:
        raise ValueError(f"not a chord: {symbol}")
    sign, numeral, quality, figure, target_sign, target = match.groups()
    degree, root = _root(sign, numeral, quality, mode)
    if target:
        target_degree, shift = _root(target_sign, target, "", mode)
        degree = (target_degree + _NUMERALS.index(numeral.lower())) % 7
        root = (shift + SCALES["major"][_NUMERALS.index(numeral.lower())]) % 12
    third = 4 if numeral.isupper() else 3
    fifth = 6 if quality in ("o", "ø") else 7
    seventh = {"o": 9, "M": 11}.get(quality, 10)
    count, bass = _FIGURES[figure]
    tones = tuple((root + x) % 12 for x in (0, third, fifth, seventh))[:count]
    degrees = tuple(((degree + 2 * i) % 7, tone) for i, tone in enumerate(tones))
    return Chord(tones, tones[bass], degrees)


def _root(sign: str, numeral: str, quality: str, mode: str) -> tuple[int, int]:
    """Return the degree of the scale and the semitones above the tonic of a chord's root."""
    degree = _NUMERALS.index(numeral.lower())
    if degree == 6 and quality == "o":  # on the leading note, in minor too
        return 6, 11
    scale = "major" if sign else mode
    return degree, SCALES[scale][degree] - (sign == "b") + (sign == "#")


@dataclass(frozen=True)
class Key:
    """A tonic, 60 … 71, and the name of a scale."""

    tonic: int
    scale: str

    @classmethod
    def named(cls, name: str) -> "Key":
        """Parse a name such as "B flat minor" or "C pentatonic"."""
        letter, _, scale = name.partition(" ")
        shift = 0
        for word, semitones in (("flat ", -1), ("sharp ", 1)):
            if scale.startswith(word):
                scale, shift = scale.removeprefix(word), semitones
        return cls(60 + (_LETTERS[letter] + shift) % 12, scale)

    @property
    def mode(self) -> str:
        """The mode in which Roman numerals are parsed for this key, major or minor."""
        return "minor" if 3 in SCALES[self.scale] and 4 not in SCALES[self.scale] else "major"

    @property
    def size(self) -> int:
        """The number of steps in an octave."""
        return len(SCALES[self.scale])

    def pitch(self, step: int, chord: Chord) -> int:
        """Return the MIDI pitch of a step of the scale (0: the tonic), altered to fit a chord."""
        octave, degree = divmod(step, self.size)
        semitones = SCALES[self.scale][degree]
        if self.size == 7:
            semitones = dict(chord.degrees).get(degree, semitones)
            semitones += 12 * round((SCALES[self.scale][degree] - semitones) / 12)
        return self.tonic + 12 * octave + semitones

    def steps(self, low: int, high: int) -> range:
        """Return the steps whose unaltered MIDI pitches lie from low to high."""
        inside = [
            step
            for step in range(-5 * self.size, 5 * self.size)
            if low
            <= self.tonic + 12 * (step // self.size) + SCALES[self.scale][step % self.size]
            <= high
        ]
        return range(inside[0], inside[-1] + 1)


class Span(NamedTuple):
    """A chord with its time: start, from that of its section, and length in ticks."""

    start: int
    length: int
    chord: Chord


def parse_progression(text: str, mode: str, bar: int, beat: int) -> list[list[Span]]:
    """Parse a progression such as "I | ii V7 | I" into the spans of each bar.

    bar, beat: lengths in ticks. Of two chords in a bar the second begins on a beat, at the middle
    or next after it; more than two share the bar evenly.
    """
    bars = []
    for number, symbols in enumerate(text.split("|")):
        chords = [parse_chord(symbol, mode) for symbol in symbols.split()]
        start, stop = number * bar, (number + 1) * bar
        if len(chords) == 2:
            middle = start + beat * math.ceil(bar / beat / 2)
            edges = [start, middle, stop]
        else:
            edges = [start + bar * i // len(chords) for i in range(len(chords) + 1)]
        spans = zip(edges[:-1], edges[1:], chords, strict=True)
        bars.append([Span(first, last - first, item) for first, last, item in spans])
    return bars


def chord_at(bars: list[list[Span]], tick: int) -> Chord:
    """Return the chord at a tick of a section, at its end and later the last one."""
    chords = [span for bar in bars for span in bar]
    return next((s.chord for s in reversed(chords) if s.start <= tick), chords[0].chord)
