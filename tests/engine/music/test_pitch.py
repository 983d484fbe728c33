"""Names of pitches, formatted and parsed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.frame_spec import KEYS
from engine.music import pitch
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH


def test_names_and_colors_of_keys() -> None:
    assert [pitch.pitch_name(key) for key in (21, 60, 61, 108)] == ["A0", "C4", "C♯4", "C8"]
    assert [key for key in range(60, 72) if pitch.is_black(key)] == [61, 63, 66, 68, 70]
    assert (LOWEST_PITCH, HIGHEST_PITCH) == (21, 21 + KEYS - 1)


@pytest.mark.parametrize(
    ("text", "pitches"),
    [
        ("C4 E4 G4", (60, 64, 67)),
        ("60,64, 67", (60, 64, 67)),
        ("g c eb", (60, 63, 67)),
        ("F#3 Gb3 60 C♯5 B♭1", (34, 54, 60, 73)),
        ("cb4 b#3", (59, 60)),
        ("A0 C8", (21, 108)),
    ],
)
def test_chords_are_parsed(text: str, pitches: tuple[int, ...]) -> None:
    assert pitch.parse_chord(text) == pitches


@given(st.sets(st.integers(LOWEST_PITCH, HIGHEST_PITCH), min_size=1))
def test_every_name_is_parsed_back(keys: set[int]) -> None:
    assert pitch.parse_chord(" ".join(map(pitch.pitch_name, keys))) == tuple(sorted(keys))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("H4", "'H4' is not a note: use names such as C4 F#4 Bb3, or MIDI pitches."),
        ("C4 C44", "'C44' is not a note"),
        ("", "The chord has no notes: use names such as C4 F#4 Bb3, or MIDI pitches."),
        (" , ", "The chord has no notes"),
        ("20", "'20' is not on the piano: use A0 (21) to C8 (108)."),
        ("C-1", "not on the piano"),
        ("D8", "not on the piano"),
    ],
)
def test_invalid_chords_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        pitch.parse_chord(text)
    assert message in str(caught.value)
