"""What may stand in the fields of the Lyrics page, and what it means."""

import math
import re
from collections.abc import Callable
from typing import Any

from engine.errors import InputError
from tui.widgets.fields import parse_number, parse_whole, seed, temperature

MOST = 10  # of guidance, and of the penalty on repetition
MOST_LINE = 200  # characters at which a line ends with its word
MOST_SONGS = 16  # side by side
_MARGIN = 1e-3  # that the weights of a mix may be off


def top_k(text: str) -> int:
    """How many of the likeliest characters are kept; blank or 0 is all."""
    value = parse_whole(text) if text else 0
    if value < 0:
        raise InputError(
            f"Top-k is {text!r}: give a whole number from 1, or leave it blank for all."
        )
    return value


def top_p(text: str) -> float:
    """How much probability the characters kept share; blank or 1 is all."""
    value = parse_number(text) if text else 1.0
    if not 0 < value <= 1:
        raise InputError(
            f"Top-p is {text!r}: give a number above 0 and up to 1, or leave it blank."
        )
    return value


def min_p(text: str) -> float:
    """The least probability of a character kept, as a share of the likeliest's; blank is 0."""
    value = parse_number(text) if text else 0.0
    if not 0 <= value <= 1:
        raise InputError(f"Min-p is {text!r}: give a number from 0 to 1, or leave it blank.")
    return value


def guidance(text: str) -> float:
    """How far the artist is followed: 0 not at all, blank is 1, more exaggerates."""
    value = parse_number(text) if text else 1.0
    if not 0 <= value <= MOST:
        raise InputError(
            f"Guidance is {text!r}: give a number from 0 to {MOST}, or leave it blank."
        )
    return value


def repetition(text: str) -> float:
    """The penalty on saying things again; blank is 0."""
    value = parse_number(text) if text else 0.0
    if not 0 <= value <= MOST:
        raise InputError(
            f"Repetition is {text!r}: give a number from 0 to {MOST}, or leave it blank."
        )
    return value


def memory(text: str) -> float:
    """How far the model's memory of the song is believed, 0 to 1; blank is 1."""
    value = parse_number(text) if text else 1.0
    if not 0 <= value <= 1:
        raise InputError(f"Memory is {text!r}: give a number from 0 to 1, or leave it blank.")
    return value


def line(text: str) -> int:
    """At how many characters a line ends with its word; blank or 0 leaves lines as they come."""
    value = parse_whole(text) if text else 0
    if not 0 <= value <= MOST_LINE:
        raise InputError(
            f"Line is {text!r}: give a whole number of characters up to {MOST_LINE}, or leave it "
            "blank."
        )
    return value


def count(text: str) -> int:
    """How many songs are written side by side; blank is one."""
    value = parse_whole(text) if text else 1
    if not 1 <= value <= MOST_SONGS:
        raise InputError(
            f"Count is {text!r}: give a whole number from 1 to {MOST_SONGS}, or leave it blank."
        )
    return value


def check_mix(text: str) -> None:
    """Refuse a mix, as "Ada=0.7, Bo=0.3", whose weights are no shares of one whole.

    Whom it names is left to the model, which knows people by other spellings too.
    """
    weights = [weight.strip() for weight in re.findall("=([^=,]*)", text)]
    for weight in weights:
        if not 0 <= parse_number(weight) <= 1:
            raise InputError(f"A weight of the mix is {weight!r}: give each one from 0 to 1.")
    total = math.fsum(map(float, weights))
    if abs(total - 1) > _MARGIN:
        raise InputError(f"The weights of the mix sum to {total:g}: make them sum to 1.")


def length(text: str) -> int | None:
    """How many characters; blank is until the song ends."""
    if not text:
        return None
    value = parse_whole(text)
    if value < 1:
        raise InputError(
            f"Length is {text!r}: give a whole number of characters from 1, or leave it blank."
        )
    return value


# The fields that hold a number, as they stand below one another: their ids are the request's.
NUMBERS: dict[str, Callable[[str], Any]] = {
    "temperature": temperature,
    "top_k": top_k,
    "top_p": top_p,
    "min_p": min_p,
    "guidance": guidance,
    "repetition": repetition,
    "memory": memory,
    "line": line,
    "length": length,
    "count": count,
    "seed": seed,
}
