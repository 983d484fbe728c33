"""In whose manner a song is written: one artist, a mix of several, or nobody in particular."""

import math
import re
from collections.abc import Mapping

import numpy as np

from engine.errors import InputError
from engine.inference.cells import Array
from engine.inference.models import Model
from engine.suggestions import closest, join_or, normalize

_PART = re.compile(r"(.+?)\s*=\s*([^=,]+)(?:,\s*|$)")  # a name may hold commas
_HOW = "write it as ABBA=0.7,Eminem=0.3"


def parse_mix(text: str) -> dict[str, float]:
    """The weights of "ABBA=0.7,Eminem=0.3" by name; raises InputError for what is no such list."""
    result: dict[str, float] = {}
    place = 0
    while place < len(text):
        part = _PART.match(text, place)
        if part is None:
            raise InputError(f"The mix {text!r} is no list of artists with their weights: {_HOW}.")
        name, weight = part[1].strip(), part[2].strip()
        if name in result:
            raise InputError(f"The mix {text!r} names {name!r} twice: name each artist once.")
        try:
            result[name] = float(weight)
        except ValueError as error:
            raise InputError(f"The weight of {name!r} is {weight!r}: {_HOW}.") from error
        place = part.end()
    return result


def weights(model: Model, artist: str | None, mix: Mapping[str, float] | None) -> Array | None:
    """The weights (A + 1,) of the model's artists; None for nobody.

    Raises InputError for artists that the model does not know, for both at once, and for a mix
    that does not sum to 1.
    """
    if mix is None:
        if artist is None:
            return None
        mix = {artist: 1.0}
    elif artist is not None:
        raise InputError("Both an artist and a mix were given: give one of them.")
    if not model.conditions:
        raise InputError(
            f"{model.name} knows no artists: leave the artist out, or use another model."
        )
    result = np.zeros(len(model.conditions) + 1, np.float32)
    for name, weight in mix.items():
        place = 1 + _place(model, name)
        if not 0 <= weight <= 1:  # nor NaN
            raise InputError(
                f"The weight of {name!r} in the mix is {weight}: give one from 0 to 1."
            )
        if result[place]:
            raise InputError(f"The mix names {name!r} twice: name each artist once.")
        result[place] = weight
    if not mix:
        raise InputError(f"The mix names nobody: {_HOW}.")
    total = math.fsum(mix.values())
    if abs(total - 1) > 1e-3:
        raise InputError(f"The mix's weights sum to {total:g}: make them sum to 1.")
    return result


def _place(model: Model, artist: str) -> int:
    for place, name in enumerate(model.conditions):
        if normalize(name) == normalize(artist):
            return place
    close = closest(artist, model.conditions)
    hint = (
        f"did you mean {join_or(close)}?"
        if close
        else f"it knows {len(model.conditions)}, as {join_or(model.conditions[:3])}."
    )
    raise InputError(f"{model.name} knows no artist {artist!r}: {hint}")
