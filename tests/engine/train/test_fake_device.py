"""The training step on a device without values (`meta`), as it would run on a GPU.

Tensors of this device have shapes only. An operation fails there that needs a value from the
device, for which a GPU would have to be waited for; and here too one that mixes devices.
"""

import contextlib
import importlib
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from engine import config as configs
from engine.config import CELL_SPECS, RunConfig
from engine.data.codecs import CharacterCodec, KeysCodec
from engine.data.corpus import Corpus
from engine.data.corpus_format import SONG_DTYPE
from engine.model import cudnn
from engine.train import loop, optimizer
from engine.train.metrics import StepMeter
from engine.train.state import build_train_state

META = torch.device("meta")
SMALL = {
    "model.hidden_size": "6",
    "model.embedding_size": "4",
    "train.batch_size": "3",
    "train.bptt": "8",
}
LYRICS = {
    "model.cell": CELL_SPECS,
    "model.layers": ("1", "2"),
    "model.tied": ("true", "false"),
    "model.match_memory": ("true", "false"),
    "model.condition_size": ("3", "0"),
    "model.dropout": ("0.1", "0"),
    "model.input_dropout": ("0", "0.1"),
    "train.bptt": ("8", "0"),
    "train.checkpoint_segment": ("0", "3"),
    "train.condition_dropout": ("0.5", "0"),
    "train.grad_clip": ("1", "0"),
    "train.ema_decay": ("0.9", "0"),
}
MUSIC = {
    "model.cell": CELL_SPECS,
    "model.head": ("joint", "independent"),
    "model.match_memory": ("true", "false"),
    "model.match_recovery": ("true", "false"),
    "model.beat_position": ("true", "false"),
    "train.checkpoint_segment": ("0", "3"),
    "train.transpose": ("2", "0"),
}
# Options whose effect does not depend on others.
ALONE = {
    *("model.cell", "model.layers", "model.dropout", "model.input_dropout", "train.grad_clip"),
    *("train.ema_decay", "train.condition_dropout", "train.transpose"),
}
# Settings that change numbers only, or what is done between two steps, or that are tested elsewhere
# (precision: tests/engine/model/test_bfloat16.py, as `meta` has no autocast; deterministic and
# device: on a GPU, in tests/benchmarks).
OTHERS = {
    *("model.kind", "model.order", "model.hidden_size", "model.embedding_size"),
    *("train.steps", "train.init_from", "train.batch_size", "train.lr", "train.warmup"),
    *("train.output_scale", "train.min_lr_ratio", "train.weight_decay", "train.seed"),
    *("train.threads", "train.device", "train.precision", "train.deterministic"),
    *("train.log_every", "train.evaluate_every", "train.evaluate_frames", "train.save_every"),
    *("train.sample_every", "train.sample_primes", "train.sample_length"),
    "train.sample_temperature",
}


class OneDevice(TorchDispatchMode):
    """Fails for an operation on tensors of two devices that is not a copy."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        arguments = [item for item in tree_leaves((args, kwargs)) if isinstance(item, torch.Tensor)]
        devices = {item.device.type for item in arguments if item.dim()}
        copies = func in (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)
        assert len(devices) < 2 or copies, f"{func} mixes devices"
        return func(*args, **(kwargs or {}))


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat the device as a GPU: with cuDNN's layers and the fused optimizer, without autocast."""
    autocast, is_enabled = torch.autocast, torch.is_autocast_enabled

    def no_autocast(kind: str, *arguments: Any, **options: Any) -> Any:
        return contextlib.nullcontext() if kind == "meta" else autocast(kind, *arguments, **options)

    monkeypatch.setattr(torch, "autocast", no_autocast)
    monkeypatch.setattr(
        torch, "is_autocast_enabled", lambda kind="cpu": kind != "meta" and is_enabled(kind)
    )
    monkeypatch.setattr(loop, "precision", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(
        "engine.train.gradient_checkpointing._current_autocast", lambda _: contextlib.nullcontext()
    )
    monkeypatch.setattr(cudnn, "is_used", lambda kind, _: kind in cudnn.KERNELS)
    for name in ("adam", "adamw", "optimizer"):
        module = importlib.import_module(f"torch.optim.{name}")
        if hasattr(module, "_get_fused_kernels_supported_devices"):
            monkeypatch.setattr(module, "_get_fused_kernels_supported_devices", lambda: ["meta"])


def make_corpus(planes: int) -> Corpus:
    """Make a corpus of three songs: of lyrics for no planes of keys."""
    rng = np.random.default_rng(0)
    lengths = np.array([13, 9, 20])
    songs = np.zeros(3, SONG_DTYPE)
    songs["length"], songs["start"] = lengths, np.cumsum(lengths) - lengths
    if planes:
        codec: Any = KeysCodec(planes, 0.25, None, 120.0)
        frames = (rng.random((lengths.sum(), 88 * planes)) < 0.1).astype(np.uint8)
    else:
        codec = CharacterCodec("abcd")
        frames = rng.integers(3, codec.spec.size, lengths.sum()).astype(np.uint8)
        songs["condition"] = [0, 1, 1]
    artists = [] if planes else ["Ada"]
    meta = {"name": "made", "codec": codec.to_json(), "conditions": artists}
    return Corpus(Path("made"), meta, frames, songs)


def make_config(kind: Any, settings: Mapping[str, str]) -> RunConfig:
    values = [f"{key}={value}" for key, value in {**SMALL, **settings}.items()]
    if kind == "music":
        values.append("model.condition_size=0")
    return configs.load(kind, None, values, "made")


def check_steps(config: RunConfig, corpus: Corpus) -> None:
    """Take two steps, between which the state is carried; everything stays on the device."""
    training = build_train_state(config, corpus, META)
    training.network.train()
    meter = StepMeter(training, config.train, log=None)  # type: ignore[arg-type]
    with OneDevice():  # type: ignore[no-untyped-call]
        for _ in range(2):
            result = loop.take_step(training, config.train)
            meter.add(*result, 0.1)
    assert result.loss.device == result.grad_norm.device == META
    tensors = [tensor for layer in training.carried_state for tensor in layer]
    for parameter in training.network.parameters():
        assert parameter.grad is not None
        tensors += [parameter, parameter.grad, training.optimizer.state[parameter]["exp_avg"]]
    assert {tensor.device for tensor in tensors} == {META}
    assert not any(layer[0].requires_grad for layer in training.carried_state)


def covering(options: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield few combinations in which every value of every option occurs."""
    count = max(len(values) for values in options.values())
    for number in range(count):
        yield {key: tuple(values)[number % len(values)] for key, values in options.items()}


@pytest.mark.parametrize("settings", covering(LYRICS), ids=lambda item: item["model.cell"])
def test_a_step_on_lyrics_never_waits_for_the_device(settings: dict[str, str]) -> None:
    check_steps(make_config("lyrics", settings), make_corpus(0))


@pytest.mark.parametrize("settings", covering(MUSIC), ids=lambda item: item["model.cell"])
def test_a_step_on_music_never_waits_for_the_device(settings: dict[str, str]) -> None:
    for planes in (1, 2):
        check_steps(make_config("music", settings), make_corpus(planes))


@pytest.mark.slow
@pytest.mark.parametrize("own", [False, True], ids=["cudnn", "cells"])
@pytest.mark.parametrize("cell", CELL_SPECS)
def test_no_combination_waits_for_the_device(
    cell: str, own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if own:  # as for a cell that cuDNN does not have
        monkeypatch.setattr(cudnn, "is_used", lambda *_: False)
    for kind, options, planes in (("lyrics", LYRICS, (0,)), ("music", MUSIC, (1, 2))):
        varied = {key: tuple(values) for key, values in options.items() if key not in ALONE}
        for values in itertools.product(*varied.values()):
            settings = {"model.cell": cell, **dict(zip(varied, values, strict=True))}
            for count in planes:
                check_steps(make_config(kind, settings), make_corpus(count))


def test_every_setting_that_changes_the_step_is_covered() -> None:
    keys = {key for key in configs.settings() if not key.startswith("data.")}
    assert keys == LYRICS.keys() | MUSIC.keys() | OTHERS, "a case for it above, or a row of OTHERS"
    cases = [*covering(LYRICS), *covering(MUSIC)]
    for key in LYRICS.keys() | MUSIC.keys():
        assert len({case[key] for case in cases if key in case}) > 1, key


@pytest.mark.parametrize("wait", [torch.Tensor.item, torch.Tensor.nonzero, torch.Tensor.cpu])
def test_a_wait_for_the_device_is_noticed(wait: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    update = optimizer.update_ema

    def update_and_wait(ema: Any, network: Any, *arguments: Any) -> None:
        wait(next(network.parameters()).sum())
        update(ema, network, *arguments)

    monkeypatch.setattr(loop, "update_ema", update_and_wait)
    settings = next(covering(LYRICS))
    with pytest.raises((RuntimeError, NotImplementedError)):
        check_steps(make_config("lyrics", settings), make_corpus(0))


def test_a_tensor_of_another_device_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = torch.nn.utils.clip_grad_norm_

    def clip_with_another(parameters: Any, *arguments: Any) -> Any:
        return clip(parameters, *arguments) + torch.zeros(1)

    monkeypatch.setattr(loop, "clip_grad_norm_", clip_with_another)
    settings = next(covering(LYRICS))
    with pytest.raises((AssertionError, RuntimeError), match=r"devices|device meta"):
        check_steps(make_config("lyrics", settings), make_corpus(0))
