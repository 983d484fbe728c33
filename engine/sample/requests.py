"""What the sampler's process can be asked for: lines of JSON, checked and turned into requests."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.sample.decoding import Rules
from engine.sample.rolls import RollRequest
from engine.sample.sampler import Request

Answer = dict[str, Any]

_FIELDS: dict[str, dict[str, type]] = {  # of each request, with the type of each
    "load": {},
    "sample": {
        "prime": str,
        "artist": str,
        "temperature": float,
        "top_k": int,
        "top_p": float,
        "min_p": float,
        "memory": float,
        "seed": int,
        "length": int,
    },
    "sample_music": {
        "prime": str,  # a MIDI file's path
        "notes": list,  # pitches
        "temperature": float,
        "memory": float,
        "least": int,
        "seed": int,
        "length": int,
    },
    "stop": {},
}
_NAMES = {str: "a text", float: "a number", int: "a whole number", list: "a list of pitches"}


def parse(line: bytes) -> Answer:
    """A request's fields; raises InputError for a line that is none."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"A request is not JSON ({error}): send one object a line.") from error
    if not isinstance(values, dict):
        raise InputError("A request is not a JSON object: send one object a line.")
    return values


def check(values: Answer) -> None:
    """Refuse what the protocol does not know."""
    do = values.get("do")
    if not isinstance(do, str) or do not in _FIELDS:
        raise InputError(f"The request asks to do {do!r}: it can be {', '.join(_FIELDS)}.")
    known = {"do", "id", *_FIELDS[do], *([] if do == "stop" else ["model"])}
    for key in values:
        if key not in known:
            raise InputError(f"A request to {do} has no key {key!r}: leave it out.")
    if not isinstance(values.get("model"), str | None):
        raise InputError(f"model is {values['model']!r}: give its name or path.")


def song(values: Answer) -> Request:
    """The lyrics to write; null or a missing key means the default."""
    fields = _given(values, _FIELDS["sample"])
    names = ("temperature", "top_k", "top_p", "min_p", "memory")
    rules = Rules(**{name: fields.pop(name) for name in names if name in fields})
    return Request(**fields, rules=rules)


def music(values: Answer) -> tuple[RollRequest, Path | None, list[int] | None]:
    """The music to write, without its beginning; the MIDI file and the chord that say that."""
    fields = _given(values, _FIELDS["sample_music"])
    file, notes = fields.pop("prime", None), fields.pop("notes", None)
    if notes is not None and not all(type(pitch) is int for pitch in notes):
        raise InputError(f"notes is {notes!r:.60}: give {_NAMES[list]}.")
    return RollRequest(**fields), None if file is None else Path(file), notes


def _given(values: Answer, fields: Mapping[str, type]) -> Answer:
    """The fields that are there and not null, in their types."""
    return {key: _value(key, values[key], wanted) for key, wanted in fields.items()
            if values.get(key) is not None}  # fmt: skip


def _value(key: str, value: Any, wanted: type) -> Any:
    if key == "temperature" and value == "inf":
        return float("inf")
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            return float(value)
    if type(value) is not wanted:
        raise InputError(f"{key} is {value!r:.60}: give {_NAMES[wanted]}.")
    return value
