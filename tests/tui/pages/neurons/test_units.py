"""How units are named, shaded and drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.protocol import Feature, SongReading, UnitActivations, UnitCorrelation
from tui.pages.neurons import units
from tui.pages.neurons.units import LEVELS, Unit

READING = SongReading("m", "A – B", 0, 3, "", 2, 8, (), "ab c\n", None, None)
MUSIC = SongReading("m", "tune.mid", 0, 1, "Cut.", 1, 8, (), None, ((60, 64), ()), 1.5)


def test_levels_are_shares_of_the_largest_with_the_negative_ones_after() -> None:
    assert units.levels([0.5, 0.05, 0.0, -0.5, 0.2, -0.31]) == [LEVELS, 0, 0, 2 * LEVELS, 2, 7]
    assert units.levels([0.0, 0.0]) == [0, 0]
    assert units.levels([]) == []


@given(st.lists(st.floats(-1, 1), min_size=1), st.integers(1, 7))
def test_a_curve_rises_with_its_value(values: list[float], rows: int) -> None:
    drawn = units.columns(values, rows)
    assert {len(row) for row in drawn} == {len(values)}
    heights = [sum(" ▁▂▃▄▅▆▇█".index(row[place]) for row in drawn) for place in range(len(values))]
    for value, height in zip(values, heights, strict=True):
        assert height == round((value + 1) / 2 * 8 * rows)


def test_the_ends_of_a_curve() -> None:
    assert units.columns([-1, 0, 1], 2) == ["  █", " ██"]


@given(st.integers(0, 15), st.integers(-40, 40))
def test_steps_go_through_all_units_and_back(place: int, steps: int) -> None:
    unit = Unit(1 + place // 8, 1 + place % 8)
    there = units.step(unit, steps, READING)
    assert 1 <= there.layer <= 2
    assert 1 <= there.number <= 8
    assert units.step(there, -steps, READING) == unit


def test_the_last_unit_of_a_layer_is_followed_by_the_first_of_the_next() -> None:
    assert units.step(Unit(1, 8), 1, READING) == Unit(2, 1)
    assert units.step(Unit(1, 1), -1, READING) == Unit(2, 8)


def test_units_are_typed_with_or_without_their_layer() -> None:
    assert units.parse(" 2:7 ", READING, 1) == Unit(2, 7)
    assert units.parse("7", READING, 2) == Unit(2, 7)
    for text, said in (
        ("x", "Unit must be layer:number, such as 1:8, not 'x'."),
        ("", "not ''."),
        ("3:1", "no unit 3:1: layers are 1 to 2, units 1 to 8"),
        ("1:9", "no unit 1:9"),
        ("0", "no unit 1:0"),
    ):
        with pytest.raises(InputError, match=said):
            units.parse(text, READING, 1)


def test_each_character_is_shown_as_one() -> None:
    text = "a\tb\r\nc\x1b é\u2028"
    assert len(units.printable(text)) == len(text)
    assert "\x1b" not in units.printable(text)


def test_words() -> None:
    feature = Feature("vowel", (UnitCorrelation(1, 117, -0.834), UnitCorrelation(2, 3, 0.5)))
    assert units.line(feature) == "vowel            1:117 −0.83"
    assert units.line(feature, 1) == "vowel              2:3 +0.50"
    assert units.line(Feature("in quotes", ())) == "in quotes        not in song"
    told = UnitActivations(1, 2, (0.5, -0.25, 0, 0, 0.125), {"a": 0.1, "b": -0.9, "c": 0.2, "d": 0})
    assert units.about(told) == "unit 1:2 · b −0.90 · c +0.20 · a +0.10"
    assert units.title(READING) == "A – B · song 1 of 3 · 5 characters"
    assert units.title(MUSIC) == "tune.mid · 2 frames · Cut."
    assert units.describe(READING, told, 4) == "after ⏎, character 5: +0.125"
    assert units.describe(READING, told, 1) == "after b, character 2: −0.250"
    assert units.describe(MUSIC, told, 0) == "after frame 1, bar 1: +0.500 · C4 E4"
    assert units.describe(MUSIC, told, 1) == "after frame 2, bar 1: −0.250 · silence"
