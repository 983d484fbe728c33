"""Copied passages, against a search for every passage in every song."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import paths
from engine.analysis import novelty
from engine.analysis.novelty import CopyDetector, Novelty
from engine.data.corpus import Corpus
from engine.data.ngram_index import open_index
from engine.errors import InputError
from engine.inference import models

Write = Callable[..., Path]


def search(text: str, songs: list[str], least: int) -> tuple[list[int], int]:
    """Return the length of the copied passage at each end of the text, and how much is copied."""
    lengths, covered = [], set()
    for end in range(1, len(text) + 1):
        length = 0
        while length < end and any(text[end - length - 1 : end] in song for song in songs):
            length += 1
        lengths.append(length if length >= least else 0)
        covered |= set(range(end - lengths[-1], end))
    return lengths, len(covered)


@pytest.fixture
def corpus(write_trained: Write) -> Corpus:
    return models.training_corpus(models.load(str(write_trained())))


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data(), st.integers(20, 30))
def test_copies_are_those_that_brute_force_finds(
    corpus: Corpus, data: st.DataObject, least: int
) -> None:
    songs = [corpus.text(row) for row in corpus.select("train")]
    pieces = []
    for _ in range(data.draw(st.integers(1, 6))):
        song = data.draw(st.sampled_from(songs))
        start = data.draw(st.integers(0, len(song)))
        pieces += [song[start : start + data.draw(st.integers(0, 60))], data.draw(st.text("ab e"))]
    text = "".join(pieces)
    detector = CopyDetector(open_index(corpus), least)
    lengths, copied = search(text, songs, least)
    assert [detector.push(character) for character in text] == lengths
    found = detector.novelty
    assert (found.characters, found.longest) == (len(text), max(lengths, default=0))
    assert found.copied == pytest.approx(copied / max(1, len(text)))


def test_the_novelty_of_several_texts() -> None:
    parts = [Novelty(100, 20, 0.5, 30, "A – x"), Novelty(300, 20, 0.1, 40, "B – y")]
    assert novelty.combine_novelty(parts) == Novelty(400, 20, 0.2, 40, "B – y")
    assert novelty.combine_novelty([Novelty(0, 20, 0.0, 0, None)]).copied == 0


def test_the_novelty_of_a_model_is_that_of_songs_it_writes(write_trained: Write) -> None:
    model = models.load(str(write_trained(kind="markov", order=8)))
    found = novelty.model_novelty(model)
    assert found.characters == novelty.SAMPLE_COUNT * novelty.SAMPLE_LENGTH
    assert found.copied > 0.1  # an n-gram model of order 8 repeats its training songs
    assert found == novelty.model_novelty(model)
    assert novelty.model_novelty(models.load(str(write_trained("network")))).copied == 0


def test_without_training_songs_the_novelty_is_unknown(
    write_trained: Write, tmp_path: Path
) -> None:
    model = models.load(str(write_trained()))
    (tmp_path / "songs.csv").unlink()
    assert novelty.model_novelty(model).characters  # the prepared corpus still exists
    shutil.rmtree(paths.corpora())
    with pytest.raises(InputError, match=r"songs\.csv"):
        novelty.model_novelty(model)
