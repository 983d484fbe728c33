"""The player as a real process, on ports that record what they are sent."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent / "recording_player.py"
LONG: list[list[float]] = [
    [0, 60, 60, 80],
    [0, 60, 64, 80],
    [0.05, 60, 67, 80],
]  # a chord of a minute
PATIENCE = 30.0  # seconds

Sent = list[tuple[float, str, bytes]]  # moment, port, message; b"" for "open" and "close"


def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.01)


class Tape:
    """What the ports have been sent."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[tuple[float, str, str]]:
        if not self.path.exists():
            return []
        rows = [line.split() for line in self.path.read_text().splitlines()]
        return [(float(moment), port, words) for moment, port, words in rows]

    def struck(self) -> list[tuple[float, int, int]]:
        """Return time, pitch and velocity (0: released) of each key; none is struck twice."""
        keys = []
        down = set()
        for moment, _, words in self.lines():
            if words[0] == "9":
                pitch, velocity = bytes.fromhex(words)[1:]
                assert pitch not in down, "struck twice"
                down.add(pitch)
                keys.append((moment, pitch, velocity))
            elif words[0] == "8":
                down.discard(bytes.fromhex(words)[1])
                keys.append((moment, bytes.fromhex(words)[1], 0))
        return keys

    def down(self) -> set[int]:
        """Return the keys that are down now."""
        keys: set[int] = set()
        for _, pitch, velocity in self.struck():
            (keys.add if velocity else keys.discard)(pitch)
        return keys

    def words(self) -> list[str]:
        return [words for _, _, words in self.lines()]


class Player:
    """The process, its pipes, and the recording of its ports."""

    def __init__(self, tape: Path, *names: str) -> None:
        self.tape = Tape(tape)
        self.popen = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(tape), *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def send(self, do: str, **values: Any) -> None:
        self.write(json.dumps({"do": do, **values}).encode())

    def write(self, line: bytes) -> None:
        assert self.popen.stdin
        self.popen.stdin.write(line + b"\n")
        self.popen.stdin.flush()

    def read(self, key: str) -> dict[str, Any]:
        """Return the next answer that has the key."""
        assert self.popen.stdout
        for line in self.popen.stdout:
            answer: dict[str, Any] = json.loads(line)
            if key in answer:
                return answer
        raise AssertionError(f"no {key!r}: the process has ended")

    def end(self) -> tuple[int, bytes]:
        """Close stdin; return the exit status and stderr."""
        _, errors = self.popen.communicate(timeout=PATIENCE)
        return self.popen.returncode, errors

    def play(self, notes: list[list[float]], **values: Any) -> None:
        self.send("load", notes=notes, **values)
        self.send("play")
        assert self.read("port")["port"]["kind"] == "port"

    def chord(self) -> None:
        """Play the long chord, and wait until all of it sounds."""
        self.play(LONG)
        until(lambda: self.tape.down() == {60, 64, 67})


Start = Callable[..., Player]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Player] = []

    def begin(*names: str) -> Player:
        started.append(Player(tmp_path / f"tape-{len(started)}", *names))
        return started[-1]

    yield begin
    for player in started:
        player.popen.kill()
        with contextlib.suppress(ValueError, OSError):
            player.popen.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    """One process for many requests, valid or not: it must survive each."""
    player = Player(tmp_path_factory.mktemp("player") / "tape")
    yield player
    player.send("load", notes=[[0, 0.05, 60, 80]])
    player.send("play")
    assert player.read("ended")
    assert player.end() == (0, b"")
    assert player.tape.down() == set()


def test_a_song_is_played_on_time_and_ends(start: Start) -> None:
    player = start()
    gap = 0.0625
    notes = [[gap * i, gap * (i + 1), 40 + i % 40, 1 + i] for i in range(24)]
    player.play(notes, id="first")
    positions = []
    while (answer := player.read("id")).get("ended") is None:
        assert answer["id"] == "first"
        assert answer["duration"] == gap * 24
        positions.append(answer["position"])
    assert answer == {"id": "first", "ended": True}
    assert positions == sorted(positions)
    assert positions[-1] == gap * 24
    assert len(positions) > 10
    keys = player.tape.struck()
    assert [key[1:] for key in keys if key[2]] == [(int(n[2]), int(n[3])) for n in notes]
    assert player.tape.down() == set()
    struck = [moment for moment, _, velocity in keys if velocity]
    late = sorted(moment - struck[0] - note[0] for moment, note in zip(struck, notes, strict=True))
    p50, p99 = (1000 * late[int(share * (len(late) - 1))] for share in (0.5, 0.99))
    print(f"late by {p50:.2f} ms (p50), {p99:.2f} ms (p99), {1000 * late[-1]:.2f} ms at most")
    player.send("play")  # from the top again
    until(lambda: len(player.tape.struck()) > len(keys))
    assert player.end() == (0, b"")
    assert player.tape.down() == set()


@pytest.mark.parametrize(
    ("request_", "pressed"),
    [
        ({"do": "pause"}, set()),
        ({"do": "stop"}, set()),
        ({"do": "seek", "seconds": 30}, set()),
        ({"do": "panic"}, set()),
        ({"do": "loop", "on": True, "start": 0, "end": 0.3}, {60, 64}),
        ({"do": "port", "name": "tape"}, set()),
        ({"do": "load", "notes": []}, set()),
        ({"do": "transpose", "semitones": 5}, set()),
    ],
)
def test_requests_that_release_every_key(
    lasting: Player, request_: dict[str, Any], pressed: set[int]
) -> None:
    """pressed: the keys down afterwards."""
    lasting.send("load", notes=LONG)
    lasting.send("play")
    until(lambda: lasting.tape.down() == {60, 64, 67})
    count = len(lasting.tape.struck())
    lasting.send(**request_)
    until(lambda: {p for _, p, v in lasting.tape.struck()[count:] if not v} >= {60, 64, 67})
    until(lambda: lasting.tape.down() >= pressed)
    lasting.send("loop", on=False)
    lasting.send("stop")
    until(lambda: not lasting.tape.down())


def test_the_end_of_stdin_leaves_silence_behind(start: Start) -> None:
    player = start()
    player.chord()
    assert player.end() == (0, b"")
    assert player.tape.down() == set()
    assert player.tape.words()[-4:] == ["B04000", "B07B00", "B07800", "close"]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_leaves_silence_behind(start: Start, name: str) -> None:
    player = start()
    player.chord()
    player.popen.send_signal(signal.SIGINT)  # meant for the parent
    player.send("tempo", factor=2)
    player.read("position")
    assert player.tape.down() == {60, 64, 67}
    player.popen.send_signal(getattr(signal, name))
    assert player.popen.wait(PATIENCE) == 0
    assert player.tape.down() == set()
    assert player.tape.words()[-1] == "close"


def test_it_ends_in_silence_when_stdout_is_closed(start: Start) -> None:
    player = start()
    player.chord()
    assert player.popen.stdout
    player.popen.stdout.close()
    assert player.popen.wait(PATIENCE) == 0
    assert player.tape.down() == set()


def test_a_kill_of_the_app_leaves_silence_behind(tmp_path: Path) -> None:
    """The parent, which holds the pipes, is killed."""
    tape = Tape(tmp_path / "tape")
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"""
import json, subprocess, sys, time
player = subprocess.Popen(
    [sys.executable, {str(SCRIPT)!r}, {str(tape.path)!r}], stdin=subprocess.PIPE,
    stdout=subprocess.PIPE, text=True)
for request in ({{"do": "load", "notes": {LONG}}}, {{"do": "play"}}):
    print(json.dumps(request), file=player.stdin, flush=True)
print(player.pid, flush=True)
time.sleep({PATIENCE})
""",
        ],
        stdout=subprocess.PIPE,
    )
    with parent:
        until(lambda: tape.down() == {60, 64, 67})
        parent.kill()
    until(lambda: tape.words()[-1] == "close")
    assert tape.down() == set()


def test_suspended_it_is_silent_and_resumes_where_it_was(start: Start) -> None:
    player = start()
    player.play([[0, 60, 60, 80], [0.6, 60, 64, 80]])
    until(lambda: player.tape.down() == {60})
    player.popen.send_signal(signal.SIGTSTP)
    _, status = os.waitpid(player.popen.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert player.tape.down() == set()
    time.sleep(0.7)  # the second note would be due by now
    player.popen.send_signal(signal.SIGCONT)
    assert player.read("position")["position"] < 0.6
    until(lambda: player.tape.down() == {64})
    began, _, ended = (moment for moment, _, _ in player.tape.struck())
    assert ended - began > 1.2
    assert player.end() == (0, b"")


def test_after_a_sigstop_it_does_not_rush(start: Start) -> None:
    player = start()
    player.play([[0.1 * i, 0.1 * i + 0.1, 30 + i, 80] for i in range(40)])
    until(player.tape.down)
    player.popen.send_signal(signal.SIGSTOP)
    os.waitpid(player.popen.pid, os.WUNTRACED)
    time.sleep(1.1)  # more than a busy machine ever takes
    before = len(player.tape.struck())
    player.popen.send_signal(signal.SIGCONT)
    until(lambda: len(player.tape.struck()) > before + 4)
    struck = [moment for moment, _, velocity in player.tape.struck()[before:] if velocity]
    assert struck[1] - struck[0] > 0.05
    assert player.end() == (0, b"")


def test_a_streamed_song_waits_for_its_notes(start: Start) -> None:
    player = start()
    player.play([[0, 0.1, 60, 80]], until=0.1)
    while not (answer := player.read("waiting"))["waiting"]:
        pass
    assert (answer["position"], answer["playing"]) == (0.1, True)
    player.send("notes", notes=[[0.2, 0.3, 62, 80]], until=None)
    assert player.read("ended")
    (_, *first), (_, *_), (_, *second), (_, *last) = player.tape.struck()
    assert (first, second, last) == ([60, 80], [62, 80], [62, 0])
    assert player.end() == (0, b"")


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="pipes have one size here")
def test_a_reader_that_sleeps_does_not_delay_notes(start: Start) -> None:
    player = start()
    assert player.popen.stdout
    fcntl.fcntl(player.popen.stdout, fcntl.F_SETPIPE_SZ, 4096)  # full after some 40 answers
    for _ in range(100):
        player.send("velocity", factor=1)
    player.send("load", notes=[[0, 0.1, 60, 80], [0.2, 0.3, 62, 80]])
    player.send("play")
    until(lambda: len(player.tape.struck()) == 4)
    assert player.read("ended")
    assert player.end() == (0, b"")


def test_changing_the_port(start: Start) -> None:
    player = start("upright", "grand", "broken")
    player.send("program", number=4)
    player.send("port", name="gra")
    assert player.read("port") == {"port": {"name": "grand", "api": "TAPE", "kind": "port"}}
    player.send("load", notes=LONG)
    player.send("play")
    until(lambda: player.tape.down() == {60, 64, 67})
    player.send("port", name="harp")
    assert player.read("error") == {
        "error": "There is no MIDI port 'harp': use 'upright', 'grand' or 'broken'.",
        "do": "port",
    }
    assert player.read("playing")["playing"]
    player.send("port", name="upright")
    assert player.read("port")["port"]["name"] == "upright"
    player.send("port", name="broken")
    assert "Cannot open" in player.read("error")["error"]
    assert not player.read("playing")["playing"]
    player.send("ports")
    names = [port["name"] for port in player.read("ports")["ports"]]
    assert names == ["upright", "grand", "broken"]
    assert player.end() == (0, b"")
    opened = [(port, words) for _, port, words in player.tape.lines() if words[0] in "ocC"]
    assert opened == [
        ("grand", "open"),
        ("grand", "C004"),
        ("grand", "close"),  # before the other is opened
        ("upright", "open"),
        ("upright", "C004"),
        ("upright", "close"),
    ]
    assert player.tape.down() == set()


def test_on_the_silent_port_time_passes(start: Start) -> None:
    player = start()
    player.send("port", name="silent")
    assert player.read("port")["port"]["kind"] == "silent"
    player.send("load", notes=[[0, 0.2, 60, 80]])
    player.send("play")
    assert player.read("ended")["ended"]
    assert player.tape.words() == []


def test_what_is_played_is_echoed_and_reported(start: Start) -> None:
    player = start()
    player.send("port", name=None)
    player.send("listen", name="keyb")
    assert player.read("listening") == {
        "listening": {"name": "keyboard", "api": "TAPE", "kind": "input"}
    }
    played = [player.read("played") for _ in range(3)]
    assert [(each["played"], each["velocity"]) for each in played] == [(72, 90), (72, 0), (76, 70)]
    assert played[0]["at"] <= played[1]["at"] <= time.perf_counter()
    until(lambda: len(player.tape.words()) == 6)
    assert player.tape.words()[2:] == ["90485A", "B0407F", "804840", "904C46"]
    now = time.perf_counter()
    events = [[now + 0.1, 60, 80], [now + 0.2, 60, 0], [now + 0.1, 76, 50], [now - 1, 62, 80]]
    player.send("perform", events=[*events, [now + 3600, 64, 80]])
    until(lambda: "803C40" in player.tape.words())
    assert player.tape.words()[6:] == ["903E50", "903C50", "803C40"]  # the person holds 76
    moments = [moment for moment, _, words in player.tape.lines() if words in {"903C50", "803C40"}]
    assert moments[0] >= now + 0.1
    assert moments[1] >= now + 0.2
    player.send("hush")
    until(lambda: player.tape.down() == {76})
    player.send("unlisten")
    until(lambda: player.tape.down() == set())
    assert player.end() == (0, b"")


def test_without_echo_what_is_played_is_only_reported(start: Start) -> None:
    player = start()
    player.send("port", name=None)
    player.send("listen", echo=False)  # the first input
    assert player.read("listening")["listening"]["name"] == "keyboard"
    assert player.read("played")["played"] == 72
    assert player.end() == (0, b"")
    assert not [words for words in player.tape.words() if words[0] == "9"]


def test_an_input_that_disappears_is_reported(start: Start) -> None:
    player = start()
    player.send("port", name=None)
    player.send("listen", name="organ")
    assert player.read("error") == {
        "error": "The MIDI input is gone (it is not listed any more): choose another input.",
        "do": "listen",
    }
    until(lambda: player.tape.down() == set())
    player.send("listen", name="harp")
    assert player.read("error")["error"] == "There is no MIDI input 'harp': use 'keyboard'."
    assert player.end() == (0, b"")


def test_a_port_that_fails_is_reported(start: Start) -> None:
    player = start("loose")
    player.send("load", notes=[[0, 1, 60, 80], [0.1, 1, 62, 80], [0.2, 1, 64, 80]])
    player.send("play")
    assert player.read("error") == {
        "error": "The MIDI port is gone (the cable is drawn): choose another port.",
        "do": "port",
    }
    assert not player.read("playing")["playing"]
    assert player.end() == (0, b"")


def test_a_port_that_disappears_silently_is_reported(start: Start) -> None:
    player = start("fading", "grand")
    player.play(LONG)
    assert player.read("error") == {
        "error": "The MIDI port is gone (it is not listed any more): choose another port.",
        "do": "port",
    }
    assert not player.read("playing")["playing"]
    assert player.tape.down() == set()
    player.send("port", name="grand")  # which stays
    assert player.read("port")["port"]["name"] == "grand"
    player.send("stop")
    player.send("play")
    until(lambda: player.tape.down() == {60, 64, 67})
    assert player.end() == (0, b"")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"play!", "not JSON"),
        (b"\xff\xfe{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'["play"]', "not a JSON object"),
        (b'{"id": 7}', "asks to do None: it can be load"),
        (b'{"do": ["play"]}', "asks to do ['play']"),
        (b'{"do": "load"}', "notes is missing: give a list of [start, end"),
        (b'{"do": "load", "notes": [[0, 1, 60, 80], [1, 1, 60, 80]]}', "Note 2 is [1, 1, 60, 80]"),
        (b'{"do": "load", "notes": [[0, NaN, 60, 80]]}', "Note 1 is"),
        (b'{"do": "load", "notes": [[0, 1e999, 60, 80]]}', "Note 1 is"),
        (b'{"do": "load", "notes": [[0, 1, 128, 80]]}', "Note 1 is"),
        (b'{"do": "load", "notes": [[0, 1, 60]]}', "Note 1 is"),
        (b'{"do": "load", "notes": [7]}', "Note 1 is 7"),
        (b'{"do": "load", "notes": [], "until": "x"}', "until is 'x'"),
        (b'{"do": "notes", "notes": {}}', "notes is {}"),
        (b'{"do": "seek", "seconds": -1}', "seconds is -1: give a number from 0"),
        (b'{"do": "seek", "seconds": NaN}', "seconds is nan"),
        (b'{"do": "seek"}', "seconds is missing: give a number from 0"),
        (b'{"do": "seek", "seconds": 1, "end": 2}', "A request to seek has no key 'end'"),
        (b'{"do": "tempo", "factor": 0}', "factor is 0: give a number from 0.1 to 10"),
        (b'{"do": "tempo", "factor": true}', "factor is True"),
        (b'{"do": "transpose", "semitones": 1.5}', "semitones is 1.5: give a whole number"),
        (b'{"do": "program", "number": 128}', "number is 128"),
        (b'{"do": "velocity", "factor": "loud"}', "factor is 'loud'"),
        (b'{"do": "loop", "start": 3, "end": 3.01}', "from 3 to 3.01 s is too short"),
        (b'{"do": "port", "name": 7}', "name is 7"),
        (b'{"do": "perform"}', "events is missing: give a list of [seconds, pitch, velocity]"),
        (b'{"do": "perform", "events": [[1, 60, 1], [1, 60]]}', "Event 2 is [1, 60]"),
        (b'{"do": "perform", "events": [[NaN, 60, 1]]}', "Event 1 is [nan, 60, 1]"),
        (b'{"do": "perform", "events": [[1, 128, 1]]}', "Event 1 is [1, 128, 1]"),
    ],
)
def test_an_invalid_request_is_answered_with_an_error(
    lasting: Player, line: bytes, words: str
) -> None:
    lasting.write(line)
    assert words in lasting.read("error")["error"]
