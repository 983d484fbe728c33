"""Events as lines: what is written can be read, by older and newer versions too."""

import dataclasses
import json
import typing
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.runs import events
from engine.runs.events import KINDS, Evaluated, Event, Sampled, Step

E = TypeVar("E", bound=Event)


def example(kind: type[E]) -> E:
    values: dict[str, Any] = {}
    for name, wanted in typing.get_type_hints(kind).items():
        options = typing.get_args(wanted) or (wanted,)
        values[name] = {str: "x", int: 3, float: 1.5, bool: True}.get(options[0], [[0, 4, 60]])
    return kind(**values)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_comes_back(name: str) -> None:
    event = example(KINDS[name])
    line = events.encode(event)
    assert json.loads(line)["event"] == name
    assert events.decode(line) == event


@given(st.text())
def test_any_text_stays_on_its_line(text: str) -> None:
    event = Sampled(step=1, prime=text, condition=None, text=text, temperature=0.5, time=0.0)
    line = events.encode(event)
    assert "\n" not in line
    assert events.decode(line) == event


def test_lines_of_other_versions() -> None:
    known = json.loads(events.encode(example(Step)))
    newer = json.dumps({**known, "colour": "red"})
    assert events.decode(newer) == example(Step)
    assert events.decode('{"event": "sung", "step": 3}') is None
    assert events.decode('{"event": "step"}') is None
    for line in ("", "[]", "3", '"step"', '{"step": 3', "{}"):
        assert events.decode(line) is None


def test_what_is_no_number_is_none() -> None:
    assert events.finite(float("nan")) is None
    assert events.finite(float("-inf")) is None
    assert events.finite(0.5) == 0.5
    with pytest.raises(ValueError, match="JSON"):
        events.encode(dataclasses.replace(example(Evaluated), loss=float("nan")))
