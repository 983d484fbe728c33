"""Melodies: the cheapest line over the chords, in phrases that are made of a few motifs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import NamedTuple

from assets.make.composer.theory import Chord, Event, Key, Span, rhythm, sounding

# What a move of so many semitones costs: steps and small leaps are the rule.
_MOVES = (0.9, 0.1, 0.0, 0.3, 0.35, 0.7, 4.0, 0.9, 1.8, 1.8, 4.0, 6.0, 1.8)
_BEAM = 14
_TRIES = 6
_TRILL = 1.5
_NOISE = 1.1  # makes the tries differ


class Slot(NamedTuple):
    """A note that is yet to get its pitch."""

    start: int
    length: int
    weight: int  # 2 where a bar begins, 1 on a beat, 0 between
    chord: Chord


class Placed(NamedTuple):
    """A slot and the step it got."""

    slot: Slot
    step: int


@dataclass(frozen=True)
class Register:
    """Where a line lies, as pitches, and how freely it leaps."""

    low: int
    high: int
    calm: float = 1.0  # over 1: leaps cost so much more


@dataclass(frozen=True)
class Theme:
    """The melody of a section."""

    notes: tuple[Placed, ...]
    bars: tuple[tuple[Placed, ...], ...]
    cost: float


def slots(cell: str, start: int, beat: int, bars: list[list[Span]]) -> list[Slot]:
    """The slots of a bar in a rhythm, from a tick on."""
    result, tick = [], start
    for length, sounds in rhythm(cell):
        weight = 2 if tick == start else int((tick - start) % beat == 0)
        if sounds:
            result.append(Slot(tick, length, weight, sounding(bars, tick)))
        tick += length
    return result


def _resolved(key: Key, a: Placed | None, b: Placed, c: Placed) -> float:
    """What `b` costs between its neighbours when it may lie outside its chord."""
    pitch = key.pitch(b.step, b.slot.chord)
    if b.slot.chord.holds(pitch, key.tonic):
        return 0.0
    after = key.pitch(c.step, c.slot.chord) - pitch
    before = 0 if a is None else pitch - key.pitch(a.step, a.slot.chord)
    long = 1.5 * (b.slot.length > 12)
    if b.slot.weight:  # leaning on the chord: it resolves downwards by a step
        return long + (1.6 if -2 <= after < 0 and abs(before) <= 5 else 7.0)
    return long + (0.2 if 0 < abs(after) <= 2 and abs(before) <= 2 else 6.0)


def _move(key: Key, a: Placed | None, b: Placed, c: Placed, calm: float) -> float:
    """What going on from `b` to `c` costs, having come from `a`."""
    here = key.pitch(b.step, b.slot.chord)
    leap = key.pitch(c.step, c.slot.chord) - here
    size = abs(leap)
    cost = 9.0 if size >= len(_MOVES) else _MOVES[size] * (calm if 2 < size < 10 else 1.0)
    if key.size == 7 and abs(c.step - b.step) == 1 and size == 3:
        cost += 4  # the augmented second of harmonic minor
    if a is None:
        return cost + 2 * _resolved(key, a, b, c)
    came = here - key.pitch(a.step, a.slot.chord)
    if abs(came) >= 5 and (leap * came >= 0 or size > 4):
        cost += 2.5 if leap * came > 0 else 1.5  # a leap is filled in
    if came == leap == 0:
        cost += 1.5
    if came == -leap:
        cost += 0.25  # there and back
    return cost + _resolved(key, a, b, c)


def _trills(line: Sequence[Placed], step: int) -> bool:
    """Whether a step would make a line go to and fro a second time."""
    return len(line) > 2 and line[-3].step == line[-1].step and line[-2].step == step


def search(
    key: Key,
    wanted: Sequence[Slot],
    register: Register,
    chance: Random,
    before: Sequence[Placed] = (),
    shape: Sequence[int] | None = None,
    goals: Mapping[int, frozenset[int]] | None = None,
    centre: Sequence[float] | None = None,
) -> tuple[list[Placed], float]:
    """Give pitches to slots; also what they cost.

    `shape` is the motif to follow, as moves in steps between its notes; `goals` are the pitch
    classes, over a tonic of 0, that a slot by its number may have; `centre` is where the line
    should be. A beam search with costs that `chance` blurs.
    """
    steps = key.steps(register.low, register.high)
    middle = (steps[0] + steps[-1]) / 2
    beam: list[tuple[float, list[Placed]]] = [(0.0, list(before[-3:]))]
    fixed = len(beam[0][1])
    for number, slot in enumerate(wanted):
        goal = (goals or {}).get(number)
        grown = []
        blur = {step: chance.random() * _NOISE for step in steps}
        at = centre[number] if centre else middle
        for step in steps:
            pitch = key.pitch(step, slot.chord)
            own = blur[step] + 0.16 * abs(step - at) * 7 / key.size
            if goal is not None and (pitch - key.tonic) % 12 not in goal:
                own += 50
            placed = Placed(slot, step)
            for cost, line in beam:
                total = cost + own
                if line:
                    a = line[-2] if len(line) > 1 else None
                    total += _move(key, a, line[-1], placed, register.calm)
                    total += _TRILL * _trills(line, step)
                    if shape is not None and number:
                        total += 1.3 * abs(step - line[-1].step - shape[number - 1])
                if number == len(wanted) - 1 and not slot.chord.holds(pitch, key.tonic):
                    total += 3
                grown.append((total, line, placed))
        grown.sort(key=lambda item: item[0])
        beam = [(cost, [*line, placed]) for cost, line, placed in grown[:_BEAM]]
    cost, line = beam[0]
    return line[fixed:], cost


def theme(
    key: Key,
    bars: list[list[Span]],
    plan: str,
    cells: Mapping[str, str],
    beat: int,
    register: Register,
    chance: Random,
) -> Theme:
    """The best of some melodies over `bars`.

    `plan` has a letter a bar: the same letter is the same motif (literally over the same chords,
    else in sequence), upside down where ~ follows. H is a half close, F a full one. `cells` gives
    the rhythm of each letter.
    """
    tries = [_attempt(key, bars, plan, cells, beat, register, chance) for _ in range(_TRIES)]
    return min(tries, key=lambda item: item.cost)


def _attempt(
    key: Key,
    bars: list[list[Span]],
    plan: str,
    cells: Mapping[str, str],
    beat: int,
    register: Register,
    chance: Random,
) -> Theme:
    motifs: dict[str, list[Placed]] = {}
    literal: dict[tuple[str, tuple[Chord, ...]], list[Placed]] = {}
    notes: list[Placed] = []
    made: list[tuple[Placed, ...]] = []
    total = 0.0
    steps = key.steps(register.low, register.high)
    for number, token in enumerate(plan.split()):
        letter, chords = token[0], tuple(span.chord for span in bars[number])
        start = bars[number][0].start
        wanted = slots(cells[letter], start, beat, bars)
        known = literal.get((token, chords))
        if known is not None and letter not in "HF":
            bar = [Placed(s, k.step) for s, k in zip(wanted, known, strict=True)]
        else:
            goals = _goals(letter, cells[letter], wanted, number == len(bars) - 1)
            shape = None
            if letter in motifs:
                sign = -1 if "~" in token else 1
                old = motifs[letter]
                shape = [sign * (b.step - a.step) for a, b in pairwise(old)]
            phrase = (number % 4 + 0.5) / 4
            rise = (0.12 + 0.16 * (number >= len(bars) // 2)) * len(steps)
            at = steps[0] + len(steps) * 0.38 + rise * math.sin(math.pi * phrase)
            bar, cost = search(
                key, wanted, register, chance, notes, shape, goals, [at] * len(wanted)
            )
            total += cost
        literal.setdefault((token, chords), bar)
        motifs.setdefault(letter, bar)
        notes += bar
        made.append(tuple(bar))
    return Theme(tuple(notes), tuple(made), total / len(notes) + _dullness(notes))


def _goals(letter: str, cell: str, wanted: Sequence[Slot], last: bool) -> dict[int, frozenset[int]]:
    """What the note of a close, the last before an upbeat, may be."""
    place = sum(sounds for _, sounds in rhythm(cell.partition("|")[0])) - 1
    chord = wanted[place].chord
    if letter == "F":
        return {place: frozenset({0} if 0 in chord.tones else chord.tones[:3])}
    if letter == "H":
        return {place: frozenset(chord.tones[:3]) - (frozenset() if last else {0})}
    return {}


def _dullness(notes: Sequence[Placed]) -> float:
    steps = [note.step for note in notes]
    reach = max(steps) - min(steps)
    same = sum(a == b for a, b in pairwise(steps)) / len(steps)
    top = steps.count(max(steps))
    return 0.3 * max(0, 6 - reach) + 2.5 * max(0.0, same - 0.15) + 0.1 * max(0, top - 3)


def events(key: Key, notes: Sequence[Placed], velocity: int) -> list[Event]:
    """The notes as they sound, the beats a little louder and each phrase swelling."""
    if not notes:
        return []
    pitches = [key.pitch(note.step, note.slot.chord) for note in notes]
    middle = sum(pitches) / len(pitches)
    return [
        Event(
            note.slot.start,
            note.slot.length,
            pitch,
            velocity + (0, 3, 6)[note.slot.weight] + max(-6, min(8, round((pitch - middle) * 0.9))),
        )
        for note, pitch in zip(notes, pitches, strict=True)
    ]


def embellished(notes: Sequence[Placed]) -> list[Placed]:
    """The same melody with its longer notes broken up by passing and neighbouring notes."""
    result: list[Placed] = []
    for number, note in enumerate(notes):
        slot = note.slot
        after = notes[number + 1] if number + 1 < len(notes) else None
        if slot.length not in (12, 18, 24) or after is None or after.slot.chord is not slot.chord:
            result.append(note)
            continue
        move = after.step - note.step
        unit = 6
        if abs(move) == 2:
            path = [note.step, note.step + move // 2]
        elif abs(move) == 1:
            path = [note.step, note.step - move]  # steps back before going on
        elif move == 0:
            path = [note.step, note.step + 1]
        else:
            result.append(note)
            continue
        first = slot.length - unit
        result.append(Placed(slot._replace(length=first), path[0]))
        result.append(Placed(Slot(slot.start + first, unit, 0, slot.chord), path[1]))
    return result
