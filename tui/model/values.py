"""What may be typed in the fields of several pages, and what it means."""

import math
import re
from collections.abc import Iterable
from pathlib import Path

from engine.errors import InputError

HOTTEST = 2.0  # as far as the − and + keys go; more can be typed
_STEP = 0.1


def number(text: str) -> float:
    """The number, or NaN, which is in no range, where the text is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def whole(text: str) -> int:
    """The whole number, or -1, which is in no range, where the text is none."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else -1


def temperature(text: str) -> float:
    """0 or more, or `inf`; blank is 0.7."""
    value = number(text) if text else 0.7
    if not value >= 0:  # not >=: NaN is refused too
        raise InputError(f"Temperature is {text!r}: give 0 or more, or inf.")
    return value


def seed(text: str) -> int | None:
    """Where chance begins; blank is a new place each time."""
    if not text:
        return None
    value = whole(text)
    if value < 0:
        raise InputError(f"Seed is {text!r}: give a whole number, or leave it blank for a new one.")
    return value


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


def file_name(parts: Iterable[object], suffix: str) -> str:
    """A name for a file, of letters, digits and dashes: the parts that there are, and a suffix."""
    words = (re.sub(r"[^\w]+", "-", str(part)) for part in parts if part is not None)
    plain = [word.encode()[:40].decode(errors="ignore").strip("-_") for word in words]
    return "-".join(filter(None, plain)) + suffix


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
