"""What may stand in the fields of the Lyrics page, and what it means."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.errors import InputError

HOTTEST = 2.0  # as far as the − and + keys go; more can be typed
MOST = 10  # of guidance, and of the penalty on repetition
MOST_LINE = 200  # characters at which a line ends with its word
MOST_SONGS = 16  # side by side
_STEP = 0.1
_MARGIN = 1e-3  # that the weights of a mix may be off


def _number(text: str) -> float:
    """The number, or NaN, which is in no range, where the text is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _whole(text: str) -> int:
    """The whole number, or -1, which is in no range, where the text is none."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else -1


def temperature(text: str) -> float:
    """0 or more, or `inf`; blank is 0.7."""
    value = _number(text) if text else 0.7
    if not value >= 0:  # not >=: NaN is refused too
        raise InputError(f"Temperature is {text!r}: give 0 or more, or inf.")
    return value


def top_k(text: str) -> int:
    """How many of the likeliest characters are kept; blank or 0 is all."""
    value = _whole(text) if text else 0
    if value < 0:
        raise InputError(
            f"Top-k is {text!r}: give a whole number from 1, or leave it blank for all."
        )
    return value


def top_p(text: str) -> float:
    """How much probability the characters kept share; blank or 1 is all."""
    value = _number(text) if text else 1.0
    if not 0 < value <= 1:
        raise InputError(
            f"Top-p is {text!r}: give a number above 0 and up to 1, or leave it blank."
        )
    return value


def min_p(text: str) -> float:
    """The least probability of a character kept, as a share of the likeliest's; blank is 0."""
    value = _number(text) if text else 0.0
    if not 0 <= value <= 1:
        raise InputError(f"Min-p is {text!r}: give a number from 0 to 1, or leave it blank.")
    return value


def guidance(text: str) -> float:
    """How far the artist is followed: 0 not at all, blank is 1, more exaggerates."""
    value = _number(text) if text else 1.0
    if not 0 <= value <= MOST:
        raise InputError(
            f"Guidance is {text!r}: give a number from 0 to {MOST}, or leave it blank."
        )
    return value


def repetition(text: str) -> float:
    """The penalty on saying things again; blank is 0."""
    value = _number(text) if text else 0.0
    if not 0 <= value <= MOST:
        raise InputError(
            f"Repetition is {text!r}: give a number from 0 to {MOST}, or leave it blank."
        )
    return value


def memory(text: str) -> float:
    """How far the model's memory of the song is believed, 0 to 1; blank is 1."""
    value = _number(text) if text else 1.0
    if not 0 <= value <= 1:
        raise InputError(f"Memory is {text!r}: give a number from 0 to 1, or leave it blank.")
    return value


def line(text: str) -> int:
    """At how many characters a line ends with its word; blank or 0 leaves lines as they come."""
    value = _whole(text) if text else 0
    if not 0 <= value <= MOST_LINE:
        raise InputError(
            f"Line is {text!r}: give a whole number of characters up to {MOST_LINE}, or leave it "
            "blank."
        )
    return value


def count(text: str) -> int:
    """How many songs are written side by side; blank is one."""
    value = _whole(text) if text else 1
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
        if not 0 <= _number(weight) <= 1:
            raise InputError(f"A weight of the mix is {weight!r}: give each one from 0 to 1.")
    total = math.fsum(map(float, weights))
    if abs(total - 1) > _MARGIN:
        raise InputError(f"The weights of the mix sum to {total:g}: make them sum to 1.")


def length(text: str) -> int | None:
    """How many characters; blank is until the song ends."""
    if not text:
        return None
    value = _whole(text)
    if value < 1:
        raise InputError(
            f"Length is {text!r}: give a whole number of characters from 1, or leave it blank."
        )
    return value


def seed(text: str) -> int | None:
    """Where chance begins; blank is a new place each time."""
    if not text:
        return None
    value = _whole(text)
    if value < 0:
        raise InputError(
            f"Seed is {text!r}: give a whole number from 0, or leave it blank for a new one."
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


def step_temperature(text: str, steps: int) -> str:
    """The temperature a number of tenths away, between 0 and HOTTEST; a bad text starts at 0.7."""
    try:
        value = min(temperature(text), HOTTEST)
    except InputError:
        value = 0.7
    tenths = value / _STEP
    # A typed 0.75 goes to its neighbours 0.7 and 0.8. The margin is for 0.7 / 0.1 = 6.999….
    place = math.floor(tenths + 1e-6) if steps > 0 else math.ceil(tenths - 1e-6)
    return f"{min(max((place + steps) * _STEP, 0.0), HOTTEST):.1f}"


def file_name(prime: str, artist: str | None, seed: int | None) -> str:
    """A name for a song's file: `<prime>-<artist>-<seed>.txt`, of letters, digits and dashes."""
    parts = [prime, artist or "anyone", "" if seed is None else str(seed)]
    plain = [re.sub(r"[^\w]+", "-", part).encode()[:40].decode(errors="ignore") for part in parts]
    return "-".join(part.strip("-_") for part in plain if part.strip("-_")) + ".txt"


def file_path(name: str, folder: Path) -> Path:
    """The file a typed name means: `~` is known, and what is not absolute is in `folder`.

    Raises InputError where no file can be there.
    """
    if not name.strip():
        raise InputError("The file has no name: type one.")
    if not name.isprintable():
        raise InputError(f"{name!r} has characters that no file's name should: leave them out.")
    try:
        path = folder / Path(name.strip()).expanduser()
        if path.is_dir():
            raise InputError(f"{name} is a folder: add a file's name to it.")
        if not path.parent.is_dir():
            raise InputError(f"There is no folder {path.parent}: name one that exists.")
    except (OSError, RuntimeError) as error:  # too long, or of a user there is not
        raise InputError(f"{name!r} cannot be a file's name: type another.") from error
    return path
