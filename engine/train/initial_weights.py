"""Start a run from the weights of a trained model, to train it further on other songs.

Weights that belong to one character or artist are copied to the same character or artist of the new
songs. Characters and artists that the model does not have keep their random initial weights.
"""

import numpy as np
import numpy.typing as npt
import torch

from engine.config import ModelConfig, RunConfig
from engine.data.codecs import MARKS, UNKNOWN, CharacterCodec, Codec, index_table
from engine.data.corpus import Corpus
from engine.inference import models
from engine.inference.models import read_tensors
from engine.train import initial_model
from engine.train.state import TrainState

_ROW_PER_CHARACTER = ("head.embedding", "head.weight", "head.bias")  # tensors (V, …)
Indices = npt.NDArray[np.int64]


def load_weights(training: TrainState, config: RunConfig, corpus: Corpus) -> None:
    """Load the weights of the model `train.init_from` into the network and its moving average.

    Raises InputError when there is no such model, and as `initial_model.check_compatible` does.
    """
    model = models.load(config.train.init_from)
    initial_model.check_compatible(model, config, corpus)
    assert model.path
    network = training.network
    weights = network.state_dict()
    for name, values in read_tensors(model.path).items():
        if name not in weights:  # of a match memory that the run does without
            continue
        tensor = torch.from_numpy(values).to(weights[name])
        if name == "cells.0.input":
            tensor = tensor[
                _input_rows(model.config, config.model, len(tensor), len(weights[name]))
            ]
        if name == "condition.weight":
            old, new = _common_artists(list(model.conditions), corpus.conditions)
            weights[name][new] = tensor[old]
        elif name in _ROW_PER_CHARACTER and isinstance(corpus.codec, CharacterCodec):
            old, new = _common_characters(model.codec, corpus.codec)
            weights[name][new] = tensor[old]
        else:
            weights[name].copy_(tensor)
    training.ema.load_state_dict(weights)


def _input_rows(old: ModelConfig, new: ModelConfig, rows: int, wanted: int) -> list[int]:
    """Return the rows of the first layer's input weights that a run uses, of `rows`.

    Those of the matched frame and the match kind are left out if the run has no match memory; they
    follow those of the frame before.
    """
    if old.match_memory == new.match_memory:
        return list(range(rows))
    frame = new.embedding_size
    return [*range(frame), *range(rows - (wanted - frame), rows)]


def _common_characters(old: Codec, new: CharacterCodec) -> tuple[Indices, Indices]:
    """Return the indices of the characters that both codecs have: in `old`, and in `new`."""
    assert isinstance(old, CharacterCodec)
    table = index_table(old, new)
    known = np.flatnonzero((table != UNKNOWN) | (np.arange(len(table)) < MARKS))
    return known, table[known]


def _common_artists(old: list[str], new: list[str]) -> tuple[Indices, Indices]:
    """Return the condition numbers of the artists that both lists have: in `old`, and in `new`.

    A condition number is 1 + the artist's index; 0 is no artist.
    """
    pairs = [(1 + index, 1 + new.index(name)) for index, name in enumerate(old) if name in new]
    table = np.array(pairs, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]
