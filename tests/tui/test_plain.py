"""Plain mode: tasks by questions and lines."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import paths
from tui import plain
from tui.plain import TASKS
from tui.sources.child_commands import Programs
from tui.sources.history import History

ANSWERS = [
    {"text": " not"},
    {"text": "\nnow"},
    {"done": True, "reason": "end", "characters": 8, "seconds": 0.5, "seed": 7, "bits": None,
     "prime": "Why", "artist": None, "model": "lyrics"},
]  # fmt: skip
FAKE = f"print({chr(10).join(map(json.dumps, ANSWERS))!r})"


class Typist:
    """Answers questions with given lines, then ends the input; records commands."""

    def __init__(self, *lines: str) -> None:
        self._lines: Iterator[str] = iter(lines)
        self.commands: list[list[str]] = []

    def read(self, prompt: str) -> str:
        try:
            return next(self._lines)
        except StopIteration:
            raise EOFError from None

    def command(self, arguments: list[str]) -> int:
        self.commands.append(arguments)
        return 0


def number(name: str) -> str:
    return str(1 + [task.name for task in TASKS].index(name))


def run(*lines: str) -> list[list[str]]:
    typist = Typist(*lines)
    programs = Programs(cli=(sys.executable, "-c", FAKE))
    assert plain.run(typist.command, programs, typist.read) == 0
    return typist.commands


def test_a_task_asks_for_the_arguments_of_its_command(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(
        "what", "99",
        number("Write piano music"), "folk", "", "8", "", "tune.mid", "yes",
        number("Train a model"), "lyrics", "originals", "quick", "",
        number("Watch a run"), "mine",
        number("Any other command"), "eval 'my run'",
        number("Any other command"), "eval 'my",
        "q", number("List runs"),
    ) == [
        ["sample", "music", "--model=folk", "--bars=8", "--output=tune.mid", "--play"],
        ["train", "--detach", "lyrics", "--data=originals", "--preset=quick"],
        ["watch", "--plain", "mine"],
        ["eval", "my run"],
    ]  # fmt: skip
    printed = capsys.readouterr().out
    assert "There is no task 'what': type a number from 1 to 14." in printed
    assert "This cannot be blank." in printed
    assert "close the quotes" in printed
    assert "\x1b" not in printed


def test_songs_are_written_kept_found_starred_and_exported(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "song.md"
    song, before = number("Write a song"), number("Songs written before")
    run(song, "lyrics", "Why", "Ada", "hot", "", "")
    assert "Temperature must be a number" in capsys.readouterr().out
    run(
        song, "lyrics", "Why", "Ada", "0.5", "", "7",
        before, "NOW", "1", "star", before, "", "1", "export", str(file), before, "none",
    )  # fmt: skip
    printed = capsys.readouterr().out
    assert "Why not\nnow\nKept in the history as song 1." in printed
    assert "Song 1, starred: Why not · Ada · lyrics" in printed
    assert "No songs found." in printed
    assert file.read_text().startswith("# Why not · Ada · lyrics\n")
    (work,) = History(paths.history()).find("lyrics")
    assert (work.starred, work.settings["temperature"], work.result["seed"]) == (True, 0.5, 7)
    run(before, "", "1", "delete")
    assert History(paths.history()).find("lyrics") == []


def test_it_runs_by_python_m_tui_and_ends_with_the_input(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui", "--plain"], input="13\n", capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "originals" in done.stdout
