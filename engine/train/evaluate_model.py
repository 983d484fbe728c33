"""The score of a model on disk, on its own songs or on others."""

import contextlib
import dataclasses

from engine.config import Kind
from engine.data import datasets
from engine.data.corpus import Corpus, prepare_corpus
from engine.data.near_duplicates import near_duplicates
from engine.errors import InputError
from engine.frames import FrameSpec
from engine.inference.models import Model, read_tensors
from engine.inference.network import NgramStepper
from engine.train import evaluate
from engine.train.evaluate import Score, SongScores


def score_model(model: Model, source: str, split: str, dynamic: bool = False) -> Score:
    """Score a model on a split of its own songs, or of the songs of `source` ("": its own).

    Songs of another source are split with the model's seed and fractions. Characters that the model
    does not have become unknown, and artists that it does not have become no artist. For held-out
    music the score also has the loss without near copies of the model's training songs, provided
    that these have not changed. dynamic: train a network on each song while it is scored. Raises
    InputError when there are no such songs, or for dynamic evaluation of an n-gram model.
    """
    # Read before the corpus is prepared: a run in training may delete this checkpoint meanwhile.
    tensors = read_tensors(model.path) if model.path else {}
    corpus = _load_songs(model, source)
    if isinstance(model.stepper, NgramStepper):
        if dynamic:
            raise InputError(
                f"{model.name} is an n-gram model ({model.config.words}), and dynamic evaluation "
                "needs a network: leave --dynamic out."
            )
        return evaluate.score_ngram(model.stepper.model, corpus, split)
    import torch

    from engine.model.network import Network

    spec: FrameSpec = model.codec.spec
    network = Network(model.config, spec, len(model.conditions))
    network.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()})
    if dynamic:
        from engine.train import dynamic_evaluation

        songs = dynamic_evaluation.score_songs(network, corpus, split)
    else:
        songs = evaluate.score_songs(network, corpus, split)
    if model.kind == "music" and split != "train":
        return _score_with_near_copies(songs, corpus, split, model)
    return songs.score()


def _score_with_near_copies(songs: SongScores, corpus: Corpus, split: str, model: Model) -> Score:
    score = songs.score()
    try:
        training_corpus = prepare_corpus(model.meta.data, kind="music")
    except InputError:  # its songs no longer exist
        return score
    if training_corpus.hash != model.meta.corpus_hash:
        return score
    copies = near_duplicates(
        corpus, corpus.select(split), training_corpus, training_corpus.select("train")
    )
    others = songs.without(copies)
    loss = others.score().loss if len(others.frames) else None
    return dataclasses.replace(score, loss_without_copies=loss, near_copies=int(copies.sum()))


def _load_songs(model: Model, source: str) -> Corpus:
    """Prepare the songs of `source` ("": the model's own) in the model's codec and artists."""
    kind, own = model.kind, model.meta.data
    if not (source or own.source):
        raise InputError(f"{model.name} does not name its training songs: use --data.")
    if not source or _same_source(source, own.source, kind):
        config = own
    else:  # the same splits and frames, but all artists
        config = dataclasses.replace(own, artists=(), min_songs=1, min_count=1)
    config = dataclasses.replace(config, source=source or own.source)
    corpus = prepare_corpus(config, kind=kind)
    if not source:
        corpus.require_hash(
            model.meta.corpus_hash,
            f"{model.name} was trained on them, and so have the splits: to score it on the present "
            f"songs, use --data {own.source}.",
        )
    return corpus.translated(model.codec, list(model.conditions))


def _same_source(source: str, own: str, kind: Kind) -> bool:
    """Return whether `source` is the model's own, which may no longer exist."""
    path = datasets.resolve(source, kind).resolve()
    with contextlib.suppress(InputError):
        return path == datasets.resolve(own, kind).resolve()
    return False
