"""Features of a song, to compare units with: numbers for each character or frame."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.frame_spec import KEYS
from engine.suggestions import normalize

Features = dict[str, NDArray[np.float64]]  # by name, (T,) each

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def text_features(text: str) -> Features:
    """Return the features of the T characters of a text, those of yes or no as 1 or 0.

    line position       characters before it in its line
    to line end         characters after it in its line, the newline included
    in quotes           also over several lines, but not beyond an empty line
    in parentheses      round or square ones; also over several lines, as quotes
    word end            the last character of a word (letters, digits, apostrophes)
    capital, vowel      of letters, with or without an accent
    line repeated       the line occurred earlier in the song, as in a chorus; case is ignored
    song position       from 0 to 1
    """
    lines = _LINE.findall(text)
    in_word = [_is_in_word(character) for character in text]
    next_in_word = [*in_word, False][1:]
    return {
        "line position": _array(i for line in lines for i in range(len(line))),
        "to line end": _array(len(line) - 1 - i for line in lines for i in range(len(line))),
        "in quotes": _inside(text, "“", "”", '"'),
        "in parentheses": _inside(text, "([", ")]"),
        "word end": _array(a and not b for a, b in zip(in_word, next_in_word, strict=True)),
        "capital": _array(character.isupper() for character in text),
        "vowel": _array(_base_letter(character) in "aeiou" for character in text),
        "line repeated": _repeated(lines),
        "song position": np.linspace(0, 1, len(text)),
    }


def _array(values: Iterable[float]) -> NDArray[np.float64]:
    return np.array(list(values), np.float64)


def _is_in_word(character: str) -> bool:
    return character.isalnum() or character in "'’"


def _base_letter(character: str) -> str:
    """Return a letter in lower case and without accents."""
    return unicodedata.normalize("NFD", character)[:1].lower()


def _inside(text: str, opening: str, closing: str, both: str = "") -> NDArray[np.float64]:
    """Return 1 from each opening mark to the next closing one, both included, else 0: (T,).

    An empty line closes all marks. both: a mark that opens and, at its next occurrence, closes.
    """
    inside, before = False, ""
    result = np.zeros(len(text))
    for index, character in enumerate(text):
        if character in opening or (character in both and not inside):
            inside = result[index] = True
            before = character
            continue
        if character == before == "\n":
            inside = False
        result[index] = inside
        if character in closing or character in both:
            inside = False
        before = character
    return result


def _repeated(lines: list[str]) -> NDArray[np.float64]:
    """Return 1 for each character whose line has occurred before, else 0; never for empty lines."""
    previous: set[str] = set()
    result: list[float] = []
    for line in lines:
        words = normalize(line)
        result += [float(words in previous)] * len(line)
        previous |= {words} if words else set()
    return np.array(result, np.float64)


def key_features(frames: NDArray[np.uint8], bar: float, beats: int) -> Features:
    """Return the features of T frames of keys, (T, 88 · planes), those of yes or no as 1 or 0.

    bar position                frames since the bar began; the first frame begins a bar
    bar begins, beat begins     in this frame
    keys sounding               their number
    highest key, lowest key     from 0, the piano's lowest; in silence as in the last frame before
    chord changes               other keys sound than in the frame before
    song position               from 0 to 1

    bar: frames in a bar, not always a whole number; beats: beats in a bar.
    """
    sounding = frames[:, :KEYS] != 0
    # The small number offsets rounding, which could move the start of a bar by a frame.
    times: NDArray[np.float64] = np.arange(len(frames), dtype=np.float64) + 1e-9
    before = np.concatenate([np.zeros_like(sounding[:1]), sounding[:-1]])
    return {
        "bar position": np.round(times % bar, 6),
        "bar begins": _begins(times / bar),
        "beat begins": _begins(times * beats / bar),
        "keys sounding": sounding.sum(1).astype(np.float64),
        "highest key": _hold(sounding, KEYS - 1 - sounding[:, ::-1].argmax(1)),
        "lowest key": _hold(sounding, sounding.argmax(1)),
        "chord changes": (sounding != before).any(1).astype(np.float64),
        "song position": np.linspace(0, 1, len(frames)),
    }


def _begins(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Return 1 for each frame at which an ascending count reaches the next whole number, else 0."""
    begins: NDArray[np.float64] = (np.diff(np.floor(counts), prepend=-1) > 0).astype(np.float64)
    return begins


def _hold(sounding: NDArray[np.bool_], keys: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return keys (T,) in which a silence has the last key before it, or else the first key."""
    audible = np.flatnonzero(sounding.any(1))
    if not len(audible):
        return np.zeros(len(keys))
    last = np.searchsorted(audible, np.arange(len(keys)), side="right") - 1
    held: NDArray[np.float64] = keys[audible[np.maximum(last, 0)]].astype(np.float64)
    return held
