"""Melodies, typed as notes such as `C4 D4 E4:2 r G4:0.5`, or as the path of a file of music."""

import math
from pathlib import Path

from engine.errors import InputError
from engine.music import SCORE_SUFFIXES
from engine.music.pitch import parse_note
from engine.music.score import Note, Score

MAX_BEATS = 10_000  # of a melody
_RESTS = {"r", "-"}


def melody_path(text: str) -> Path | None:
    """Return the path of a file of music; None for notes.

    Raises InputError for a path in the home folder of an unknown user.
    """
    if not ("/" in text or "\\" in text or text.lower().endswith(SCORE_SUFFIXES)):
        return None
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise InputError(f"{text!r} has no home folder: give an absolute path.") from error


def parse_melody(
    text: str, tempo: float = 120.0, time_signature: tuple[int, int] = (4, 4)
) -> Score:
    """Parse notes that follow one another, with their lengths in beats.

    A word is a note name or a MIDI pitch, or `r` for a rest; after a colon, its length in beats (a
    quarter note each; 1 if it is missing). Raises InputError for a word that is not a note, a
    length out of range, and a melody without notes.
    """
    try:
        return _parse(text, tempo, time_signature)
    except InputError as error:
        raise InputError(f"{str(error).removesuffix('.')}, or the path of a MIDI file.") from error


def _parse(text: str, tempo: float, time_signature: tuple[int, int]) -> Score:
    notes: list[Note] = []
    beat = 0.0
    for word in text.replace(",", " ").split():
        name, _, length = word.partition(":")
        start, beat = beat, beat + _parse_length(word, length)
        if beat > MAX_BEATS:
            raise InputError(f"The melody has over {MAX_BEATS:,} beats: give a shorter one.")
        if name.lower() not in _RESTS:
            notes.append(Note(start * 60 / tempo, beat * 60 / tempo, parse_note(name)))
    if not notes:
        raise InputError("The melody has no notes: use names such as C4 D4 E4:2 r G4:0.5.")
    return Score(tuple(notes), tempo, time_signature)


def _parse_length(word: str, text: str) -> float:
    """Return a length in beats; raises InputError."""
    if not text and ":" not in word:
        return 1.0
    try:
        beats = float(text)
    except ValueError:
        beats = math.nan
    if not 1 / 64 <= beats <= MAX_BEATS:
        raise InputError(
            f"{word!r} has no valid length: give a number of beats from 1/64 to {MAX_BEATS:,}, "
            "such as C4:2 or C4:0.5."
        )
    return beats
