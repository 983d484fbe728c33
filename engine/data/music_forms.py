"""The forms of music: which bars of a piece repeat an earlier one.

A form has a letter for each bar; bars with the same letter are equal. "ABAC" is a form of four
bars, the third of which repeats the first.
"""

import functools
import string
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from engine.data.codecs import KeysCodec
from engine.data.corpus import Corpus

LETTERS = string.ascii_uppercase + string.ascii_lowercase
MIN_BARS = 8
MIN_REPEATED = 0.25  # share of all bars: with fewer, the songs repeat by chance, or in other bars


def find_form(frames: NDArray[Any], bar: int) -> str:
    """Return the form of a piece (T, K) in bars of `bar` frames; "" if it needs too many letters.

    The last bar may be shorter.
    """
    letters: dict[bytes, str] = {}
    bars = [frames[start : start + bar].tobytes() for start in range(0, len(frames), bar)]
    for content in bars:
        if content not in letters:
            if len(letters) == len(LETTERS):
                return ""
            letters[content] = LETTERS[len(letters)]
    return "".join(letters[content] for content in bars)


def repeated_share(forms: Sequence[str]) -> float:
    """Return which share of the bars of all pieces repeat an earlier bar of their piece."""
    bars = sum(map(len, forms))
    return 1 - sum(len(set(form)) for form in forms) / bars if bars else 0.0


@functools.lru_cache(maxsize=1)  # asked at each checkpoint of a run
def find_forms(corpus: Corpus) -> tuple[str, ...]:
    """Return the forms of the training songs of a music corpus, sorted; a form may occur twice.

    They are the half of the songs that repeats neither most nor least: a tune that only repeats
    four bars needs better bars than a network writes. Empty if a bar is not a whole number of
    frames, or if few bars are repeated: the songs are then in other metres than the most common
    one, or their repeats are varied.
    """
    codec = corpus.codec
    assert isinstance(codec, KeysCodec)
    bar = codec.frames_per_bar(codec.metre)
    if codec.beats is None or bar != round(bar):
        return ()
    songs = (corpus.song(row) for row in corpus.select("train"))
    forms = sorted(form for song in songs if len(form := find_form(song, round(bar))) >= MIN_BARS)
    if repeated_share(forms) < MIN_REPEATED:
        return ()
    forms.sort(key=lambda form: len(set(form)) / len(form))
    quarter = len(forms) // 4
    return tuple(sorted(forms[quarter : len(forms) - quarter]))
