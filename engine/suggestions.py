"""Names as people type them: comparing spellings, and suggesting the closest where none matches."""

import difflib
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from engine.errors import InputError

_BLANKS = str.maketrans(dict.fromkeys("\t\n\v\f\r\x1c\x1d\x1e\x1f", " "))


def normalize(name: str) -> str:
    """Return a form that spellings of one name share: NFC, case folded, runs of blanks as one."""
    folded = unicodedata.normalize("NFC", name).casefold()
    if not folded.isascii():
        return " ".join(folded.split())
    # The same for ASCII in half the time, which counts for a song's whole text.
    folded = folded.translate(_BLANKS)
    while "  " in folded:
        folded = folded.replace("  ", " ")
    return folded.strip(" ")


def closest(name: str, names: Iterable[str], count: int = 3, cutoff: float = 0.6) -> list[str]:
    """Return up to `count` names spelt like `name`, the closest first.

    cutoff: the least similarity, 0 to 1, as in `difflib.get_close_matches`.
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
    """Return the error for a path that is neither a file nor a folder, with close names beside it.

    remedy: what to give instead, without a full stop. Raises OSError if the parent folder cannot be
    read.
    """
    beside = [file.name for file in source.parent.iterdir()] if source.parent.is_dir() else []
    if source.name in beside:  # a pipe, or a broken link
        return InputError(f"{source} is neither a file nor a folder: {remedy}.")
    hint = did_you_mean(source.name, beside, f"{remedy}.")
    return InputError(f"There is no file {source}: {hint}")
