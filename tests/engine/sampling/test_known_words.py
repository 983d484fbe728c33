"""Known words: which characters may follow, in several alphabets and after any prompt."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.data.codecs import MARKS
from engine.data.words import find_words, lower
from engine.inference import models
from engine.inference.models import Model
from engine.sampling.known_words import KnownWords, known_words, open_word

ALPHABETS = ["\n ,'1abAB", "\n .’абАБё", "\n!σςΣαΑ", "\n aİıé'É½", "\n a愛の사랑"]
Chance = st.integers(0, 2**32).map(np.random.default_rng)


def alphabet(characters: str) -> list[str]:
    """The text of each index of a codec: those of the marks, then the characters."""
    return ["", "", "\ufffd", *sorted(characters)]


@st.composite
def lists(draw: st.DrawFn) -> KnownWords:
    """Words in an alphabet, found in texts as those of training songs are."""
    characters = draw(st.sampled_from(ALPHABETS))
    text = draw(st.text(characters, max_size=40))
    return KnownWords(find_words(text), alphabet(characters))


def allowed(known: KnownWords, prefix: str) -> list[str]:
    """The characters that may follow a prefix; the marks are never drawn."""
    pairs = zip(known.alphabet, known.mask(prefix).tolist(), strict=True)
    return [character for character, value in list(pairs)[MARKS:] if value == 0]


@given(lists(), Chance)
def test_a_text_of_allowed_characters_has_known_words_only(
    known: KnownWords, chance: np.random.Generator
) -> None:
    text = ""
    for _ in range(30):
        following = allowed(known, open_word(text))
        assert following  # no dead end
        text += following[chance.integers(len(following))]
    *complete, last = [*find_words(text), ""] if not open_word(text) else find_words(text)
    assert set(map(lower, complete)) <= {*known.words}
    assert not last or known.begins(lower(last))


@given(lists(), st.randoms())
def test_every_known_word_can_be_written(known: KnownWords, random: Any) -> None:
    spellings: dict[str, list[str]] = {}
    for character in known.alphabet[MARKS:]:
        spellings.setdefault(lower(character), []).append(character)
    for word in known.words:
        text = ""
        for letter in word:
            spelling = random.choice(spellings[letter])
            assert spelling in allowed(known, open_word(text))
            text += spelling
        assert "\n" in allowed(known, open_word(text))
        assert text in known


@given(lists(), st.text("abAB1 ,'абσςΣα’ё", max_size=6))
@example(KnownWords(["don't"], alphabet("don't ")), "DON'")
@example(KnownWords(["don't"], alphabet("don't ")), "'tis don")
def test_the_mask_equals_its_definition(known: KnownWords, text: str) -> None:
    prefix = open_word(text)
    result = known.mask(prefix)
    assert set(result) <= {0.0, -np.inf}
    unknown = prefix and not any(word.startswith(prefix) for word in known.words)
    for character, value in zip(known.alphabet[MARKS:], result[MARKS:], strict=True):
        if unknown:  # of a prompt: the model is free to end or continue it
            expected = True
        elif open_word(prefix + character) == "":  # it ends the word, or none is begun
            expected = not prefix or prefix in known.words
        else:
            continued = lower(prefix + character)
            expected = any(word.startswith(continued) for word in known.words)
        assert (value == 0) == expected, (prefix, character)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", ""),
        ("Why", "why"),
        ("Why ", ""),
        ("go, DON'T", "don't"),
        ("don'", "don'"),
        ("said 'tis", "tis"),
        ("''", ""),
        ("line\nRÍO", "río"),
        ("x2y", "y"),
        ("ΟΔΟΣ", "οδοσ"),
        ("οδος", "οδος"),
        ("über", "über"),
    ],
)
def test_the_word_that_a_text_ends_in(text: str, word: str) -> None:
    assert open_word(text) == word


@given(st.text("ab'’Σ1 \n½"))
def test_an_open_word_is_the_last_word_found(text: str) -> None:
    word = open_word(text)
    assert word == "" or (find_words(text) and lower(find_words(text)[-1]) == word)
    assert bool(word) == bool(text and find_words(text + "z")[-1] != "z")


def test_words_that_cannot_be_spelled_are_left_out() -> None:
    known = KnownWords(["café", "cab", "CAFE", ""], alphabet("CABcabef"))
    assert known.words == ["cab", "cafe"]
    assert allowed(known, "ca") == ["B", "b", "f"]
    assert "Café" not in known


@pytest.fixture
def model(build: Callable[..., Model], tmp_path: Path) -> Model:
    return dataclasses.replace(build(), path=tmp_path)


def test_words_are_kept_with_the_model(model: Model, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("a\nbad\ncafé", encoding="utf-8")
    known = known_words(model)
    assert known
    assert known.words == ["a", "bad", "café"]
    assert known_words(model) is known  # with its masks
    file.write_text("cab", encoding="utf-8")
    os.utime(file, (1, 1))  # another version of the model
    changed = known_words(model)
    assert changed
    assert changed.words == ["cab"]


@pytest.mark.parametrize("content", [None, b"", b"\n\n", b"\xff\xfe", "жук".encode()])
def test_without_usable_words_there_is_no_list(
    model: Model, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "words.txt").write_bytes(content)
    assert known_words(model) is None


def test_a_model_in_memory_has_no_list(build: Callable[..., Model]) -> None:
    assert known_words(build()) is None


def test_the_included_model_has_its_words() -> None:
    model = models.load("lyrics")
    known = known_words(model)
    assert known
    assert {"why", "don't", "the"} <= {*known.words}
    assert list(known.words) == sorted(map(lower, known.words))
