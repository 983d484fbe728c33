"""Beginning with the weights of a trained model instead of fresh ones, to learn other songs.

What belongs to a character or an artist goes to the same character or artist; those that the model
does not know begin fresh.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
import torch

from engine.config import ModelConfig, RunConfig
from engine.data.codecs import MARKS, UNKNOWN, CharacterCodec, Codec, index_table
from engine.data.corpus import Corpus
from engine.errors import InputError
from engine.inference import models
from engine.inference.models import Model, read_tensors
from engine.train.state import TrainState

_BY_CHARACTER = ("head.embedding", "head.weight", "head.bias")  # a row for each
_FREE = ("dropout", "input_dropout")  # may differ: they are no shapes


def load_pretrained(training: TrainState, config: RunConfig, corpus: Corpus) -> None:
    """Fill a fresh network, and its average, from the model that `train.init_from` names.

    Raises InputError where there is no such model, or where it is made otherwise.
    """
    model = models.load(config.train.init_from)
    check_pretrained(model, config, corpus)
    assert model.path
    network = training.network
    own = network.state_dict()
    for name, values in read_tensors(model.path).items():
        tensor = torch.from_numpy(values).to(own[name])
        if name == "condition.weight":
            old, new = _artists(list(model.conditions), corpus.conditions)
            own[name][new] = tensor[old]
        elif name in _BY_CHARACTER and isinstance(corpus.codec, CharacterCodec):
            old, new = _characters(model.codec, corpus.codec)
            own[name][new] = tensor[old]
        else:
            own[name].copy_(tensor)
    training.ema.load_state_dict(own)


def check_pretrained(model: Model, config: RunConfig, corpus: Corpus) -> None:
    """Raise InputError unless a run of this config over these songs can begin with the model."""
    if config.model.kind != "network" or model.config.kind != "network":
        raise InputError(
            f"train.init_from is {model.name!r}, and only networks go on learning: leave it out."
        )
    theirs, ours = _shape(model.config), _shape(config.model)
    for key, value in ours.items():
        if theirs[key] != value:
            raise InputError(
                f"train.init_from is {model.name!r}, which has model.{key} = {theirs[key]}, and "
                f"this run has {value}: make them alike, or leave train.init_from out."
            )
    fits = model.meta["kind"] == config.kind and bool(model.conditions) == bool(corpus.conditions)
    if not fits or (config.kind == "music" and model.codec != corpus.codec):
        raise InputError(
            f"train.init_from is {model.name!r}, which was not made for songs such as those of "
            f"{corpus.name}: name another model, or leave train.init_from out."
        )


def _shape(config: ModelConfig) -> dict[str, object]:
    values = dataclasses.asdict(config)
    return {key: value for key, value in values.items() if key not in _FREE}


Places = npt.NDArray[np.int64]


def _characters(old: Codec, new: CharacterCodec) -> tuple[Places, Places]:
    """The indices of the characters that both know, in the one and in the other."""
    assert isinstance(old, CharacterCodec)
    table = index_table(old, new)
    known = np.flatnonzero((table != UNKNOWN) | (np.arange(len(table)) < MARKS))
    return known, table[known]


def _artists(old: list[str], new: list[str]) -> tuple[Places, Places]:
    """The places of the artists that both know, in the one table and in the other."""
    pairs = [(1 + place, 1 + new.index(name)) for place, name in enumerate(old) if name in new]
    table = np.array(pairs, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]
