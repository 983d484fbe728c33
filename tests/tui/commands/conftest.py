"""Fixtures: an empty home, generated songs, and a call of a command."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tui import cli

WORDS = ["sun", "moon", "river", "stone", "heart", "road", "over", "under", "never", "we", "you"]
TINY = {
    "model.hidden_size": 12,
    "model.embedding_size": 6,
    "train.batch_size": 4,
    "train.bptt": 16,
    "train.steps": 12,
    "train.sample_length": 20,
    "train.evaluate_every": 6,
    "train.threads": 1,
}


@dataclass(frozen=True)
class Done:
    """The output and the exit status of a command."""

    status: int
    out: str
    err: str


Call = Callable[..., Done]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """A CSV of 30 songs by two artists."""
    chance = random.Random(7)
    lines = ["artist,song,link,text"]
    for number in range(30):
        verses = [" ".join(chance.choices(WORDS, k=5)) for _ in range(chance.randint(2, 6))]
        text = "Why\n" + "\n".join(verses)
        lines.append(f'{"Ada Lark" if number % 3 else "Bo Finch"},Song {number},,"{text}"')
    path = tmp_path / "songs.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    """A function that runs `rnn-tui` with these arguments in this process."""

    def run(*arguments: object) -> Done:
        capfd.readouterr()
        status = cli.main([str(word) for word in arguments])
        return Done(status, *capfd.readouterr())

    return run


@pytest.fixture
def tiny() -> list[str]:
    """The settings of a network that trains in a second."""
    return [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")]


@pytest.fixture
def trained(call: Call, songs: Path, tiny: list[str]) -> str:
    """The name of a finished run of such a network."""
    assert call("train", "lyrics", "--data", songs, "--run", "small", *tiny, "--quiet").status == 0
    return "small"
