"""Scores of a saved model, on the songs of its own corpus or on others."""

import contextlib
import dataclasses

from engine.config import Kind
from engine.data import datasets
from engine.data.codecs import KeysCodec
from engine.data.corpus import Corpus, prepare_corpus
from engine.data.near_duplicates import near_duplicates
from engine.errors import InputError
from engine.frame_spec import FrameSpec
from engine.inference.models import Model, read_tensors
from engine.inference.network import NgramStepper
from engine.train import evaluate
from engine.train.evaluate import Score, SongScores


def score_model(
    model: Model, source: str = "", split: str | None = None, dynamic: bool = False
) -> Score:
    """Score a model on a split ("train", "valid" or "test") of the songs of `source`.

    source: a data set or a path; "" for the source of the model's own corpus. Songs of another
    source are split with the model's seed and fractions. split: None for the test songs; of another
    source these are the songs that it holds out itself, or else all its songs. Characters that the
    model does not have are read as unknown ones, songs of artists that it does not have as songs
    without an artist. dynamic: dynamic evaluation, which trains a network on each song while it is
    scored.

    For held-out music the score also has the loss without near-duplicates of training songs, if the
    model's training songs can still be read. Raises InputError when there are no songs to score, or
    for dynamic evaluation of an n-gram model.
    """
    # The weights are read first: while the corpus is prepared, a run may replace this checkpoint.
    tensors = read_tensors(model.path) if model.path else {}
    corpus, chosen = _load_songs(model, source, split)
    name = "all" if split is None and chosen == "train" else chosen
    if isinstance(model.stepper, NgramStepper):
        if dynamic:
            raise InputError(
                f"{model.name} is an n-gram model ({model.config.words}), and dynamic evaluation "
                "needs a network: leave --dynamic out."
            )
        score = evaluate.score_ngram(model.stepper.model, corpus, chosen)
        return dataclasses.replace(score, split=name)
    import torch

    from engine.model.network import Network
    from engine.train.device import default_threads

    torch.set_num_threads(default_threads())
    spec: FrameSpec = model.codec.spec
    network = Network(model.config, spec, len(model.conditions))
    network.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()})
    if dynamic:
        from engine.train import dynamic_evaluation

        songs = dynamic_evaluation.score_songs(network, corpus, chosen)
    else:
        songs = evaluate.score_songs(network, corpus, chosen)
    score = songs.score()
    if model.kind == "music" and name != "train":
        score = _score_with_near_copies(songs, corpus, chosen, model)
    return dataclasses.replace(score, split=name)


def _score_with_near_copies(songs: SongScores, corpus: Corpus, split: str, model: Model) -> Score:
    score = songs.score()
    try:
        training_corpus = prepare_corpus(model.meta.data, kind="music")
    except InputError:  # the training songs no longer exist
        return score
    if training_corpus.hash != model.meta.corpus_hash:
        return score
    copies = near_duplicates(
        corpus, corpus.select(split), training_corpus, training_corpus.select("train")
    )
    others = songs.without(copies)
    loss = others.score().loss if len(others.frames) else None
    return dataclasses.replace(score, loss_without_copies=loss, near_copies=int(copies.sum()))


def _load_songs(model: Model, source: str, split: str | None) -> tuple[Corpus, str]:
    """Return the songs, with the model's codec and artists, and the split to score.

    The arguments are those of `score_model`.
    """
    kind, own = model.kind, model.meta.data
    if not (source or own.source):
        raise InputError(
            f"{model.name} does not record its training songs: name a data set or a path by --data."
        )
    config = own
    if source and not _same_source(source, own.source, kind):
        # The model's settings for frames and a split, but all artists and characters.
        config = dataclasses.replace(own, artists=(), min_songs=1, min_count=1)
        if isinstance(model.codec, KeysCodec):
            seconds, beats = model.codec.frame or 0.0, model.codec.beats or 0.0
            config = dataclasses.replace(config, frame_seconds=seconds, frame_beats=beats)
        if split is None:
            config = dataclasses.replace(config, valid_fraction=0.0, test_fraction=0.0)
    corpus = prepare_corpus(dataclasses.replace(config, source=source or own.source), kind=kind)
    if not source:
        corpus.require_hash(
            model.meta.corpus_hash,
            f"{model.name} was trained on them, and so have the splits: to score it on the present "
            f"songs, use --data {own.source}.",
        )
    if split is None:
        held_out = "test", "valid", "train"
        others = config is not own
        split = next(name for name in held_out if len(corpus.select(name))) if others else "test"
    return corpus.translated(model.codec, list(model.conditions)), split


def _same_source(source: str, own: str, kind: Kind) -> bool:
    """Return whether `source` is `own`, the model's own source, which may no longer exist."""
    path = datasets.resolve(source, kind).resolve()
    with contextlib.suppress(InputError):
        return path == datasets.resolve(own, kind).resolve()
    return False
