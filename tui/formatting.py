"""Formatting of numbers, times and losses in few cells, and of text from outside."""

import math
import unicodedata
from typing import NamedTuple

NOTHING = "–"
_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
# Marks that change the direction of the text around them, which would scramble a whole line.
_DIRECTIONS = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F}


class LossUnit(NamedTuple):
    """The unit in which losses are shown."""

    name: str  # "bits"
    words: str  # "bits per character"
    short: str  # "bits/char"
    per_nat: float  # how many of it are a nat

    def text(self, nats: float | None, digits: int = 3) -> str:
        """Return a loss, in nats per frame, with its unit, such as 1.732 bits; None: NOTHING."""
        return NOTHING if nats is None else f"{nats * self.per_nat:.{digits}f} {self.name}"


# Papers report lyrics in bits per character, and piano rolls in nats per frame.
LOSS_UNITS = {
    "lyrics": LossUnit("bits", "bits per character", "bits/char", 1 / math.log(2)),
    "music": LossUnit("nats", "nats per frame", "nats/frame", 1.0),
}


def clean(text: str) -> str:
    """Return text that is safe to print: control characters except newlines become symbols."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    result = []
    for character in text.replace("\r\n", "\n").expandtabs(4):
        code = ord(character)
        if character in "\n\u2028\u2029":
            result.append("\n")
        elif code < 0x20:
            result.append(chr(0x2400 + code))
        elif unicodedata.category(character) in {"Cc", "Cs"} or code in _DIRECTIONS:
            result.append("�")
        else:
            result.append(character)
    return "".join(result)


def short_number(value: float) -> str:
    """Return a number in at most six cells, such as 950, 12.4 k or 1.2 M."""
    for size, unit in _UNITS:
        if abs(value) >= size:
            return f"{value / size:.{0 if abs(value) >= 100 * size else 1}f} {unit}"
    return f"{value:.0f}"


def megabytes(value: float) -> str:
    """Return a size given in megabytes as text, such as 612 MB or 1.4 GB."""
    return f"{value / 1000:.1f} GB" if value >= 1000 else f"{value:.0f} MB"


def duration(seconds: float | None) -> str:
    """Return a time span in its two largest units, such as 4 min 12 s; None: NOTHING."""
    if seconds is None:
        return NOTHING
    whole = max(0, round(seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days} d {hour} h"
    if hours:
        return f"{hours} h {minute:02} min"
    return f"{minutes} min {second:02} s" if minutes else f"{second} s"


def minutes_seconds(seconds: float) -> str:
    """Return a time as minutes and seconds, such as 3:07."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def progress_bar(share: float, width: int) -> str:
    """Return a bar of `width` cells, filled by `share` (0 to 1) in steps of half a cell."""
    halves = round(min(max(share, 0.0), 1.0) * 2 * width)
    filled = "━" * (halves // 2) + ("╸" if halves % 2 else "")
    return filled + "─" * (width - len(filled))
