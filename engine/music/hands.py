"""Which hand plays which notes of piano music."""

from collections.abc import Sequence
from itertools import groupby

from engine.music.score import Note

RIGHT, LEFT = 0, 1
_MIDDLE_C = 60  # the lowest pitch that is written for the right hand, where both can reach
_SPAN = 14  # semitones that a hand reaches: a ninth
_STRETCH_COST = 4  # of a semitone beyond the reach, in semitones on the wrong side of middle C


def split_hands(notes: Sequence[Note]) -> list[int]:
    """Return RIGHT or LEFT for each note; the notes are in the order of start, then of pitch.

    Of notes that start together the lower ones are for the left hand. Where they are parted is
    decided by their distance from middle C, and by the keys that a hand then has to reach, with
    those that it still holds.
    """
    hands: list[int] = []
    held: tuple[list[Note], list[Note]] = ([], [])
    for start, group in groupby(notes, key=lambda note: note.start):
        chord = list(group)
        for hand in held:
            hand[:] = [note for note in hand if note.end > start]
        low = min(range(len(chord) + 1), key=lambda count: _cost(chord, count, held))
        held[LEFT].extend(chord[:low])
        held[RIGHT].extend(chord[low:])
        hands += [LEFT] * low + [RIGHT] * (len(chord) - low)
    return hands


def _cost(chord: Sequence[Note], low: int, held: tuple[list[Note], list[Note]]) -> float:
    """Return how awkward it is to play the lowest `low` notes of a chord with the left hand."""
    wrong_side = sum(max(note.pitch - _MIDDLE_C + 1, 0) for note in chord[:low])
    wrong_side += sum(max(_MIDDLE_C - note.pitch, 0) for note in chord[low:])
    stretch = _stretch([*chord[:low], *held[LEFT]]) + _stretch([*chord[low:], *held[RIGHT]])
    return wrong_side + _STRETCH_COST * stretch


def _stretch(notes: Sequence[Note]) -> int:
    """Return by how many semitones the notes are further apart than a hand reaches."""
    pitches = [note.pitch for note in notes]
    return max(max(pitches) - min(pitches) - _SPAN, 0) if pitches else 0
