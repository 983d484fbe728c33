"""Small invented songs, the settings of small runs, and a trainer under a resource limit."""

import multiprocessing
import random
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import config as configs
from engine.config import RunConfig
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
