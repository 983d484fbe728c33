"""What a unit of a network may keep track of: a number for each character or frame of a song."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.frames import KEYS
from engine.suggestions import normalize

Features = dict[str, NDArray[np.float64]]  # by name, (T,) each

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def text_features(text: str) -> Features:
    """The features of the T characters of a text; what is yes or no is 1 or 0.

    place in line       characters before it in its line     to line's end   those that still come
    in quotes           also over several lines, up to an empty one; so do parentheses
    in parentheses      round or square ones
    word's end          the last character of a word: what follows is neither letter nor digit
    capital, vowel      of the letters; accents do not count
    line repeated       the line stood in the song before, as in a chorus; case does not count
    place in song       from 0 to 1
    """
    lines = _LINE.findall(text)
    word = [_in_word(character) for character in text]
    follows = [*word, False][1:]
    return {
        "place in line": _array(place for line in lines for place in range(len(line))),
        "to line's end": _array(len(line) - 1 - place for line in lines
                                for place in range(len(line))),
        "in quotes": _inside(text, "“", "”", '"'),
        "in parentheses": _inside(text, "([", ")]"),
        "word's end": _array(now and not after for now, after in zip(word, follows, strict=True)),
        "capital": _array(character.isupper() for character in text),
        "vowel": _array(_base(character) in "aeiou" for character in text),
        "line repeated": _repeated(lines),
        "place in song": np.linspace(0, 1, len(text)),
    }  # fmt: skip


def _array(values: Iterable[float]) -> NDArray[np.float64]:
    return np.array(list(values), np.float64)


def _in_word(character: str) -> bool:
    return character.isalnum() or character in "'’"


def _base(character: str) -> str:
    """A letter without its case and accents."""
    return unicodedata.normalize("NFD", character)[:1].lower()


def _inside(text: str, opening: str, closing: str, both: str = "") -> NDArray[np.float64]:
    """Where marks are open; the marks themselves are inside. An empty line closes them all.

    both: a mark that opens and, when it comes again, closes.
    """
    inside, before = False, ""
    result = np.zeros(len(text))
    for place, character in enumerate(text):
        if character in opening or (character in both and not inside):
            inside = result[place] = True
            before = character
            continue
        if character == before == "\n":
            inside = False
        result[place] = inside
        if character in closing or character in both:
            inside = False
        before = character
    return result


def _repeated(lines: list[str]) -> NDArray[np.float64]:
    """Where the line has stood before; an empty one does not count."""
    seen: set[str] = set()
    result: list[float] = []
    for line in lines:
        words = normalize(line)
        result += [float(words in seen)] * len(line)
        seen |= {words} if words else set()
    return np.array(result, np.float64)


def key_features(frames: NDArray[np.uint8], bar: float, beats: int) -> Features:
    """The features of T frames of keys, (T, 88 · planes); what is yes or no is 1 or 0.

    place in bar        frames since the bar began; bars are counted from the first frame
    bar begins, beat begins
    keys sounding       how many
    highest, lowest     key, counted from the piano's lowest; in a silence those before it
    chord changes       other keys sound than in the frame before
    place in song       from 0 to 1

    bar: how many frames one has; beats: how many it is counted in.
    """
    sounding = frames[:, :KEYS] != 0
    times: NDArray[np.float64] = (
        np.arange(len(frames), dtype=np.float64) + 1e-9
    )  # so that 3 · 0.1 is in the frame of 0.3
    before = np.concatenate([np.zeros_like(sounding[:1]), sounding[:-1]])
    return {
        "place in bar": np.round(times % bar, 6),
        "bar begins": _begins(times / bar),
        "beat begins": _begins(times * beats / bar),
        "keys sounding": sounding.sum(1).astype(np.float64),
        "highest key": _held(sounding, KEYS - 1 - sounding[:, ::-1].argmax(1)),
        "lowest key": _held(sounding, sounding.argmax(1)),
        "chord changes": (sounding != before).any(1).astype(np.float64),
        "place in song": np.linspace(0, 1, len(frames)),
    }


def _begins(places: NDArray[Any]) -> NDArray[np.float64]:
    """The frames in which a whole number is reached."""
    begins: NDArray[np.float64] = (np.diff(np.floor(places), prepend=-1) > 0).astype(np.float64)
    return begins


def _held(sounding: NDArray[np.bool_], keys: NDArray[np.intp]) -> NDArray[np.float64]:
    """Keys (T,), in a silence the one before it, or where none was the first."""
    heard = np.flatnonzero(sounding.any(1))
    if not len(heard):
        return np.zeros(len(keys))
    last = np.searchsorted(heard, np.arange(len(keys)), side="right") - 1
    held: NDArray[np.float64] = keys[heard[np.maximum(last, 0)]].astype(np.float64)
    return held
