"""Events as lines of JSON: a round trip, and lines of other versions."""

import dataclasses
import json
import typing
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.runs import events
from engine.runs.events import EVENT_TYPES, Evaluated, Event, Sampled, Step

E = TypeVar("E", bound=Event)


def example(cls: type[E]) -> E:
    """Return an event with some value for every field."""
    values: dict[str, Any] = {}
    for name, hint in typing.get_type_hints(cls).items():
        options = typing.get_args(hint) or (hint,)
        values[name] = {str: "x", int: 3, float: 1.5, bool: True}.get(options[0], [[0, 4, 60]])
    return cls(**values)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_event_type_makes_a_round_trip(name: str) -> None:
    event = example(EVENT_TYPES[name])
    line = events.encode(event)
    assert json.loads(line)["event"] == name
    assert events.decode(line) == event


@given(st.text())
def test_any_text_stays_on_one_line(text: str) -> None:
    event = Sampled(step=1, prime=text, condition=None, text=text, temperature=0.5, time=0.0)
    line = events.encode(event)
    assert "\n" not in line
    assert events.decode(line) == event


def test_unknown_fields_and_events_of_other_versions_are_ignored() -> None:
    known = json.loads(events.encode(example(Step)))
    newer = json.dumps({**known, "colour": "red"})
    assert events.decode(newer) == example(Step)
    assert events.decode('{"event": "composed", "step": 3}') is None
    assert events.decode('{"event": "step"}') is None
    for line in ("", "[]", "3", '"step"', '{"step": 3', "{}"):
        assert events.decode(line) is None


def test_infinity_and_nan_become_none() -> None:
    assert events.finite_or_none(float("nan")) is None
    assert events.finite_or_none(float("-inf")) is None
    assert events.finite_or_none(0.5) == 0.5
    with pytest.raises(ValueError, match="JSON"):
        events.encode(dataclasses.replace(example(Evaluated), loss=float("nan")))
