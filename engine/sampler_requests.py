"""What the sampler's process can be asked for: lines of JSON, checked and turned into requests."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.analysis.song_input import SongRequest
from engine.errors import InputError
from engine.inference import models
from engine.inference.matmul import PRECISIONS
from engine.sampling.conditioning import parse_mix
from engine.sampling.decoding import SamplingParams
from engine.sampling.lyrics import LyricsRequest
from engine.sampling.music import MusicRequest

Answer = dict[str, Any]

_RULES: dict[str, type] = {
    "temperature": float,
    "top_k": int,
    "top_p": float,
    "min_p": float,
    "memory": float,
    "guidance": float,
    "repetition": float,
    "line": int,
}
LADDER_LENGTH = 400  # characters of a rung, unless a length is given
_FIELDS: dict[str, dict[str, type]] = {  # of each request, with the type of each
    "load": {"precision": str},
    "sample": {
        "prime": str,
        "artist": str,
        "mix": str,  # artists with their weights, as "ABBA=0.7,Eminem=0.3"
        **_RULES,
        "seed": int,
        "length": int,
        "count": int,  # songs, in step with each other
        "best": int,  # of so many songs only the one that the model finds likeliest
        "bits": bool,  # tell each character's surprise
        "alternatives": int,  # tell so many for each character
        "novelty": int,  # mark stretches of so many characters that stand in the training songs
        "precision": str,
    },
    "change": _RULES,  # of the song under way
    "sample_music": {
        "prime": str,  # a MIDI file's path
        "notes": list,  # pitches
        "temperature": float,
        "memory": float,
        "least": int,
        "seed": int,
        "length": int,
    },
    "ladder": {
        "prime": str,
        "temperature": float,
        "seed": int,
        "length": int,
    },
    "map": {"artist": str},  # whose songs; null: the artists
    "similar": {"song": int, "count": int},
    "neurons": {
        "text": str,
        "path": str,  # a MIDI file's
        "artist": str,
        "song": int,  # of those held out, where neither a text nor a path is given
        "precision": str,
    },
    "unit": {"layer": int, "unit": int},  # of the song last read
    "stop": {},
}
_NAMES = {
    str: "a text",
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    list: "a list of pitches",
}
_NO_MODEL = {"stop", "change", "unit"}


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
    known = {"do", "id", *_FIELDS[do], *([] if do in _NO_MODEL else ["model"])}
    for key in values:
        if key not in known:
            raise InputError(f"A request to {do} has no key {key!r}: leave it out.")
    if not isinstance(values.get("model"), str | None):
        raise InputError(f"model is {values['model']!r}: give its name or path.")


@dataclass(frozen=True)
class Told:
    """What is to be told of a song while it is written."""

    best: bool = False  # only of the likeliest of the songs, when all are written
    bits: bool = False
    novelty: int | None = None  # the shortest stretch to be marked


def precision(values: Answer) -> str:
    """The precision that a model is to be loaded in."""
    chosen = _given(values, {"precision": str}).get("precision", models.DEFAULT_PRECISION)
    if chosen not in PRECISIONS:
        raise InputError(f"precision is {chosen!r:.60}: give {' or '.join(PRECISIONS)}.")
    return str(chosen)


def song(values: Answer) -> tuple[LyricsRequest, Told]:
    """The lyrics to write, and what to tell of them; null or a missing key means the default."""
    fields = _given(values, _FIELDS["sample"])
    fields.pop("precision", None)
    best = fields.pop("best", 1)
    if best > 1:
        if fields.get("count", 1) > 1:
            raise InputError("Both count and best were given: give one of them.")
        fields["count"] = best
    told = Told(best > 1, fields.pop("bits", False), fields.pop("novelty", None))
    if "mix" in fields:
        fields["mix"] = parse_mix(fields["mix"])
    rules = SamplingParams(**{name: fields.pop(name) for name in _RULES if name in fields})
    return LyricsRequest(**fields, params=rules), told


def change(values: Answer) -> dict[str, float]:
    """The rules to be turned."""
    return _given(values, _RULES)


def music(values: Answer) -> tuple[MusicRequest, Path | None, list[int] | None]:
    """The music to write, without its beginning; the MIDI file and the chord that say that."""
    fields = _given(values, _FIELDS["sample_music"])
    file, notes = fields.pop("prime", None), fields.pop("notes", None)
    if notes is not None and not all(type(pitch) is int for pitch in notes):
        raise InputError(f"notes is {notes!r:.60}: give {_NAMES[list]}.")
    return MusicRequest(**fields), None if file is None else Path(file), notes


def ladder(values: Answer) -> LyricsRequest:
    """What each rung of the ladder is to write."""
    fields = _given(values, _FIELDS["ladder"])
    rules = SamplingParams(temperature=fields.pop("temperature", SamplingParams.temperature))
    return LyricsRequest(**{"length": LADDER_LENGTH, **fields}, params=rules)


def map_of(values: Answer) -> str | None:
    """The artist whose songs are to be placed; None: the artists are."""
    artist: str | None = _given(values, _FIELDS["map"]).get("artist")
    return artist


def similar(values: Answer) -> tuple[int, int]:
    """The song, by its place in the corpus, whose neighbours are asked for, and how many."""
    fields = _given(values, _FIELDS["similar"])
    if "song" not in fields:
        raise InputError("No song was named to find others like: give its number.")
    return fields["song"], fields.get("count", 10)


def neurons(values: Answer) -> SongRequest:
    """The song that a network is to read."""
    fields = _given(values, _FIELDS["neurons"])
    fields.pop("precision", None)
    if "path" in fields:
        fields["file"] = Path(fields.pop("path"))
    return SongRequest(**fields)


def unit(values: Answer) -> tuple[int, int]:
    """The layer and the unit to be told."""
    fields = _given(values, _FIELDS["unit"])
    for name in _FIELDS["unit"]:
        if name not in fields:
            raise InputError(f"A request to unit needs a {name}: give its number, from 1.")
    return fields["layer"], fields["unit"]


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
