"""What the fields of the Lyrics page may hold."""

import math

import pytest

from engine.errors import InputError
from tui.widgets import lyrics_fields as fields


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
        ("length", "", None),
        ("length", "300", 300),
        ("seed", "", None),
        ("seed", "0", 0),
    ],
)
def test_what_is_right(name: str, text: str, value: object) -> None:
    result = fields.NUMBERS[name](text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *((name, "many") for name in fields.NUMBERS),
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
        ("length", "0"),
        ("seed", "-1"),
        ("seed", "1" * 19),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(name: str, text: str) -> None:
    with pytest.raises(InputError) as raised:
        fields.NUMBERS[name](text)
    sentence = str(raised.value)
    assert sentence.startswith(f"{name.capitalize().replace('_', '-')} is {text!r}: give ")
    assert sentence.endswith(".")
