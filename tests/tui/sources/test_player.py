"""The player's process as the app holds it, on ports that write down what they are sent."""

import queue
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from engine.music.score import Note
from engine.protocol import Port
from tui.sources import player
from tui.sources.player import Ended, Failed, Heard, Listed, Opened, Player, Position, understand

SCRIPT = Path(__file__).parents[2] / "engine" / "music" / "recording_player.py"
PATIENCE = 30.0  # seconds
CHORD = [Note(0, 60, 60, 80), Note(0, 60, 64, 80)]

Kind = TypeVar("Kind")


def until(true: Callable[[], object]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < give_up, "it does not come about"
        time.sleep(0.01)


class Held:
    """A player, what it delivered, and the tape of its ports."""

    def __init__(self, tape: Path) -> None:
        self.tape = tape
        self.heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self.player = Player(self.heard.put)

    def next(self, kind: type[Kind]) -> Kind:
        """The next of what is delivered that is of this kind."""
        while True:
            heard = self.heard.get(timeout=PATIENCE)
            if isinstance(heard, kind):
                return heard

    def sent(self) -> list[str]:
        """Every message, as hexadecimal digits."""
        return [line.split()[2] for line in self.tape.read_text().splitlines()]


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    tape = tmp_path / "tape"
    words = (sys.executable, str(SCRIPT), str(tape), "upright", "grand")
    monkeypatch.setattr(player, "command", words)
    result = Held(tape)
    yield result
    result.player.close()


def test_what_is_said_is_understood() -> None:
    port = b'{"name": "n", "api": "a", "kind": "port"}'
    position = b'"position": 1.5, "duration": 9.0, "playing": true, "waiting": false'
    assert understand(b'{"id": 3, ' + position + b"}") == Position(3, 1.5, 9.0, True, False)
    assert understand(b'{"id": 3, "ended": true}') == Ended(3)
    assert understand(b'{"port": ' + port + b"}") == Opened(Port("n", "a", "port"))
    assert understand(b'{"ports": [' + port + b"]}") == Listed((Port("n", "a", "port"),))
    assert understand(b'{"error": "No.", "do": "play"}') == Failed("No.", "play")
    for line in (b"", b"[]", b"Traceback:", b'{"id": null, ' + position + b"}", b'{"id": 1}'):
        assert understand(line) is None


def test_a_song_from_loading_to_its_end(held: Held) -> None:
    held.player.program(5)
    held.player.port("grand")
    assert held.next(Opened).port.name == "grand"
    song = held.player.load([Note(0, 0.1, 60, 80)], until=0.1)
    held.player.velocity(0.5)
    held.player.transpose(2)
    held.player.tempo(2.0)
    held.player.play()
    while not held.next(Position).waiting:
        pass
    held.player.append([Note(0.2, 0.3, 60, 60)], None)
    assert held.next(Ended).id == song
    held.player.ports()
    assert [port.name for port in held.next(Listed).ports] == ["upright", "grand"]
    held.player.close()
    assert held.player.pid is None
    off = ["B04000", "B07B00", "B07800"]
    assert held.sent() == [
        *("open", "C005", "903E28", "803E40", "903E1E", "803E40", *off, "close"),
    ]
    assert held.heard.empty() or not isinstance(held.heard.get(), Failed)


def test_pause_seek_loop_stop_and_panic(held: Held) -> None:
    held.player.load(CHORD)
    held.player.play()
    held.next(Opened)
    until(lambda: held.sent()[-1] == "904050")
    held.player.pause()
    while held.next(Position).playing:
        pass
    assert held.sent()[-2:] == ["803C40", "804040"]
    held.player.seek(59.99)
    while held.next(Position).seconds != 59.99:
        pass
    held.player.loop(True, 0.0, 60.0)
    held.player.play()
    until(lambda: held.sent()[-1] == "904050")  # it has come round
    held.player.stop()
    while held.next(Position).playing:
        pass
    held.player.panic()
    until(lambda: "807F40" in held.sent())
    held.player.tempo(1000)
    assert "factor is 1000" in held.next(Failed).sentence


def test_a_player_that_died_is_started_anew_as_it_was(held: Held) -> None:
    held.player.port("grand")
    held.next(Opened)
    first = held.player.pid
    assert first
    held.player.load(CHORD)
    held.player.play()
    until(lambda: held.sent()[-1] == "904050")
    psutil.Process(first).kill()
    failed = held.next(Failed)
    assert {"803C40", "804040", "B07800"} <= set(held.sent())  # another has silenced what it left
    assert failed.died
    assert failed.sentence.startswith("The player ended by itself (exit status -9): play again")
    held.player.load(CHORD)
    held.player.play()
    assert held.next(Opened).port.name == "grand"
    until(lambda: held.sent()[-1] == "904050")
    assert held.player.pid not in (None, first)


def test_one_that_cannot_be_started_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "command", ("/no/such/python",))
    heard: list[Heard] = []
    Player(heard.append).play()
    assert heard == [
        Failed(
            "Cannot start the player (No such file or directory): is rnn-tui installed whole?",
            "play",
            died=True,
        )
    ]
