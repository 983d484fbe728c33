"""The model from which a run starts: none, one that is named, or the included English one.

Few songs do not teach a network English. A run on fewer than `FEW_CHARACTERS` characters of lyrics
therefore starts from the model `BASE`, which has read English (`train.init_from=auto`), unless its
settings ask for a network of another shape. A run whose settings were all left at their defaults
takes those of the preset `PRESET`, which fit.
"""

import contextlib
import dataclasses
from typing import Any

from engine import config as settings
from engine.config import ModelConfig, RunConfig
from engine.data.codecs import CharacterCodec
from engine.data.corpus import Corpus
from engine.data.words import FILE, training_words
from engine.errors import InputError
from engine.inference import models
from engine.inference.models import Model
from engine.suggestions import normalize

AUTO, NONE = "auto", "none"
BASE, PRESET = "english", "own-songs"
FEW_CHARACTERS = 5_000_000
FEW_WORDS = 5_000
_MAY_DIFFER = ("dropout", "input_dropout")  # settings on which no weight depends


def starts_from_model(config: RunConfig) -> bool:
    """Return whether a resolved config names a model to start from (an unresolved "auto": none)."""
    return config.train.init_from not in ("", NONE, AUTO)


def resolve(config: RunConfig, corpus: Corpus) -> RunConfig:
    """Return the config with `train.init_from` as the path of a model, or "none".

    Raises InputError if the run cannot start from the model that is named.
    """
    name = config.train.init_from
    if name in (NONE, ""):
        return _with_init_from(config, NONE)
    if name == AUTO:
        if not _is_small(config, corpus) or BASE not in models.bundled():
            return _with_init_from(config, NONE)
        config = _with_preset(config)
        base = models.load(BASE)
        if _differences(base.config, config.model):
            return _with_init_from(config, NONE)
        name = BASE
    model = models.load(name)
    check_compatible(model, config, corpus)
    return _with_init_from(config, str(model.path))


def _with_init_from(config: RunConfig, value: str) -> RunConfig:
    return dataclasses.replace(config, train=dataclasses.replace(config.train, init_from=value))


def _is_small(config: RunConfig, corpus: Corpus) -> bool:
    characters = int(corpus.meta["splits"]["train"]["frames"])
    network = config.kind == "lyrics" and config.model.kind == "network"
    return network and bool(corpus.conditions) and characters < FEW_CHARACTERS


def _with_preset(config: RunConfig) -> RunConfig:
    """Return the config; if its model is the default one, with the settings of the preset.

    Settings of training that differ from their defaults are kept.
    """
    if config.model != ModelConfig():
        return config
    values: dict[str, Any] = settings.to_mapping(config)
    preset = settings.to_mapping(settings.load("lyrics", PRESET))
    plain = settings.to_mapping(RunConfig())
    for name, value in preset["train"].items():
        if values["train"][name] == plain["train"][name]:
            values["train"][name] = value
    return settings.from_mapping({**values, "model": preset["model"]}, PRESET)


def check_compatible(model: Model, config: RunConfig, corpus: Corpus) -> None:
    """Raise InputError unless a run with these settings and songs can start from the model."""
    if config.model.kind != "network" or model.config.kind != "network":
        raise InputError(
            f"train.init_from is {model.name!r}, but only a network can start from another model, "
            "which must be a network too: leave train.init_from out."
        )
    for key, theirs, ours in _differences(model.config, config.model):
        raise InputError(
            f"train.init_from is {model.name!r}, which has model.{key} = {theirs}, but this run "
            f"has {ours}: make them equal, or leave train.init_from out."
        )
    fits = model.kind == config.kind and bool(model.conditions) == bool(corpus.conditions)
    if not fits or (config.kind == "music" and model.codec != corpus.codec):
        raise InputError(
            f"train.init_from is {model.name!r}, which was trained on another kind of songs than "
            f"those of {corpus.name}: choose another model, or leave train.init_from out."
        )


def _differences(model: ModelConfig, run: ModelConfig) -> list[tuple[str, object, object]]:
    """Return the settings in which a run's network differs from a model that it could start from.

    Each is its key and both values. A run may do without the model's match memory.
    """
    theirs, ours = dataclasses.asdict(model), dataclasses.asdict(run)
    if model.match_memory and not run.match_memory:
        theirs.pop("match_memory")
    return [
        (key, value, ours[key])
        for key, value in theirs.items()
        if value != ours[key] and key not in _MAY_DIFFER
    ]


def sampling_words(config: RunConfig, corpus: Corpus) -> list[str]:
    """Return the words that a model of the run may write, sorted: those of its training songs.

    Few songs have too few words to write with: then also those of the model that it started from.
    """
    words = training_words(corpus)
    if len(words) >= FEW_WORDS or not starts_from_model(config):
        return words
    with contextlib.suppress(InputError, OSError, UnicodeDecodeError):  # it may be gone
        base = models.load(config.train.init_from)
        if base.path:
            words = sorted({*words, *(base.path / FILE).read_text(encoding="utf-8").split()})
    return words


def describe(model: Model, corpus: Corpus) -> str:
    """Describe what of a model is kept for a corpus, and what is new."""
    if not isinstance(model.codec, CharacterCodec) or not isinstance(corpus.codec, CharacterCodec):
        return model.name
    old, new = set(model.codec.characters), corpus.codec.characters
    unknown = [character for character in new if character not in old]
    shown = " ".join(unknown[:20]) + (" …" if len(unknown) > 20 else "")
    known = {normalize(artist) for artist in model.conditions}
    artists = sum(normalize(artist) not in known for artist in corpus.conditions)
    return (
        f"{model.name}, which has {len(new) - len(unknown)} of {len(new)} characters"
        + (f" (new: {shown})" if unknown else "")
        + (f"; {artists} new artist{'s' * (artists != 1)}" if artists else "")
    )
