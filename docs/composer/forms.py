"""Whole pieces: sections that return, under one key, one metre and one set of motifs."""

from dataclasses import dataclass, replace
from random import Random

from docs.composer import accompaniment, counterpoint, melody
from docs.composer.accompaniment import Hand
from docs.composer.melody import Placed, Register, Theme
from docs.composer.styles import PLANS, PROGRESSIONS, STYLES, Style
from docs.composer.theory import QUARTER, Event, Key, Span, harmony
from engine.music.score import Note, Score

_LOUDNESS = {"A": 78, "B": 70, "C": 84}


@dataclass(frozen=True)
class Piece:
    """A piece and what is said of it."""

    title: str
    style: str
    key: str
    mood: str
    score: Score


@dataclass(frozen=True)
class _Section:
    key: Key
    bars: list[list[Span]]
    plan: str
    theme: Theme


def compose(name: str, number: int, seed: int = 0) -> Piece:
    """Write one of the four pieces of a style."""
    style = STYLES[name]
    chance = Random(f"{seed} {name} {number}")
    key = Key.named(style.keys[number])
    made: dict[str, _Section] = {}
    events: list[Event] = []
    hand = Hand(key)
    tick = 0
    tokens = style.form.split()
    for place, token in enumerate(tokens):
        letter, marks = token[0], token.count("'")
        if letter not in made:
            made[letter] = _section(style, letter, number, key, chance)
        texture = style.textures[(number + marks + (letter != "A")) % len(style.textures)]
        last = place == len(tokens) - 1
        played = _played(style, made[letter], texture, marks, last, hand, chance)
        events += [event._replace(start=event.start + tick) for event in played]
        tick += style.bar * len(made[letter].bars)
    low, high = style.tempo
    tempo = low + 2 * round((high - low) * number / 6)
    score = Score(_notes(events, tempo), tempo=float(tempo), metre=style.metre)
    return Piece(style.titles[number], name, style.keys[number], style.mood, score)


def _section(style: Style, letter: str, number: int, key: Key, chance: Random) -> _Section:
    if letter == "C" and key.scale in ("major", "minor"):  # the trio, in the subdominant
        key = replace(key, tonic=60 + (key.tonic + 5) % 12)
    choices = PROGRESSIONS[key.scale]["A" if letter == "C" else letter]
    text = choices[(number + 2 * (letter == "C")) % len(choices)]
    bars = harmony(text, key.mode, style.bar)
    plans = PLANS[len(bars)]
    plan = plans[(number + (letter != "A")) % len(plans)]
    cells = style.cells[(number + (letter == "B")) % len(style.cells)]
    register = Register(*style.register)
    return _Section(
        key, bars, plan, melody.theme(key, bars, plan, cells, style.beat, register, chance)
    )


def _played(
    style: Style,
    section: _Section,
    texture: str,
    marks: int,
    last: bool,
    hand: Hand,
    chance: Random,
) -> list[Event]:
    loud = _LOUDNESS[section.plan[0] if section.plan[0] in _LOUDNESS else "A"] + 3 * marks
    placed = list(section.theme.notes)
    for _ in range(min(marks, 2)):
        placed = melody.embellished(placed)
    upper = melody.events(section.key, placed, loud)
    if style.hand == "voices":
        return upper + counterpoint.four_voices(section.key, placed, chance, loud - 14)
    if style.hand == "imitation":
        lower = _imitated(style, section, chance)
        return upper + melody.events(section.key, lower, loud - 8)
    hand.key = section.key
    closing = section.bars[-1:] if last else []
    body = section.bars[: len(section.bars) - len(closing)]
    under = accompaniment.play(texture, body, hand, upper, loud - 20)
    for bar in closing:  # the end rests on its chord
        chord, start = bar[0].chord, bar[0].start
        ceiling = min(event.pitch for event in upper if event.start >= start) - 2
        pitches = [hand.take_bass(chord.bass), *hand.take_voices(chord, ceiling)]
        under += [Event(start, style.bar, pitch, loud - 16) for pitch in pitches]
    return upper + under


def _imitated(style: Style, section: _Section, chance: Random) -> list[Placed]:
    bars = section.theme.bars
    cells = style.cells[0]
    letters = [token[0] for token in section.plan.split()]
    rhythms = [" ".join(_name(note.slot.length) for note in bar) for bar in bars]
    rhythms = [
        r if _length(bar) == style.bar else cells["b"] for r, bar in zip(rhythms, bars, strict=True)
    ]
    rhythms[-1] = cells["F"] if letters[-1] == "F" else cells["H"]
    return counterpoint.imitation(section.key, section.bars, rhythms, bars, style.beat, chance)


def _length(bar: tuple[Placed, ...]) -> int:
    return sum(note.slot.length for note in bar)


def _name(length: int) -> str:
    return {48: "w", 36: "h.", 24: "h", 18: "q.", 12: "q", 9: "e.", 6: "e", 3: "s"}[length]


def _notes(events: list[Event], tempo: int) -> tuple[Note, ...]:
    """Notes in seconds; what would strike a key while it is down is left out."""
    second = 60 / (tempo * QUARTER)
    down: dict[int, int] = {}  # until when each key is down
    notes = []
    for event in sorted(events, key=lambda item: (item.start, -item.velocity, item.pitch)):
        if down.get(event.pitch, 0) > event.start:
            continue
        down[event.pitch] = event.start + event.length
        end = event.start + event.length
        velocity = max(1, min(127, event.velocity))
        notes.append(Note(event.start * second, end * second, event.pitch, velocity))
    return tuple(notes)
