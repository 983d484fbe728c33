"""The voices of a piece: four parts, a melody over chords, or two hands."""

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby, pairwise

from engine.music import hands
from engine.music.score import Note

FOUR_PARTS = ("soprano", "alto", "tenor", "bass")
MELODY_AND_CHORDS = ("melody", "chords")
TWO_HANDS = ("right hand", "left hand")  # in the order of `hands.RIGHT` and `hands.LEFT`
_TRIAD, _OCTAVE = 3, 12
# Shares of the time in which a melody is over chords, of this time that the chords are in close
# position, in which four parts sound, and in which more than four notes do.
_MIN_CHORDS, _MIN_CLOSED, _MIN_FULL, _MAX_FULLER = 0.3, 0.8, 0.5, 0.05
_CENTERS = (71.0, 65.0, 58.0, 50.0)  # pitches of four parts, where the piece has no full chord


@dataclass(frozen=True)
class Texture:
    """How the notes of a piece are distributed over voices."""

    names: tuple[str, ...] = TWO_HANDS  # of the voices, the highest first
    centers: tuple[float, ...] = _CENTERS  # of four parts: the mean pitch of each
    ceiling: int = 0  # of a melody over chords: only notes of the melody are above this pitch


def _in_order(notes: Sequence[Note]) -> list[Note]:
    return sorted(notes, key=lambda note: (note.start, note.pitch))


def _chords(notes: Sequence[Note]) -> Iterator[tuple[list[Note], list[Note]]]:
    """Yield (struck, sounding) for each time at which some of `notes`, in order, start.

    sounding: all that sound then, the struck ones too, from high to low.
    """
    held: list[Note] = []
    for start, group in groupby(notes, key=lambda note: note.start):
        struck = list(group)
        held = [note for note in held if note.end > start] + struck
        held.sort(key=lambda note: -note.pitch)
        yield struck, held


def find_texture(notes: Sequence[Note]) -> Texture:
    """Return the texture of music.

    A melody over chords: the notes below the highest one are mostly chords of three or more within
    an octave. Four parts: for at least half of the time four notes sound, and hardly ever more.
    Anything else is for two hands.
    """
    if not notes:
        return Texture()
    time_by_count: Counter[int] = Counter()  # in ms, by the number of notes that sound
    closed = open_ = 0  # ms with chords below the highest note, within an octave and beyond
    lower: list[int] = []  # pitches of notes that are not the highest at their start
    full: list[list[int]] = []  # pitches of the chords of four notes
    chords = [(struck, list(sounding)) for struck, sounding in _chords(_in_order(notes))]
    ends = [struck[0].start for struck, _ in chords[1:]]
    ends.append(max(note.end for note in notes))
    for (struck, sounding), end in zip(chords, ends, strict=True):
        pitches = [note.pitch for note in sounding]
        span = min(end, max(note.end for note in sounding)) - struck[0].start
        time = round(1000 * span)
        time_by_count[len(pitches)] += time
        lower += (note.pitch for note in struck if note is not sounding[0])
        if len(pitches) == len(FOUR_PARTS):
            full.append(pitches)
        if len(pitches) > _TRIAD:
            is_closed = pitches[1] - pitches[-1] <= _OCTAVE
            closed, open_ = closed + time * is_closed, open_ + time * (not is_closed)
    total = sum(time_by_count.values())
    if closed >= _MIN_CHORDS * total and closed >= _MIN_CLOSED * (closed + open_) and lower:
        return Texture(MELODY_AND_CHORDS, ceiling=sorted(lower)[int(0.98 * (len(lower) - 1))])
    fuller = sum(time for count, time in time_by_count.items() if count > len(FOUR_PARTS))
    if full and time_by_count[4] >= _MIN_FULL * total and fuller <= _MAX_FULLER * total:
        return Texture(FOUR_PARTS, tuple(map(statistics.fmean, zip(*full, strict=True))))
    return Texture()


def assign_voices(notes: Sequence[Note], texture: Texture) -> list[int]:
    """Return for each note the index of its voice in `texture.names`.

    The voice depends on what sounds when the note starts, and of two hands on what they hold then.
    notes: in the order of start, then of pitch.
    """
    if texture.names == TWO_HANDS:
        return hands.split_hands(notes)
    place = _place_in_parts if texture.names == FOUR_PARTS else _place_in_melody
    return [
        voice for struck, sounding in _chords(notes) for voice in place(struck, sounding, texture)
    ]


def divide(notes: Sequence[Note]) -> list[tuple[str, list[Note]]]:
    """Divide a piece into its voices: the name and the notes of each that has any.

    Notes of which no two sound together are one voice, a melody.
    """
    notes = _in_order(notes)
    if all(before.end <= after.start for before, after in pairwise(notes)):
        return [(MELODY_AND_CHORDS[0], notes)] if notes else []
    texture = find_texture(notes)
    by_voice: list[list[Note]] = [[] for _ in texture.names]
    for note, voice in zip(notes, assign_voices(notes, texture), strict=True):
        by_voice[voice].append(note)
    return [(name, own) for name, own in zip(texture.names, by_voice, strict=True) if own]


def _place_in_melody(
    struck: Sequence[Note], sounding: Sequence[Note], texture: Texture
) -> list[int]:
    """Return 0 for a note of the melody: the highest one, above the chords or a whole triad."""
    return [
        int(note is not sounding[0]
            or (note.pitch <= texture.ceiling and len(sounding) <= _TRIAD))
        for note in struck
    ]  # fmt: skip


def _place_in_parts(
    struck: Sequence[Note], sounding: Sequence[Note], texture: Texture
) -> list[int]:
    """Choose of each chord the parts whose mean pitches are nearest, in the chord's order."""
    centers = texture.centers
    pitches = [note.pitch for note in sounding]
    if len(pitches) <= len(centers):
        parts = min(
            combinations(range(len(centers)), len(pitches)),
            key=lambda chosen: sum(
                abs(pitch - centers[part]) for pitch, part in zip(pitches, chosen, strict=True)
            ),
        )
    else:
        parts = tuple(
            min(range(len(centers)), key=lambda part: abs(pitch - centers[part]))
            for pitch in pitches
        )
    return [parts[next(i for i, other in enumerate(sounding) if other is note)] for note in struck]
