"""Measure sampling: our two precisions, and lines; with the article's loop as the reference.

All have the same model, 2 × LSTM 512 over 100 characters with random weights, and one thread; they
are timed alternately. For the article see `tui.bench.references`. Like the article's loop, ours
draws one character after another (the option raw), but for the rows "line by line": these have the
default options, with 8 candidates for each line and a list of known words. A network with random
weights ends lines anywhere, so the option `line` sets the length that lines of songs have.
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
from engine.data import words as words_file
from engine.data.codecs import CharacterCodec
from engine.inference import models, network
from engine.inference.models import Model
from engine.sampling import lyrics
from engine.sampling.decoding import SamplingParams
from engine.sampling.lyrics import LyricsRequest
from tui.bench import references
from tui.bench.measurement import Measurement

SONGS = 16  # written as one batch
WORDS = 5_000  # known words of the model
LINE = 30  # characters after which a line ends with its word
MEAN_WORD = 5  # characters
_CODEC = CharacterCodec("\n" + "".join(map(chr, range(32, 128))))  # with three marks: 100
_ARTICLE = [sys.executable, "-m", "tui.bench.references"]
_OURS = [sys.executable, "-m", "tui.cli", "sample", "lyrics", "--length", "100000", "--model"]
_RAW, _BY_LINE = SamplingParams(raw="on"), SamplingParams(line=LINE)


def measure(quick: bool) -> Iterator[Measurement]:
    """Yield the speeds of writing and of reading a prompt, and the cost of starting a process."""
    hidden, frames, turns = (32, 20, 1) if quick else (512, 500, 5)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder, hidden)
        yield from _speeds(folder, frames, turns)
        yield from _prompts(folder, frames, turns)
        yield from _first_characters(folder, turns)
        yield from _starts(folder, turns)


def _write(folder: Path, hidden: int) -> None:
    """Write the files of a model with random weights to a folder."""
    config = ModelConfig(layers=2, hidden_size=hidden, embedding_size=64, condition_size=0)
    shapes = network.tensor_shapes(config, _CODEC.spec, 0)
    rng = np.random.default_rng(0)
    tensors = {name: rng.standard_normal(shape) / 25 for name, shape in shapes.items()}
    newline, space = _CODEC.encode("\n ").tolist()  # other characters are about as probable
    tensors["head.bias"][space] = np.log(len(_CODEC.characters) / MEAN_WORD)
    tensors["head.bias"][newline] = -20.0
    save_file({name: array.astype(np.float32) for name, array in tensors.items()},
              folder / models.WEIGHTS)  # fmt: skip
    meta = {
        "format": models.FORMATS["lyrics"],
        "kind": "lyrics",
        "model": dataclasses.asdict(config),
        "codec": _CODEC.to_json(),
        "conditions": [],
    }
    (folder / models.META).write_text(json.dumps(meta))
    letters = rng.integers(ord("a"), ord("z") + 1, (WORDS, 8), np.uint8)
    words = {bytes(row[: 1 + number % 8]).decode() for number, row in enumerate(letters)}
    (folder / words_file.FILE).write_text("\n".join(sorted(words)))


def _load_ours(folder: Path) -> dict[str, Model]:
    return {name: models.load(str(folder), name) for name in ("full", "fast")}


def _sample(
    model: Model, prompt: int, length: int, count: int = 1, params: SamplingParams = _RAW
) -> None:
    request = LyricsRequest("a" * prompt, params=params, seed=1, length=length, count=count)
    for _ in lyrics.stream(model, request):
        pass


def _speeds(folder: Path, frames: int, turns: int) -> Iterator[Measurement]:
    reference, ours = references.load_sampler(folder), _load_ours(folder)
    seconds = _median_seconds(turns, {
        "article": lambda: reference.write([0], frames),
        "full precision": lambda: _sample(ours["full"], 0, frames),
        "fast": lambda: _sample(ours["fast"], 0, frames),
        f"fast, {SONGS} songs at once": lambda: _sample(ours["fast"], 0, frames, SONGS),
        "fast, line by line": lambda: _sample(ours["fast"], 0, frames, params=_BY_LINE),
    })  # fmt: skip
    base = frames / seconds.pop("article")
    for name, each in seconds.items():
        count = SONGS if "songs" in name else 1
        yield Measurement(f"sampling, {name}", count * frames / each, "characters/s", base)


def _prompts(folder: Path, frames: int, turns: int) -> Iterator[Measurement]:
    reference, ours = references.load_sampler(folder), _load_ours(folder)
    seconds = _median_seconds(turns, {
        "article": lambda: reference.write([0] * 2 * frames, 1),
        "full precision": lambda: _sample(ours["full"], 2 * frames, 1),
        "fast": lambda: _sample(ours["fast"], 2 * frames, 1),
    })  # fmt: skip
    base = 1e3 * seconds.pop("article")
    for name, each in seconds.items():
        what = f"reading a prompt of {2 * frames:,} characters, {name}"
        yield Measurement(what, 1e3 * each, "ms", base, lower=True)


def _first_characters(folder: Path, turns: int) -> Iterator[Measurement]:
    """Yield the time until a loaded model has chosen the first character of a song."""
    reference, fast = references.load_sampler(folder), _load_ours(folder)["fast"]

    def first(params: SamplingParams) -> None:
        next(iter(lyrics.stream(fast, LyricsRequest(params=params, seed=1, length=1_000))))

    seconds = _median_seconds(turns, {
        "article": lambda: reference.write([0], 1),
        "fast": lambda: first(_RAW),
        "fast, line by line": lambda: first(_BY_LINE),
    })  # fmt: skip
    base = 1e3 * seconds.pop("article")
    for name, each in seconds.items():
        yield Measurement(f"first character of a song, {name}", 1e3 * each, "ms", base, lower=True)


def _starts(folder: Path, turns: int) -> Iterator[Measurement]:
    """Yield the time until a fresh process prints a character, and its memory at that moment."""
    commands = {
        "article": [*_ARTICLE, str(folder)],
        "full precision": [*_OURS, str(folder), "--raw", "--precision", "full"],
        "fast": [*_OURS, str(folder), "--raw"],
        "fast, line by line": [*_OURS, str(folder), "--line", str(LINE)],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    memory: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(turns):
        for name, command in commands.items():
            took, size = _start(command)
            seconds[name].append(took)
            memory[name].append(size)
    for what, unit, values in (
        ("first character of a fresh process", "s", seconds),
        ("memory of that process", "MB", memory),
    ):
        base = statistics.median(values["article"])
        for name in (name for name in commands if name != "article"):
            value = statistics.median(values[name])
            yield Measurement(f"{what}, {name}", value, unit, base, lower=True)


def _start(command: list[str]) -> tuple[float, float]:
    """Return the seconds until a command prints a character, and its memory then in MiB."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.read(1)
        seconds = time.perf_counter() - began
        size = psutil.Process(process.pid).memory_info().rss
        process.kill()
    return seconds, size / 2**20


def _median_seconds(turns: int, calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median seconds of each call by name; the calls are timed in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(turns + 1):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if turn:  # the first turn warms up
                seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(each) for name, each in seconds.items()}
