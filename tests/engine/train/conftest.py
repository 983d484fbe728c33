"""Small invented songs, the settings of small runs, and trainers in processes of their own."""

import contextlib
import multiprocessing
import os
import random
import resource
import socket
import sys
from collections.abc import Callable
from multiprocessing.context import ForkProcess
from pathlib import Path

import numpy as np
import pytest

from engine import config as configs
from engine.config import RunConfig
from engine.music import midi
from engine.music.score import Note, Score
from engine.runs.run_dir import RunDir

WORDS = ["sun", "moon", "river", "stone", "heart", "road", "over", "under", "never", "we", "you"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """A CSV of 40 songs by two artists."""
    chance = random.Random(7)
    lines = ["artist,song,link,text"]
    for number in range(40):
        verses = [" ".join(chance.choices(WORDS, k=5)) for _ in range(chance.randint(2, 9))]
        lines.append(f'{"Ada" if number % 3 else "Bo"},Song {number},,"{chr(10).join(verses)}"')
    path = tmp_path / "songs.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def tunes(tmp_path: Path) -> Path:
    """A folder of short tunes."""
    folder = tmp_path / "tunes"
    folder.mkdir()
    for number in range(30):
        steps = np.random.default_rng(number).integers(0, 12, 12 + number % 7)
        notes = [Note(i * 0.3, i * 0.3 + 0.3, 60 + int(step)) for i, step in enumerate(steps)]
        (folder / f"{number}.mid").write_bytes(midi.encode(Score(tuple(notes))))
    return folder


MakeConfig = Callable[..., RunConfig]


@pytest.fixture
def make_config(songs: Path) -> MakeConfig:
    """Make the settings of a run that takes a second; arguments override them."""

    def make(*settings: str) -> RunConfig:
        return configs.load("lyrics", None, [*SMALL, *settings], str(songs))

    return make


@pytest.fixture
def make_music_config() -> MakeConfig:
    """Make the same for a folder of MIDI files."""

    def make(folder: Path, *settings: str) -> RunConfig:
        return configs.load(
            "music", None, [*SMALL, "model.head=independent", *settings], str(folder)
        )

    return make


@pytest.fixture
def limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Train a run under a limit, in a process forked from this one, where torch is imported.

    limited(run, resource.RLIMIT_AS, bytes) returns the trainer's exit status and standard error.
    """
    from engine.train import worker

    errors = tmp_path / "errors.txt"

    def trainer(kind: int, limit: int) -> None:
        with errors.open("w", buffering=1) as sys.stderr:
            resource.setrlimit(kind, (limit, limit))
            sys.exit(worker.main())

    def train(run: RunDir, kind: int, limit: int) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["worker", str(run.path)])
        process = multiprocessing.get_context("fork").Process(target=trainer, args=(kind, limit))
        process.start()
        process.join()
        assert process.exitcode is not None
        return process.exitcode, errors.read_text()

    return train


def free_port() -> int:
    with contextlib.closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def start_ranks(run: RunDir, size: int) -> list[ForkProcess]:
    """Train a run in `size` processes forked from this one, where torch is imported."""
    import torch

    from engine.train import worker
    from engine.train.distributed import Ranks

    torch.set_num_threads(1)
    port = free_port()

    def rank(number: int) -> None:
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        os.environ |= {"RANK": str(number), "WORLD_SIZE": str(size)}
        worker.train_run(run, ranks=Ranks(number, size, number, size))

    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=rank, args=(number,)) for number in range(size)]
    for process in processes:
        process.start()
    return processes


SMALL = (
    "model.hidden_size=12",
    "model.embedding_size=6",
    "model.condition_size=3",
    "model.dropout=0.2",
    "train.batch_size=4",
    "train.bptt=16",
    "train.steps=24",
    "train.warmup=4",
    "train.log_every=3",
    "train.evaluate_every=8",
    "train.save_every=6",
    "train.sample_every=12",
    "train.sample_length=20",
    "train.threads=1",
    "train.precision=float32",  # the same on every processor
)
