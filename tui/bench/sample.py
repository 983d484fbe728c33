"""Sampling: our precisions against the article's loop, in one thread each and in turns.

2 × LSTM 512 over 100 characters, random weights, the same for all.
"""

import dataclasses
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import torch
from safetensors.numpy import save_file

from engine.config import ModelConfig
from engine.data.codecs import CharacterCodec
from engine.inference import models, network
from engine.inference.models import Model
from engine.sampling import lyrics
from engine.sampling.decoding import SamplingParams
from engine.sampling.lyrics import LyricsRequest
from tui.bench import references
from tui.bench.measurement import Measurement

SONGS = 16  # at once
_CODEC = CharacterCodec("".join(map(chr, range(33, 130))))  # and three marks: 100
_ARTICLE = [sys.executable, "-m", "tui.bench.references"]
_OURS = [sys.executable, "-m", "tui.cli", "sample", "lyrics", "--length", "100000", "--model"]


def measure(quick: bool) -> Iterator[Measurement]:
    """Characters a second, the reading of a prime, and a fresh process's first character."""
    hidden, frames, turns = (32, 20, 1) if quick else (512, 500, 5)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder, hidden)
        yield from _speeds(folder, frames, turns)
        yield from _primes(folder, frames, turns)
        yield from _starts(folder, turns)


def _write(folder: Path, hidden: int) -> None:
    """Write a model of random weights."""
    config = ModelConfig(layers=2, hidden_size=hidden, embedding_size=64, condition_size=0)
    shapes = network.tensor_shapes(config, _CODEC.spec, 0)
    rng = np.random.default_rng(0)
    tensors = {name: rng.standard_normal(shape) / 25 for name, shape in shapes.items()}
    save_file({name: array.astype(np.float32) for name, array in tensors.items()},
              folder / models.WEIGHTS)  # fmt: skip
    meta = {
        "format": models.FORMAT,
        "kind": "lyrics",
        "model": dataclasses.asdict(config),
        "codec": _CODEC.to_json(),
        "conditions": [],
    }
    (folder / models.META).write_text(json.dumps(meta))


def _ours(folder: Path) -> dict[str, Model]:
    return {way: models.load(str(folder), way) for way in ("full", "fast")}


def _sing(model: Model, prime: int, length: int, count: int = 1) -> None:
    request = LyricsRequest(
        "a" * prime, params=SamplingParams(0.7), seed=1, length=length, count=count
    )
    for _ in lyrics.stream(model, request):
        pass


def _speeds(folder: Path, frames: int, turns: int) -> Iterator[Measurement]:
    reference, ours = references.load(folder), _ours(folder)
    seconds = _in_turns(turns, {
        "article": lambda: reference.write([0], frames),
        "full precision": lambda: _sing(ours["full"], 0, frames),
        "fast": lambda: _sing(ours["fast"], 0, frames),
        f"fast, {SONGS} songs at once": lambda: _sing(ours["fast"], 0, frames, SONGS),
    })  # fmt: skip
    base = frames / seconds.pop("article")
    for way, each in seconds.items():
        count = SONGS if "songs" in way else 1
        yield Measurement(f"sampling, {way}", count * frames / each, "characters/s", base)


def _primes(folder: Path, frames: int, turns: int) -> Iterator[Measurement]:
    reference, ours = references.load(folder), _ours(folder)
    seconds = _in_turns(turns, {
        "article": lambda: reference.write([0] * 2 * frames, 1),
        "full precision": lambda: _sing(ours["full"], 2 * frames, 1),
        "fast": lambda: _sing(ours["fast"], 2 * frames, 1),
    })  # fmt: skip
    base = 1e3 * seconds.pop("article")
    for way, each in seconds.items():
        what = f"a prime of {2 * frames:,} characters, {way}"
        yield Measurement(what, 1e3 * each, "ms", base, lower=True)


def _starts(folder: Path, turns: int) -> Iterator[Measurement]:
    """The first character of a fresh process, and the memory that it takes."""
    commands = {
        "article": [*_ARTICLE, str(folder)],
        "full precision": [*_OURS, str(folder), "--precision", "full"],
        "fast": [*_OURS, str(folder)],
    }
    seconds: dict[str, list[float]] = {way: [] for way in commands}
    memory: dict[str, list[float]] = {way: [] for way in commands}
    for _ in range(turns):
        for way, command in commands.items():
            took, size = _start(command)
            seconds[way].append(took)
            memory[way].append(size)
    for what, unit, values in (
        ("first character of a fresh process", "s", seconds),
        ("memory of that process", "MB", memory),
    ):
        base = statistics.median(values["article"])
        for way in ("full precision", "fast"):
            value = statistics.median(values[way])
            yield Measurement(f"{what}, {way}", value, unit, base, lower=True)


def _start(command: list[str]) -> tuple[float, float]:
    """Seconds until a command says its first character, and the MB that it holds then."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.read(1)
        seconds = time.perf_counter() - began
        size = psutil.Process(process.pid).memory_info().rss
        process.kill()
    return seconds, size / 2**20


def _in_turns(turns: int, ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median seconds of each way, all of them taking turns."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(turns + 1):
        for way, call in ways.items():
            began = time.perf_counter()
            call()
            if turn:  # the first is to warm up
                seconds[way].append(time.perf_counter() - began)
    return {way: statistics.median(each) for way, each in seconds.items()}
