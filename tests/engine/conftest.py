"""Small models to sample from: with random weights, or n-gram models of three short songs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from engine.config import DataConfig, ModelConfig
from engine.data.codecs import END, CharacterCodec, Codec, KeysCodec
from engine.data.corpus import prepare_corpus
from engine.data.music_bounds import MusicBounds
from engine.data.music_keys import ANY_KEYS, TrainedKeys
from engine.inference import models, network
from engine.inference.models import Model, ModelMeta, ModelScore
from engine.model import ngram

CODEC = CharacterCodec("\n ,.abcdefghijé")
ARTISTS = ("Ada Löwe", "The Plain Notes", "Zed")
SONGS = ["a bad cab,\na bag.", "dead bee,\nfed a fig.", "high jade, i gad é."]

Tensors = dict[str, NDArray[Any]]
Make = Callable[..., tuple[ModelMeta, Tensors]]


def _config(settings: dict[str, Any]) -> ModelConfig:
    return ModelConfig(**{"hidden_size": 12, "embedding_size": 6, "condition_size": 5, **settings})


def _random_tensors(
    config: ModelConfig, codec: Codec, artists: int, seed: int, scale: float
) -> Tensors:
    rng = np.random.default_rng(seed)
    shapes = network.tensor_shapes(config, codec.spec, artists if config.condition_size else 0)
    return {
        name: (rng.standard_normal(shape) * scale).astype(np.float32)
        for name, shape in shapes.items()
    }


def _save(folder: Path, meta: ModelMeta, tensors: Tensors) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors")
    (folder / "meta.json").write_text(json.dumps(meta.to_json()), encoding="utf-8")
    return folder


@pytest.fixture
def make() -> Make:
    """make(seed=0, cell="gru", …) returns the meta.json and the tensors of a lyrics model."""

    def make(seed: int = 0, **settings: Any) -> tuple[ModelMeta, Tensors]:
        config = _config(settings)
        meta = ModelMeta("lyrics", config, CODEC, ARTISTS)
        if config.kind != "network":
            songs = [np.append(CODEC.encode(text), END) for text in SONGS]
            return meta, ngram.fit(songs, CODEC.spec.size, config).tensors()
        tensors = _random_tensors(config, CODEC, len(ARTISTS), seed, 0.7)
        if config.condition_size:
            tensors["condition.weight"][0] = 0
        return meta, tensors

    return make


@pytest.fixture
def build(make: Make) -> Callable[..., Model]:
    """build(seed=0, kind="markov", …) returns a lyrics model in memory."""
    return lambda **settings: models.from_tensors(*make(**settings))


@pytest.fixture
def write(make: Make) -> Callable[..., Path]:
    """write(folder, seed=0, …) writes a lyrics model and returns the folder."""
    return lambda folder, **settings: _save(folder, *make(**settings))


@pytest.fixture
def write_music() -> Callable[..., Path]:
    """write_music(folder, planes=1, beats=None, …) writes a music model and returns the folder.

    end: the log odds that a piece ends, whatever came before; None: random ones.
    """

    def write(
        folder: Path,
        planes: int = 1,
        beats: float | None = None,
        end: float | None = None,
        lengths: tuple[int, ...] = (),
        bounds: MusicBounds | None = None,
        forms: tuple[str, ...] = (),
        keys: TrainedKeys = ANY_KEYS,
        **settings: Any,
    ) -> Path:
        sizes = {"layers": 1, "condition_size": 0, "hidden_size": 8, "embedding_size": 5}
        config = ModelConfig(**{**sizes, **settings})
        codec = KeysCodec(planes, None if beats else 0.3, beats, 100.0, (3, 4))
        tensors = _random_tensors(config, codec, 0, seed=3, scale=0.25)
        if end is not None:
            tensors["head.end.weight"][:] = 0
            tensors["head.end.bias"][:] = end
        meta = ModelMeta(
            "music", config, codec, lengths=lengths, bounds=bounds, forms=forms, keys=keys
        )
        return _save(folder, meta, tensors)

    return write


@pytest.fixture
def write_trained(tmp_path: Path) -> Callable[..., Path]:
    """write_trained("folder", match_memory=True, …) writes a model of 40 songs by two artists.

    A network has random weights; an n-gram model is fitted to the songs.
    """
    chance = np.random.default_rng(5)
    words = ["a", "bad", "cab", "fed", "high", "jade", "on", "the", "ice,", "be", "it", "dead"]
    lines = ["artist,song,text"]
    for number in range(40):
        text = "\n".join(" ".join(chance.choice(words, 5)) for _ in range(chance.integers(2, 9)))
        lines.append(f'{"Ada Löwe" if number % 3 else "Zed"},Song {number},"{text}"')
    source = tmp_path / "songs.csv"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def write(folder: str = "trained", seed: int = 0, **settings: Any) -> Path:
        config = _config(settings)
        data = DataConfig(source=str(source), valid_fraction=0.2, test_fraction=0.1)
        corpus = prepare_corpus(data)
        if config.kind == "network":
            artists = len(corpus.conditions)
            tensors = _random_tensors(config, corpus.codec, artists, seed, scale=0.5)
        else:
            songs = [corpus.song(row) for row in corpus.select("train")]
            tensors = ngram.fit(songs, corpus.codec.spec.size, config).tensors()
        meta = ModelMeta(
            kind="lyrics",
            model=config,
            codec=corpus.codec,
            conditions=tuple(corpus.conditions),
            data=data,
            corpus_name=corpus.name,
            corpus_hash=corpus.hash,
            scores={"valid": ModelScore(loss=1.0, bits=1.5)},
        )
        return _save(tmp_path / folder, meta, tensors)

    return write


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own for every test of the engine."""
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
