"""Styles, such as waltz, tango and hymn: time signature, tempo, textures, rhythms, forms."""

from dataclasses import dataclass

# Plans of themes, as `melody.compose_theme` takes them: of eight bars, and of twelve for blues.
_PERIODS = (
    "a b a H a b c F",
    "a a b H a a c F",
    "a b c H a b c~ F",
    "a a~ b H a a~ c F",
    "a b b~ H c b a F",
    "a b a H c c b F",
    "a a c H b b c F",
    "a c b H a c~ a F",
)
_BRIDGES = ("b c b c b c~ a H", "c c b b c c b H", "c b c b~ c b c H", "b b c a b b c H")
_TWELVE = (
    "a b a H a b a H c b c F",
    "a a b H a a b H c c b F",
    "a b c H a b c H a~ b c F",
    "a c a b a c a H b c b F",
)
PLANS: dict[str, tuple[str, ...]] = {
    "period": _PERIODS,
    "closing": _PERIODS,
    "modal": _PERIODS,
    "chorale": _PERIODS,
    "bridge": _BRIDGES,
    "modal bridge": _BRIDGES,
    "ground": ("a b a b c b a H", "a a b b c c a H", "a b c a~ b c~ a H"),
    "short bridge": ("b b~ c H", "c c b H", "b c b H"),
    "blues": _TWELVE,
}


@dataclass(frozen=True)
class Style:
    """The rules of a style.

    Alternatives are separated by commas; rhythms are texts for `theory.parse_rhythm`.
    """

    time_signature: tuple[int, int]
    tempo: tuple[int, int]  # lowest and highest, in quarters a minute
    textures: str  # of the left hand; "chorale" and "imitation": voices in place of a texture
    cells: str  # rhythms of a bar; a theme uses a few of them
    half_close: str  # rhythms of its bar
    full_close: str  # rhythms of its bar
    forms: str  # sections: theme, number of the texture; ^ an octave higher, * embellished
    themes: dict[str, str]  # role of each theme; "=A": the chords of A; "trio": in a related key
    low: int = 64  # range of the melody, MIDI pitches
    high: int = 84
    leap_cost: float = 1.0  # factor, see `melody.Register`
    velocity: int = 72

    @property
    def bar(self) -> int:
        """Length of a bar in ticks."""
        return 48 * self.time_signature[0] // self.time_signature[1]

    @property
    def beat(self) -> int:
        """Length of a beat in ticks: a dotted quarter in compound time (6/8 …), else a quarter."""
        return 18 if self.time_signature[1] == 8 and self.time_signature[0] % 3 == 0 else 12


_SONG = {"A": "period", "B": "bridge", "C": "trio"}
_SHORT = {"A": "period", "B": "short bridge"}
_MODAL = {"A": "modal", "B": "modal bridge"}
_STRAINS = {"A": "period", "B": "closing", "C": "trio"}

STYLES: dict[str, Style] = {
    "waltz": Style(
        time_signature=(3, 4),
        tempo=(150, 176),
        textures="waltz, waltz arpeggio",
        cells=(
            "h q, q q q, q. e q, h e e, q h, q e e q, e e q q, e e e e q, q q e e, q. e e e, "
            "rq q q, e e e e e e, re e e e q"
        ),
        half_close="h | q, h., h | e e",
        full_close="h., h rq, q h",
        forms="A0 A0 B1 A0, A0 A1* B0 A1, A0 B1 A0 C0 A1",
        themes=_SONG,
    ),
    "slow waltz": Style(
        time_signature=(3, 4),
        tempo=(104, 122),
        textures="waltz held, waltz arpeggio",
        cells="h q, q. e q, h e e, q h, rq q q, q. e e e, e e h, h., q q q",
        half_close="h., h | q",
        full_close="h.",
        forms="A0 B1 A1*, A1 B0 A1, A0 B0 A1^",
        themes=_SONG,
        leap_cost=1.1,
        velocity=64,
    ),
    "minuet": Style(
        time_signature=(3, 4),
        tempo=(116, 132),
        textures="minuet, minuet running",
        cells=(
            "q e e q, e e e e e e, q q q, h q, q. s s q, e s s q q, t t t q q, q e e e e, "
            "e e e e q, q q e s s, e. s q q"
        ),
        half_close="h | q, q h, h rq",
        full_close="h., h rq, q h",
        forms="A0 A1 B0, A0 B1 A0, A0 C1 A0",
        themes=_STRAINS,
        high=83,
    ),
    "mazurka": Style(
        time_signature=(3, 4),
        tempo=(138, 160),
        textures="mazurka, waltz",
        cells=(
            "e. s q q, t t t q q, e. s h, q q. e, e. s q. e, e e h, e. s e e q, q h, t t t h, "
            "e. s q e e"
        ),
        half_close="q h, e. s h, q q rq",
        full_close="q h, q q rq, e. s h",
        forms="A0 A0 B1 A0, A0 B0 A0 C1 A0, A0 A0 C1 A0",
        themes=_SONG,
        velocity=76,
    ),
    "passacaglia": Style(
        time_signature=(3, 4),
        tempo=(112, 130),
        textures="ground, ground chords, ground arpeggio, ground full",
        cells="h q, q q q, q. e q, q e e q, e e e e q, e e e e e e, q q e e, h e e",
        half_close="h., h | q",
        full_close="h.",
        forms="A0 B1 C2 A3, A0 B2 A1*, A1 B2 C3",
        themes={"A": "ground", "B": "=A", "C": "=A"},
        velocity=68,
    ),
    "lullaby": Style(
        time_signature=(6, 8),
        tempo=(84, 98),
        textures="cradle, rocking",
        cells="q e q e, q. q., q. q e, q e q., q. e e e, h., e e e q., q e e e e",
        half_close="q. q | e, h., q. q.",
        full_close="h., q. q., q. q re",
        forms="A0 B1 A0, A0 A1 B1 A0, A1 B0 A1",
        themes=_SHORT,
        high=81,
        leap_cost=1.5,
        velocity=58,
    ),
    "siciliana": Style(
        time_signature=(6, 8),
        tempo=(84, 100),
        textures="siciliana, rocking",
        cells=(
            "e. s e q e, e. s e q., q e q e, q. e. s e, e. s e e. s e, q e e. s e, q. q e, "
            "e. s e e e e"
        ),
        half_close="q. q | e, h., q. q.",
        full_close="h., q. q., q. q re",
        forms="A0 B1 A0, A1 B0 A0*, A0 B0 A1",
        themes=_SHORT,
        high=82,
        velocity=64,
    ),
    "barcarolle": Style(
        time_signature=(6, 8),
        tempo=(100, 116),
        textures="barcarolle, rocking",
        cells="q. q e, h q, q e q., h., q. e e e, e e e q., q. q., re e e q e, q e e e e",
        half_close="q. q | e, h., q. q.",
        full_close="h., q. q., q. q re",
        forms="A0 B1 A0, A1 B0 A0*, A0 B0 A1^",
        themes=_SHORT,
        velocity=66,
    ),
    "jig": Style(
        time_signature=(6, 8),
        tempo=(158, 180),
        textures="jig, jig driving",
        cells=(
            "e e e e e e, q e e e e, e e e q e, q e q e, q. e e e, e e e q., q e e. s e, e q e e e"
        ),
        half_close="q e q., q. q | e, e e e q.",
        full_close="q e q., q. q., q. q re",
        forms="A0 A0 B1 A0, A0 A1 B0 A1, A0 B1 A0 B1 A0",
        themes=_MODAL,
        high=86,
        velocity=78,
    ),
    "musette": Style(
        time_signature=(6, 8),
        tempo=(104, 122),
        textures="musette, musette plain",
        cells="q e q e, e e e q e, q e e e e, q. e e e, e e e e e e, e s s e q., q e q.",
        half_close="q. q., h., q e q.",
        full_close="h., q. q., q. q re",
        forms="A0 A1 B0 A1, A1 B0 A0, A0 B1 A0*",
        themes=_MODAL,
        velocity=68,
    ),
    "ragtime": Style(
        time_signature=(2, 4),
        tempo=(84, 98),
        textures="stride, stride walking",
        cells=(
            "s e s e e, s e s q, e q e, s e e. e, e s e s e, e. e. e, rs s s s e e, "
            "s e s s e s, e e s e s, s s s s s e s, re s s s e s"
        ),
        half_close="s e s q, e e q, e. s | e e",
        full_close="e q re, q re re, s e s q",
        forms="A0 A0 B1 A0, A0 B1 A0 C0, A0 A1 C1 A0",
        themes=_STRAINS,
        high=88,
        velocity=80,
    ),
    "habanera": Style(
        time_signature=(2, 4),
        tempo=(62, 76),
        textures="habanera, habanera chords",
        cells=(
            "e. s e e, t t t e e, q e e, e. s q, q t t t, e e q, re e e e, s s s s q, t t t q, "
            "e e t t t, e. s t t t"
        ),
        half_close="q | e e, e. s q, h",
        full_close="e q re, q rq, h",
        forms="A0 B1 A0, A1 B0 A1, A0 A1 B0",
        themes=_STRAINS,
    ),
    "polka": Style(
        time_signature=(2, 4),
        tempo=(104, 124),
        textures="polka, stride",
        cells=(
            "e e e e, s s e e e, e s s e s s, e. s e e, s s s s q, e e q, q e e, s s s s e e, "
            "re e e e, e s s q, s s s s s s s s"
        ),
        half_close="e e q, q e re, e. s q",
        full_close="e e q, q rq, e e e re",
        forms="A0 A0 B1 A0 C1 A0, A0 A1 C0 A0, A0 B0 A0 C1 A1",
        themes=_STRAINS,
        high=87,
        velocity=80,
    ),
    "sonatina": Style(
        time_signature=(2, 4),
        tempo=(76, 92),
        textures="alberti, alberti slow",
        cells=(
            "q e e, e. s e e, e e e e, q s s s s, s s s s e e, e s s q, q q, e. s q, "
            "e e s s s s, s s e s s e, re e e e"
        ),
        half_close="q q, e e q, q | e e",
        full_close="q rq, e e q, h",
        forms="A0 B1 A0, A0 A1 B1 A0, A1 B0 A0 C1 A0",
        themes=_SONG,
        high=86,
        velocity=74,
    ),
    "march": Style(
        time_signature=(4, 4),
        tempo=(116, 132),
        textures="march, march trumpets, march held",
        cells=(
            "q. e q q, e. s q q q, q q h, h e. s q, e. s e. s q q, q t t t q q, q q q q, "
            "q e e q q, e. s h q, h q. e, rq q q q"
        ),
        half_close="h h, q q h, h. | q",
        full_close="h. rq, q q h, w",
        forms="A0 B1 A0, A0 C1 A0, A1 B2 A0",
        themes=_SONG | {"B": "short bridge"},
        velocity=82,
    ),
    "nocturne": Style(
        time_signature=(4, 4),
        tempo=(88, 104),
        textures="nocturne, nocturne slow",
        cells=(
            "h. q, q. e h, h q. e, q. e q q, h e e e e, q t t t h, re e e e h, h t t t q, w, "
            "q h q, e e e e h"
        ),
        half_close="w, h. | q, h | t t t q",
        full_close="w, h h",
        forms="A0 B1 A0*, A1 B0 A0, A0 B1 A0^",
        themes=_SHORT,
        low=65,
        high=86,
        velocity=60,
    ),
    "folk song": Style(
        time_signature=(4, 4),
        tempo=(116, 134),
        textures="folk, folk flowing, march held",
        cells=(
            "q q h, q. e q q, e e q q q, h q q, q e e h, q q e e q, h. e e, q q q q, q. e h, "
            "e e e e q q"
        ),
        half_close="h. | q, w, q q h, h. | e e",
        full_close="w, q q h, h. rq",
        forms="A0 B1 A0, A0 B2 A1*, A1 B0 A1",
        themes=_MODAL,
        leap_cost=1.3,
        velocity=68,
    ),
    "pentatonic song": Style(
        time_signature=(4, 4),
        tempo=(112, 132),
        textures="bells, folk, folk flowing",
        cells=(
            "q q h, q. e q q, e e q h, h q q, q e e h, h e e q, h. q, e e e e h, re e e e h, "
            "q e e q q"
        ),
        half_close="w, h. rq, h h",
        full_close="w, h. rq, q h.",
        forms="A0 B1 A0, A1 B0 A2, A0 B2 A0^",
        themes=_MODAL,
        high=88,
        leap_cost=0.9,
        velocity=66,
    ),
    "tango": Style(
        time_signature=(4, 4),
        tempo=(112, 126),
        textures="marcato, sincopa",
        cells=(
            "q. e q q, e e q e e q, re e e e q q, e q e q q, h q q, q e e h, e q. q q, "
            "re e e e h, q. s s q q, e e e e q q"
        ),
        half_close="h rq | q, q. e h, h. rq",
        full_close="q q h, h. rq, q. e h",
        forms="A0 B1 A0, A1 B0 A0, A0 B0 A1*",
        themes=_SHORT,
        velocity=80,
    ),
    "bossa": Style(
        time_signature=(4, 4),
        tempo=(124, 140),
        textures="bossa, bossa held",
        cells=(
            "e q q q e, q. q. q, e q e h, re q e q. e, rq e e q. e, q. e h, e q. h, "
            "re e e e q. e, q. q. e e"
        ),
        half_close="q. e h, w, e q. h",
        full_close="w, q. e h, h. rq",
        forms="A0 B1 A0, A0 B0 A1, A1 B1 A0",
        themes=_SONG,
        low=62,
        high=81,
        velocity=68,
    ),
    "blues": Style(
        time_signature=(4, 4),
        tempo=(112, 132),
        textures="shuffle, blues chords, walking",
        cells=(
            "l t l t h, q l t q q, l t q l t q, rq l t q q, rq l t l t q, q q l t q, l q t h, "
            "rq q l t q, l t l t l t q, t t t q h"
        ),
        half_close="h rh, q h rq, h. rq",
        full_close="h rh, q q rh, h. rq",
        forms="A0 B2, A1 B0, A2 A1*",
        themes={"A": "blues", "B": "=A"},
        low=62,
        high=82,
        velocity=76,
    ),
    "boogie": Style(
        time_signature=(4, 4),
        tempo=(148, 168),
        textures="boogie, boogie octaves, walking",
        cells=(
            "l t l t q q, q l t q q, rl t l t h, l t q l t q, t t t t t t h, q q l t l t, "
            "l q t l q t, rq l t l q t, l t l t l t l t"
        ),
        half_close="q q rh, h rh, l q t rh",
        full_close="q q rh, h rh",
        forms="A0 B1, A0 B1 A0, A1 B2 A0",
        themes={"A": "blues", "B": "=A"},
        high=86,
        velocity=84,
    ),
    "chorale": Style(
        time_signature=(4, 4),
        tempo=(88, 104),
        textures="chorale",
        cells="q q q q, h q q, q q h, q h q, h h",
        half_close="q q h, h h, w",
        full_close="w, q q h",
        forms="A0 B0",
        themes={"A": "chorale", "B": "chorale"},
        low=65,
        high=79,
        leap_cost=1.8,
        velocity=68,
    ),
    "invention": Style(
        time_signature=(4, 4),
        tempo=(92, 112),
        textures="imitation",
        cells=(
            "e e e e q q, q e e q e e, re e e e e e q, e s s e e q q, q e e e e q, "
            "s s s s e e q q, e e q e e q, re s s e e q e e"
        ),
        half_close="q e e h, q q h, e e q h",
        full_close="h h, q q h, w",
        forms="A0 B0 A0",
        themes=_SHORT,
        low=66,
        high=86,
        velocity=74,
    ),
    "five": Style(
        time_signature=(5, 4),
        tempo=(144, 164),
        textures="five, five flowing",
        cells=(
            "q. e q h, q q q h, e e q q h, h q h, q e e q q q, e e e e q q. e, h. h, "
            "q. e q q q, re e q q h"
        ),
        half_close="h. h, h. q | q, q q q h",
        full_close="h. h, q q q h, h. q rq",
        forms="A0 B1 A0, A1 B0 A1*, A0 B0 A1",
        themes=_SONG | {"B": "short bridge"},
    ),
    "seven": Style(
        time_signature=(7, 8),
        tempo=(152, 184),
        textures="seven, seven driving",
        cells=(
            "q q q., q e e q., e e q e e e, q q e e e, h q., e e e e q., e e e e e e e, "
            "q e e e e e, re e q q."
        ),
        half_close="q q q., h q., h q | e",
        full_close="h q., q q q.",
        forms="A0 B1 A0, A0 A1 B0 A1, A0 B1 A0 B0 A1",
        themes=_MODAL,
        velocity=78,
    ),
    "slip jig": Style(
        time_signature=(9, 8),
        tempo=(156, 182),
        textures="slip jig, slip jig open",
        cells=(
            "q e q e q e, e e e e e e q., q e e e e q e, q. e e e q e, e e e q e q., "
            "q e e e e e e e, q e q. q e, q. q e q."
        ),
        half_close="q e q. q., h. q., q e q e q.",
        full_close="q e q. q., h. q., q. q. q.",
        forms="A0 B1 A0, A0 A1 B0, A1 B0 A0*",
        themes=_MODAL,
        high=86,
        velocity=76,
    ),
    "serenade": Style(
        time_signature=(12, 8),
        tempo=(128, 148),
        textures="serenade, serenade plain",
        cells=(
            "q. q. h., h. q. q e, q e q e h., q. q e q. q., h. e e e q., q. e e e h., h. h., "
            "q e q. q. q., e e e q e h."
        ),
        half_close="h. h., q. q. h., h. q. q | e",
        full_close="h. h., q. q. h., w.",
        forms="A0 B1 A0, A1 B0 A0, A0 B1 A0*",
        themes=_SHORT,
        high=85,
        velocity=64,
    ),
}
