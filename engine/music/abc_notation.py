"""Scores in ABC notation (version 2.1), the text form in which folk tunes are exchanged.

Times are rounded to a part of a beat. The hands are separated by `split_hands`; notes of a hand
that sound together and last equally long are a chord, and the others are divided over voices. The
key is that of `find_key`, and notes are spelled in it.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine import files
from engine.music.hands import LEFT, RIGHT, split_hands
from engine.music.key_finding import find_key
from engine.music.pitch import spell
from engine.music.score import Score

_DIVISIONS = (1, 2, 4, 3, 8, 6, 12, 16)  # of a beat, tried in this order
_FALLBACK = 12  # if notes begin between all of them
_TOLERANCE = 0.02  # beats
_SHARPS = "FCGDAEB"  # in the order of key signatures
_BARS_IN_LINE = 4


class _Chord(NamedTuple):
    """Notes with a common length, in ticks from the start of the music."""

    start: int
    end: int
    pitches: tuple[int, ...]


def encode(score: Score, title: str) -> str:
    """Return the text of a score: a tune with the number 1."""
    notes = sorted(score.notes, key=lambda note: (note.start, note.pitch))
    edges = np.array([(note.start, note.end) for note in notes]).reshape(-1, 2)
    beats = score.tempo_map.beats(edges)  # (n, 2)
    divisions = _choose_divisions(beats, score.tempo_map.bar_length)
    ticks = np.rint(beats * divisions).astype(int).tolist()
    by_edges: dict[tuple[int, int, int], set[int]] = {}
    for note, (start, end), hand in zip(notes, ticks, split_hands(notes), strict=True):
        by_edges.setdefault((hand, start, max(end, start + 1)), set()).add(note.pitch)
    voices: list[tuple[str, list[_Chord]]] = []  # each with its clef
    for hand, clef in ((RIGHT, "treble"), (LEFT, "bass")):
        chords = [
            _Chord(start, end, tuple(sorted(pitches)))
            for (own, start, end), pitches in sorted(by_edges.items())
            if own == hand
        ]
        voices += ((clef, voice) for voice in _voices(chords))
    key = find_key(notes)
    bar = round(score.tempo_map.bar_length * divisions)
    bars = max([-(-chord.end // bar) for _, voice in voices for chord in voice], default=1)
    numerator, denominator = score.time_signature
    lines = [
        "%abc-2.1",
        "X:1",
        f"T:{' '.join(title.replace('%', ' ').split())}",
        f"M:{numerator}/{denominator}",
        "L:1/8",
        f"Q:1/4={score.tempo:g}",
        f"K:{key.name}",
    ]
    for number, (clef, voice) in enumerate(voices or [("treble", [])], 1):
        lines.append(f"V:{number} clef={clef}")
        tempos = _tempos(score, divisions, bar) if number == 1 else {}
        texts = [
            tempos.get(i, "") + _bar(voice, i, bar, divisions, key.fifths) for i in range(bars)
        ]
        for first in range(0, bars, _BARS_IN_LINE):
            row = " | ".join(texts[first : first + _BARS_IN_LINE])
            lines.append(row + (" |" if first + _BARS_IN_LINE < bars else " |]"))
    return "\n".join(lines) + "\n"


def write(score: Score, path: Path) -> None:
    """Write a score to a file, complete or not at all; its title is the file's name."""
    files.write_atomic(path, encode(score, path.stem))


def _choose_divisions(beats: "np.typing.NDArray[np.float64]", bar: float) -> int:
    """Return the number of ticks in a beat to which `beats` are rounded; bar: its beats."""
    for divisions in _DIVISIONS:
        off = np.abs(beats - np.rint(beats * divisions) / divisions)
        if (bar * divisions).is_integer() and np.all(off <= _TOLERANCE):
            return divisions
    return _FALLBACK if (bar * _FALLBACK).is_integer() else 4 * _FALLBACK


def _tempos(score: Score, divisions: int, bar: int) -> dict[int, str]:
    """Return the text of each new tempo by its bar; a tempo within a bar begins with it."""
    beats = score.tempo_map.beats([second for second, _ in score.tempo_changes]).tolist()
    return {
        round(beat * divisions) // bar: f"[Q:1/4={tempo:g}] "
        for beat, (_, tempo) in zip(beats, score.tempo_changes, strict=True)
    }


def _voices(chords: Sequence[_Chord]) -> list[list[_Chord]]:
    """Divide chords, in the order of their starts, over as few voices as possible."""
    voices: list[list[_Chord]] = []
    for chord in chords:
        free = next((voice for voice in voices if voice[-1].end <= chord.start), None)
        if free is None:
            voices.append([chord])
        else:
            free.append(chord)
    return voices


def _bar(voice: Sequence[_Chord], number: int, bar: int, divisions: int, fifths: int) -> str:
    """Return the text of a voice's bar. bar: its length in ticks; fifths: the key signature."""
    first, last = number * bar, (number + 1) * bar
    words: list[str] = []
    speller = _Speller(fifths)
    position = first
    for chord in voice:
        start, end = max(chord.start, first), min(chord.end, last)
        if start >= end:
            continue
        words += [f"z{length}" for length in _lengths(start - position, divisions)]
        tie = "-" if chord.end > end else ""
        parts = _lengths(end - start, divisions)
        for index, length in enumerate(parts):
            names = [speller.name(pitch) for pitch in chord.pitches]
            text = f"[{''.join(names)}]" if len(names) > 1 else names[0]
            words.append(f"{text}{length}{tie if index == len(parts) - 1 else '-'}")
        position = end
    words += [f"z{length}" for length in _lengths(last - position, divisions)]
    return " ".join(words)


def _lengths(ticks: int, divisions: int) -> list[str]:
    """Split a length into those that a note can have, the longest first, in eighth notes."""
    result = []
    left = Fraction(2 * ticks, divisions)
    while left:
        part = left
        for power in range(6, -7, -1):
            value = Fraction(2) ** power
            fits = [length for length in (value * 3 / 2, value) if length <= left]
            if fits and (left - fits[0]).denominator <= left.denominator:
                part = fits[0]
                break
        result.append(_length(part))
        left -= part
    return result


def _length(eighths: Fraction) -> str:
    over, under = eighths.numerator, eighths.denominator
    return f"{over if over != 1 else ''}{f'/{under}' if under != 1 else ''}"


class _Speller:
    """Names the notes of a bar, with the accidentals that its key signature leaves to write.

    Programs differ in whether an accidental holds for its own octave or for all (version 2.1 lets
    both be chosen): one is written wherever either reading would leave the note unclear.
    """

    def __init__(self, fifths: int) -> None:
        self._fifths = fifths
        sharp = dict.fromkeys(_SHARPS[: max(fifths, 0)], 1)
        flat = dict.fromkeys(_SHARPS[len(_SHARPS) + min(fifths, 0) :], -1)
        self._signature = sharp | flat
        self._written: dict[str, int] = {}  # by letter, and by letter and octave

    def name(self, pitch: int) -> str:
        """Return the name of the next note."""
        letter, alter, octave = spell(pitch, self._fifths)
        level = octave - 4  # middle C is in octave 4
        plain = letter + "," * -level if level < 1 else letter.lower() + "'" * (level - 1)
        in_force = self._signature.get(letter, 0)
        anywhere = self._written.get(f"{letter} anywhere", in_force)
        if self._written.get(plain, in_force) == anywhere == alter:
            return plain
        self._written[plain] = self._written[f"{letter} anywhere"] = alter
        return ("^" * alter + "_" * -alter or "=") + plain
