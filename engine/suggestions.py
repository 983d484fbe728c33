"""Names that people type: comparing their spellings, and suggesting the closest known names."""

import difflib
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from engine.errors import InputError

_BLANKS = str.maketrans(dict.fromkeys("\t\n\v\f\r\x1c\x1d\x1e\x1f", " "))


def normalize(name: str) -> str:
    """Return a name in NFC, case-folded, with runs of blanks as one space, to compare it by."""
    folded = unicodedata.normalize("NFC", name).casefold()
    if not folded.isascii():
        return " ".join(folded.split())
    # The same result for ASCII in half the time, which matters for the whole text of a song.
    folded = folded.translate(_BLANKS)
    while "  " in folded:
        folded = folded.replace("  ", " ")
    return folded.strip(" ")


def closest(name: str, names: Iterable[str], count: int = 3, cutoff: float = 0.6) -> list[str]:
    """Return up to `count` of the names whose spelling is similar to `name`, the closest first.

    cutoff: the lowest similarity, from 0 to 1, as in `difflib.get_close_matches`.
    """
    spellings = {normalize(item): item for item in sorted(names, reverse=True)}
    matches = difflib.get_close_matches(normalize(name), spellings, count, cutoff)
    return [spellings[match] for match in matches]


def join_or(names: Iterable[str]) -> str:
    """Return the names quoted and joined: 'a', 'b' or 'c'."""
    *first, last = [repr(name) for name in names]
    return f"{', '.join(first)} or {last}" if first else last


def did_you_mean(name: str, names: Iterable[str], otherwise: str, count: int = 3) -> str:
    """Return "did you mean 'a' or 'b'?" with the closest names, or `otherwise` if none is close."""
    close = closest(name, names, count)
    return f"did you mean {join_or(close)}?" if close else otherwise


def missing_path(source: Path, remedy: str) -> InputError:
    """Return the error for a path that is neither a file nor a folder.

    It suggests similar names in the same folder or, without any, the remedy.
    remedy: a clause with what to give instead, such as "give a CSV file". Raises OSError if the
    folder cannot be read.
    """
    beside = [file.name for file in source.parent.iterdir()] if source.parent.is_dir() else []
    if source.name in beside:  # a pipe, or a broken link
        return InputError(f"{source} is neither a file nor a folder: {remedy}.")
    hint = did_you_mean(source.name, beside, f"{remedy}.")
    return InputError(f"There is no file {source}: {hint}")
