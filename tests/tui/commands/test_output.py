"""Output on any terminal: control characters, characters that its encoding lacks, a full disk."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import MAX_MESSAGE, InputError
from engine.runs import run_dir
from tui.commands import output

COMMAND = f"{sys.executable} -m tui.cli"
Call = Callable[..., Any]


def shell(line: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["bash", "-c", line.format(COMMAND)], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", "2 × “caf\u00e9” – ☃ дом␛[2J"),
        ("cp1252", "2 × “caf\u00e9” – ? ????[2J"),
        ("cp1251", "2 x “cafe” – ? дом?[2J"),
        ("ascii", '2 x "cafe" - ? ????[2J'),
    ],
)
def test_text_is_written_in_any_encoding(
    monkeypatch: pytest.MonkeyPatch, encoding: str, expected: str
) -> None:
    data = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(data, encoding))
    output.prepare_streams()
    output.echo("2 × “caf\u00e9” – ☃ дом\x1b[2J")
    assert data.getvalue().decode(encoding) == f"{expected}\n"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "ascii"])
def test_json_is_the_same_in_any_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    data = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(data, encoding))
    value = {"text": "дом 🎹 × \x1b \udcc9"}
    output.echo_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(data.getvalue().decode(encoding)) == value


def test_tables_have_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    output.table([{"name": "a\x1b[2Jb\x07"}], as_json=False)
    assert capsys.readouterr().out.split() == ["name", "a␛[2Jb␇"]


def test_words_of_a_table_are_not_broken_in_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    words = ("20260131-094500-a-long-name", "finished", "markov 5", "songdata_prefix2893", "0.1234")
    output.table([{f"column {n}": word for n, word in enumerate(words)}], as_json=False)
    printed = capsys.readouterr().out
    assert all(part in printed for word in words for part in word.split())


def test_a_message_is_one_bounded_printable_line() -> None:
    message = str(
        InputError("The file " + "x\n\x1b\u202e\udcc9\u00a0" * 100_000 + ": choose another.")
    )
    assert len(message) < MAX_MESSAGE + 10
    assert message.isprintable()
    assert message.startswith("The file x␊␛\ufffd\ufffd ")
    assert message.endswith(": choose another.")


def test_a_large_file_of_one_line_is_not_printed(call: Call, tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("\x1b[31m" + "word, " * 500_000)
    done = call("data", "info", tmp_path / "one.csv")
    assert done.status == 2
    assert len(done.err) < 2 * MAX_MESSAGE
    assert "no column 'artist'" in done.err
    assert done.err.rstrip("\n").isprintable()


@pytest.mark.parametrize(
    ("line", "status", "message"),
    [
        ("{} runs | true; exit ${{PIPESTATUS[0]}}", 0, ""),
        ("{} models >/dev/full", 1, "Cannot use the output (No space left on device)"),
        ("PYTHONIOENCODING=ascii {} models", 0, ""),
        ("PYTHONIOENCODING=cp437 {} runs", 0, ""),
        ("{} models >&-", 0, ""),
    ],
)
def test_an_output_that_cannot_be_written_is_reported(
    trained: str, line: str, status: int, message: str
) -> None:
    done = shell(line)
    assert done.returncode == status
    assert message in done.stderr
    assert done.stderr.count("\n") == bool(message)


@pytest.mark.slow
def test_the_app_needs_a_character_set_that_it_can_draw_with() -> None:
    done = shell("PYTHONIOENCODING=cp1251 script -qec '{}' /dev/null </dev/null")
    assert "cannot draw in a terminal of the character set cp1251: set PYTHONUTF8=1" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (">/dev/full", "No space left on device"),
        ("| head -1; exit ${{PIPESTATUS[0]}}", "Broken pipe"),
    ],
)
def test_a_run_whose_output_cannot_be_written_stops_and_says_so(
    songs: Path, tiny: list[str], form: str, reason: str
) -> None:
    words = " ".join([*tiny, "--set train.steps=100000 --set train.log_every=1"])
    done = shell(f"{{}} train lyrics --data {songs} --run r {words} {form}")
    assert done.returncode == 1
    assert f"cannot be written ({reason}), so the run 'r' has stopped at step" in done.stderr
    assert run_dir.find("r").last_step() is not None


@pytest.mark.slow
def test_a_run_trains_on_when_the_output_lacks_characters(songs: Path, tiny: list[str]) -> None:
    songs.write_text(songs.read_text().replace("moon", "月"))
    line = f"PYTHONIOENCODING=cp1251 {{}} train lyrics --data {songs} --run r {' '.join(tiny)}"
    done = shell(line)
    assert done.returncode == 0, done.stderr
    assert "completed at step 12" in done.stdout


def test_progress_as_lines_is_written_once_for_each_percent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert output.progress("Downloading") is None  # stderr is no terminal
    show = output.progress("Downloading", lines=True)
    assert show is not None
    for done in range(0, 1001, 2):
        show(done, 1000)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 101
    assert (lines[0], lines[-1]) == ("Downloading: 0%", "Downloading: 100%")
