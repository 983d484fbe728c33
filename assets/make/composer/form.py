"""A piece from its title: themes by the style's rules, set one after another in its form."""

from dataclasses import dataclass
from random import Random

from assets.make.composer import accompaniment, melody
from assets.make.composer.counterpoint import four_voices, imitation
from assets.make.composer.melody import Placed, Register, Slot, Theme
from assets.make.composer.pieces import SEED, Piece
from assets.make.composer.progressions import PROGRESSIONS
from assets.make.composer.styles import PLANS, STYLES, Style
from assets.make.composer.theory import QUARTER, Event, Key, Span, harmony
from engine.music.score import Note, Score


@dataclass(frozen=True)
class Section:
    """A theme with the chords it goes over; ticks count from its start."""

    key: Key
    text: str  # its chords
    bars: list[list[Span]]
    cells: tuple[str, ...]  # the rhythm of each bar
    theme: Theme


def compose(piece: Piece) -> tuple[Score, str]:
    """The notes of a piece, and its form as letters with the marks of `Style.forms`."""
    chance = Random(f"{SEED} {piece.title}")
    style = STYLES[piece.style]
    key = Key.named(piece.key)
    tempo = chance.randrange(style.tempo[0], style.tempo[1] + 1, 2)
    tokens = chance.choice(style.forms.split(", ")).split()
    sections: dict[str, Section] = {}
    for letter in sorted({token[0] for token in tokens}):
        sections[letter] = _section(letter, style, key, sections, chance)
    hand = accompaniment.Hand(key)
    events: list[Event] = []
    start = 0
    for number, token in enumerate(tokens):
        last = number == len(tokens) - 1
        part = _play(token, sections[token[0]], style, hand, last, chance)
        events += [event._replace(start=event.start + start) for event in part]
        start += len(sections[token[0]].bars) * style.bar
    tick = 60 / tempo / QUARTER  # seconds
    notes = tuple(
        Note(e.start * tick, (e.start + e.length) * tick, e.pitch, max(24, min(116, e.velocity)))
        for e in events
    )
    return Score(notes, tempo, style.metre), "".join(token[0] + token[2:] for token in tokens)


def _section(
    letter: str, style: Style, key: Key, before: dict[str, Section], chance: Random
) -> Section:
    """A new theme; `before` are those the piece has already."""
    pool = style.themes[letter]
    if pool == "trio":
        key, pool = _related(key), "period"
    if pool == "=A":
        pool, text = style.themes["A"], before["A"].text
    else:
        by_mode = PROGRESSIONS[pool]
        text = chance.choice(by_mode.get(key.scale, by_mode[key.mode]))
    bars = harmony(text, key.mode, style.bar, style.beat)
    plan = chance.choice(PLANS[pool])
    names = sorted({token[0] for token in plan.split()} - {"H", "F"})
    every = style.cells.split(", ")
    fresh = [x for x in every if all(x not in one.cells for one in before.values())]
    chosen = chance.sample(fresh if len(fresh) >= len(names) else every, len(names))
    if letter == "B" and "A" in before:  # a bridge takes up what it comes from
        chosen[-1] = before["A"].cells[0]
    cells = dict(zip(names, chosen, strict=True))
    cells |= {
        "H": chance.choice(style.half.split(", ")),
        "F": chance.choice(style.full.split(", ")),
    }
    lift = 3 * (letter == "B")
    calm = style.calm * chance.choice((0.4, 0.6, 0.8, 1.0, 1.2))  # from broken chords to steps
    register = Register(style.low + lift, style.high, calm)
    theme = melody.theme(key, bars, plan, cells, style.beat, register, chance)
    return Section(key, text, bars, tuple(cells[token[0]] for token in plan.split()), theme)


def _related(key: Key) -> Key:
    """Where a trio goes: the subdominant, or a minor key's relative major."""
    up, scale = (5, key.scale) if key.mode == "major" else (3, "major")
    return Key(60 + (key.tonic + up) % 12, scale)


def _play(
    token: str,
    section: Section,
    style: Style,
    hand: accompaniment.Hand,
    last: bool,
    chance: Random,
) -> list[Event]:
    """A section as it sounds."""
    loud = style.loud + {"A": 0, "B": 5, "C": -5}[token[0]]
    key = hand.key = section.key
    notes: list[Placed] = list(section.theme.notes)
    textures = style.hands.split(", ")
    texture = textures[int(token[1]) % len(textures)]
    if texture == "chorale":
        return melody.events(key, notes, loud) + four_voices(key, notes, chance, loud - 12)
    if texture == "imitation":
        lower = imitation(key, section.bars, section.cells, section.theme.bars, style.beat, chance)
        return melody.events(key, notes, loud) + melody.events(key, lower, loud - 8)
    if "*" in token:
        notes = melody.embellished(notes)
    above = melody.events(key, notes, loud)
    if "^" in token:
        above = [event._replace(pitch=event.pitch + 12) for event in above]
    bars = section.bars
    if last and 0 in bars[-1][-1].chord.tones:
        bars, final = bars[:-1], bars[-1]
    elif last:  # on the dominant: home is still to come
        home = Span(len(bars) * style.bar, style.bar, bars[0][0].chord)
        final = [home]
        tonic = min(range(-2, 3), key=lambda x: abs(notes[-1].step - x * key.size)) * key.size
        above += melody.events(key, [Placed(Slot(*home[:2], 2, home.chord), tonic)], loud)
    below = accompaniment.play(texture, bars, hand, above, loud - 18)
    if last:
        below += accompaniment.ending(final, hand, above, loud - 14)
    return above + below
