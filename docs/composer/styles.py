"""The styles that the pieces are written in: metre, tempo, rhythms, textures, form, titles."""

from dataclasses import dataclass

# Chords of eight bars (of blues twelve): A is the theme's, B the contrast's, which leads back.
PROGRESSIONS: dict[str, dict[str, list[str]]] = {
    "major": {
        "A": [
            "I | vi | ii | V7 | I | IV | V7 | I",
            "I | V6 | vi | V | IV | I6 | V7 | I",
            "I | IV | I | V | vi | IV | V7 | I",
            "I | I6 | IV | V | iii | vi | V7 | I",
            "I | ii6 | V7 | vi | IV | ii | V7 | I",
        ],
        "B": [
            "V | I | V7/V | V | vi | iii | ii | V7",
            "IV | I6 | ii | vi | IV | V7/V | V | V7",
            "vi | iii | IV | I | ii | V7/V | V | V7",
            "vi | V7/vi | vi | V7/V | V | ii6 | V | V7",
        ],
    },
    "minor": {
        "A": [
            "i | iv | V7 | i | VI | iv | V7 | i",
            "i | VII | VI | V | i | iv | V7 | i",
            "i | v6 | iv6 | V | i | iiø65 | V7 | i",
            "i | V65 | i | iv | VI | iiø65 | V7 | i",
        ],
        "B": [
            "III | VII | i | V | III | iv | iiø65 | V7",
            "VI | III | iv | i | VI | VII | iv | V7",
            "VII7 | III | V7 | i | iv | i | V7/V | V7",
        ],
    },
    "dorian": {
        "A": ["i | IV | i | VII | i | IV | VII | i", "i | VII | IV | i | i | VII | v | i"],
        "B": ["III | VII | IV | i | III | IV | VII | VII",
              "VII | i | IV | VII | III | VII | IV | v"],
    },
    "mixolydian": {
        "A": ["I | bVII | IV | I | I | bVII | IV | I", "I | IV | bVII | IV | I | v | bVII | I"],
        "B": ["IV | I | bVII | I | IV | I | bVII | bVII", "v | bVII | IV | I | v | bVII | IV | V"],
    },
    "pentatonic": {
        "A": ["I | vi | IV | I | I | vi | V | I", "I | V | vi | IV | I | V | IV | I"],
        "B": ["vi | V | vi | I | vi | IV | ii | V", "IV | I | V | vi | IV | I | ii | V"],
    },
    "minor pentatonic": {
        "A": ["i | VII | i | VI | i | VII | VI | i", "i | III | VII | i | VI | III | VII | i"],
        "B": ["III | VII | i | VII | III | VII | VI | VII",
              "VI | VII | i | III | VI | VII | v | VII"],
    },
    "blues": {
        "A": ["I7 | IV7 | I7 | I7 | IV7 | IV7 | I7 | I7 | V7 | IV7 | I7 | I7"],
        "B": ["I7 | I7 | I7 | I7 | IV7 | IV7 | I7 | I7 | V7 | V7 | I7 | I7"],
    },
}  # fmt: skip
PLANS = {
    8: ["a b a H a b c F", "a a b H a a c F", "a b c H a b~ c F", "a a~ b H c c b F"],
    12: ["a b a H a b a H c b~ a F", "a a b H a a b H c c b F"],
}
Cells = dict[str, str]


@dataclass(frozen=True)
class Style:
    """How the four pieces of a style are made; each takes the next of every list."""

    metre: tuple[int, int]
    beat: int  # ticks
    tempo: tuple[int, int]  # quarters a minute
    keys: tuple[str, str, str, str]
    textures: tuple[str, ...]
    cells: tuple[Cells, ...]  # the rhythm of each letter of a plan
    titles: tuple[str, str, str, str]
    mood: str
    form: str = "A A B A"  # a mark after a letter: embellished, in the next texture
    register: tuple[int, int] = (64, 84)
    hand: str = "play"  # or voices, imitation

    @property
    def bar(self) -> int:
        """The ticks of a bar."""
        return 48 * self.metre[0] // self.metre[1]


def _cells(text: str) -> Cells:
    """The rhythms of a b c H F, with commas between."""
    return dict(zip("abcHF", (cell.strip() for cell in text.split(",")), strict=True))


_THREE = (
    _cells("h q, q q q, q. e q, h., h."),
    _cells("q. e q, e e q q, q e e q, h rq, h."),
    _cells("e e e e e e, h q, q e e e e, h., h."),
)
_MAZURKA = (_cells("e. s q q, q q q, e. s h, q h, h."), _cells("t t t q q, e. s q q, q h, q h, h."))
_SIX = (
    _cells("q e q e, e e e q., e e e e e e, q. q., h."),
    _cells("q. q e, e. s e q e, q e q., q. q re, h."),
)
_JIG = (
    _cells("e e e e e e, q e e e e, q e q e, q. q re, h."),
    _cells("q e e e e, e e e q e, e e e e e e, q. q re, q. q re"),
)
_RAG = (
    _cells("s e s e e, e s s e e, s e s q, q. re, h"),
    _cells("e e s e s, s e s e e, s s s s q, q. re, h"),
)
_TWO = (
    _cells("e e q, e s s q, s s s s q, q q, h"),
    _cells("q e e, e. s e e, s s s s e e, q. re, h"),
    _cells("s s e e e, e e e e, e s s e e, q. re, h"),
)
_FOUR = (
    _cells("q. e q q, q q h, e e q e e q, h. rq, w"),
    _cells("h q q, q e e q q, e e e e h, h. rq, w"),
    _cells("e e q q q, q. e h, q e e q q, h. rq, w"),
)
_SLOW = (
    _cells("h. e e, q. e h, q e e e e q, h. rq, w"),
    _cells("h q e e, h. q, e e q h, h. rq, w"),
)
_TANGO = (
    _cells("q. e q q, e q e h, e e e e q q, h. rq, w"),
    _cells("re e e e q q, e q e h, q. e h, h. rq, h rh"),
)
_SWING = (
    _cells("l t l t q q, q l t h, rq l t l t q, h rh, h rh"),
    _cells("rq l t l t q, l t q l t q, q q l t q, h. rq, h rh"),
)
_CHORALE = (_cells("q q q q, h q q, q q h, h. rq, w"), _cells("h q q, q q q q, q q h, h. rq, w"))
_FIVE = (
    _cells("q q q h, q. e q h, e e q q h, h. h, h. h"),
    _cells("q e e q h, q q q q q, h. h, h. h, h. h"),
)
_SEVEN = (
    _cells("q q e e e, q e e q., e e e e q e, h q., h q."),
    _cells("e e q e e e, q q q., q e e e e e, h q., h q."),
)

STYLES: dict[str, Style] = {
    "waltz": Style(
        (3, 4), 12, (150, 176), ("G major", "A minor", "E flat major", "D minor"),
        ("waltz", "waltz arpeggio", "waltz held"), _THREE,
        ("Lantern Waltz", "The Window Seat", "Paper Lamps", "Late Tram Home"), "turning"),
    "minuet": Style(
        (3, 4), 12, (116, 132), ("F major", "G minor", "D major", "C minor"),
        ("minuet", "minuet running"), _THREE,
        ("Minuet for a Cold Room", "Porcelain", "The Polite Fox", "Mirror Minuet"), "courtly"),
    "mazurka": Style(
        (3, 4), 12, (138, 156), ("A minor", "B flat major", "E minor", "C major"),
        ("mazurka", "waltz"), _MAZURKA,
        ("Barn Mazurka", "Red Boots", "Mazurka of the Crows", "Harvest Step"), "stamping"),
    "ground": Style(
        (3, 4), 12, (120, 138), ("D minor", "G major", "E minor", "C major"),
        ("ground", "ground chords", "ground arpeggio", "ground full"), _THREE,
        ("Ground in Four Turns", "The Mill Wheel", "Slow Stairs", "Tide Table"),
        "patient", "A A' A'' A'''"),
    "lullaby": Style(
        (6, 8), 18, (84, 100), ("F major", "D major", "B flat major", "E minor"),
        ("rocking", "cradle"), _SIX,
        ("Moth Lullaby", "Cradle by the Stove", "Snow on the Sill", "Hush, the Harbour"),
        "tender", "A B A'"),
    "siciliana": Style(
        (6, 8), 18, (96, 112), ("G minor", "C minor", "A minor", "F major"),
        ("siciliana", "cradle"), _SIX,
        ("Goat Path", "Siciliana of the Salt Road", "Olive Shade", "Noon Bell"),
        "wistful", "A B A'"),
    "barcarolle": Style(
        (6, 8), 18, (104, 124), ("A flat major", "E major", "F minor", "G major"),
        ("barcarolle", "rocking"), _SIX,
        ("Reed Boat", "Ferry at Dusk", "Under the Low Bridge", "Oars"), "swaying"),
    "jig": Style(
        (6, 8), 18, (152, 180), ("D major", "E dorian", "A mixolydian", "G major"),
        ("jig", "jig driving"), _JIG,
        ("The Kettle Jig", "Wren in the Rafters", "Three Wet Boots", "Nan's Gate"), "merry"),
    "musette": Style(
        (6, 8), 18, (112, 132), ("C major", "G mixolydian", "D dorian", "A major"),
        ("musette", "musette plain"), _SIX,
        ("Drone and Thistle", "Hill Pipes", "The Old Bellows", "Sheepfold"), "rustic"),
    "rag": Style(
        (2, 4), 12, (84, 100), ("C major", "F major", "A flat major", "E flat major"),
        ("stride", "stride walking"), _RAG,
        ("Tin Roof Rag", "Biscuit Rag", "Left Sock Rag", "Ferrybank Rag"),
        "sly", "A B A C A"),
    "habanera": Style(
        (2, 4), 12, (66, 80), ("D minor", "A minor", "G major", "F minor"),
        ("habanera", "habanera chords"), _TWO,
        ("Habanera of the Blue Fan", "Salt on the Glass", "Cigar Box", "Verandah"), "languid",
        "A B A'"),
    "polka": Style(
        (2, 4), 12, (108, 124), ("B flat major", "D major", "G major", "E minor"),
        ("polka", "stride"), _TWO,
        ("Button Polka", "Goose Step Down", "Marmalade Polka", "Two Left Shoes"),
        "bouncing", "A B A C A"),
    "sonatina": Style(
        (2, 4), 12, (96, 116), ("C major", "G major", "D major", "A minor"),
        ("alberti", "alberti slow", "murky"), _TWO,
        ("Sonatina in Chalk", "Small Clock", "First Frost", "Spinning Coin"), "bright",
        "A B A C A"),
    "chorale": Style(
        (4, 4), 12, (104, 116), ("G major", "D minor", "F major", "E minor"),
        ("held",), _CHORALE,
        ("Chorale for the Lamp", "Plain Bread", "Evening Row", "Stone and Water"),
        "grave", "A B A", (67, 79), "voices"),
    "invention": Style(
        (4, 4), 12, (104, 120), ("C major", "A minor", "F major", "D minor"),
        ("held",), _FOUR,
        ("Two Voices, One Stair", "Echo Game", "The Copyist", "Shadow Walk"), "busy",
        "A B A", (67, 84), "imitation"),
    "nocturne": Style(
        (4, 4), 12, (96, 112), ("E flat major", "B minor", "D flat major", "C minor"),
        ("nocturne", "nocturne slow"), _SLOW,
        ("Nocturne with Rain", "Unlit Street", "Moon in the Basin", "The Last Window"),
        "dreaming", "A B A'", (70, 89)),
    "march": Style(
        (4, 4), 12, (116, 128), ("B flat major", "F major", "C minor", "G major"),
        ("march", "march trumpets", "march held"), _FOUR,
        ("Toy Drum March", "March of the Spoons", "Night Watch", "Brass Gate"), "upright",
        "A B A'"),
    "folk": Style(
        (4, 4), 12, (104, 120), ("G pentatonic", "D mixolydian", "A dorian", "C major"),
        ("folk", "folk flowing"), _FOUR,
        ("The Wide Ford", "Carter's Tune", "Heather Mile", "Apple Row"), "plain", "A B A'"),
    "bells": Style(
        (4, 4), 12, (100, 116), ("F pentatonic", "D minor pentatonic", "B flat pentatonic",
                                 "E minor pentatonic"),
        ("bells", "folk"), _SLOW,
        ("Five Bells", "Copper Garden", "Rain Chain", "Temple Steps"), "still", "A B A'"),
    "tango": Style(
        (4, 4), 12, (116, 128), ("A minor", "E minor", "G minor", "C minor"),
        ("marcato", "sincopa"), _TANGO,
        ("Tango for One Chair", "Knife and Rose", "Platform Nine", "Corner Lamp"), "proud",
        "A B A'"),
    "bossa": Style(
        (4, 4), 12, (120, 136), ("D major", "A minor", "F major", "E minor"),
        ("bossa", "bossa held"), _TANGO,
        ("Sandal Weather", "Bossa for a Parrot", "Slow Ceiling Fan", "Low Tide Bar"), "easy",
        "A B A'"),
    "blues": Style(
        (4, 4), 12, (108, 124), ("F blues", "B flat blues", "G blues", "C blues"),
        ("shuffle", "blues chords", "walking"), _SWING,
        ("Empty Pan Blues", "Third Floor Blues", "Long Rope Blues", "Borrowed Coat"), "low",
        "A A'", (62, 82)),
    "boogie": Style(
        (4, 4), 12, (138, 156), ("C blues", "G blues", "F blues", "D blues"),
        ("boogie", "boogie octaves"), _SWING,
        ("Boxcar Boogie", "Stove Lid Stomp", "Nickel Boogie", "Backstairs Boogie"), "driving",
        "A A'", (64, 84)),
    "uneven": Style(
        (5, 4), 12, (132, 148), ("D dorian", "G mixolydian", "E minor", "A dorian"),
        ("five", "five flowing"), _FIVE,
        ("Five-Legged Table", "The Crooked Mile", "Odd Change", "Limping Clock"), "restless",
        "A B A'"),
    "seven": Style(
        (7, 8), 6, (152, 176), ("A minor", "D dorian", "E minor", "G mixolydian"),
        ("seven", "seven driving"), _SEVEN,
        ("Seven Geese", "Mountain Bus", "Coffee Dance", "The Lame Fiddler"), "quick"),
}  # fmt: skip
