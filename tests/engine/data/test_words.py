"""The words of texts and of the training songs of a corpus."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import DataConfig
from engine.data import words
from engine.data.corpus import Corpus, prepare_corpus
from engine.data.words import FILE, find_words, is_letter, lower, training_words

ROWS = [
    "A,One,train,Oh don't go. Don't GO!",
    "A,Two,,Río ’n’ roll 24 ½ ρόδι",
    "B,Three,valid,quite another song",
    "B,Four,test,and one more song",
]


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    source = tmp_path / "songs.csv"
    source.write_text("\n".join(["artist,song,split,text", *ROWS]) + "\n", encoding="utf-8")
    return prepare_corpus(DataConfig(source=str(source), min_count=1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Don't go-go, 'tis o' me's'", ["Don't", "go", "go", "tis", "o'", "me's'"]),
        ("rock’n’roll ’n’", ["rock’n’roll", "n’"]),
        ("2nd of_it x2y", ["nd", "of", "it", "x", "y"]),
        ("¿Río? ρόδι ЁЖ שיר 사랑", ["Río", "ρόδι", "ЁЖ", "שיר", "사랑"]),
        ("愛の歌 love歌 เพลง", ["love"]),  # without blanks between words
        ("H₂O ½", ["H₂O", "½"]),
    ],
)
def test_words_are_runs_of_letters_and_apostrophes(text: str, expected: list[str]) -> None:
    assert find_words(text) == expected


@given(st.characters())
def test_a_word_can_begin_with_letters_only(character: str) -> None:
    assert find_words(character) == ([character] if is_letter(character) else [])


@given(st.text("ΣσςaİÉ'’я"), st.text("ΣσςaİÉ'’я"))
def test_the_beginning_of_a_word_in_lower_case_begins_the_word(first: str, rest: str) -> None:
    assert lower(first + rest) == lower(first) + lower(rest)


@given(st.text())
def test_lower_case_has_as_many_characters(text: str) -> None:
    assert len(lower(text)) == len(text)


def test_lower_case_of_some_scripts() -> None:
    assert [lower(word) for word in ("Why", "ÉTÉ", "ЁЖ", "ΟΔΟΣ", "歌", "İZMİR")] == [
        "why", "été", "ёж", "οδοσ", "歌", "izmir",
    ]  # fmt: skip


def test_the_words_of_training_songs_are_listed_once(corpus: Corpus) -> None:
    assert training_words(corpus) == [
        "don't", "go", "n’", "oh", "roll", "río", "½", "ρόδι",
    ]  # fmt: skip


def test_they_are_kept_in_the_folder_of_the_corpus(corpus: Corpus) -> None:
    found = training_words(corpus)
    file = corpus.path / FILE
    assert file.read_text(encoding="utf-8").split() == found
    file.write_text("other\nwords", encoding="utf-8")
    assert training_words(corpus) == ["other", "words"]
    file.write_bytes(b"\xff")
    assert training_words(corpus) == found


def test_a_folder_that_cannot_be_written_to_is_no_problem(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(words, "write_atomic", fail)
    assert "don't" in training_words(corpus)
    assert not (corpus.path / FILE).exists()


@pytest.mark.parametrize(("rare", "expected"), [(46, {"don't", "go"}), (20, set()), (47, 8)])
def test_words_that_are_rare_in_a_large_corpus_are_left_out(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch, rare: int, expected: set[str] | int
) -> None:
    """The training songs have 46 characters; "don't" and "go" occur twice."""
    assert corpus.meta["splits"]["train"]["frames"] == 46
    monkeypatch.setattr(words, "RARE", rare)
    found = training_words(corpus)
    assert (set(found) if isinstance(expected, set) else len(found)) == expected


def test_a_corpus_of_music_has_none(music_corpus: Corpus) -> None:
    assert training_words(music_corpus) == []
    assert not (music_corpus.path / FILE).exists()


@pytest.fixture
def music_corpus(corpus: Corpus) -> Corpus:
    codec = {"kind": "keys", "planes": 1, "frame": 0.3, "beats": None, "tempo": 120.0}
    codec["metre"] = [4, 4]
    return dataclasses.replace(corpus, meta={**corpus.meta, "codec": codec})
