"""Compose a piece from its title: themes by the rules of its style, arranged in a form."""

from dataclasses import dataclass
from random import Random

from assets.make.composer import accompaniment, melody
from assets.make.composer.counterpoint import four_voices, imitation
from assets.make.composer.melody import MelodyNote, Register, Slot, Theme
from assets.make.composer.pieces import SEED, Piece
from assets.make.composer.progressions import PROGRESSIONS
from assets.make.composer.styles import PLANS, STYLES, Style
from assets.make.composer.theory import QUARTER, Key, Span, TickNote, parse_progression
from engine.music.score import Note, Score


@dataclass(frozen=True)
class Section:
    """A theme with its chords; ticks count from its start."""

    key: Key
    progression: str
    bars: list[list[Span]]
    cells: tuple[str, ...]  # the rhythm of each bar
    theme: Theme


def compose(piece: Piece) -> tuple[Score, str]:
    """Return the score of a piece and its form: the letters of its sections, with * and ^.

    The marks are explained in `Style.forms`.
    """
    rng = Random(f"{SEED} {piece.title}")
    style = STYLES[piece.style]
    key = Key.named(piece.key)
    tempo = rng.randrange(style.tempo[0], style.tempo[1] + 1, 2)
    tokens = rng.choice(style.forms.split(", ")).split()
    sections: dict[str, Section] = {}
    for letter in sorted({token[0] for token in tokens}):
        sections[letter] = _section(letter, style, key, sections, rng)
    hand = accompaniment.Hand(key)
    events: list[TickNote] = []
    start = 0
    for number, token in enumerate(tokens):
        last = number == len(tokens) - 1
        part = _play(token, sections[token[0]], style, hand, last, rng)
        events += [event._replace(start=event.start + start) for event in part]
        start += len(sections[token[0]].bars) * style.bar
    tick = 60 / tempo / QUARTER  # seconds
    notes = tuple(
        Note(e.start * tick, (e.start + e.length) * tick, e.pitch, max(24, min(116, e.velocity)))
        for e in events
    )
    form = "".join(token[0] + token[2:] for token in tokens)
    return Score(notes, tempo, style.time_signature), form


def _section(
    letter: str, style: Style, key: Key, before: dict[str, Section], rng: Random
) -> Section:
    """Compose the section of a letter; before: the sections composed already, by letter."""
    role = style.themes[letter]
    if role == "trio":
        key, role = _related(key), "period"
    if role == "=A":
        role, progression = style.themes["A"], before["A"].progression
    else:
        by_mode = PROGRESSIONS[role]
        progression = rng.choice(by_mode.get(key.scale, by_mode[key.mode]))
    bars = parse_progression(progression, key.mode, style.bar, style.beat)
    plan = rng.choice(PLANS[role])
    names = sorted({token[0] for token in plan.split()} - {"H", "F"})
    every = style.cells.split(", ")
    unused = [cell for cell in every if all(cell not in one.cells for one in before.values())]
    chosen = rng.sample(unused if len(unused) >= len(names) else every, len(names))
    if letter == "B" and "A" in before:  # a bridge reuses a rhythm of the first theme
        chosen[-1] = before["A"].cells[0]
    cells = dict(zip(names, chosen, strict=True))
    cells |= {
        "H": rng.choice(style.half_close.split(", ")),
        "F": rng.choice(style.full_close.split(", ")),
    }
    lift = 3 * (letter == "B")
    leap_cost = style.leap_cost * rng.choice((0.4, 0.6, 0.8, 1.0, 1.2))  # broken chords to steps
    register = Register(style.low + lift, style.high, leap_cost)
    theme = melody.compose_theme(key, bars, plan, cells, style.beat, register, rng)
    return Section(key, progression, bars, tuple(cells[token[0]] for token in plan.split()), theme)


def _related(key: Key) -> Key:
    """Return the key of a trio: the subdominant, or the relative major of a minor key."""
    semitones, scale = (5, key.scale) if key.mode == "major" else (3, "major")
    return Key(60 + (key.tonic + semitones) % 12, scale)


def _play(
    token: str,
    section: Section,
    style: Style,
    hand: accompaniment.Hand,
    last: bool,
    rng: Random,
) -> list[TickNote]:
    """Return the notes of a section, melody and accompaniment, timed from its start.

    token: an item of `Style.forms`, for example "A1*"; last: whether it ends the piece.
    """
    velocity = style.velocity + {"A": 0, "B": 5, "C": -5}[token[0]]
    key = hand.key = section.key
    notes: list[MelodyNote] = list(section.theme.notes)
    textures = style.textures.split(", ")
    texture = textures[int(token[1]) % len(textures)]
    if texture == "chorale":
        soprano = melody.to_tick_notes(key, notes, velocity)
        return soprano + four_voices(key, notes, rng, velocity - 12)
    if texture == "imitation":
        lower = imitation(key, section.bars, section.cells, section.theme.bars, style.beat, rng)
        upper = melody.to_tick_notes(key, notes, velocity)
        return upper + melody.to_tick_notes(key, lower, velocity - 8)
    if "*" in token:
        notes = melody.embellish(notes)
    above = melody.to_tick_notes(key, notes, velocity)
    if "^" in token:
        above = [event._replace(pitch=event.pitch + 12) for event in above]
    bars = section.bars
    if last and 0 in bars[-1][-1].chord.tones:
        bars, final = bars[:-1], bars[-1]
    elif last:  # on the dominant: add a bar on the tonic
        tonic_bar = Span(len(bars) * style.bar, style.bar, bars[0][0].chord)
        final = [tonic_bar]
        tonic = min(range(-2, 3), key=lambda x: abs(notes[-1].step - x * key.size)) * key.size
        end = MelodyNote(Slot(*tonic_bar[:2], 2, tonic_bar.chord), tonic)
        above += melody.to_tick_notes(key, [end], velocity)
    below = accompaniment.play(texture, bars, hand, above, velocity - 18)
    if last:
        below += accompaniment.ending(final, hand, above, velocity - 14)
    return above + below
