"""The score of a model on the disk, on the songs it was made from or on others."""

import contextlib
import dataclasses

from engine import config as configs
from engine.config import DataConfig, Kind
from engine.data import corpus as corpora
from engine.data import datasets
from engine.data.corpus import Corpus
from engine.data.near_duplicates import near_duplicates
from engine.errors import InputError
from engine.frames import FrameSpec
from engine.inference.models import Model, read_tensors
from engine.inference.network import NgramStepper
from engine.train import evaluate
from engine.train.evaluate import Score, SongScores


def score_model(model: Model, source: str, split: str, dynamic: bool = False) -> Score:
    """Score a model on a split of its own songs, or of those of `source` ("": its own).

    Songs of another source are split by the same seed and shares; characters and artists that the
    model does not know become unknown and nobody. Of music that is not to learn from, the score
    says also what it is without near copies of the songs that the model learned from, as long as
    these have not changed. dynamic: let a network learn from each song as it goes. Raises
    InputError when there are no such songs, or a counting model is to learn.
    """
    tensors = read_tensors(model.path) if model.path else {}  # now: a run may prune its folder
    corpus = _songs(model, source)
    if isinstance(model.stepper, NgramStepper):
        if dynamic:
            raise InputError(
                f"{model.name} is {model.config.words}, and it is a network that could go on "
                "learning: leave --dynamic out."
            )
        return evaluate.score_ngram(model.stepper.model, corpus, split)
    import torch

    from engine.model.network import Network

    spec: FrameSpec = model.codec.spec
    network = Network(model.config, spec, len(model.conditions))
    network.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()})
    if dynamic:
        from engine.train import dynamic_evaluation as dynamics

        songs = dynamics.score_songs(network, corpus, split)
    else:
        songs = evaluate.score_songs(network, corpus, split)
    if model.meta["kind"] == "music" and split != "train":
        return _with_copies(songs, corpus, split, model)
    return songs.score()


def _with_copies(songs: SongScores, corpus: Corpus, split: str, model: Model) -> Score:
    whole, own = songs.score(), _own(model)
    try:
        learned = corpora.prepare_corpus(own, kind="music")
    except InputError:  # the songs are gone
        return whole
    if learned.hash != model.meta.get("corpus", {}).get("hash"):
        return whole
    copied = near_duplicates(corpus, corpus.select(split), learned, learned.select("train"))
    left = songs.without(copied)
    loss = left.score().loss if len(left.frames) else None
    return dataclasses.replace(whole, without_copies=loss, copies=int(copied.sum()))


def _songs(model: Model, source: str) -> Corpus:
    kind: Kind = model.meta["kind"]
    own = _own(model)
    if not (source or own.source):
        raise InputError(f"{model.name} does not say what it learned from: give --data.")
    if not source or _same(source, own.source, kind):
        config = own
    else:  # split and cut into frames alike, whoever the artists are
        config = dataclasses.replace(own, artists=(), min_songs=1, min_count=1)
    config = dataclasses.replace(config, source=source or own.source)
    corpus = corpora.prepare_corpus(config, kind=kind)
    learned = model.meta.get("corpus", {}).get("hash")
    if not source and learned != corpus.hash:
        raise InputError(
            f"The songs of {corpus.name} have changed since {model.name} learned from them, and "
            f"with them the splits: to score it on them as they are, give --data {own.source}."
        )
    return corpus.translated(model.codec, list(model.conditions))


def _own(model: Model) -> DataConfig:
    return configs.from_mapping({"data": model.meta.get("data", {})}, "meta.json").data


def _same(given: str, own: str, kind: Kind) -> bool:
    """Whether songs that are given are the model's own, which need not be here."""
    path = datasets.resolve(given, kind).resolve()
    with contextlib.suppress(InputError):
        return path == datasets.resolve(own, kind).resolve()
    return False
