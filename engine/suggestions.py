"""Names as people type them: matching them, and the near ones where none matches."""

import difflib
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from engine.errors import InputError

_BLANKS = str.maketrans(dict.fromkeys("\t\n\v\f\r\x1c\x1d\x1e\x1f", " "))


def normalize(name: str) -> str:
    """The form in which two spellings of a name are the same: NFC, case and blanks aside."""
    folded = unicodedata.normalize("NFC", name).casefold()
    if not folded.isascii():
        return " ".join(folded.split())
    folded = folded.translate(_BLANKS)  # the same for a song's length of ASCII, in half the time
    while "  " in folded:
        folded = folded.replace("  ", " ")
    return folded.strip(" ")


def closest(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Up to `count` of the names that are spelt nearly as `name`, the nearest first."""
    spellings = {normalize(item): item for item in sorted(names, reverse=True)}
    return [
        spellings[match] for match in difflib.get_close_matches(normalize(name), spellings, count)
    ]


def join_or(names: Iterable[str]) -> str:
    """The names quoted, as "'a', 'b' or 'c'"."""
    *first, last = [repr(name) for name in names]
    return f"{', '.join(first)} or {last}" if first else last


def missing_path(source: Path, give: str) -> InputError:
    """The error for a path that is neither a file nor a folder, with the names near it.

    give: the remedy where there are none, without its stop. Raises OSError where the folder around
    cannot be read.
    """
    beside = [file.name for file in source.parent.iterdir()] if source.parent.is_dir() else []
    if source.name in beside:  # a pipe, or a link that leads nowhere
        return InputError(f"{source} is neither a file nor a folder: {give}.")
    close = closest(source.name, beside)
    remedy = f"did you mean {join_or(close)}?" if close else f"{give}."
    return InputError(f"There is no file {source}: {remedy}")
