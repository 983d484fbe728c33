"""Chord progressions, by the role of a section in a piece."""

# Role of a section → mode → progressions, as `theory.parse_progression` parses them.
PROGRESSIONS: dict[str, dict[str, list[str]]] = {
    # A half close on the dominant in the middle, a full close on the tonic at the end.
    "period": {
        "major": [
            "I | I6 | IV | V | I | vi | ii6 V7 | I",
            "I | vi | ii | V7 | I | IV | I64 V7 | I",
            "I | V65 | I | V | vi | ii65 | V7 | I",
            "I | IV | I6 | V | vi | IV | V7 | I",
            "I | iii | IV | V | IV | I6 | ii65 V7 | I",
            "I | V6 | vi | V | IV | I | ii6 V7 | I",
            "I | V43 | I6 | V | I | IV ii | I64 V7 | I",
            "I | V7/IV | IV | V | vi | V65/V | I64 V7 | I",
            "I | ii | V7 | V | I | V7/ii | ii V7 | I",
            "I | IV6 | V65 | V7 | I | vi IV | ii65 V7 | I",
        ],
        "minor": [
            "i | i6 | iv | V | i | VI | iiø65 V7 | i",
            "i | V65 | i | V | i | iv | V7 | i",
            "i | VII | III | V | i | iv | i64 V7 | i",
            "i | iv | VII | III | iv | i6 | iiø65 V7 | i",
            "i | VI | III | V | VI | iv | V7 | i",
            "i | v6 | VI | V | i | V7/iv | iv V7 | i",
            "i | iiø65 | V7 | V | VI | iv6 | V7 | i",
            "i | iv6 | V | V7 | i | bII6 | V7 | i",
            "i | V43 | i6 | V | VI | III6 | iv V7 | i",
        ],
    },
    # Leaves the tonic and ends on the dominant, so that the first theme must return.
    "bridge": {
        "major": [
            "vi | iii | IV | I | vi | V/V | V | V7",
            "IV | I6 | V43 | I | IV | V65/V | V | V7",
            "V7/vi | vi | V7/ii | ii | V7/V | V | V65 | V7",
            "vi | V6/vi | vi | IV | ii | V7/V | V | V7",
            "V | I6 | V | I | ii6 | V65/V | V | V7",
            "iv | I6 | iv | I | vi | V65/V | I64 | V7",
            "iii | vi | iii | IV | ii65 | V7/V | V | V7",
        ],
        "minor": [
            "III | VII | III | VII | iv | i6 | iiø65 | V7",
            "VI | III | VI | III | iv | V65/V | V | V7",
            "III | V43/III | III | VI | iv | iv6 | V | V7",
            "iv | VII7 | III | VI | iiø65 | V7/V | V | V7",
            "VI | VII | III | i6 | iv | bII6 | i64 | V7",
            "VII | III | V65/iv | iv | VI | V65/V | V | V7",
        ],
    },
    # A bridge of four bars.
    "short bridge": {
        "major": [
            "vi | IV | V65/V | V7",
            "IV | I6 | ii65 | V7",
            "V7/vi | vi | V7/V | V7",
            "iii | vi | ii65 | V7",
            "iv | I6 | V65/V | V7",
        ],
        "minor": [
            "III | VII | iv6 | V7",
            "VI | III | iiø65 | V7",
            "iv | VII | III | V7",
            "VI | iv | V65/V | V7",
        ],
    },
    # A second strain, which returns to the tonic from a distance.
    "closing": {
        "major": [
            "V | V65 | I | V | I | IV | ii6 V7 | I",
            "ii | V7 | I | vi | IV | I6 | I64 V7 | I",
            "V7/vi | vi | V7/V | V | I | ii65 | I64 V7 | I",
            "IV | I6 | IV | V | I | V7/ii | ii6 V7 | I",
            "V | I6 | V65/V | V | vi | IV | I64 V7 | I",
        ],
        "minor": [
            "III | VII | III | V | i | iv | i64 V7 | i",
            "iv | VII | III | V | VI | iiø65 | i64 V7 | i",
            "VI | III | iv | V | i | V65/iv | iv V7 | i",
            "V | i | V65/V | V | i6 | iv | i64 V7 | i",
        ],
    },
    "blues": {
        "major": [
            "I7 | I7 | I7 | I7 | IV7 | IV7 | I7 | I7 | V7 | IV7 | I7 | I7",
            "I7 | IV7 | I7 | I7 | IV7 | IV7 | I7 | V7/ii | ii7 | V7 | I7 | I7",
            "I7 | IV7 | I7 | I7 | IV7 | IV7 | I7 | I7 | V7 | V7 | I7 | I7",
        ],
        "minor": [
            "i7 | i7 | i7 | i7 | iv7 | iv7 | i7 | i7 | VI | V7 | i7 | i7",
            "i7 | iv7 | i7 | i7 | iv7 | iv7 | i7 | i7 | iiø7 | V7 | i7 | i7",
        ],
    },
    # A ground bass, which repeats.
    "ground": {
        "major": [
            "I | V6 | vi | iii6 | IV | I6 | ii65 | V7",
            "I | I6 | IV | ii6 | I64 | V7 | vi | V7",
        ],
        "minor": [
            "i | v6 | VI | III6 | iv | i6 | iiø65 | V7",
            "i | i6 | iv | V | VI | iv6 | i64 | V7",
            "i | VII | VI | V | iv6 | i6 | iiø65 | V7",
        ],
    },
    # The tonic and its neighbours, as in modal tunes.
    "modal": {
        "major": [
            "I | I | IV | I | I | IV | V | I",
            "I | IV | I | V | I | IV | I V | I",
            "I | vi | IV | I | vi | IV | V | I",
            "I | V | vi | IV | I | IV | V | I",
        ],
        "minor": [
            "i | VII | i | VII | i | III | VII | i",
            "i | i | VII | VII | i | III | VII | i",
            "i | III | VII | i | III | VII | v | i",
            "i | v | III | VII | i | v | VII | i",
        ],
        "mixolydian": [
            "I | bVII | I | bVII | I | IV | bVII | I",
            "I | I | bVII | IV | I | IV | bVII | I",
            "I | IV | bVII | I | IV | I | bVII | I",
        ],
        "dorian": [
            "i | IV | i | VII | i | IV | VII | i",
            "i | i | IV | VII | III | IV | VII | i",
            "i | VII | IV | i | III | VII | IV | i",
        ],
        "phrygian": [
            "i | bII | i | bII | iv | III | bII | i",
            "i | vii | bII | i | III | iv | bII | i",
        ],
    },
    "modal bridge": {
        "major": [
            "vi | vi | IV | I | vi | IV | V | V",
            "IV | I | IV | V | vi | IV | I | V",
        ],
        "minor": [
            "III | VII | III | v | VI | III | VII | VII",
            "VI | VII | i | i | VI | III | VII | VII",
        ],
        "mixolydian": [
            "IV | I | bVII | IV | IV | I | bVII | bVII",
            "bVII | IV | I | I | bVII | IV | v | bVII",
        ],
        "dorian": [
            "III | VII | III | IV | III | VII | v | VII",
            "VII | IV | i | v | III | VII | v | v",
        ],
        "phrygian": [
            "III | iv | III | bII | III | iv | vii | bII",
            "vii | bII | vii | i | iv | III | vii | bII",
        ],
    },
    # Two chords a bar in pairs of bars, as in hymns.
    "chorale": {
        "major": [
            "I V6 | vi V | I IV | I64 V7 | vi iii | IV I6 | ii65 V | I",
            "I IV6 | I6 V | I V65/V | V V | V65 I | IV ii6 | I64 V7 | I",
            "I V | vi iii | IV I6 | ii V | V65/vi vi | V65/V V | I6 V7 | I",
            "I I6 | IV V | vi V6 | I V | IV I6 | V43 I | ii65 V7 | I",
        ],
        "minor": [
            "i V6 | i V | VI iv | i64 V7 | i VII6 | III V65/iv | iv V7 | i",
            "i v6 | iv6 V | i i6 | iv V | III VII | VI iv | iiø65 V | i",
            "i iv6 | i6 V | V65/iv iv | iiø65 V | VI III | iv i6 | i64 V7 | i",
        ],
    },
}
