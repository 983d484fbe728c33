"""The names of the piano's keys: 60 is C4."""

import re

from engine.errors import InputError

LOWEST_PITCH, HIGHEST_PITCH = 21, 108  # A0 and C8
NAMES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
BLACK = frozenset({1, 3, 6, 8, 10})  # semitones above C
_SEMITONES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_NAME = re.compile(r"([a-g])([#♯b♭]?)(-?[0-9])?", re.IGNORECASE)
_SIGNS = {"#": 1, "♯": 1, "b": -1, "♭": -1, "": 0}
_OCTAVE = 4  # where none is named


def pitch_name(pitch: int) -> str:
    """A MIDI pitch as musicians call it."""
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"


def is_black(pitch: int) -> bool:
    """Whether it is one of the raised keys."""
    return pitch % 12 in BLACK


def parse_chord(text: str) -> tuple[int, ...]:
    """The pitches of a chord, as `C4 E4 G4`, `c eb g` or `60,63,67`; each once, from low to high.

    Raises InputError where one of them is none, or no piano has it.
    """
    found = set()
    for word in text.replace(",", " ").split():
        pitch = _pitch(word)
        if pitch is None:
            raise InputError(f"{word!r} is no note: give names as C4 F#4 Bb3, or MIDI pitches.")
        if not LOWEST_PITCH <= pitch <= HIGHEST_PITCH:
            raise InputError(
                f"{word!r} is not on the piano: give {pitch_name(LOWEST_PITCH)} ({LOWEST_PITCH}) "
                f"to {pitch_name(HIGHEST_PITCH)} ({HIGHEST_PITCH})."
            )
        found.add(pitch)
    if not found:
        raise InputError("There is no note: give names as C4 F#4 Bb3, or MIDI pitches.")
    return tuple(sorted(found))


def _pitch(word: str) -> int | None:
    if re.fullmatch(r"[0-9]{1,3}", word):
        return int(word)
    match = _NAME.fullmatch(word)
    if match is None:
        return None
    letter, sign, octave = match.groups()
    height = _SEMITONES[letter.lower()] + _SIGNS[sign.lower()]
    return height + 12 * ((_OCTAVE if octave is None else int(octave)) + 1)
