"""The table of options: ranges, defaults and messages."""

import dataclasses
import math

import pytest

from engine.data.ngram_index import MIN_COPY
from engine.errors import InputError
from engine.options import (
    LYRICS_EXTRA_OPTIONS,
    LYRICS_OPTIONS,
    MAX_LETTERS,
    MUSIC_EXTRA_OPTIONS,
    MUSIC_OPTIONS,
    PLAYBACK_OPTIONS,
    AnyOption,
    Option,
    range_words,
)
from engine.sampling.decoding import SamplingParams
from engine.sampling.lyrics import MAX_CHARACTERS

TABLES = (
    LYRICS_OPTIONS, LYRICS_EXTRA_OPTIONS, MUSIC_OPTIONS, MUSIC_EXTRA_OPTIONS, PLAYBACK_OPTIONS,
)  # fmt: skip
ALL = [option for table in TABLES for option in table.values()]


@pytest.mark.parametrize("option", ALL, ids=lambda option: option.name)
def test_every_row_agrees_with_itself(option: AnyOption) -> None:
    assert option.check(option.default) == option.default
    assert type(option.default) in {option.type, type(None)}
    assert option.parse("  ") == option.default
    assert option.help.endswith(".")
    assert "(default" in option.help
    if isinstance(option.default, int | float):
        assert f"(default {option.default:g}" in option.help
    if isinstance(option.default, str):
        assert f"(default {option.default})" in option.help
    if isinstance(option, Option) and option.step:
        assert option.low <= option.step.low < option.step.high <= option.high
    with pytest.raises(InputError, match=f"^{option.label} must be ['a].*, not 'some'[.]$"):
        option.parse("some")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: next(iter(table)))
def test_rows_are_found_by_their_names(table: dict[str, AnyOption]) -> None:
    assert all(option.name == name for name, option in table.items())


def test_the_order_of_the_forms() -> None:
    assert list(LYRICS_OPTIONS) == [
        "temperature", "form", "candidates", "rhyme", "memory", "length", "count", "seed", "top_k",
        "top_p", "min_p", "guidance", "repetition", "line", "known_words", "ending", "raw",
    ]  # fmt: skip
    assert list(MUSIC_OPTIONS) == [
        "temperature", "form", "candidates", "memory", "least", "length", "seed", "guard",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("temperature", "inf", math.inf),
        ("temperature", "1", 1.0),
        ("temperature", "1e400", math.inf),
        ("top_k", " 40 ", 40),
        ("top_p", "1", 1.0),
        ("line", "200", 200),
        ("length", "", None),
        ("count", "1_000", 1000),
        ("seed", "1" * 30, int("1" * 30)),
    ],
)
def test_texts_become_values(name: str, text: str, value: object) -> None:
    result = LYRICS_OPTIONS[name].parse(text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("temperature", "-1", "Temperature must be a number from 0 to inf, not '-1'."),
        ("temperature", "nan", "Temperature must be a number from 0 to inf, not 'nan'."),
        ("top_k", "٣", "Top-k must be a whole number of 0 or more, not '٣'."),
        ("top_k", "1.5", "Top-k must be a whole number of 0 or more, not '1.5'."),
        ("top_p", "0", "Top-p must be a number above 0 and at most 1, not '0'."),
        ("min_p", "2", "Min-p must be a number from 0 to 1, not '2'."),
        ("guidance", "inf", "Guidance must be a number from 0 to 10, not 'inf'."),
        ("count", "1001", "Count must be a whole number from 1 to 1,000, not '1001'."),
        ("seed", "9" * 5000, f"Seed must be a whole number of 0 or more, not '{'9' * 59}."),
    ],
)
def test_wrong_texts_are_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        LYRICS_OPTIONS[name].parse(text)
    assert str(raised.value) == message


@pytest.mark.parametrize("text", ["×1.5", "× 1.5", "1.5"])
def test_a_factor_may_have_its_sign(text: str) -> None:
    assert PLAYBACK_OPTIONS["tempo"].parse(text) == 1.5


def test_blank_is_a_value_in_forms_only() -> None:
    assert LYRICS_OPTIONS["temperature"].parse("") == 0.7
    with pytest.raises(InputError, match="not ''"):
        LYRICS_OPTIONS["temperature"].convert("")


def test_values_are_checked_by_their_types() -> None:
    temperature, top_k, seed = (LYRICS_OPTIONS[name] for name in ("temperature", "top_k", "seed"))
    assert type(temperature.check(1)) is float
    assert seed.check(None) is None
    for option, value in [
        (temperature, True), (temperature, "1"), (temperature, None), (temperature, 10**400),
        (top_k, 2.0), (top_k, False), (top_k, [1]), (seed, "7"),
    ]:  # fmt: skip
        with pytest.raises(InputError, match=f"^{option.label} must be "):
            option.check(value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("raw", "ON", "on"),
        ("rhyme", " aabb ", "aabb"),
        ("form", "none", "none"),
        ("form", "None", "none"),
        ("form", "v c v", "VCV"),
        ("form", "V" * MAX_LETTERS, "V" * MAX_LETTERS),
    ],
)
def test_case_and_blanks_of_a_word_do_not_matter(name: str, text: str, value: str) -> None:
    option = LYRICS_OPTIONS[name]
    assert option.parse(text) == option.check(value) == value


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("raw", "yes", "'on' or 'off'"),
        ("rhyme", "abba", "'none', 'aabb' or 'abab'"),
        ("form", "VCX", "'none', or 1 to 24 of the letters V, C, B"),
        ("form", "V" * (MAX_LETTERS + 1), "'none', or 1 to 24 of the letters V, C, B"),
        ("form", "VC\0", "'none', or 1 to 24 of the letters V, C, B"),
    ],
)
def test_a_wrong_word_is_refused_with_the_right_ones(name: str, text: str, words: str) -> None:
    option = LYRICS_OPTIONS[name]
    message = f"{option.label} must be {words}, not {text!r:.60}."
    for check in (option.convert, option.parse, option.check):
        with pytest.raises(InputError) as raised:
            check(text)
        assert str(raised.value) == message


@pytest.mark.parametrize("value", [None, True, 1, 1.0, "", "vcb", ["V"]])
def test_the_protocol_takes_a_word_as_it_is_written(value: object) -> None:
    with pytest.raises(InputError, match=r"^Form must be "):
        LYRICS_OPTIONS["form"].check(value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((int, None, None), "a whole number"),
        ((int, 1, None), "a whole number of 1 or more"),
        ((float, 0, math.inf), "a number from 0 to inf"),
        ((float, None, 5), "a number up to 5"),
        ((int, 0, 2**32), "a whole number from 0 to 4,294,967,296"),
    ],
)
def test_ranges_in_words(
    arguments: tuple[type[int] | type[float], float | None, float | None], words: str
) -> None:
    assert range_words(*arguments) == words


def test_the_defaults_are_the_same_everywhere() -> None:
    values = dataclasses.asdict(SamplingParams())
    assert values == {name: LYRICS_OPTIONS[name].default for name in values}
    assert values["temperature"] == 0.7
    assert {name for name, option in LYRICS_OPTIONS.items() if option.live} == values.keys()


def test_limits_that_the_table_repeats() -> None:
    assert LYRICS_EXTRA_OPTIONS["novelty"].low == MIN_COPY
    assert f"at most {MAX_CHARACTERS:,}" in LYRICS_OPTIONS["length"].help


@pytest.mark.parametrize(("name", "flag"), [("top_p", "--top-p"), ("seed", "--seed")])
def test_flags(name: str, flag: str) -> None:
    assert LYRICS_OPTIONS[name].flag == flag
