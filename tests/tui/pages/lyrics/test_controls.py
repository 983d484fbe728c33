"""The values of the fields of the Lyrics page."""

import math

import pytest

from engine.errors import InputError
from tui.pages.lyrics.controls import OPTIONS


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("temperature", "", 0.7),
        ("temperature", "inf", math.inf),
        ("temperature", "0", 0.0),
        ("top_k", "", 0),
        ("top_k", "40", 40),
        ("top_p", "", 1.0),
        ("top_p", "1", 1.0),
        ("min_p", "", 0.0),
        ("min_p", "1", 1.0),
        ("guidance", "", 1.0),
        ("guidance", "10", 10.0),
        ("repetition", "", 0.0),
        ("repetition", "0.5", 0.5),
        ("memory", "", 1.0),
        ("memory", "0", 0.0),
        ("line", "", 0),
        ("line", "0", 0),
        ("line", "200", 200),
        ("length", "", None),
        ("length", "300", 300),
        ("count", "", 1),
        ("count", "16", 16),
        ("form", "", "VCVCBC"),
        ("form", "vvc", "VVC"),
        ("form", "None", "none"),
        ("candidates", "", 8),
        ("candidates", "64", 64),
        ("rhyme", "", "none"),
        ("rhyme", "AABB", "aabb"),
        ("known_words", "", "on"),
        ("known_words", "off", "off"),
        ("ending", "off", "off"),
        ("raw", "", "off"),
        ("seed", "", None),
        ("seed", "0", 0),
    ],
)
def test_right_values(name: str, text: str, value: object) -> None:
    result = OPTIONS[name].parse(text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *((name, "many") for name in OPTIONS),
        ("temperature", "-0.1"),
        ("temperature", "nan"),
        ("temperature", "-inf"),
        ("top_k", "-1"),
        ("top_k", "1.5"),
        ("top_k", "٣"),
        ("top_p", "0"),
        ("top_p", "1.01"),
        ("top_p", "nan"),
        ("min_p", "-0.1"),
        ("min_p", "inf"),
        ("guidance", "10.1"),
        ("guidance", "nan"),
        ("repetition", "-1"),
        ("repetition", "inf"),
        ("memory", "1.1"),
        ("memory", "-0.1"),
        ("line", "-1"),
        ("line", "201"),
        ("line", "2.5"),
        ("form", "xyz"),
        ("form", "V" * 25),
        ("candidates", "0"),
        ("candidates", "65"),
        ("rhyme", "abba"),
        ("raw", "1"),
        ("length", "0"),
        ("count", "0"),
        ("count", "17"),
        ("seed", "-1"),
    ],
)
def test_wrong_values_are_refused_in_one_sentence(name: str, text: str) -> None:
    with pytest.raises(InputError) as raised:
        OPTIONS[name].parse(text)
    sentence = str(raised.value)
    assert sentence.startswith(f"{OPTIONS[name].label} must be ")
    assert sentence.endswith(f", not {text!r}.")
