"""Pitches of the piano as MIDI numbers and as note names: 60 is C4, middle C."""

import re

from engine.errors import InputError

LOWEST_PITCH, HIGHEST_PITCH = 21, 108  # of a piano with `engine.frame_spec.KEYS` keys: A0, C8
_NAMES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
_SEMITONES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_FIFTHS = "FCGDAEB"  # the letters in fifths; each seven further, they are a sharp higher
_ACCIDENTALS = {"#": 1, "♯": 1, "b": -1, "♭": -1, "": 0}
_NOTE = re.compile(r"([a-g])([#♯b♭]?)(-?[0-9])?", re.IGNORECASE)
_DEFAULT_OCTAVE = 4


def pitch_name(pitch: int) -> str:
    """Return the note name of a MIDI pitch, such as C♯4."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def spell(pitch: int, fifths: int) -> tuple[str, int, int]:
    """Return the letter, the sharps (negative: flats) and the octave of a pitch in a key.

    The spelling is the one that is most common in the key: E♭ to G♯ in C major. fifths: the sharps
    of the key signature. Middle C is in octave 4.
    """
    place = next(x for x in range(fifths - 3, fifths + 9) if (7 * x - pitch) % 12 == 0)
    alter, index = divmod(place + 1, 7)
    letter = _FIFTHS[index]
    return letter, alter, (pitch - alter - _SEMITONES[letter.lower()]) // 12 - 1


def is_black(pitch: int) -> bool:
    """Return whether a pitch has a black key."""
    return "♯" in _NAMES[pitch % 12]


def parse_chord(text: str) -> tuple[int, ...]:
    """Parse a chord such as `C4 E4 G4`, `c eb g` or `60,63,67` into pitches in ascending order.

    Repeated pitches are merged. A note name without an octave is in octave 4. Raises InputError for
    a word that is not a note, a pitch outside the piano's range, and a text without notes.
    """
    pitches = {parse_note(word) for word in text.replace(",", " ").split()}
    if not pitches:
        raise InputError("The chord has no notes: use names such as C4 F#4 Bb3, or MIDI pitches.")
    return tuple(sorted(pitches))


def parse_note(word: str) -> int:
    """Return the MIDI pitch of a number or a note name.

    A name without an octave is in octave 4. Raises InputError for a word that is neither and for a
    pitch outside the piano's range.
    """
    pitch = _find_pitch(word)
    if pitch is None:
        raise InputError(f"{word!r} is not a note: use names such as C4 F#4 Bb3, or MIDI pitches.")
    if not LOWEST_PITCH <= pitch <= HIGHEST_PITCH:
        raise InputError(
            f"{word!r} is not on the piano: use {pitch_name(LOWEST_PITCH)} ({LOWEST_PITCH}) to "
            f"{pitch_name(HIGHEST_PITCH)} ({HIGHEST_PITCH})."
        )
    return pitch


def _find_pitch(word: str) -> int | None:
    """Return the MIDI pitch of a number or a note name; None if it is neither."""
    if re.fullmatch(r"[0-9]{1,3}", word):
        return int(word)
    match = _NOTE.fullmatch(word)
    if match is None:
        return None
    letter, accidental, octave = match.groups()
    semitone = _SEMITONES[letter.lower()] + _ACCIDENTALS[accidental.lower()]
    return semitone + 12 * ((_DEFAULT_OCTAVE if octave is None else int(octave)) + 1)
