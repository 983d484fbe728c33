"""`rnn-tui jam`, on ports that record what they are sent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tui import cli
from tui.sources.child_commands import Programs

SCRIPT = Path(__file__).parents[2] / "engine" / "music" / "recording_player.py"
PATIENCE = 60.0  # seconds


def programs(tape: Path, *ports: str) -> Programs:
    return Programs(player=(sys.executable, str(SCRIPT), str(tape), *ports))


@pytest.fixture
def tape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path / "home"))
    path = tmp_path / "tape"
    path.touch()
    return path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["march"], "invalid choice: 'march'"),
        (["answer", "--beat", "5"], "--beat must be a number from 20 to 300, not 5."),
        (["answer", "--beat", "nan"], "--beat must be a number from 20 to 300, not nan."),
        (["answer", "--rest", "0"], "--rest must be a number from 0.25 to 16, not 0."),
        (["answer", "--model", "nix"], "There is no model 'nix'"),
        (["answer", "--model", "lyrics"], "lyrics writes lyrics: use a model of music."),
        (["answer", "--port", "harp"], "There is no MIDI port 'harp': use 'tape'."),
        (["accompany", "--input", "harp"], "There is no MIDI input 'harp': use 'keyboard'"),
    ],
)
def test_invalid_arguments(
    tape: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["jam", *arguments], programs(tape)) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err


def test_without_a_port_to_play_on_it_fails(tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["jam", "answer"], programs(tape, "none")) == 1
    assert "There is no MIDI port to play on" in capsys.readouterr().err


def test_an_input_that_disappears_ends_it(tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["jam", "answer", "--input", "organ", "--model", "folk"], programs(tape)) == 1
    out, err = capsys.readouterr()
    assert out == "folk follows organ and plays on tape.\n"
    assert "The MIDI input is gone" in err


def test_what_is_held_is_accompanied_until_an_interrupt(tape: Path) -> None:
    """The keyboard holds a key: keys below it are struck."""
    program = (
        "import signal, sys; from tui import cli; from tui.sources.child_commands import Programs; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        f"sys.exit(cli.main(programs=Programs(player={programs(tape).player!r})))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "jam", "accompany", "--seed", "1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        process_group=0,
    )

    def struck() -> set[int]:
        rows = [line.split()[2] for line in tape.read_text().splitlines()]
        return {int(words[2:4], 16) for words in rows if words.startswith("90")} - {72, 76}

    deadline = time.monotonic() + PATIENCE
    while not struck():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.05)
    assert max(struck()) < 76
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (130, b"")
    assert tape.read_text().splitlines()[-1].endswith("close")
