"""How the index of training songs is written; what it finds is in tests/engine/analysis."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from engine.data import ngram_index
from engine.data.codecs import END, MARKS, CharacterCodec
from engine.data.corpus import Corpus
from engine.data.corpus_format import SONG_DTYPE
from engine.data.ngram_index import SPACING, WINDOW, open_index
from engine.data.splits import SPLITS


def corpus(path: Path, lengths: list[int]) -> Corpus:
    """Make a corpus of random characters, of which every third song is not for training."""
    codec = CharacterCodec("abcdef")
    songs = np.zeros(len(lengths), SONG_DTYPE)
    songs["length"], songs["start"] = lengths, np.cumsum([0, *lengths[:-1]])
    songs["split"] = [SPLITS.index("valid" if n % 3 == 1 else "train") for n in range(len(lengths))]
    frames = (
        np.random.default_rng(1).integers(MARKS, codec.spec.size, sum(lengths)).astype(np.uint8)
    )
    frames[np.cumsum(lengths) - 1] = END
    return Corpus(path, {"name": "made", "codec": codec.to_json(), "conditions": []}, frames, songs)


@pytest.mark.parametrize("block", [3, 1 << 16])
def test_the_buckets_have_every_window_of_the_training_songs(
    tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ngram_index, "BLOCK", block)
    made = corpus(tmp_path, [40, 3, 200, 90, 14, 1, 60])
    index = open_index(made)
    training = np.full(SPACING + len(made.frames), END, np.uint8)
    for row in made.select("train"):
        start = SPACING + int(made.songs["start"][row])
        training[start : start + int(made.songs["length"][row])] = made.song(row)
    assert np.array_equal(index.text, training)
    windows = [
        offset
        for offset in range(SPACING, len(training) - WINDOW + 1, SPACING)
        if END not in training[offset : offset + WINDOW]
    ]
    assert sorted(index.offsets.tolist()) == windows
    assert not list(tmp_path.glob("*/buckets"))
    for offset in windows:
        value = 0
        for frame in training[offset : offset + WINDOW].tolist():
            value = ngram_index.roll_hash(value, frame, 0)
        found = index.candidates(value).tolist()
        assert offset in found
        assert found == sorted(found)


def test_writing_it_takes_less_than_a_byte_of_memory_per_character(tmp_path: Path) -> None:
    made = corpus(tmp_path, [1_000_000] * 4)
    tracemalloc.start()
    open_index(made)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(made.frames)
