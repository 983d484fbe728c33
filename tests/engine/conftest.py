"""Small models to sample from, with random weights or counts of made-up songs."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from engine.config import DataConfig, ModelConfig
from engine.data.codecs import END, CharacterCodec, KeysCodec
from engine.data.corpus import prepare_corpus
from engine.inference import models, network
from engine.inference.models import Model
from engine.model import ngram

CODEC = CharacterCodec("\n ,.abcdefghijé")
ARTISTS = ["Ada Löwe", "The Plain Notes", "Zed"]
SONGS = ["a bad cab,\na bag.", "dead bee,\nfed a fig.", "high jade, i gad é."]

Tensors = dict[str, NDArray[Any]]


def _describe(config: ModelConfig) -> dict[str, Any]:
    return {
        "format": models.FORMAT,
        "kind": "lyrics",
        "model": dataclasses.asdict(config),
        "codec": CODEC.to_json(),
        "conditions": ARTISTS,
        "data": {},
        "scores": {},
    }


def _tensors(config: ModelConfig, seed: int) -> Tensors:
    if config.kind != "network":
        songs = [np.append(CODEC.encode(text), END) for text in SONGS]
        return ngram.fit(songs, CODEC.spec.size, config).tensors()
    rng = np.random.default_rng(seed)
    shapes = network.tensor_shapes(config, CODEC.spec, len(ARTISTS) if config.condition_size else 0)
    tensors: Tensors = {
        name: (rng.standard_normal(shape) * 0.7).astype(np.float32)
        for name, shape in shapes.items()
    }
    if config.condition_size:
        tensors["condition.weight"][0] = 0
    return tensors


def _small(settings: dict[str, Any]) -> ModelConfig:
    return ModelConfig(**{"hidden_size": 12, "embedding_size": 6, "condition_size": 5, **settings})


@pytest.fixture
def make() -> Callable[..., tuple[dict[str, Any], Tensors]]:
    """make(seed=0, cell="gru", …) gives the meta.json and the tensors of a model."""

    def make(seed: int = 0, **settings: Any) -> tuple[dict[str, Any], Tensors]:
        config = _small(settings)
        return _describe(config), _tensors(config, seed)

    return make


@pytest.fixture
def build(make: Callable[..., tuple[dict[str, Any], Tensors]]) -> Callable[..., Model]:
    """build(seed=0, kind="markov", …) gives a model in memory."""
    return lambda **settings: models.from_tensors(*make(**settings))


@pytest.fixture
def write(make: Callable[..., tuple[dict[str, Any], Tensors]]) -> Callable[..., Path]:
    """write(folder, seed=0, …) writes a model, and gives the folder."""

    def write(folder: Path, **settings: Any) -> Path:
        meta, tensors = make(**settings)
        folder.mkdir(parents=True, exist_ok=True)
        save_file(tensors, folder / "model.safetensors")
        (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
        return folder

    return write


@pytest.fixture
def write_music() -> Callable[..., Path]:
    """write_music(folder, planes=1, beats=None, …) writes a model of music; gives the folder."""

    def write(folder: Path, planes: int = 1, beats: float | None = None, **settings: Any) -> Path:
        config = ModelConfig(
            head="joint", layers=1, condition_size=0, hidden_size=8, embedding_size=5, **settings
        )
        codec = KeysCodec(planes, None if beats else 0.3, beats, 100.0)
        rng = np.random.default_rng(3)
        tensors = {
            name: (rng.standard_normal(shape) * 0.25).astype(np.float32)
            for name, shape in network.tensor_shapes(config, codec.spec, 0).items()
        }
        meta = {**_describe(config), "kind": "music", "codec": codec.to_json(), "conditions": []}
        folder.mkdir(parents=True, exist_ok=True)
        save_file(tensors, folder / "model.safetensors")
        (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
        return folder

    return write


@pytest.fixture
def learnt(tmp_path: Path) -> Callable[..., Path]:
    """learnt(match_memory=True, …) writes a model of some prepared songs by two singers."""
    chance = np.random.default_rng(5)
    words = ["a", "bad", "cab", "fed", "high", "jade", "on", "the", "ice,", "be", "it", "dead"]
    lines = ["artist,song,text"]
    for number in range(40):
        text = "\n".join(" ".join(chance.choice(words, 5)) for _ in range(chance.integers(2, 9)))
        lines.append(f'{"Ada Löwe" if number % 3 else "Zed"},Song {number},"{text}"')
    source = tmp_path / "songs.csv"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def write(folder: str = "learnt", seed: int = 0, **settings: Any) -> Path:
        config, data = (
            _small(settings),
            DataConfig(source=str(source), valid_fraction=0.2, test_fraction=0.1),
        )
        corpus = prepare_corpus(data)
        spec, artists = corpus.codec.spec, corpus.conditions
        if config.kind == "network":
            rng = np.random.default_rng(seed)
            shapes = network.tensor_shapes(
                config, spec, len(artists) if config.condition_size else 0
            )
            tensors: Tensors = {
                name: (rng.standard_normal(shape) * 0.5).astype(np.float32)
                for name, shape in shapes.items()
            }
        else:
            songs = [corpus.song(row) for row in corpus.select("train")]
            tensors = ngram.fit(songs, spec.size, config).tensors()
        meta = {
            **_describe(config),
            "codec": corpus.codec.to_json(),
            "conditions": artists,
            "data": dataclasses.asdict(data),
            "corpus": {"name": corpus.name, "hash": corpus.hash},
            "scores": {"valid": {"loss": 1.0, "bits": 1.5}},
        }
        path = tmp_path / folder
        path.mkdir()
        save_file(tensors, path / "model.safetensors")
        (path / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
        return path

    return write


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for every test of the engine."""
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
