"""Fields whose numbers or words are changed by steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.options import (
    LYRICS_OPTIONS,
    MUSIC_OPTIONS,
    PLAYBACK_OPTIONS,
    AnyOption,
    Option,
    TextOption,
)
from tui.widgets.fields import step_option

TEMPERATURE = LYRICS_OPTIONS["temperature"]


@pytest.mark.parametrize(
    ("text", "steps", "result"),
    [
        ("0.7", 1, "0.8"),
        ("0.7", -1, "0.6"),
        ("0.75", 1, "0.8"),
        ("0.75", -1, "0.7"),
        ("2", 1, "2"),
        ("0.05", -1, "0"),
        ("0", -1, "0"),
        ("0.2", -1, "0.1"),
        ("inf", -1, "1.9"),
        ("", 1, "0.8"),
        ("what", 1, "0.8"),
    ],
)
def test_steps_of_temperature(text: str, steps: int, result: str) -> None:
    assert step_option(TEMPERATURE, text, steps) == result


@given(st.integers(0, 19))
def test_a_step_up_and_one_down_return(tenths: int) -> None:
    text = f"{tenths / 10:g}"
    up = step_option(TEMPERATURE, text, 1)
    assert float(up) == pytest.approx((tenths + 1) / 10)
    assert step_option(TEMPERATURE, up, -1) == text


def test_steps_stay_within_their_range() -> None:
    transpose, tempo = PLAYBACK_OPTIONS["transpose"], PLAYBACK_OPTIONS["tempo"]
    assert step_option(transpose, "-24", -1) == "-24"
    assert step_option(transpose, "-60", 1) == "-23"
    assert step_option(transpose, "", -1) == "-1"
    assert step_option(tempo, "× 1", 1) == "1.1"
    assert step_option(tempo, "0.1", -1) == "0.1"


@pytest.mark.parametrize(
    ("name", "text", "steps", "result"),
    [
        ("rhyme", "", 1, "aabb"),
        ("rhyme", "AABB", 1, "abab"),
        ("rhyme", "abab", 1, "none"),
        ("rhyme", "none", -1, "abab"),
        ("raw", "", 1, "on"),
        ("raw", "on", -1, "off"),
        ("form", "", 1, "VCVC"),
        ("form", "vcvc", 1, "none"),
        ("form", "none", 1, "VCVCBC"),
        ("form", "VVC", 1, "VCVCBC"),  # a plan of one's own is not among the choices
        ("form", "what", 1, "VCVCBC"),
        ("form", "what", -1, "none"),
    ],
)
def test_steps_through_choices(name: str, text: str, steps: int, result: str) -> None:
    assert step_option(LYRICS_OPTIONS[name], text, steps) == result


@given(
    st.sampled_from([option for option in LYRICS_OPTIONS.values() if option.type is str]),
    st.text("VCBvcb onesabf", max_size=6),
)
def test_steps_reach_every_choice_and_the_default(option: TextOption, text: str) -> None:
    found = []
    for _ in range(len(option.choices) + len(option.suggestions) + 2):
        text = step_option(option, text, 1)
        found.append(option.check(text))
        assert step_option(option, step_option(option, text, 1), -1) == text
    assert set(found) == {*option.choices, *option.suggestions, option.default}


def test_the_plans_of_music_that_are_offered() -> None:
    text, found = "", []
    for _ in range(4):
        text = step_option(MUSIC_OPTIONS["form"], text, 1)
        found.append(text)
    assert found == ["AABB", "ABAB", "none", "auto"]


@pytest.mark.parametrize(
    ("name", "text", "steps", "result"),
    [
        ("count", "", 1, "2"),
        ("count", "1", -1, "1"),
        ("count", "16", 1, "16"),
        ("seed", "", 1, "0"),
        ("seed", "9007199254740993", 1, "9007199254740994"),  # 2⁵³ + 1: no float
        ("length", "", -1, "100"),
        ("length", "250", 1, "300"),
        ("length", "250", -1, "200"),
    ],
)
def test_steps_of_whole_numbers(name: str, text: str, steps: int, result: str) -> None:
    assert step_option(LYRICS_OPTIONS[name], text, steps) == result


@pytest.mark.parametrize("table", [LYRICS_OPTIONS, MUSIC_OPTIONS, PLAYBACK_OPTIONS])
def test_every_number_of_a_form_has_steps_to_valid_values(table: dict[str, AnyOption]) -> None:
    for option in table.values():
        if isinstance(option, Option):
            if table is MUSIC_OPTIONS and option.name in {"length", "seed"}:
                continue  # a length can have a unit; for a seed there is no room
            for text in ("", "0", "1", f"{option.low:g}"):
                for steps in (-1, 1):
                    option.parse(step_option(option, text, steps))
