"""The ladder: the same song continued by models from the simplest up, in step with each other.

Below the network stand the models that only count, from the uniform one to the Markov chain of
order 8, counted on the songs that the network learned from. Beside each stand its bits per
character on the songs held out for validation: those of a network as its training measured them,
with each song's artist told.
"""

import dataclasses
import itertools
import math
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from engine.data.codecs import CharacterCodec
from engine.data.corpus import Corpus
from engine.inference import models
from engine.inference.models import Model
from engine.inference.network import NgramStepper
from engine.model import ngram
from engine.model.ngram import NgramModel
from engine.protocol import LadderCharacter, LadderStep, LyricsDone, LyricsStarted, Progress
from engine.sampling import lyrics
from engine.sampling.lyrics import LyricsRequest

Answer = Progress | LadderStep | LyricsStarted | LadderCharacter | LyricsDone

MAX_ORDER = 8  # order of a chain
MAX_COUNTED = 4_000_000  # characters at most: a chain needs some 100 bytes for each


def compare(
    model: Model, request: LyricsRequest, stopped: Callable[[], bool] = lambda: False
) -> Iterator[Answer]:
    """Tell what is going on, each rung with its bits as soon as they are known, and what all write.

    Rungs are numbered from 0, the uniform model, to the last, the network. Raises InputError where
    the songs that the model learned from are not here, and for what cannot be written.
    """
    began = time.perf_counter()
    lyrics.stream(model, request)  # refuses what cannot be
    corpus = models.training_corpus(model)
    codec = model.codec
    assert isinstance(codec, CharacterCodec)
    size = int(corpus.songs["length"][corpus.select("train")].sum())
    part = f"{MAX_COUNTED:,} of " if size > MAX_COUNTED else ""
    yield Progress(f"counting {part}{size:,} characters of {corpus.name}")
    rungs = [_rung(model, counted) for counted in _counted(corpus.path, codec)]
    for place, rung in enumerate(rungs):
        if not stopped():
            yield LadderStep(place, rung.name, _bits(corpus.path, codec, place))
    valid = model.meta.scores.get("valid")
    yield LadderStep(len(rungs), model.name, valid and valid.bits)
    first = lyrics.stream(model, request, stopped)
    seed = first.songs[0].seed
    yield LyricsStarted(seed, first.prime)
    same = dataclasses.replace(request, seed=seed)
    streams = [*(lyrics.stream(rung, same, stopped) for rung in rungs), first]
    for turn in itertools.zip_longest(*streams):
        for place, character in enumerate(turn):
            if character is not None:
                yield LadderCharacter(place, character.text)
    song = first.songs[0]
    assert song.reason is not None
    yield LyricsDone(
        reason=song.reason,
        characters=song.characters,
        seconds=round(time.perf_counter() - began, 6),
        seed=seed,
    )


def _rung(model: Model, counted: NgramModel) -> Model:
    """A counting model that writes in the characters of a network."""
    meta = dataclasses.replace(model.meta, model=counted.config)
    return Model(counted.config.words, None, meta, NgramStepper(counted))


def _translated(path: Path, codec: CharacterCodec) -> Corpus:
    """The songs in the characters of a model that may have begun with another's."""
    return Corpus.open(path).translated(codec, [])


@lru_cache(maxsize=1)
def _counted(path: Path, codec: CharacterCodec) -> list[NgramModel]:
    """The rungs below the network, counted on the corpus there."""
    corpus = _translated(path, codec)
    rows = corpus.select("train")
    songs = (corpus.song(row) for row in corpus.limit_rows(rows, MAX_COUNTED))
    return ngram.fit_all_orders(songs, codec.spec.size, MAX_ORDER)


@lru_cache(maxsize=MAX_ORDER + 2)
def _bits(path: Path, codec: CharacterCodec, place: int) -> float | None:
    """The bits per character of a rung on the validation songs there; None without such songs."""
    counted = _counted(path, codec)[place]
    corpus = _translated(path, codec)
    nats = [counted.nats(corpus.song(row)) for row in corpus.select("valid")]
    total = sum(map(len, nats))
    return sum(map(float, (song.sum() for song in nats))) / math.log(2) / total if total else None
