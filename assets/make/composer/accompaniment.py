"""The left hand: textures over the chords, voiced so that the hand moves little.

A texture is a pattern of accompaniment: bars of layers, and a layer is a sequence of "keys:length"
or rests, with lengths as `theory.parse_rhythm` parses them. The keys are B the bass, F the fifth
near it, O the octave above it, C the three voices of the chord, 1 2 3 one of them from below;
o0 … o4 the tones of an open chord (root, fifth, octave, tenth, twelfth); +7 the key 7 semitones
above the root; D a drone of tonic and fifth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations

from assets.make.composer.theory import Chord, Key, Span, TickNote, parse_rhythm

# A texture is a list of bars, which are used in turn; a bar is a list of layers, which sound
# together.
TEXTURES: dict[str, list[list[str]]] = {
    "waltz": [["B:q C:q C:q"], ["F:q C:q C:q"]],
    "waltz arpeggio": [["B:e 1:e 2:e 3:e 2:e 1:e"]],
    "waltz held": [["B:h.", "rq 2:e 3:e 2:e 1:e"]],
    "minuet": [["B:h 1:q"], ["B:q 2:q 1:q"]],
    "minuet running": [["B:e 1:e 2:e 1:e 3:e 2:e"], ["B:q 1:q 2:q"]],
    "mazurka": [["B:q C:h"], ["B:q C:q C:q"]],
    "ground": [["B:h."]],
    "ground chords": [["B:h.", "rq C:q C:q"]],
    "ground arpeggio": [["B:e 1:e 2:e 3:e 2:e 1:e"]],
    "ground full": [["B:h.", "1:e 2:e 3:e 2:e 1:e 2:e"]],
    "rocking": [["B:e 2:e 3:e 1:e 3:e 2:e"]],
    "cradle": [["B:q. C:q."], ["F:q. C:q."]],
    "siciliana": [["B:q. C:q."], ["B:e. 1:s 2:e C:q."]],
    "barcarolle": [["B:e 1:e 2:e 3:e 2:e 1:e"]],
    "jig": [["B:q C:e F:q C:e"]],
    "slip jig": [["B:q C:e F:q C:e C:q C:e"]],
    "slip jig open": [["B:q. C:q. F:q."], ["B:q. C:q C:e F:q."]],
    "serenade": [["o0:e o1:e o2:e o3:e o2:e o1:e o0:e o1:e o2:e o3:e o2:e o1:e"]],
    "serenade plain": [["B:q. C:q. F:q. C:q."]],
    "jig driving": [["B:e C:e C:e F:e C:e C:e"]],
    "musette": [["D:h.", "re 1:e 2:e 3:q."]],
    "musette plain": [["D:q. D:q."]],
    "stride": [["B:e C:e F:e C:e"]],
    "stride walking": [["B:e C:e O:e C:e"], ["B:e C:e F:e C:e"]],
    "habanera": [["B:e. F:s C:e F:e"]],
    "habanera chords": [["B:e. C:s C:e F:e"]],
    "polka": [["B:e C:e F:e C:e"]],
    "alberti": [["1:s 3:s 2:s 3:s 1:s 3:s 2:s 3:s"]],
    "alberti slow": [["1:e 3:e 2:e 3:e"]],
    "murky": [["B:s O:s B:s O:s B:s O:s B:s O:s"]],
    "held": [["B:h", "C:h"]],
    "rolling": [["B:s 1:s 2:s 3:s 2:s 1:s 2:s 3:s"]],
    "march": [["B:q C:q F:q C:q"]],
    "march trumpets": [["B:q C:e C:e F:q C:q"]],
    "march held": [["B:h F:h", "C:w"]],
    "nocturne": [["o0:e o1:e o2:e o3:e o4:e o3:e o2:e o1:e"]],
    "nocturne slow": [["o0:q o1:e o3:e o2:q o3:e o1:e"]],
    "folk": [["o0:q o1:q o2:q o1:q"]],
    "folk flowing": [["o0:e o1:e o2:e o1:e o3:e o1:e o2:e o1:e"]],
    "bells": [["o0:h. o1:q", "rq o2:q o3:h"]],
    "marcato": [["B:q C:q F:q C:q"], ["B:q. C:e C:q F:q"]],
    "sincopa": [["B:e C:q C:e F:q C:q"]],
    "bossa": [["B:q. F:e F:q. B:e", "rq C:e rq C:q C:e"], ["B:q. F:e F:q. B:e", "C:q rq C:e C:q."]],
    "bossa held": [["B:q. F:e F:h", "C:q. C:q. C:q"]],
    "shuffle": [["+0:l +7:t +9:l +7:t +0:l +7:t +9:l +7:t"]],
    "blues chords": [["B:h F:h", "rq C:l rt rq C:l rt"]],
    "walking": [["+0:q +4:q +7:q +9:q"], ["+12:q +9:q +7:q +4:q"]],
    "boogie": [["+0:l +4:t +7:l +9:t +10:l +9:t +7:l +4:t"]],
    "boogie octaves": [["+0:l +12:t +4:l +12:t +7:l +12:t +9:l +12:t"]],
    "five": [["B:q C:q C:q F:q C:q"]],
    "five flowing": [["B:e 1:e 2:e 3:e 2:e 1:e F:e 2:e 3:e 2:e"]],
    "seven": [["B:q F:q B:e C:e C:e"]],
    "seven driving": [["B:e C:e F:e C:e B:e C:e C:e"]],
}
_VELOCITY = {"B": 8, "O": 4, "F": 3, "C": -4, "D": 4}  # added to the velocity of a section
_OPEN = (0, 2, 0, 1, 2)  # index in the chord's tones for o0 … o4


@dataclass
class Hand:
    """The keys that the left hand played last: it continues near them. Pitches are MIDI pitches."""

    key: Key
    bass_low: int = 36
    bass_high: int = 50
    bass: int = 43
    voices: tuple[int, ...] = (55, 59, 62)

    def move_bass(self, tone: int) -> int:
        """Move the bass to the nearest key of a tone (semitones above the tonic), and return it."""
        pitch_class = (self.key.tonic + tone) % 12
        inside = [x for x in range(self.bass_low, self.bass_high + 1) if x % 12 == pitch_class]
        self.bass = min(inside, key=lambda x: (abs(x - self.bass) + 0.3 * abs(x - 43), x))
        return self.bass

    def move_voices(self, chord: Chord, ceiling: int) -> tuple[int, ...]:
        """Move to three voices of a chord below the ceiling, near the last ones; return them."""
        tones = chord.tones
        if len(tones) == 4:
            tones = tones[1], tones[3], tones[0]
        classes = [(self.key.tonic + tone) % 12 for tone in tones]
        voicings = []
        for order in permutations(classes):
            for low in range(50, 63):
                if low % 12 == order[0]:
                    second = low + (order[1] - low) % 12
                    third = second + (order[2] - second) % 12
                    voicings.append((low, second, third))
        fitting = [x for x in voicings if x[2] <= ceiling and x[2] - x[0] <= 12]

        def cost(voices: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
            moves = sum(abs(a - b) for a, b in zip(voices, self.voices, strict=True))
            close = 3 * sum(b - a == 1 for a, b in pairwise(voices))
            too_high = 2 * max(0, voices[2] - ceiling)
            return moves + close + too_high + 0.2 * abs(voices[0] - 54), voices

        self.voices = min(fitting or voicings, key=cost)
        return self.voices


def play(
    texture: str, bars: list[list[Span]], hand: Hand, melody: Sequence[TickNote], velocity: int
) -> list[TickNote]:
    """Return the accompaniment of a section in a texture, below its melody."""
    patterns = TEXTURES[texture]
    result: list[TickNote] = []
    for number, spans in enumerate(bars):
        start = spans[0].start
        stop = spans[-1].start + spans[-1].length
        pitches = [e.pitch for e in melody if e.start < stop and e.start + e.length > start]
        ceiling = min([68, *(pitch - 2 for pitch in pitches)])
        voicing = {
            span.start: (hand.move_bass(span.chord.bass), hand.move_voices(span.chord, ceiling))
            for span in spans
        }
        for layer in patterns[number % len(patterns)]:
            result += _layer(layer, spans, hand, voicing, velocity)
    return result


def ending(
    spans: list[Span], hand: Hand, melody: Sequence[TickNote], velocity: int
) -> list[TickNote]:
    """Return the notes of a piece's last chord, held for a bar."""
    start, length = spans[0].start, spans[-1].start + spans[-1].length - spans[0].start
    pitches = [e.pitch for e in melody if e.start + e.length > start]
    keys = (
        hand.move_bass(spans[-1].chord.bass),
        *hand.move_voices(spans[-1].chord, min([68, *(pitch - 2 for pitch in pitches)])),
    )
    return [TickNote(start, length, pitch, velocity) for pitch in keys]


def _layer(
    layer: str,
    spans: list[Span],
    hand: Hand,
    voicing: dict[int, tuple[int, tuple[int, ...]]],
    velocity: int,
) -> list[TickNote]:
    result: list[TickNote] = []
    tick = spans[0].start
    end = spans[-1].start + spans[-1].length
    for token in layer.split():
        symbol, _, name = token.rpartition(":")
        ((length, sounds),) = parse_rhythm(name)
        if sounds and tick < end:
            span = next(s for s in reversed(spans) if s.start <= tick)
            bass, voices = voicing[span.start]
            chord_starts = tick == span.start
            note_velocity = velocity + _VELOCITY.get(symbol[0], 0) + 4 * (tick == spans[0].start)
            until = min(tick + length, end)
            if len(name) > 1 or length > 12:  # long notes end with their chord
                until = min(until, span.start + span.length)
            result += [
                TickNote(tick, until - tick, pitch, note_velocity)
                for pitch in _pitches(symbol, span.chord, hand, bass, voices, chord_starts)
            ]
        tick += length
    return result


def _pitches(
    symbol: str, chord: Chord, hand: Hand, bass: int, voices: tuple[int, ...], chord_starts: bool
) -> tuple[int, ...]:
    """Return the MIDI pitches of a symbol of a layer.

    bass, voices: the current ones; chord_starts: whether the note is the first on its chord.
    """
    tonic = hand.key.tonic
    if symbol == "C":
        return voices
    if symbol in "123":
        return (voices[int(symbol) - 1],)
    if symbol == "B" or (symbol == "F" and chord_starts):
        return (bass,)
    if symbol == "O":
        return (bass + 12,)
    if symbol == "F":
        other = chord.tones[2] if chord.bass != chord.tones[2] else chord.tones[0]
        pitch_class = (tonic + other) % 12
        near = [x for x in range(hand.bass_low - 3, hand.bass_high + 3) if x % 12 == pitch_class]
        return (min(near, key=lambda x: (abs(x - bass), x)),)
    if symbol == "D":
        root = hand.bass_low + (tonic - hand.bass_low) % 12
        return (root, root + 7)
    if symbol[0] == "+":
        root = hand.bass_low + (tonic + chord.tones[0] - hand.bass_low) % 12
        root -= 12 * (root > 43)
        third = (chord.tones[1] - chord.tones[0]) % 12
        step = int(symbol[1:])
        return (root + (third if step == 4 else step),)
    index = int(symbol[1:])  # an open chord: each tone is above the one before
    pitch = bass
    for tone in _OPEN[1 : index + 1]:
        pitch += (tonic + chord.tones[tone] - pitch - 1) % 12 + 1
    return (pitch,)
