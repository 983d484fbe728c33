"""Scores in ABC notation (version 2.1), the text form in which folk tunes are exchanged.

Times are rounded to a part of a beat. Notes that sound together and last equally long are a chord;
the others are divided over voices, those from middle C on before those below.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine import files
from engine.music.score import Score

_DIVISIONS = (1, 2, 4, 3, 8, 6, 12, 16)  # of a beat, tried in this order
_FALLBACK = 12  # if notes begin between all of them
_TOLERANCE = 0.02  # beats
_MIDDLE_C = 60
_NAMES = ("C", "^C", "D", "^D", "E", "F", "^F", "G", "^G", "A", "^A", "B")
_BARS_IN_LINE = 4


class _Chord(NamedTuple):
    """Notes with a common length, in ticks from the start of the music."""

    start: int
    end: int
    pitches: tuple[int, ...]


def encode(score: Score, title: str) -> str:
    """Return the text of a score: a tune with the number 1, in C, with all accidentals written."""
    edges = np.array([(note.start, note.end) for note in score.notes]).reshape(-1, 2)
    beats = score.tempo_map.beats(edges)  # (n, 2)
    divisions = _choose_divisions(beats, score.tempo_map.bar_length)
    ticks = np.rint(beats * divisions).astype(int).tolist()
    by_edges: dict[tuple[bool, int, int], set[int]] = {}
    for note, (start, end) in zip(score.notes, ticks, strict=True):
        key = (note.pitch < _MIDDLE_C, start, max(end, start + 1))
        by_edges.setdefault(key, set()).add(note.pitch)
    voices: list[list[_Chord]] = []
    for is_bass in (False, True):
        chords = [
            _Chord(start, end, tuple(sorted(pitches)))
            for (bass, start, end), pitches in sorted(by_edges.items())
            if bass == is_bass
        ]
        voices += _voices(chords)
    bar = round(score.tempo_map.bar_length * divisions)
    bars = max([-(-chord.end // bar) for voice in voices for chord in voice], default=1)
    numerator, denominator = score.time_signature
    lines = [
        "%abc-2.1",
        "X:1",
        f"T:{' '.join(title.replace('%', ' ').split())}",
        f"M:{numerator}/{denominator}",
        "L:1/8",
        f"Q:1/4={score.tempo:g}",
        "K:C",
    ]
    for number, voice in enumerate(voices or [[]], 1):
        clef = "bass" if voice and max(voice[0].pitches) < _MIDDLE_C else "treble"
        lines.append(f"V:{number} clef={clef}")
        tempos = _tempos(score, divisions, bar) if number == 1 else {}
        texts = [tempos.get(i, "") + _bar(voice, i, bar, divisions) for i in range(bars)]
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


def _bar(voice: Sequence[_Chord], number: int, bar: int, divisions: int) -> str:
    """Return the text of a voice's bar; bar: its length in ticks."""
    first, last = number * bar, (number + 1) * bar
    words: list[str] = []
    altered: set[str] = set()  # names, with their octaves, that have a sharp in this bar
    position = first
    for chord in voice:
        start, end = max(chord.start, first), min(chord.end, last)
        if start >= end:
            continue
        words += [f"z{length}" for length in _lengths(start - position, divisions)]
        tie = "-" if chord.end > end else ""
        parts = _lengths(end - start, divisions)
        for index, length in enumerate(parts):
            names = [_name(pitch, altered) for pitch in chord.pitches]
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


def _name(pitch: int, altered: set[str]) -> str:
    """Return a pitch's name; a natural is written where a sharp in the bar would still hold."""
    octave, step = divmod(pitch, 12)
    name = _NAMES[step]
    letter = name[-1]
    level = octave - 5  # middle C is in octave 0
    plain = letter + "," * -level if level < 1 else letter.lower() + "'" * (level - 1)
    if name[0] == "^":
        altered.add(plain)
        return f"^{plain}"
    return f"={plain}" if plain in altered else plain
