"""Counterpoint: the four voices of a chorale, and a second voice in imitation."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random

from assets.make.composer.melody import MelodyNote, Register, find_line, rhythm_slots
from assets.make.composer.theory import Chord, Key, Span, TickNote

_ALTO, _TENOR, _BASS = (55, 74), (48, 67), (40, 60)


def _voicings(key: Key, soprano: int, chord: Chord) -> list[tuple[int, int, int]]:
    """Return all (alto, tenor, bass) pitches that complete a chord below a soprano."""

    def inside(low: int, high: int, tones: Sequence[int]) -> list[int]:
        classes = {(key.tonic + tone) % 12 for tone in tones}
        return [pitch for pitch in range(low, high + 1) if pitch % 12 in classes]

    root, third, fifth, *seventh = ((key.tonic + tone) % 12 for tone in chord.tones)
    result = []
    for bass in inside(*_BASS, [chord.bass]):
        for tenor in inside(*_TENOR, chord.tones):
            for alto in inside(*_ALTO, chord.tones):
                if not bass <= tenor <= alto <= soprano:
                    continue
                if soprano - alto > 12 or alto - tenor > 12:
                    continue
                classes = [pitch % 12 for pitch in (soprano, alto, tenor, bass)]
                complete = {root, third, *seventh} <= set(classes)
                complete = complete and (fifth in classes or classes.count(root) > 1)
                leading = (key.tonic + 11) % 12
                doubled = classes.count(leading) > 1 or any(classes.count(x) > 1 for x in seventh)
                if complete and not doubled:
                    result.append((alto, tenor, bass))
    return result


def _parallel(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Return whether two of the voices move in parallel fifths, octaves or unisons."""
    for one in range(4):
        for other in range(one + 1, 4):
            if before[one] == after[one]:
                continue
            interval, next_interval = before[one] - before[other], after[one] - after[other]
            parallel = (after[one] - before[one]) * (after[other] - before[other]) > 0
            if parallel and interval % 12 == next_interval % 12 and next_interval % 12 in (0, 7):
                return True
    return False


def four_voices(
    key: Key, melody: Sequence[MelodyNote], rng: Random, velocity: int
) -> list[TickNote]:
    """Return alto, tenor and bass below a melody: those that move least, avoiding parallels.

    A voice that moves by a third may get a passing note.
    """
    soprano = [key.pitch(note.step, note.slot.chord) for note in melody]
    paths: dict[tuple[int, int, int], tuple[float, list[tuple[int, int, int]]]] = {}
    for number, note in enumerate(melody):
        voicings = _voicings(key, soprano[number], note.slot.chord)
        voicings = voicings or [(soprano[number] - 5, soprano[number] - 12, soprano[number] - 24)]
        extended = {}
        for voicing in voicings:
            note_cost = 0.15 * abs(voicing[0] - 64) + 0.15 * abs(voicing[1] - 57)
            note_cost += 3.0 * (0 < soprano[number] - voicing[0] < 3)  # a second below the melody
            best = (note_cost, [voicing])
            if paths:
                best = min(
                    (
                        cost
                        + note_cost
                        + _motion_cost((soprano[number - 1], *before), (soprano[number], *voicing)),
                        [*line, voicing],
                    )
                    for before, (cost, line) in paths.items()
                )
            extended[voicing] = best
        paths = extended
    _, line = min(paths.values())
    result: list[TickNote] = []
    for voice in range(3):
        for number, note in enumerate(melody):
            here = line[number][voice]
            ahead = line[number + 1][voice] if number + 1 < len(line) else here
            slot = note.slot
            note_velocity = velocity + 3 * (voice == 2) + 3 * (slot.weight == 2)
            passing = _passing_note(key, here, ahead, slot.chord)
            if passing and slot.length == 12 and rng.random() < 0.4:
                result.append(TickNote(slot.start, 6, here, note_velocity))
                result.append(TickNote(slot.start + 6, 6, passing, note_velocity - 4))
            else:
                result.append(TickNote(slot.start, slot.length, here, note_velocity))
    return result


def _motion_cost(before: tuple[int, ...], after: tuple[int, ...]) -> float:
    """Return the cost of moving from one chord to the next; both are (soprano, …, bass)."""
    moves = [abs(b - a) for a, b in zip(before[1:], after[1:], strict=True)]
    cost = sum(move + (4.0 if move > 5 else 0.0) for move in moves[:2]) + 0.5 * moves[2]
    cost += 60.0 * _parallel(before, after)
    return cost + 4.0 * any(a > b for a, b in zip(after[1:], before[:-1], strict=True))  # overlap


def _passing_note(key: Key, here: int, ahead: int, chord: Chord) -> int | None:
    """Return the note of the scale between two notes a third apart; None for other intervals."""
    if abs(ahead - here) not in (3, 4):
        return None
    low, high = sorted((here, ahead))
    scale = {key.pitch(step, chord) % 12 for step in range(key.size)}
    inside = [pitch for pitch in range(low + 1, high) if pitch % 12 in scale]
    return inside[0] if inside else None


def imitation(
    key: Key,
    bars: list[list[Span]],
    cells: Sequence[str],
    upper: Sequence[Sequence[MelodyNote]],
    beat: int,
    rng: Random,
) -> list[MelodyNote]:
    """Return a lower voice that in each bar imitates the upper voice's bar before.

    cells: the rhythm of each bar; upper: the upper voice's notes in each bar; beat: its ticks.
    """
    register = Register(43, 60, leap_cost=0.9)
    result: list[MelodyNote] = []
    for number, spans in enumerate(bars):
        cell = cells[number - 1] if number else cells[-1]
        model = upper[number - 1] if number else ()
        last = number == len(bars) - 1
        slots = rhythm_slots(cells[-1] if last else cell, spans[0].start, beat, bars)
        moves = [b.step - a.step for a, b in pairwise(model)]
        shape = moves if len(moves) == len(slots) - 1 and not last else None
        goals = {} if shape else {0: frozenset({spans[0].chord.bass})}
        if last:
            goals[len(slots) - 1] = frozenset({spans[-1].chord.bass})
        line, _ = find_line(key, slots, register, rng, result, shape, goals)
        result += line
    return result
