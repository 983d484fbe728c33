"""What a waltz, a tango or a hymn is made of: metre, tempo, left hand, rhythms, forms."""

from dataclasses import dataclass

# Of eight bars: a letter is a motif, ~ turns it upside down, H is a half close, F a full one.
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
    """How pieces of a kind are made; choices have commas between, rhythms are `theory.rhythm`'s."""

    metre: tuple[int, int]
    tempo: tuple[int, int]  # quarters a minute, from … to
    hands: str  # the left hand's textures; "chorale" and "imitation" are voices
    cells: str  # rhythms of a bar, of which a theme takes a few
    half: str  # rhythms of a half close
    full: str  # and of a full one
    forms: str  # sections in turn: a theme, its texture, ^ an octave up, * embellished
    themes: dict[str, str]  # of which progressions each theme is; "=A": of A's; "trio": elsewhere
    low: int = 64  # the melody's range
    high: int = 84
    calm: float = 1.0  # over 1: it leaps less
    loud: int = 72

    @property
    def bar(self) -> int:
        """Ticks of a bar."""
        return 48 * self.metre[0] // self.metre[1]

    @property
    def beat(self) -> int:
        """Ticks of what is felt as a beat."""
        return 18 if self.metre[1] == 8 and self.metre[0] % 3 == 0 else 12


_SONG = {"A": "period", "B": "bridge", "C": "trio"}
_SHORT = {"A": "period", "B": "short bridge"}
_MODAL = {"A": "modal", "B": "modal bridge"}
_STRAINS = {"A": "period", "B": "closing", "C": "trio"}

STYLES: dict[str, Style] = {
    "waltz": Style(
        metre=(3, 4),
        tempo=(150, 176),
        hands="waltz, waltz arpeggio",
        cells=(
            "h q, q q q, q. e q, h e e, q h, q e e q, e e q q, e e e e q, q q e e, q. e e e, "
            "rq q q, e e e e e e, re e e e q"
        ),
        half="h | q, h., h | e e",
        full="h., h rq, q h",
        forms="A0 A0 B1 A0, A0 A1* B0 A1, A0 B1 A0 C0 A1",
        themes=_SONG,
    ),
    "slow waltz": Style(
        metre=(3, 4),
        tempo=(104, 122),
        hands="waltz held, waltz arpeggio",
        cells="h q, q. e q, h e e, q h, rq q q, q. e e e, e e h, h., q q q",
        half="h., h | q",
        full="h.",
        forms="A0 B1 A1*, A1 B0 A1, A0 B0 A1^",
        themes=_SONG,
        calm=1.1,
        loud=64,
    ),
    "minuet": Style(
        metre=(3, 4),
        tempo=(116, 132),
        hands="minuet, minuet running",
        cells=(
            "q e e q, e e e e e e, q q q, h q, q. s s q, e s s q q, t t t q q, q e e e e, "
            "e e e e q, q q e s s, e. s q q"
        ),
        half="h | q, q h, h rq",
        full="h., h rq, q h",
        forms="A0 A1 B0, A0 B1 A0, A0 C1 A0",
        themes=_STRAINS,
        high=83,
    ),
    "mazurka": Style(
        metre=(3, 4),
        tempo=(138, 160),
        hands="mazurka, waltz",
        cells=(
            "e. s q q, t t t q q, e. s h, q q. e, e. s q. e, e e h, e. s e e q, q h, t t t h, "
            "e. s q e e"
        ),
        half="q h, e. s h, q q rq",
        full="q h, q q rq, e. s h",
        forms="A0 A0 B1 A0, A0 B0 A0 C1 A0, A0 A0 C1 A0",
        themes=_SONG,
        loud=76,
    ),
    "passacaglia": Style(
        metre=(3, 4),
        tempo=(112, 130),
        hands="ground, ground chords, ground arpeggio, ground full",
        cells="h q, q q q, q. e q, q e e q, e e e e q, e e e e e e, q q e e, h e e",
        half="h., h | q",
        full="h.",
        forms="A0 B1 C2 A3, A0 B2 A1*, A1 B2 C3",
        themes={"A": "ground", "B": "=A", "C": "=A"},
        loud=68,
    ),
    "lullaby": Style(
        metre=(6, 8),
        tempo=(84, 98),
        hands="cradle, rocking",
        cells="q e q e, q. q., q. q e, q e q., q. e e e, h., e e e q., q e e e e",
        half="q. q | e, h., q. q.",
        full="h., q. q., q. q re",
        forms="A0 B1 A0, A0 A1 B1 A0, A1 B0 A1",
        themes=_SHORT,
        high=81,
        calm=1.5,
        loud=58,
    ),
    "siciliana": Style(
        metre=(6, 8),
        tempo=(84, 100),
        hands="siciliana, rocking",
        cells=(
            "e. s e q e, e. s e q., q e q e, q. e. s e, e. s e e. s e, q e e. s e, q. q e, "
            "e. s e e e e"
        ),
        half="q. q | e, h., q. q.",
        full="h., q. q., q. q re",
        forms="A0 B1 A0, A1 B0 A0*, A0 B0 A1",
        themes=_SHORT,
        high=82,
        loud=64,
    ),
    "barcarolle": Style(
        metre=(6, 8),
        tempo=(100, 116),
        hands="barcarolle, rocking",
        cells="q. q e, h q, q e q., h., q. e e e, e e e q., q. q., re e e q e, q e e e e",
        half="q. q | e, h., q. q.",
        full="h., q. q., q. q re",
        forms="A0 B1 A0, A1 B0 A0*, A0 B0 A1^",
        themes=_SHORT,
        loud=66,
    ),
    "jig": Style(
        metre=(6, 8),
        tempo=(158, 180),
        hands="jig, jig driving",
        cells=(
            "e e e e e e, q e e e e, e e e q e, q e q e, q. e e e, e e e q., q e e. s e, e q e e e"
        ),
        half="q e q., q. q | e, e e e q.",
        full="q e q., q. q., q. q re",
        forms="A0 A0 B1 A0, A0 A1 B0 A1, A0 B1 A0 B1 A0",
        themes=_MODAL,
        high=86,
        loud=78,
    ),
    "musette": Style(
        metre=(6, 8),
        tempo=(104, 122),
        hands="musette, musette plain",
        cells="q e q e, e e e q e, q e e e e, q. e e e, e e e e e e, e s s e q., q e q.",
        half="q. q., h., q e q.",
        full="h., q. q., q. q re",
        forms="A0 A1 B0 A1, A1 B0 A0, A0 B1 A0*",
        themes=_MODAL,
        loud=68,
    ),
    "ragtime": Style(
        metre=(2, 4),
        tempo=(84, 98),
        hands="stride, stride walking",
        cells=(
            "s e s e e, s e s q, e q e, s e e. e, e s e s e, e. e. e, rs s s s e e, "
            "s e s s e s, e e s e s, s s s s s e s, re s s s e s"
        ),
        half="s e s q, e e q, e. s | e e",
        full="e q re, q re re, s e s q",
        forms="A0 A0 B1 A0, A0 B1 A0 C0, A0 A1 C1 A0",
        themes=_STRAINS,
        high=88,
        loud=80,
    ),
    "habanera": Style(
        metre=(2, 4),
        tempo=(62, 76),
        hands="habanera, habanera chords",
        cells=(
            "e. s e e, t t t e e, q e e, e. s q, q t t t, e e q, re e e e, s s s s q, t t t q, "
            "e e t t t, e. s t t t"
        ),
        half="q | e e, e. s q, h",
        full="e q re, q rq, h",
        forms="A0 B1 A0, A1 B0 A1, A0 A1 B0",
        themes=_STRAINS,
    ),
    "polka": Style(
        metre=(2, 4),
        tempo=(104, 124),
        hands="polka, stride",
        cells=(
            "e e e e, s s e e e, e s s e s s, e. s e e, s s s s q, e e q, q e e, s s s s e e, "
            "re e e e, e s s q, s s s s s s s s"
        ),
        half="e e q, q e re, e. s q",
        full="e e q, q rq, e e e re",
        forms="A0 A0 B1 A0 C1 A0, A0 A1 C0 A0, A0 B0 A0 C1 A1",
        themes=_STRAINS,
        high=87,
        loud=80,
    ),
    "sonatina": Style(
        metre=(2, 4),
        tempo=(76, 92),
        hands="alberti, alberti slow",
        cells=(
            "q e e, e. s e e, e e e e, q s s s s, s s s s e e, e s s q, q q, e. s q, "
            "e e s s s s, s s e s s e, re e e e"
        ),
        half="q q, e e q, q | e e",
        full="q rq, e e q, h",
        forms="A0 B1 A0, A0 A1 B1 A0, A1 B0 A0 C1 A0",
        themes=_SONG,
        high=86,
        loud=74,
    ),
    "march": Style(
        metre=(4, 4),
        tempo=(116, 132),
        hands="march, march trumpets, march held",
        cells=(
            "q. e q q, e. s q q q, q q h, h e. s q, e. s e. s q q, q t t t q q, q q q q, "
            "q e e q q, e. s h q, h q. e, rq q q q"
        ),
        half="h h, q q h, h. | q",
        full="h. rq, q q h, w",
        forms="A0 B1 A0, A0 C1 A0, A1 B2 A0",
        themes=_SONG | {"B": "short bridge"},
        loud=82,
    ),
    "nocturne": Style(
        metre=(4, 4),
        tempo=(88, 104),
        hands="nocturne, nocturne slow",
        cells=(
            "h. q, q. e h, h q. e, q. e q q, h e e e e, q t t t h, re e e e h, h t t t q, w, "
            "q h q, e e e e h"
        ),
        half="w, h. | q, h | t t t q",
        full="w, h h",
        forms="A0 B1 A0*, A1 B0 A0, A0 B1 A0^",
        themes=_SHORT,
        low=65,
        high=86,
        loud=60,
    ),
    "folk song": Style(
        metre=(4, 4),
        tempo=(116, 134),
        hands="folk, folk flowing, march held",
        cells=(
            "q q h, q. e q q, e e q q q, h q q, q e e h, q q e e q, h. e e, q q q q, q. e h, "
            "e e e e q q"
        ),
        half="h. | q, w, q q h, h. | e e",
        full="w, q q h, h. rq",
        forms="A0 B1 A0, A0 B2 A1*, A1 B0 A1",
        themes=_MODAL,
        calm=1.3,
        loud=68,
    ),
    "pentatonic song": Style(
        metre=(4, 4),
        tempo=(112, 132),
        hands="bells, folk, folk flowing",
        cells=(
            "q q h, q. e q q, e e q h, h q q, q e e h, h e e q, h. q, e e e e h, re e e e h, "
            "q e e q q"
        ),
        half="w, h. rq, h h",
        full="w, h. rq, q h.",
        forms="A0 B1 A0, A1 B0 A2, A0 B2 A0^",
        themes=_MODAL,
        high=88,
        calm=0.9,
        loud=66,
    ),
    "tango": Style(
        metre=(4, 4),
        tempo=(112, 126),
        hands="marcato, sincopa",
        cells=(
            "q. e q q, e e q e e q, re e e e q q, e q e q q, h q q, q e e h, e q. q q, "
            "re e e e h, q. s s q q, e e e e q q"
        ),
        half="h rq | q, q. e h, h. rq",
        full="q q h, h. rq, q. e h",
        forms="A0 B1 A0, A1 B0 A0, A0 B0 A1*",
        themes=_SHORT,
        loud=80,
    ),
    "bossa": Style(
        metre=(4, 4),
        tempo=(124, 140),
        hands="bossa, bossa held",
        cells=(
            "e q q q e, q. q. q, e q e h, re q e q. e, rq e e q. e, q. e h, e q. h, "
            "re e e e q. e, q. q. e e"
        ),
        half="q. e h, w, e q. h",
        full="w, q. e h, h. rq",
        forms="A0 B1 A0, A0 B0 A1, A1 B1 A0",
        themes=_SONG,
        low=62,
        high=81,
        loud=68,
    ),
    "blues": Style(
        metre=(4, 4),
        tempo=(112, 132),
        hands="shuffle, blues chords, walking",
        cells=(
            "l t l t h, q l t q q, l t q l t q, rq l t q q, rq l t l t q, q q l t q, l q t h, "
            "rq q l t q, l t l t l t q, t t t q h"
        ),
        half="h rh, q h rq, h. rq",
        full="h rh, q q rh, h. rq",
        forms="A0 B2, A1 B0, A2 A1*",
        themes={"A": "blues", "B": "=A"},
        low=62,
        high=82,
        loud=76,
    ),
    "boogie": Style(
        metre=(4, 4),
        tempo=(148, 168),
        hands="boogie, boogie octaves, walking",
        cells=(
            "l t l t q q, q l t q q, rl t l t h, l t q l t q, t t t t t t h, q q l t l t, "
            "l q t l q t, rq l t l q t, l t l t l t l t"
        ),
        half="q q rh, h rh, l q t rh",
        full="q q rh, h rh",
        forms="A0 B1, A0 B1 A0, A1 B2 A0",
        themes={"A": "blues", "B": "=A"},
        high=86,
        loud=84,
    ),
    "chorale": Style(
        metre=(4, 4),
        tempo=(88, 104),
        hands="chorale",
        cells="q q q q, h q q, q q h, q h q, h h",
        half="q q h, h h, w",
        full="w, q q h",
        forms="A0 B0",
        themes={"A": "chorale", "B": "chorale"},
        low=65,
        high=79,
        calm=1.8,
        loud=68,
    ),
    "invention": Style(
        metre=(4, 4),
        tempo=(92, 112),
        hands="imitation",
        cells=(
            "e e e e q q, q e e q e e, re e e e e e q, e s s e e q q, q e e e e q, "
            "s s s s e e q q, e e q e e q, re s s e e q e e"
        ),
        half="q e e h, q q h, e e q h",
        full="h h, q q h, w",
        forms="A0 B0 A0",
        themes=_SHORT,
        low=66,
        high=86,
        loud=74,
    ),
    "five": Style(
        metre=(5, 4),
        tempo=(144, 164),
        hands="five, five flowing",
        cells=(
            "q. e q h, q q q h, e e q q h, h q h, q e e q q q, e e e e q q. e, h. h, "
            "q. e q q q, re e q q h"
        ),
        half="h. h, h. q | q, q q q h",
        full="h. h, q q q h, h. q rq",
        forms="A0 B1 A0, A1 B0 A1*, A0 B0 A1",
        themes=_SONG | {"B": "short bridge"},
    ),
    "seven": Style(
        metre=(7, 8),
        tempo=(152, 184),
        hands="seven, seven driving",
        cells=(
            "q q q., q e e q., e e q e e e, q q e e e, h q., e e e e q., e e e e e e e, "
            "q e e e e e, re e q q."
        ),
        half="q q q., h q., h q | e",
        full="h q., q q q.",
        forms="A0 B1 A0, A0 A1 B0 A1, A0 B1 A0 B0 A1",
        themes=_MODAL,
        loud=78,
    ),
    "slip jig": Style(
        metre=(9, 8),
        tempo=(156, 182),
        hands="slip jig, slip jig open",
        cells=(
            "q e q e q e, e e e e e e q., q e e e e q e, q. e e e q e, e e e q e q., "
            "q e e e e e e e, q e q. q e, q. q e q."
        ),
        half="q e q. q., h. q., q e q e q.",
        full="q e q. q., h. q., q. q. q.",
        forms="A0 B1 A0, A0 A1 B0, A1 B0 A0*",
        themes=_MODAL,
        high=86,
        loud=76,
    ),
    "serenade": Style(
        metre=(12, 8),
        tempo=(128, 148),
        hands="serenade, serenade plain",
        cells=(
            "q. q. h., h. q. q e, q e q e h., q. q e q. q., h. e e e q., q. e e e h., h. h., "
            "q e q. q. q., e e e q e h."
        ),
        half="h. h., q. q. h., h. q. q | e",
        full="h. h., q. q. h., w.",
        forms="A0 B1 A0, A1 B0 A0, A0 B1 A0*",
        themes=_SHORT,
        high=85,
        loud=64,
    ),
}
