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

Write = Callable[..., Path]
NAMES = ["uniform", "frequencies", *(f"markov {order}" for order in range(1, 9))]


def compare(model: Model, **request: Any) -> tuple[list[Any], dict[int, str]]:
    """Return all answers but the characters, and what each step wrote."""
    params = SamplingParams(temperature=request.pop("temperature", 1.0), raw="on")
    others: list[Any] = []
    written = dict.fromkeys(range(11), "")
    for answer in ladder.compare(model, LyricsRequest(**request, params=params)):
        if isinstance(answer, LadderCharacter):
            written[answer.rung] += answer.text
        else:
            others.append(answer)
    return others, written


def test_every_step_equals_the_model_fitted_alone(write_trained: Write) -> None:
    model = models.load(str(write_trained()))
    request: dict[str, Any] = {"prime": "a ", "seed": 3, "length": 50}
    (progress, *steps, started, done), written = compare(model, **request, temperature=0.8)
    corpus = models.training_corpus(model)
    train = [corpus.song(row) for row in corpus.select("train")]
    valid = [corpus.song(row) for row in corpus.select("valid")]
    assert progress.doing == f"counting {sum(map(len, train)):,} characters of songs"
    assert [step.rung for step in steps] == list(range(11))
    assert [step.name for step in steps] == [*NAMES, model.name]
    assert steps[-1].bits == 1.5
    assert started == LyricsStarted(3, "a ")
    assert (done.reason, done.characters, done.seed) == ("length", 50, 3)
    wanted = LyricsRequest(**request, params=SamplingParams(temperature=0.8, raw="on"))
    for index, name in enumerate(NAMES):
        kind, _, order = name.partition(" ")
        config = ModelConfig(kind=kind, order=int(order or 1))
        ngrams = ngram.fit(train, corpus.codec.spec.size, config)
        nats = np.concatenate([ngrams.nats(song) for song in valid])
        assert steps[index].bits == pytest.approx(nats.mean() / math.log(2))
        meta = dataclasses.replace(model.meta, model=config)
        alone = Model(name, None, meta, NgramStepper(ngrams))
        assert written[index] == "".join(c.text for c in lyrics.stream(alone, wanted))
    assert written[10] == "".join(c.text for c in lyrics.stream(model, wanted))


def test_songs_are_counted_once_and_each_time_has_a_new_seed(write_trained: Write) -> None:
    model = models.load(str(write_trained()))
    before = ladder._fit.cache_info().misses
    seeds = {compare(model, length=1)[0][-1].seed for _ in range(3)}
    assert len(seeds) == 3
    assert ladder._fit.cache_info().misses == before + 1


def test_the_last_step_may_be_an_ngram_model(write_trained: Write) -> None:
    model = models.load(str(write_trained(kind="markov", order=3)))
    _, written = compare(model, seed=1, length=40)
    assert written[10] == written[NAMES.index("markov 3")]


def test_of_many_songs_the_first_are_counted(
    write_trained: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "MAX_COUNTED", 300)
    ladder._fit.cache_clear()
    model = models.load(str(write_trained()))
    (progress, *_), _ = compare(model, length=1)
    assert "counting 300 of " in progress.doing
    corpus = models.training_corpus(model)
    rows = corpus.select("train")
    lengths = corpus.songs["length"][rows]
    some = [row for row, end in zip(rows, itertools.accumulate(lengths), strict=True) if end <= 300]
    alone = ngram.fit([corpus.song(row) for row in some], corpus.codec.spec.size,
                           ModelConfig(kind="frequencies"))  # fmt: skip
    fitted = ladder._fit(corpus.path, corpus.codec)[1]
    np.testing.assert_array_equal(fitted.levels[0].counts, alone.levels[0].counts)
    ladder._fit.cache_clear()


def test_it_stops_at_once(write_trained: Write) -> None:
    model = models.load(str(write_trained()))
    calls = 0

    def stopped() -> bool:
        nonlocal calls
        calls += 1
        return calls > 5

    *_, done = ladder.compare(
        model, LyricsRequest(params=SamplingParams(raw="on"), length=1000), stopped
    )
    assert isinstance(done, LyricsDone)
    assert (done.reason, done.characters) == ("stopped", 0)


def test_without_training_songs_there_is_no_ladder(write_trained: Write, tmp_path: Path) -> None:
    model = models.load(str(write_trained()))
    (tmp_path / "songs.csv").unlink()
    assert compare(model, length=1)[0]  # the prepared corpus is enough
    shutil.rmtree(paths.corpora())
    with pytest.raises(InputError, match=r"songs\.csv"):
        compare(model, length=1)


def test_an_invalid_request_is_refused_before_songs_are_counted(write_trained: Write) -> None:
    with pytest.raises(InputError, match="not trained on"):
        compare(models.load(str(write_trained())), prime="€")
