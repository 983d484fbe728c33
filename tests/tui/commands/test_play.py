"""`rnn-tui play` and `rnn-tui ports`, on ports that record the messages they are sent."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from engine.music import midi, ports
from engine.music.ports import ScanResult
from engine.music.score import Note, Score
from engine.protocol import Port
from tui import cli
from tui.sources.child_commands import Programs

SCRIPT = Path(__file__).parents[2] / "engine" / "music" / "recording_player.py"
PATIENCE = 30.0  # seconds


def until(predicate: Callable[[], object]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not predicate():
        assert time.monotonic() < give_up, "timed out"
        time.sleep(0.01)


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    path = tmp_path / "tape"
    path.touch()
    return path


def play(
    tape: Path, *arguments: str, ports: tuple[str, ...] = ("upright", "grand", "broken")
) -> int:
    """Run `rnn-tui play` on these ports."""
    player = (sys.executable, str(SCRIPT), str(tape), *ports)
    return cli.main(["play", *arguments], Programs(player=player))


def sent(tape: Path) -> list[tuple[str, str]]:
    """Return the port and the hexadecimal digits of each message."""
    rows = [line.split() for line in tape.read_text().splitlines()]
    return [(port, arguments) for _, port, arguments in rows]


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.mid"
    midi.write(Score((Note(0, 0.2, 60, 80), Note(0.2, 0.4, 64, 90)), program=4), path)
    return path


@pytest.fixture
def long_song(tmp_path: Path) -> Path:
    path = tmp_path / "long.mid"
    midi.write(Score((Note(0, 90, 60, 80),)), path)
    return path


def test_a_file_is_played_through_the_port_named(
    tape: Path, song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--port", "gran", "--tempo", "2", "--transpose", "-12"]
    assert play(tape, str(song), *arguments) == 0
    assert sent(tape) == [
        ("grand", arguments)
        for arguments in [
            *("open", "C004", "903050", "803040", "90345A", "803440"),
            *("B04000", "B07B00", "B07800", "close"),
        ]
    ]
    out, err = capsys.readouterr()
    assert (out, err) == (f"{song}: 2 notes, 0:00, on grand\n", "")


def test_the_metronome_clicks_on_the_channel_of_percussion(tape: Path, tmp_path: Path) -> None:
    path = tmp_path / "jig.mid"  # in 6/8: a beat is a dotted quarter, a bar has two
    midi.write(Score((Note(0, 1.0, 60, 80),), 240.0, (6, 8)), path)
    assert play(tape, "--metronome", str(path)) == 0
    struck = [words for _, words in sent(tape) if words.startswith("99")]
    assert struck == ["994C78", "994D5A", "994C78"]
    assert len([words for _, words in sent(tape) if words.startswith("89")]) == 3
    assert len(midi.read(path).notes) == 1
    tape.write_text("")
    assert play(tape, str(path)) == 0
    assert not [words for _, words in sent(tape) if words.startswith("99")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nix.mid"], "Cannot read nix.mid"),
        (
            ["SONG", "--port", "harp"],
            "There is no MIDI port 'harp': use 'upright', 'grand' or 'broken'.",
        ),
        (["SONG", "--port", "r"], "could be 'upright', 'grand' or 'broken': give more"),
        (["SONG", "--port", "broken"], "Cannot open the MIDI port 'broken'"),
        (["SONG", "--virtual"], "This system cannot make a virtual MIDI port"),
        (["SONG", "--tempo", "0"], "Tempo must be a number from 0.1 to 10, not '0'."),
        (["SONG", "--tempo", "nan"], "Tempo must be a number from 0.1 to 10, not 'nan'."),
        (
            ["SONG", "--transpose", "99"],
            "Transpose must be a whole number from -60 to 60, not '99'.",
        ),
        (["SONG", "--virtual", "--port", "grand"], "not allowed with argument"),
        ([str(SCRIPT)], "is not a usable MIDI file"),
    ],
)
def test_invalid_arguments(
    tape: Path,
    song: Path,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert play(tape, *(str(song) if word == "SONG" else word for word in arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert not [message for _, message in sent(tape) if message[0] == "9"]


def test_playing_without_a_port_fails(
    tape: Path, song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play(tape, str(song), ports=("Midi Through",)) == 1
    assert "There is no MIDI port to play on" in capsys.readouterr().err


def _program(tape: Path) -> str:
    """Return a Python program that runs `rnn-tui` on the recording ports."""
    command = (sys.executable, str(SCRIPT), str(tape))
    return (
        "import signal, sys; from tui import cli; from tui.sources.child_commands import Programs; "
        # What runs in the background of a shell begins with interrupts ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        f"sys.exit(cli.main(programs=Programs(player={command!r})))"
    )


def test_an_interrupt_ends_every_note(tape: Path, long_song: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _program(tape), "play", str(long_song), "--loop"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    )
    until(lambda: ("tape", "903C50") in sent(tape))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to both processes
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (130, b"")
    assert [arguments for _, arguments in sent(tape)][-5:] == [
        *("803C40", "B04000", "B07B00", "B07800", "close"),
    ]


def test_a_kill_ends_every_note(tape: Path, long_song: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _program(tape), "play", str(long_song)], stdout=subprocess.DEVNULL
    )
    until(lambda: ("tape", "903C50") in sent(tape))
    process.kill()
    process.wait()
    until(lambda: sent(tape)[-1] == ("tape", "close"))
    assert ("tape", "803C40") in sent(tape)


@pytest.mark.slow
def test_in_a_terminal_the_position_is_shown(tape: Path, tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    midi.write(Score((Note(0, 1.3, 60, 80),)), path)
    child = pexpect.spawn(
        sys.executable, ["-c", _program(tape), "play", str(path)], timeout=PATIENCE
    )
    child.expect_exact(": 1 note, 0:01, on tape\r\n")
    for arguments in ("\r\x1b[K0:00 / 0:01", "\r\x1b[K0:01 / 0:01", "\r\n"):
        child.expect_exact(arguments)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_ports_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grand = Port("grand", "UNIX_JACK", "port")
    monkeypatch.setattr(ports, "scan", lambda: ScanResult((grand, ports.SYNTH)))
    assert cli.main(["ports", "--json"]) == 0
    out, err = capsys.readouterr()
    assert [json.loads(line) for line in out.splitlines()] == [
        {"name": "grand", "api": "UNIX_JACK", "kind": "port"},
        {"name": "synth", "api": "miniaudio", "kind": "synth"},
    ]
    assert err == ""
    monkeypatch.setattr(ports, "scan", lambda: ScanResult((grand,), "No sound."))
    assert cli.main(["ports"]) == 0
    out, err = capsys.readouterr()
    assert [line.split() for line in out.splitlines()] == [
        ["name", "api", "kind"],
        ["grand", "UNIX_JACK", "port"],
    ]
    assert err == "No sound.\n"


def test_no_port_at_all_is_reported_and_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ports, "scan", lambda: ScanResult((), "No sound."))
    assert cli.main(["ports", "--json"]) == 0
    assert capsys.readouterr() == ("", "No sound.\n")
    assert cli.main(["ports"]) == 0
    assert capsys.readouterr() == ("", "No MIDI port was found.\nNo sound.\n")


def test_a_port_that_is_gone_at_the_end_is_an_error(
    tape: Path, song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play(tape, str(song), ports=("fading",)) == 1
    assert "The MIDI port is gone (it is not listed any more)" in capsys.readouterr().err


def test_a_player_that_fails_once_the_piece_has_ended_is_an_error(
    song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A player that releases the notes and then crashes."""
    script = tmp_path / "crashing.py"
    script.write_text(
        "import os\nfrom engine.music import player\n"
        "run = player.Player.run\n"
        "player.Player.run = lambda self: (run(self), os._exit(7))\nplayer.main()\n"
    )
    player = Programs(player=(sys.executable, str(script)))
    assert cli.main(["play", str(song), "--port", "silent"], player) == 1
    assert "The player failed at the end (exit status 7)" in capsys.readouterr().err


def test_input_ports_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ports, "scan_inputs", lambda: (Port("keys", "UNIX_JACK", "input"),))
    assert cli.main(["ports", "--inputs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "name": "keys", "api": "UNIX_JACK", "kind": "input",
    }  # fmt: skip
    monkeypatch.setattr(ports, "scan_inputs", lambda: ())
    assert cli.main(["ports", "--inputs"]) == 0
    assert capsys.readouterr() == ("", "No MIDI input was found.\n")
