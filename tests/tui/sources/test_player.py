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
from engine.protocol import (
    ListPorts,
    Loop,
    OpenPort,
    Panic,
    Pause,
    Play,
    PlaybackEnded,
    PlaybackStatus,
    PlayerAnswer,
    PlayerFailed,
    PortList,
    PortOpened,
    Seek,
    SetProgram,
    SetTempo,
    SetVelocity,
    StopPlaying,
    Transpose,
)
from tui.sources.player import Answers, Player
from tui.sources.restarting_process import ProcessEnded

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
        self.answers: queue.SimpleQueue[PlayerAnswer | ProcessEnded] = queue.SimpleQueue()
        command = (sys.executable, str(SCRIPT), str(tape), "upright", "grand")
        self.player = Player(command, self._deliver)

    def _deliver(self, answers: Answers) -> None:
        for answer in answers:
            self.answers.put(answer)

    def next(self, kind: type[Kind]) -> Kind:
        """The next of what is delivered that is of this kind."""
        while True:
            answer = self.answers.get(timeout=PATIENCE)
            if isinstance(answer, kind):
                return answer

    def sent(self) -> list[str]:
        """Every message, as hexadecimal digits."""
        return [line.split()[2] for line in self.tape.read_text().splitlines()]


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    result = Held(tmp_path / "tape")
    yield result
    result.player.close()


def test_a_song_from_loading_to_its_end(held: Held) -> None:
    held.player.request(SetProgram(5))
    held.player.request(OpenPort("grand"))
    assert held.next(PortOpened).port.name == "grand"
    song = held.player.load([Note(0, 0.1, 60, 80)], until=0.1)
    held.player.request(SetVelocity(0.5))
    held.player.request(Transpose(2))
    held.player.request(SetTempo(2.0))
    held.player.request(Play())
    while not held.next(PlaybackStatus).waiting:
        pass
    held.player.append([Note(0.2, 0.3, 60, 60)], None)
    assert held.next(PlaybackEnded).id == song
    held.player.request(ListPorts())
    assert [port.name for port in held.next(PortList).ports] == ["upright", "grand"]
    held.player.close()
    assert held.player.pid is None
    off = ["B04000", "B07B00", "B07800"]
    assert held.sent() == [
        *("open", "C005", "903E28", "803E40", "903E1E", "803E40", *off, "close"),
    ]
    while not held.answers.empty():
        assert not isinstance(held.answers.get(), PlayerFailed | ProcessEnded)


def test_pause_seek_loop_stop_and_panic(held: Held) -> None:
    held.player.load(CHORD)
    held.player.request(Play())
    held.next(PortOpened)
    until(lambda: held.sent()[-1] == "904050")
    held.player.request(Pause())
    while held.next(PlaybackStatus).playing:
        pass
    assert held.sent()[-2:] == ["803C40", "804040"]
    held.player.request(Seek(59.99))
    while held.next(PlaybackStatus).position != 59.99:
        pass
    held.player.request(Loop(True, 0.0, 60.0))
    held.player.request(Play())
    until(lambda: held.sent()[-1] == "904050")  # it has come round
    held.player.request(StopPlaying())
    while held.next(PlaybackStatus).playing:
        pass
    held.player.request(Panic())
    until(lambda: "807F40" in held.sent())
    held.player.request(SetTempo(1000))
    assert "factor is 1000" in held.next(PlayerFailed).error


def test_a_player_that_died_is_started_anew_as_it_was(held: Held) -> None:
    held.player.request(OpenPort("grand"))
    held.next(PortOpened)
    first = held.player.pid
    assert first
    held.player.load(CHORD)
    held.player.request(Play())
    until(lambda: held.sent()[-1] == "904050")
    psutil.Process(first).kill()
    ended = held.next(ProcessEnded)
    assert {"803C40", "804040", "B07800"} <= set(held.sent())  # another has silenced what it left
    assert ended.error.startswith("The player ended unexpectedly (exit status -9): try again")
    held.player.load(CHORD)
    held.player.request(Play())
    assert held.next(PortOpened).port.name == "grand"
    until(lambda: held.sent()[-1] == "904050")
    assert held.player.pid not in (None, first)
