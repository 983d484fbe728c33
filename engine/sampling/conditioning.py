"""The artist style of a song: one artist, a mix of several, or no artist."""

import math
import re
from collections.abc import Mapping

import numpy as np

from engine.errors import InputError
from engine.inference.cells import Array
from engine.inference.models import Model
from engine.suggestions import did_you_mean, join_or, normalize

_PART = re.compile(r"(.+?)\s*=\s*([^=,]+)(?:,\s*|$)")  # a name may contain commas
_EXAMPLE = "write it as ABBA=0.7,Eminem=0.3"


def parse_mix(text: str) -> dict[str, float]:
    """Parse a mix such as "ABBA=0.7,Eminem=0.3" into weights by artist.

    Raises InputError for a text of another form and for an artist named twice.
    """
    result: dict[str, float] = {}
    offset = 0
    while offset < len(text):
        part = _PART.match(text, offset)
        if part is None:
            raise InputError(f"The mix {text!r} is not a list of artists with weights: {_EXAMPLE}.")
        name, weight = part[1].strip(), part[2].strip()
        if name in result:
            raise InputError(f"The mix {text!r} names {name!r} twice: name each artist once.")
        try:
            result[name] = float(weight)
        except ValueError as error:
            raise InputError(
                f"The weight of {name!r} is not a number but {weight!r}: {_EXAMPLE}."
            ) from error
        offset = part.end()
    return result


def weights(model: Model, artist: str | None, mix: Mapping[str, float] | None) -> Array | None:
    """Return the weights, (A + 1,), of the rows of a model's artist table, for an artist or a mix.

    A: the model's artists; row 0 is no artist. Returns None without an artist and a mix. Raises
    InputError for artists that the model does not have, for an artist together with a mix, and for
    a mix that does not sum to 1.
    """
    if mix is None:
        if artist is None:
            return None
        mix = {artist: 1.0}
    elif artist is not None:
        raise InputError("An artist and a mix exclude each other: name only one of them.")
    if not model.conditions:
        raise InputError(
            f"{model.name} has no artist styles: leave the artist out, or use another model."
        )
    if not mix:
        raise InputError(f"The mix names no artist: {_EXAMPLE}.")
    result = np.zeros(len(model.conditions) + 1, np.float32)
    for name, weight in mix.items():
        index = 1 + _find_artist(model, name)
        if not 0 <= weight <= 1:  # nor NaN
            raise InputError(
                f"The weight of {name!r} in the mix must be a number from 0 to 1, not {weight}."
            )
        if result[index]:
            raise InputError(f"The mix names {name!r} twice: name each artist once.")
        result[index] = weight
    total = math.fsum(mix.values())
    if abs(total - 1) > 1e-3:
        raise InputError(f"The mix's weights sum to {total:g}: make them sum to 1.")
    return result


def _find_artist(model: Model, artist: str) -> int:
    """Return an artist's index in `model.conditions`; case and spacing do not matter."""
    for index, name in enumerate(model.conditions):
        if normalize(name) == normalize(artist):
            return index
    some = f"it has {len(model.conditions)}, for example {join_or(model.conditions[:3])}."
    hint = did_you_mean(artist, model.conditions, some)
    raise InputError(f"{model.name} has no artist {artist!r}: {hint}")
