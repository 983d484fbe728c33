"""What may be asked of the sampler's process, one JSON object a line."""

import contextlib
import json
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.sample.decoding import Rules
from engine.sample.models import Model
from engine.sample.rolls import RollRequest, chord, opening
from engine.sample.sampler import Request

Values = dict[str, Any]

_LYRICS = {  # the fields of a song to be written, with the type of each
    "prime": str,
    "artist": str,
    "temperature": float,
    "top_k": int,
    "top_p": float,
    "min_p": float,
    "memory": float,
    "seed": int,
    "length": int,
}
_MUSIC = {  # and those of music
    "prime": str,  # a MIDI file
    "notes": list,  # pitches, instead of it
    "temperature": float,
    "memory": float,
    "least": int,
    "seed": int,
    "length": int,
}
_NAMES = {str: "a text", float: "a number", int: "a whole number", list: "a list of pitches"}
_ALLOWED = {
    "load": {"model"},
    "sample": {"model", *_LYRICS, *_MUSIC},
    "stop": set[str](),
}


def parse(line: bytes) -> Values:
    """A request's fields; raises InputError for a line that is none."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"A request is not JSON ({error}): send one object a line.") from error
    if not isinstance(values, dict):
        raise InputError("A request is not a JSON object: send one object a line.")
    return values


def check(values: Values) -> None:
    """Refuse what the protocol does not know."""
    do = values.get("do")
    if not isinstance(do, str) or do not in _ALLOWED:
        raise InputError(f"The request asks to do {do!r}: it can be {', '.join(_ALLOWED)}.")
    for key in values:
        if key not in {"do", "id", *_ALLOWED[do]}:
            raise InputError(f"A request to {do} has no key {key!r}: leave it out.")
    if not isinstance(values.get("model"), str | None):
        raise InputError(f"model is {values['model']!r}: give its name or path.")


def _value(key: str, value: Any, wanted: type) -> Any:
    """A field's value in its type; null stays None."""
    if key == "temperature" and value == "inf":
        return float("inf")
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            return float(value)
    if value is not None and type(value) is not wanted:
        raise InputError(f"{key} is {value!r}: give {_NAMES[wanted]}.")
    return value


def _given(values: Values, fields: dict[str, type], kind: str) -> Values:
    """The fields that are given; null or a missing key means the default."""
    given = {key: value for key, value in values.items() if value is not None}
    for key in given.keys() & (_LYRICS.keys() | _MUSIC.keys()) - fields.keys():
        raise InputError(f"A request for {kind} has no key {key!r}: leave it out.")
    return {key: _value(key, given[key], fields[key]) for key in fields.keys() & given.keys()}


def lyrics(values: Values) -> Request:
    """The song that is asked for."""
    fields = _given(values, _LYRICS, "lyrics")
    names = ("temperature", "top_k", "top_p", "min_p", "memory")
    rules = Rules(**{name: fields.pop(name) for name in names if name in fields})
    return Request(**fields, rules=rules)


def music(values: Values, model: Model) -> RollRequest:
    """The music that is asked for, of a model for music."""
    fields = _given(values, _MUSIC, "music")
    path, pitches = fields.pop("prime", None), fields.pop("notes", None)
    if path is not None and pitches is not None:
        raise InputError("The request has both a prime and notes to begin with: give one of them.")
    if path is not None:
        fields["prime"] = opening(model, Path(path))
    elif pitches is not None:
        fields["prime"] = chord(model, pitches)
    return RollRequest(**fields)
