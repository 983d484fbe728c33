"""The form of a song: sections within their bounds, choruses that return, and the end."""

import random
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.options import LYRICS_OPTIONS, MAX_LETTERS, TextOption
from engine.sampling.form import (
    LEAN,
    MAX_LINES,
    MIN_LINES,
    RETURNS,
    Place,
    Whether,
    end_lean,
    find_place,
    split_sections,
)

plans = st.text("VCB", min_size=1, max_size=9)
chances = st.integers(0, 2**32).map(random.Random)
prompts = st.text("ab\n", max_size=30)
LENGTHS = (10, 20, 30, 40)


def continued(plan: str, prompt: str, chance: random.Random) -> str:
    """Write a song from a prompt to its end; every "may" is drawn, every new line is too."""
    text = prompt
    if text and not text.endswith("\n"):
        text += "\n"
    for _ in range(MAX_LETTERS * (max(MAX_LINES.values()) + 2)):
        place = find_place(plan, text)
        if place.part == "must" or (place.part == "may" and chance.random() < 0.5):
            text += "\n"
            continue
        text += (
            "".join(chance.choices("ab ", k=3)) if place.repeat is None else place.repeat
        ) + "\n"
        end = find_place(plan, text).end
        if end == "must" or (end == "may" and chance.random() < 0.5):
            return text
    raise AssertionError("the song does not end")


@given(plans, chances)
def test_a_plan_is_written_to_its_end(plan: str, chance: random.Random) -> None:
    sections = continued(plan, "", chance).rstrip("\n").split("\n\n")
    assert len(sections) == len(plan)
    chorus = sections[plan.index("C")] if "C" in plan else ""
    for letter, section in zip(plan, sections, strict=True):
        assert MIN_LINES[letter] <= len(section.split("\n")) <= MAX_LINES[letter]
        if letter == "C":
            assert section == chorus  # word for word


@given(plans, prompts, chances)
def test_any_prompt_is_continued_to_the_end_of_the_plan(
    plan: str, prompt: str, chance: random.Random
) -> None:
    text = continued(plan, prompt, chance)
    assert text.startswith(prompt)
    assert "\n\n\n" not in text.removeprefix(prompt).lstrip("\n")
    begun, sections = split_sections(prompt), split_sections(text.rstrip("\n"))
    assert max(len(begun) - 1, len(plan)) <= len(sections) <= max(len(begun), len(plan))
    first = plan.find("C")
    for number in range(len(begun), len(plan)):  # the sections of which the prompt has nothing
        assert len(sections[number].split("\n")) <= max(
            MAX_LINES[plan[number]], len(sections[max(first, 0)].split("\n"))
        )
        if plan[number] in RETURNS and number > first:
            assert sections[number] == sections[first]


@given(prompts)
def test_without_a_plan_the_model_decides_after_each_line(prompt: str) -> None:
    text = f"{prompt}\n" if prompt.rstrip("\n") == prompt else prompt
    lines = len(split_sections(text)[-1].splitlines())
    decides: Whether = "may" if lines else "no"
    assert find_place("", text) == Place(lines, None, decides, decides)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", Place(0, None, "no", "no")),
        ("a\nb\nc\n", Place(3, None, "no", "no")),
        ("a\nb\nc\nd\n", Place(4, None, "may", "no")),
        ("a\n" * 8, Place(8, None, "must", "no")),
        ("a\n\n", Place(0, None, "no", "no")),
        ("a\n\nb\nc\nd\n", Place(3, None, "may", "no")),
        ("a\n\nb\nc\n\n", Place(0, None, "no", "no")),
        ("a\n\nb\nc\n\nv\n\n", Place(0, "b", "no", "no")),
        ("a\n\nb\nc\n\nv\n\nb\n", Place(1, "c", "no", "no")),
        ("a\n\nb\nc\n\nv\n\nb\nc\n", Place(2, None, "must", "no")),
        ("a\n\nb\nc\n\nv\n\nb\nc\n\nx\n\n", Place(0, "b", "no", "no")),
        ("a\n\nb\nc\n\nv\n\nb\nc\n\nx\n\nb\nc\n", Place(2, None, "no", "must")),
        ("a\n\nb\nc\n\nv\n\nb\nc\n\nx\n\nb\nc\n\n", Place(0, None, "no", "no")),  # past the plan
        ("\n\na\n\n\n\nb\nc\n\nv\n\n\n", Place(0, "b", "no", "no")),  # more newlines than one
    ],
)
def test_places_of_the_default_plan(text: str, place: Place) -> None:
    option = LYRICS_OPTIONS["form"]
    assert isinstance(option, TextOption)
    assert find_place(option.default, text) == place
    assert set(option.letters) == MIN_LINES.keys() == MAX_LINES.keys() >= {*RETURNS}


@given(prompts)
def test_sections_are_what_stands_between_empty_lines(text: str) -> None:
    *complete, _ = sections = split_sections(text)
    assert all(complete)
    assert not any("\n\n" in section for section in sections)
    assert re.sub("\n\n+", "\n\n", text.lstrip("\n")) == "\n\n".join(sections)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8).map(sorted))
def test_the_end_becomes_more_probable_with_the_length(lengths: list[int]) -> None:
    leans = [end_lean(length, lengths) for length in range(70)]
    assert leans == sorted(leans)
    assert all(-LEAN <= lean <= LEAN for lean in leans[: lengths[-1]])
    assert set(leans[lengths[-1] :]) == {np.inf}
    assert leans[0] in (-LEAN, np.inf)


def test_the_end_is_the_models_own_choice_at_half_of_the_lengths_or_without_any() -> None:
    assert end_lean(25, LENGTHS) == 0
    assert end_lean(15, LENGTHS) == -LEAN / 2
    assert end_lean(35, np.array(LENGTHS)) == LEAN / 2
    assert end_lean(10**6, ()) == 0
