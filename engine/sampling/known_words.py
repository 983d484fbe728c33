"""Words of the training songs, so that a song being written has no other words.

Case does not matter. V: number of indices of the model's codec.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.data.codecs import MARKS
from engine.data.words import APOSTROPHES, FILE, is_letter, lower
from engine.inference import models
from engine.inference.models import Model


def open_word(text: str) -> str:
    """Return the word at the end of a text, in lower case, which may not be complete; or ""."""
    start = len(text)
    while start and _is_inner(text[start - 1]):
        start -= 1
    while start < len(text) and not is_letter(text[start]):  # an apostrophe does not begin a word
        start += 1
    return lower(text[start:])


def _is_inner(character: str) -> bool:
    return character in APOSTROPHES or is_letter(character)


class KnownWords:
    """A set of words with the characters that may follow each beginning of a word."""

    def __init__(self, words: Iterable[str], alphabet: Sequence[str]) -> None:
        """Set up the words; alphabet: (V,), the character of each index.

        Words that the alphabet cannot spell are left out, since no character could complete them.
        """
        letters = {*map(lower, alphabet)}
        self.words = sorted(
            {word for word in map(lower, words) if word and letters.issuperset(word)}
        )
        self.alphabet = alphabet
        self._masks: dict[str, NDArray[np.float64]] = {}

    @cached_property
    def _others(self) -> NDArray[np.bool_]:
        """Which indices are no part of a word, (V,); the marks are not."""
        inner = [index >= MARKS and _is_inner(text) for index, text in enumerate(self.alphabet)]
        return ~np.array(inner)

    def __contains__(self, word: str) -> bool:
        word = lower(word)
        place = bisect_left(self.words, word)
        return place < len(self.words) and self.words[place] == word

    def begins(self, prefix: str) -> bool:
        """Return whether a word begins with the prefix (in lower case)."""
        place = bisect_left(self.words, prefix)
        return place < len(self.words) and self.words[place].startswith(prefix)

    def mask(self, prefix: str) -> NDArray[np.float64]:
        """Return what to add to the logits after a prefix: (V,) of 0, or −inf where no word leads.

        Any character may follow a prefix with which no word begins, which a prompt may end in.
        """
        known = self._masks.get(prefix)
        if known is None:
            known = self._masks[prefix] = self._make_mask(prefix)
        return known

    def _make_mask(self, prefix: str) -> NDArray[np.float64]:
        allowed = self._others.copy()
        if prefix and not self.begins(prefix):
            allowed[:] = True
        else:
            if prefix and prefix not in self:
                allowed[:] = False
            for index in np.flatnonzero(~self._others).tolist():
                character = self.alphabet[index]
                if prefix or is_letter(character):
                    allowed[index] = self.begins(prefix + lower(character))
                else:
                    allowed[index] = True  # an apostrophe before a word
        return np.where(allowed, 0.0, -np.inf)


def known_words(model: Model) -> KnownWords | None:
    """Return the words kept with a model; None if it has no list of words, or an empty one."""
    if model.path is None:
        return None
    try:
        stamp = (model.path / FILE).stat().st_mtime_ns
        alphabet = tuple(model.codec.decode([i]) for i in range(model.codec.spec.size))
        known = _read_words(model.path / FILE, stamp, alphabet)
    except (OSError, UnicodeDecodeError):
        return None
    return known if known.words else None


@lru_cache(maxsize=2)  # the masks are expensive enough to be kept for the next song
def _read_words(path: Path, stamp: int, alphabet: tuple[str, ...]) -> KnownWords:  # noqa: ARG001
    models.verify(path)
    return KnownWords(path.read_text(encoding="utf-8").split("\n"), alphabet)
