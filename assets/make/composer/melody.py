"""Melodies: lines of least cost over the chords, whose bars are made from a few motifs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import NamedTuple

from assets.make.composer.theory import Chord, Key, Span, TickNote, chord_at, parse_rhythm

# Cost of a move by 0, 1, 2 … semitones: steps and small leaps are cheap.
_INTERVAL_COSTS = (0.9, 0.1, 0.0, 0.3, 0.35, 0.7, 4.0, 0.9, 1.8, 1.8, 4.0, 6.0, 1.8)
_BEAM_WIDTH = 14
_ATTEMPTS = 6
_TRILL_COST = 1.5
_NOISE = 1.1  # random costs are below this, so that attempts differ


class Slot(NamedTuple):
    """A note of a rhythm, without a pitch yet; times in ticks."""

    start: int
    length: int
    weight: int  # 2 at the beginning of a bar, 1 on a beat, 0 between
    chord: Chord


class MelodyNote(NamedTuple):
    """A slot with a pitch: its step of the scale, 0 for the tonic."""

    slot: Slot
    step: int


@dataclass(frozen=True)
class Register:
    """The range of a line in MIDI pitches, and its cost of leaps."""

    low: int
    high: int
    leap_cost: float = 1.0  # factor


@dataclass(frozen=True)
class Theme:
    """The melody of a section, all notes and those of each bar, and its cost."""

    notes: tuple[MelodyNote, ...]
    bars: tuple[tuple[MelodyNote, ...], ...]
    cost: float


def rhythm_slots(cell: str, start: int, beat: int, bars: list[list[Span]]) -> list[Slot]:
    """Return the slots of a bar of rhythm `cell` that starts at a tick; beat: ticks of a beat."""
    slots, tick = [], start
    for length, sounds in parse_rhythm(cell):
        weight = 2 if tick == start else int((tick - start) % beat == 0)
        if sounds:
            slots.append(Slot(tick, length, weight, chord_at(bars, tick)))
        tick += length
    return slots


def _dissonance_cost(key: Key, a: MelodyNote | None, b: MelodyNote, c: MelodyNote) -> float:
    """Return the cost of `b` between its neighbors `a` and `c`; 0 if it is in its chord."""
    pitch = key.pitch(b.step, b.slot.chord)
    if b.slot.chord.contains(pitch, key.tonic):
        return 0.0
    after = key.pitch(c.step, c.slot.chord) - pitch
    before = 0 if a is None else pitch - key.pitch(a.step, a.slot.chord)
    long = 1.5 * (b.slot.length > 12)
    if b.slot.weight:  # an appoggiatura resolves down by a step
        return long + (1.6 if -2 <= after < 0 and abs(before) <= 5 else 7.0)
    return long + (0.2 if 0 < abs(after) <= 2 and abs(before) <= 2 else 6.0)


def _move_cost(
    key: Key, a: MelodyNote | None, b: MelodyNote, c: MelodyNote, leap_cost: float
) -> float:
    """Return the cost of the move from `b` to `c` after the move from `a`."""
    here = key.pitch(b.step, b.slot.chord)
    leap = key.pitch(c.step, c.slot.chord) - here
    size = abs(leap)
    cost = (
        9.0
        if size >= len(_INTERVAL_COSTS)
        else _INTERVAL_COSTS[size] * (leap_cost if 2 < size < 10 else 1.0)
    )
    if key.size == 7 and abs(c.step - b.step) == 1 and size == 3:
        cost += 4  # the augmented second of harmonic minor
    if a is None:
        return cost + 2 * _dissonance_cost(key, a, b, c)
    previous = here - key.pitch(a.step, a.slot.chord)
    if abs(previous) >= 5 and (leap * previous >= 0 or size > 4):
        cost += 2.5 if leap * previous > 0 else 1.5  # after a leap, a step back is best
    if previous == leap == 0:
        cost += 1.5
    if previous == -leap:
        cost += 0.25  # back to the same note
    return cost + _dissonance_cost(key, a, b, c)


def _is_trill(line: Sequence[MelodyNote], step: int) -> bool:
    """Return whether `step` after the line makes a trill: two notes that alternate twice."""
    return len(line) > 2 and line[-3].step == line[-1].step and line[-2].step == step


def find_line(
    key: Key,
    slots: Sequence[Slot],
    register: Register,
    rng: Random,
    before: Sequence[MelodyNote] = (),
    shape: Sequence[int] | None = None,
    goals: Mapping[int, frozenset[int]] | None = None,
    center: Sequence[float] | None = None,
) -> tuple[list[MelodyNote], float]:
    """Return notes for the slots, and their cost, by a beam search with random noise on the costs.

    before: the notes that precede the line. shape: a motif to imitate, as the number of steps from
    each of its notes to the next. goals: by the index of a slot, the pitch classes (above the
    tonic) that it may have. center: the preferred step of each slot; None: the register's middle.
    """
    steps = key.steps(register.low, register.high)
    middle = (steps[0] + steps[-1]) / 2
    beam: list[tuple[float, list[MelodyNote]]] = [(0.0, list(before[-3:]))]
    fixed = len(beam[0][1])
    for number, slot in enumerate(slots):
        goal = (goals or {}).get(number)
        candidates = []
        noise = {step: rng.random() * _NOISE for step in steps}
        at = center[number] if center else middle
        for step in steps:
            pitch = key.pitch(step, slot.chord)
            note_cost = noise[step] + 0.16 * abs(step - at) * 7 / key.size
            if goal is not None and (pitch - key.tonic) % 12 not in goal:
                note_cost += 50
            note = MelodyNote(slot, step)
            for cost, line in beam:
                total = cost + note_cost
                if line:
                    a = line[-2] if len(line) > 1 else None
                    total += _move_cost(key, a, line[-1], note, register.leap_cost)
                    total += _TRILL_COST * _is_trill(line, step)
                    if shape is not None and number:
                        total += 1.3 * abs(step - line[-1].step - shape[number - 1])
                if number == len(slots) - 1 and not slot.chord.contains(pitch, key.tonic):
                    total += 3
                candidates.append((total, line, note))
        candidates.sort(key=lambda item: item[0])
        beam = [(cost, [*line, note]) for cost, line, note in candidates[:_BEAM_WIDTH]]
    cost, line = beam[0]
    return line[fixed:], cost


def compose_theme(
    key: Key,
    bars: list[list[Span]],
    plan: str,
    cells: Mapping[str, str],
    beat: int,
    register: Register,
    rng: Random,
) -> Theme:
    """Return the best of several melodies over `bars`.

    plan: a letter for each bar. Bars of the same letter have the same motif: repeated literally
    over the same chords, else transposed, and inverted if ~ follows. H is a half close, F a full
    close. cells: the rhythm of each letter. beat: ticks of a beat.
    """
    attempts = [_attempt(key, bars, plan, cells, beat, register, rng) for _ in range(_ATTEMPTS)]
    return min(attempts, key=lambda item: item.cost)


def _attempt(
    key: Key,
    bars: list[list[Span]],
    plan: str,
    cells: Mapping[str, str],
    beat: int,
    register: Register,
    rng: Random,
) -> Theme:
    motifs: dict[str, list[MelodyNote]] = {}
    literal: dict[tuple[str, tuple[Chord, ...]], list[MelodyNote]] = {}
    notes: list[MelodyNote] = []
    composed: list[tuple[MelodyNote, ...]] = []
    total = 0.0
    steps = key.steps(register.low, register.high)
    for number, token in enumerate(plan.split()):
        letter, chords = token[0], tuple(span.chord for span in bars[number])
        start = bars[number][0].start
        slots = rhythm_slots(cells[letter], start, beat, bars)
        repeated = literal.get((token, chords))
        if repeated is not None and letter not in "HF":
            bar = [MelodyNote(slot, old.step) for slot, old in zip(slots, repeated, strict=True)]
        else:
            goals = _goals(letter, cells[letter], slots, number == len(bars) - 1)
            shape = None
            if letter in motifs:
                sign = -1 if "~" in token else 1
                shape = [sign * (b.step - a.step) for a, b in pairwise(motifs[letter])]
            phrase = (number % 4 + 0.5) / 4
            rise = (0.12 + 0.16 * (number >= len(bars) // 2)) * len(steps)
            at = steps[0] + len(steps) * 0.38 + rise * math.sin(math.pi * phrase)
            bar, cost = find_line(key, slots, register, rng, notes, shape, goals, [at] * len(slots))
            total += cost
        literal.setdefault((token, chords), bar)
        motifs.setdefault(letter, bar)
        notes += bar
        composed.append(tuple(bar))
    return Theme(tuple(notes), tuple(composed), total / len(notes) + _dullness(notes))


def _goals(letter: str, cell: str, slots: Sequence[Slot], last: bool) -> dict[int, frozenset[int]]:
    """Return the `goals` of `find_line` for a bar: of a close's last note before an upbeat."""
    index = sum(sounds for _, sounds in parse_rhythm(cell.partition("|")[0])) - 1
    chord = slots[index].chord
    if letter == "F":
        return {index: frozenset({0} if 0 in chord.tones else chord.tones[:3])}
    if letter == "H":
        return {index: frozenset(chord.tones[:3]) - (frozenset() if last else {0})}
    return {}


def _dullness(notes: Sequence[MelodyNote]) -> float:
    """Return the cost of a small range, of repeated notes, and of a frequent top note."""
    steps = [note.step for note in notes]
    span = max(steps) - min(steps)
    same = sum(a == b for a, b in pairwise(steps)) / len(steps)
    top = steps.count(max(steps))
    return 0.3 * max(0, 6 - span) + 2.5 * max(0.0, same - 0.15) + 0.1 * max(0, top - 3)


def to_tick_notes(key: Key, notes: Sequence[MelodyNote], velocity: int) -> list[TickNote]:
    """Return notes with MIDI pitches and velocities: louder on beats and for high notes."""
    if not notes:
        return []
    pitches = [key.pitch(note.step, note.slot.chord) for note in notes]
    middle = sum(pitches) / len(pitches)
    return [
        TickNote(
            note.slot.start,
            note.slot.length,
            pitch,
            velocity + (0, 3, 6)[note.slot.weight] + max(-6, min(8, round((pitch - middle) * 0.9))),
        )
        for note, pitch in zip(notes, pitches, strict=True)
    ]


def embellish(notes: Sequence[MelodyNote]) -> list[MelodyNote]:
    """Return a melody whose longer notes are divided by passing and neighbor notes."""
    result: list[MelodyNote] = []
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
            path = [note.step, note.step - move]  # a step in the other direction first
        elif move == 0:
            path = [note.step, note.step + 1]
        else:
            result.append(note)
            continue
        first = slot.length - unit
        result.append(MelodyNote(slot._replace(length=first), path[0]))
        result.append(MelodyNote(Slot(slot.start + first, unit, 0, slot.chord), path[1]))
    return result
