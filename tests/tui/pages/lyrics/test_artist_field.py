"""Mixes of artists that are typed into the field of the artist."""

import pytest

from engine.errors import InputError
from tui.pages.lyrics.artist_field import check_mix


@pytest.mark.parametrize("text", ["Ada=1", "Ada = 0.7, Bo=0.3", "Earth, Wind & Fire=.5,Bo=.5004"])
def test_mixes_that_sum_to_one(text: str) -> None:
    check_mix(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ada=0.7, Bo=0.2", "The weights of the mix must sum to 1, not 0.9."),
        ("Ada=1.5,Bo=-0.5", "A weight of the mix must be from 0 to 1, not '1.5'."),
        ("Ada=much,Bo=1", "A weight of the mix must be from 0 to 1, not 'much'."),
        ("Ada=", "A weight of the mix must be from 0 to 1, not ''."),
        ("Ada=nan", "A weight of the mix must be from 0 to 1, not 'nan'."),
        ("=0", "The weights of the mix must sum to 1, not 0."),
    ],
)
def test_mixes_that_do_not(text: str, words: str) -> None:
    with pytest.raises(InputError) as raised:
        check_mix(text)
    assert str(raised.value) == words
