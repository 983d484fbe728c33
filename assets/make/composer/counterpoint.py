"""Parts that are lines themselves: four voices of a chorale, a second voice that imitates."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random

from assets.make.composer.melody import Placed, Register, search, slots
from assets.make.composer.theory import Chord, Event, Key, Span

_ALTO, _TENOR, _BASS = (55, 74), (48, 67), (40, 60)


def _voicings(key: Key, soprano: int, over: Chord) -> list[tuple[int, int, int]]:
    """Alto, tenor and bass under a soprano that make the chord complete."""

    def inside(low: int, high: int, tones: Sequence[int]) -> list[int]:
        classes = {(key.tonic + tone) % 12 for tone in tones}
        return [pitch for pitch in range(low, high + 1) if pitch % 12 in classes]

    root, third, fifth, *seventh = ((key.tonic + tone) % 12 for tone in over.tones)
    result = []
    for bass in inside(*_BASS, [over.bass]):
        for tenor in inside(*_TENOR, over.tones):
            for alto in inside(*_ALTO, over.tones):
                if not bass <= tenor <= alto <= soprano:
                    continue
                if soprano - alto > 12 or alto - tenor > 12:
                    continue
                classes = [pitch % 12 for pitch in (soprano, alto, tenor, bass)]
                whole = {root, third, *seventh} <= set(classes)
                whole = whole and (fifth in classes or classes.count(root) > 1)
                leading = (key.tonic + 11) % 12
                doubled = classes.count(leading) > 1 or any(classes.count(x) > 1 for x in seventh)
                if whole and not doubled:
                    result.append((alto, tenor, bass))
    return result


def _parallel(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether two of the voices go on in parallel fifths, octaves or unisons."""
    for one in range(4):
        for other in range(one + 1, 4):
            if before[one] == after[one]:
                continue
            was, now = before[one] - before[other], after[one] - after[other]
            moved = (after[one] - before[one]) * (after[other] - before[other]) > 0
            if moved and was % 12 == now % 12 and now % 12 in (0, 7):
                return True
    return False


def four_voices(key: Key, melody: Sequence[Placed], chance: Random, velocity: int) -> list[Event]:
    """Alto, tenor and bass under a melody, a note against a note: the smoothest without parallels.

    Where a voice moves by a third it may pass through the note between.
    """
    soprano = [key.pitch(note.step, note.slot.chord) for note in melody]
    paths: dict[tuple[int, int, int], tuple[float, list[tuple[int, int, int]]]] = {}
    for number, note in enumerate(melody):
        found = _voicings(key, soprano[number], note.slot.chord)
        found = found or [(soprano[number] - 5, soprano[number] - 12, soprano[number] - 24)]
        grown = {}
        for voicing in found:
            own = 0.15 * abs(voicing[0] - 64) + 0.15 * abs(voicing[1] - 57)
            own += 3.0 * (0 < soprano[number] - voicing[0] < 3)  # rubs against the melody
            best = (own, [voicing])
            if paths:
                best = min(
                    (
                        cost
                        + own
                        + _motion((soprano[number - 1], *before), (soprano[number], *voicing)),
                        [*line, voicing],
                    )
                    for before, (cost, line) in paths.items()
                )
            grown[voicing] = best
        paths = grown
    _, line = min(paths.values())
    result: list[Event] = []
    for place in range(3):
        for number, note in enumerate(melody):
            here = line[number][place]
            ahead = line[number + 1][place] if number + 1 < len(line) else here
            slot = note.slot
            loud = velocity + 3 * (place == 2) + 3 * (slot.weight == 2)
            between = _between(key, here, ahead, slot.chord)
            if between and slot.length == 12 and chance.random() < 0.4:
                result.append(Event(slot.start, 6, here, loud))
                result.append(Event(slot.start + 6, 6, between, loud - 4))
            else:
                result.append(Event(slot.start, slot.length, here, loud))
    return result


def _motion(before: tuple[int, ...], after: tuple[int, ...]) -> float:
    moves = [abs(b - a) for a, b in zip(before[1:], after[1:], strict=True)]
    cost = sum(move + (4.0 if move > 5 else 0.0) for move in moves[:2]) + 0.5 * moves[2]
    cost += 60.0 * _parallel(before, after)
    return cost + 4.0 * any(a > b for a, b in zip(after[1:], before[:-1], strict=True))  # overlap


def _between(key: Key, here: int, ahead: int, over: Chord) -> int | None:
    """The note of the scale between two that are a third apart."""
    if abs(ahead - here) not in (3, 4):
        return None
    low, high = sorted((here, ahead))
    scale = {key.pitch(step, over) % 12 for step in range(key.size)}
    inside = [pitch for pitch in range(low + 1, high) if pitch % 12 in scale]
    return inside[0] if inside else None


def imitation(
    key: Key,
    bars: list[list[Span]],
    cells: Sequence[str],
    upper: Sequence[Sequence[Placed]],
    beat: int,
    chance: Random,
) -> list[Placed]:
    """A lower voice that has in each bar what the upper had before, fitted to the chord."""
    register = Register(43, 60, calm=0.9)
    result: list[Placed] = []
    for number, spans in enumerate(bars):
        cell = cells[number - 1] if number else cells[-1]
        model = upper[number - 1] if number else ()
        last = number == len(bars) - 1
        wanted = slots(cells[-1] if last else cell, spans[0].start, beat, bars)
        moves = [b.step - a.step for a, b in pairwise(model)]
        shape = moves if len(moves) == len(wanted) - 1 and not last else None
        goals = {} if shape else {0: frozenset({spans[0].chord.bass})}
        if last:
            goals[len(wanted) - 1] = frozenset({spans[-1].chord.bass})
        line, _ = search(key, wanted, register, chance, result, shape, goals)
        result += line
    return result
