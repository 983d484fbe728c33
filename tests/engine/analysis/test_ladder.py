"""The ladder: its rungs against the models that are counted alone."""

import dataclasses
import itertools
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import paths
from engine.analysis import ladder
from engine.config import ModelConfig
from engine.errors import InputError
from engine.inference import models
from engine.inference.models import Model
from engine.inference.network import NgramStepper
from engine.model import ngram
from engine.protocol import LadderCharacter, LyricsDone, LyricsStarted
from engine.sampling import lyrics
from engine.sampling.decoding import SamplingParams
from engine.sampling.lyrics import LyricsRequest

Learnt = Callable[..., Path]
NAMES = ["uniform", "frequencies", *(f"markov {order}" for order in range(1, 9))]


def climb(model: Model, **request: Any) -> tuple[list[Any], dict[int, str]]:
    """All answers but the characters, and what each rung wrote."""
    params = SamplingParams(temperature=request.pop("temperature", 1.0))
    others: list[Any] = []
    written = dict.fromkeys(range(11), "")
    for answer in ladder.compare(model, LyricsRequest(**request, params=params)):
        if isinstance(answer, LadderCharacter):
            written[answer.rung] += answer.text
        else:
            others.append(answer)
    return others, written


def test_every_rung_is_the_model_that_is_counted_alone(learnt: Learnt) -> None:
    model = models.load(str(learnt()))
    request: dict[str, Any] = {"prime": "a ", "seed": 3, "length": 50}
    (doing, *rungs, started, done), written = climb(model, **request, temperature=0.8)
    corpus = models.training_corpus(model)
    train = [corpus.song(row) for row in corpus.select("train")]
    valid = [corpus.song(row) for row in corpus.select("valid")]
    assert doing.doing == f"counting {sum(map(len, train)):,} characters of songs"
    assert [rung.rung for rung in rungs] == list(range(11))
    assert [rung.name for rung in rungs] == [*NAMES, model.name]
    assert rungs[-1].bits == 1.5
    assert started == LyricsStarted(3, "a ")
    assert (done.reason, done.characters, done.seed) == ("length", 50, 3)
    wanted = LyricsRequest(**request, params=SamplingParams(temperature=0.8))
    for place, name in enumerate(NAMES):
        kind, _, order = name.partition(" ")
        config = ModelConfig(kind=kind, order=int(order or 1))
        counted = ngram.fit(train, corpus.codec.spec.size, config)
        nats = np.concatenate([counted.nats(song) for song in valid])
        assert rungs[place].bits == pytest.approx(nats.mean() / math.log(2))
        meta = dataclasses.replace(model.meta, model=config)
        alone = Model(name, None, meta, NgramStepper(counted))
        assert written[place] == "".join(c.text for c in lyrics.stream(alone, wanted))
    assert written[10] == "".join(c.text for c in lyrics.stream(model, wanted))


def test_songs_are_counted_once_and_seeds_are_new(learnt: Learnt) -> None:
    model = models.load(str(learnt()))
    before = ladder._fit.cache_info().misses
    seeds = {climb(model, length=1)[0][-1].seed for _ in range(3)}
    assert len(seeds) == 3
    assert ladder._fit.cache_info().misses == before + 1


def test_a_counting_model_stands_on_top_too(learnt: Learnt) -> None:
    model = models.load(str(learnt(kind="markov", order=3)))
    _, written = climb(model, seed=1, length=40)
    assert written[10] == written[NAMES.index("markov 3")]


def test_of_many_songs_the_first_are_counted(
    learnt: Learnt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "MAX_COUNTED", 300)
    ladder._fit.cache_clear()
    model = models.load(str(learnt()))
    (doing, *_), _ = climb(model, length=1)
    assert "counting 300 of " in doing.doing
    corpus = models.training_corpus(model)
    rows = corpus.select("train")
    lengths = corpus.songs["length"][rows]
    some = [row for row, end in zip(rows, itertools.accumulate(lengths), strict=True) if end <= 300]
    alone = ngram.fit([corpus.song(row) for row in some], corpus.codec.spec.size,
                           ModelConfig(kind="frequencies"))  # fmt: skip
    counted = ladder._fit(corpus.path, corpus.codec)[1]
    np.testing.assert_array_equal(counted.levels[0].counts, alone.levels[0].counts)
    ladder._fit.cache_clear()


def test_it_stops_where_it_is(learnt: Learnt) -> None:
    model = models.load(str(learnt()))
    asked = 0

    def stopped() -> bool:
        nonlocal asked
        asked += 1
        return asked > 5

    *_, done = ladder.compare(model, LyricsRequest(length=1000), stopped)
    assert isinstance(done, LyricsDone)
    assert (done.reason, done.characters) == ("stopped", 0)


def test_without_the_songs_there_is_no_ladder(learnt: Learnt, tmp_path: Path) -> None:
    model = models.load(str(learnt()))
    (tmp_path / "songs.csv").unlink()
    assert climb(model, length=1)[0]  # the prepared corpus is enough
    shutil.rmtree(paths.corpora())
    with pytest.raises(InputError, match=r"songs\.csv"):
        climb(model, length=1)


def test_what_cannot_be_written_is_refused_before_anything_is_counted(learnt: Learnt) -> None:
    with pytest.raises(InputError, match="not trained on"):
        climb(models.load(str(learnt())), prime="€")
