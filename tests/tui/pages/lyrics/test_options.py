"""What the fields of the Lyrics page may hold."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from tui.pages.lyrics import options as fields
from tui.widgets import fields as field_widgets


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
        ("guidance", "10.1"),
        ("guidance", "nan"),
        ("repetition", "-1"),
        ("repetition", "inf"),
        ("memory", "1.1"),
        ("memory", "-0.1"),
        ("line", "-1"),
        ("line", "201"),
        ("line", "2.5"),
        ("length", "0"),
        ("count", "0"),
        ("count", "17"),
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


@pytest.mark.parametrize("text", ["Ada=1", "Ada = 0.7, Bo=0.3", "Earth, Wind & Fire=.5,Bo=.5004"])
def test_mixes_that_sum_to_one(text: str) -> None:
    fields.check_mix(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ada=0.7, Bo=0.2", "The weights of the mix sum to 0.9: make them sum to 1."),
        ("Ada=1.5,Bo=-0.5", "A weight of the mix is '1.5': give each one from 0 to 1."),
        ("Ada=much,Bo=1", "A weight of the mix is 'much'"),
        ("Ada=", "A weight of the mix is ''"),
        ("Ada=nan", "A weight of the mix is 'nan'"),
        ("=0", "The weights of the mix sum to 0"),
    ],
)
def test_mixes_that_do_not(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        fields.check_mix(text)


@pytest.mark.parametrize(
    ("text", "steps", "result"),
    [
        ("0.7", 1, "0.8"),
        ("0.7", -1, "0.6"),
        ("0.75", 1, "0.8"),
        ("0.75", -1, "0.7"),
        ("2", 1, "2.0"),
        ("0.05", -1, "0.0"),
        ("0", -1, "0.0"),
        ("inf", -1, "1.9"),
        ("", 1, "0.8"),
        ("what", 1, "0.8"),
    ],
)
def test_steps_of_temperature(text: str, steps: int, result: str) -> None:
    assert field_widgets.step_temperature(text, steps) == result


@given(st.integers(0, 19))
def test_a_step_up_and_one_down_come_back(tenths: int) -> None:
    text = f"{tenths / 10:.1f}"
    up = field_widgets.step_temperature(text, 1)
    assert float(up) == pytest.approx((tenths + 1) / 10)
    assert field_widgets.step_temperature(up, -1) == text
