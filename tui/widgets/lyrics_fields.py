"""What may stand in the fields of the Lyrics page, and what it means."""

from collections.abc import Callable
from typing import Any

from engine.errors import InputError
from tui.model.values import number, seed, temperature, whole


def top_k(text: str) -> int:
    """How many of the likeliest characters are kept; blank or 0 is all."""
    value = whole(text) if text else 0
    if value < 0:
        raise InputError(f"Top-k is {text!r}: give a whole number, or leave it blank for all.")
    return value


def top_p(text: str) -> float:
    """How much probability the characters kept share; blank or 1 is all."""
    value = number(text) if text else 1.0
    if not 0 < value <= 1:
        raise InputError(
            f"Top-p is {text!r}: give a number above 0 and up to 1, or leave it blank."
        )
    return value


def min_p(text: str) -> float:
    """The least probability of a character kept, as a share of the likeliest's; blank is 0."""
    value = number(text) if text else 0.0
    if not 0 <= value <= 1:
        raise InputError(f"Min-p is {text!r}: give a number from 0 to 1, or leave it blank.")
    return value


def length(text: str) -> int | None:
    """How many characters; blank is until the song ends."""
    if not text:
        return None
    value = whole(text)
    if value < 1:
        raise InputError(
            f"Length is {text!r}: give a whole number of characters, or leave it blank."
        )
    return value


# The fields that hold a number, as they stand below one another: their ids are the request's.
NUMBERS: dict[str, Callable[[str], Any]] = {
    "temperature": temperature,
    "top_k": top_k,
    "top_p": top_p,
    "min_p": min_p,
    "length": length,
    "seed": seed,
}
