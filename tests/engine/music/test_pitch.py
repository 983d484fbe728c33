"""The names of keys, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.frames import KEYS
from engine.music import pitch


def test_names() -> None:
    assert [pitch.pitch_name(key) for key in (21, 60, 61, 108)] == ["A0", "C4", "C♯4", "C8"]
    assert (pitch.LOWEST_PITCH, pitch.HIGHEST_PITCH) == (21, 21 + KEYS - 1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("C4 E4 G4", (60, 64, 67)),
        ("60,64, 67", (60, 64, 67)),
        ("g c eb", (60, 63, 67)),
        ("F#3 Gb3 60 C♯5 B♭1", (34, 54, 60, 73)),
        ("cb4 b#3", (59, 60)),
        ("A0 C8", (21, 108)),
    ],
)
def test_chords(text: str, found: tuple[int, ...]) -> None:
    assert pitch.parse_chord(text) == found


@given(st.sets(st.integers(pitch.LOWEST_PITCH, pitch.HIGHEST_PITCH), min_size=1))
def test_every_name_is_understood(keys: set[int]) -> None:
    assert pitch.parse_chord(" ".join(map(pitch.pitch_name, keys))) == tuple(sorted(keys))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("H4", "'H4' is no note"),
        ("C4 C44", "'C44' is no note"),
        ("", "There is no note"),
        (" , ", "There is no note"),
        ("20", "'20' is not on the piano: give A0 (21) to C8 (108)"),
        ("C-1", "not on the piano"),
        ("D8", "not on the piano"),
    ],
)
def test_what_is_none(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        pitch.parse_chord(text)
    assert said in str(caught.value)
