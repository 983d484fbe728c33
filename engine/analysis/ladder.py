"""The ladder: a network compared with weaker models, which all continue the same prompt.

Its steps, in ascending strength, are n-gram models of the network's training songs, from the
uniform one to order 8, and the network. Each step has its bits per character on the validation
songs; those of the network were measured in training, where it reads each song with its artist.
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

MAX_ORDER = 8  # of the n-gram models
MAX_COUNTED = 4_000_000  # training characters, since the n-grams need about 100 bytes for each


def compare(
    model: Model, request: LyricsRequest, stopped: Callable[[], bool] = lambda: False
) -> Iterator[Answer]:
    """Yield the bits per character of each step, then the characters that the steps write in turn.

    Steps are numbered from 0 (the uniform model) to the last (the network). Raises InputError for
    an invalid request, and if the model's training songs no longer exist.
    """
    start = time.perf_counter()
    lyrics.stream(model, request)  # refuses an invalid request before n-grams are counted
    corpus = models.training_corpus(model)
    codec = model.codec
    assert isinstance(codec, CharacterCodec)
    size = int(corpus.songs["length"][corpus.select("train")].sum())
    part = f"{MAX_COUNTED:,} of " if size > MAX_COUNTED else ""
    yield Progress(f"counting {part}{size:,} characters of {corpus.name}")
    steps = [_ngram_model(model, ngrams) for ngrams in _fit(corpus.path, codec)]
    for index, step in enumerate(steps):
        if not stopped():
            yield LadderStep(index, step.name, _bits(corpus.path, codec, index))
    valid = model.meta.scores.get("valid")
    yield LadderStep(len(steps), model.name, valid.bits if valid else None)
    network = lyrics.stream(model, request, stopped)
    (song,) = network.songs
    yield LyricsStarted(song.seed, network.prime)
    same = dataclasses.replace(request, seed=song.seed)
    streams = [*(lyrics.stream(step, same, stopped) for step in steps), network]
    for characters in itertools.zip_longest(*streams):
        for index, character in enumerate(characters):
            if character is not None:
                yield LadderCharacter(index, character.text)
    assert song.reason is not None
    yield LyricsDone(
        reason=song.reason,
        characters=song.characters,
        seconds=round(time.perf_counter() - start, 6),
        seed=song.seed,
    )


def _ngram_model(model: Model, ngrams: NgramModel) -> Model:
    """Return an n-gram model as a `Model` with the codec of a network."""
    meta = dataclasses.replace(model.meta, model=ngrams.config)
    return Model(ngrams.config.words, None, meta, NgramStepper(ngrams))


def _songs(path: Path, codec: CharacterCodec) -> Corpus:
    """Open a corpus encoded by a model's codec.

    The codec may differ from the corpus's own: a model trained with `train.init_from` has the codec
    of the model it was initialized from.
    """
    return Corpus.open(path).translated(codec, [])


@lru_cache(maxsize=1)
def _fit(path: Path, codec: CharacterCodec) -> list[NgramModel]:
    """Return the n-gram models of the corpus in a folder, by ascending order."""
    corpus = _songs(path, codec)
    rows = corpus.limit_rows(corpus.select("train"), MAX_COUNTED)
    return ngram.fit_all_orders(map(corpus.song, rows), codec.spec.size, MAX_ORDER)


@lru_cache(maxsize=MAX_ORDER + 2)
def _bits(path: Path, codec: CharacterCodec, index: int) -> float | None:
    """Return a step's bits per character on the validation songs; None if there are no such songs.

    path: the folder of the corpus.
    """
    ngrams, corpus = _fit(path, codec)[index], _songs(path, codec)
    nats = [ngrams.nats(corpus.song(row)) for row in corpus.select("valid")]
    frames = sum(map(len, nats))
    return sum(float(song.sum()) for song in nats) / math.log(2) / frames if frames else None
