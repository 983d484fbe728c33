"""Child processes: started with the first request, read in batches, closed, or else killed."""

import queue
import sys
from collections.abc import Iterator

import psutil
import pytest

from engine.protocol import Character, Failed, LoadModel, Play, ReadProgress
from tui.sources.player import Player
from tui.sources.restarting_process import ProcessEnded
from tui.sources.sampler import Answers, Sampler

LINES = r"""
import sys
input()
sys.stdout.write('''{"id": 1, "text": "a", "song": 0}
{"id": 2, "read": 8, "songs": 240}
Traceback (most recent call last):
{"id": null, "error": "No."}
[]

\xff
{"id": 1, "text": 7}
{"id": 1, "tex''')
sys.stdout.flush()
input()
sys.stdout.write('''t": "b"}\n''')
"""


class Held:
    """A sampler that is a script, and what it delivered."""

    def __init__(self, *command: str) -> None:
        self.deliveries: queue.SimpleQueue[Answers] = queue.SimpleQueue()
        self.sampler = Sampler(command, self.deliveries.put)

    def next(self) -> Answers:
        return self.deliveries.get(timeout=30)


@pytest.fixture
def script() -> Iterator[list[Held]]:
    started: list[Held] = []
    yield started
    for held in started:
        held.sampler.close()


def run(started: list[Held], code: str) -> Held:
    started.append(Held(sys.executable, "-c", code))
    return started[-1]


def test_answers_come_in_order_and_what_is_none_is_passed_over(script: list[Held]) -> None:
    held = run(script, LINES)
    held.sampler.request(LoadModel("m"))
    assert held.next() == (
        Character("a", song=0, id=1),
        ReadProgress(8, 240, id=2),
        Failed("No.", id=None),
    )
    held.sampler.request(LoadModel("m"))
    assert held.next() == (Character("b", id=1),)  # a line that came in two pieces
    assert isinstance(held.next()[0], ProcessEnded)


def test_what_cannot_be_started_is_delivered() -> None:
    delivered: list[object] = []
    Sampler(("no-such-program-anywhere",), delivered.append).request(LoadModel("m"))
    Player(("no-such-program-anywhere",), delivered.append).request(Play())
    assert delivered == [
        (ProcessEnded(f"Cannot start the {name} (No such file or directory): reinstall rnn-tui."),)
        for name in ("sampler", "player")
    ]


def test_closing_ends_the_process_silently(script: list[Held]) -> None:
    held = run(script, 'print(\'{"id": 1, "text": "a"}\', flush=True); [input() for _ in "ab"]')
    held.sampler.request(LoadModel("m"))
    held.next()
    pid = held.sampler.pid
    held.sampler.close()
    assert held.sampler.pid is None
    assert pid
    assert not psutil.pid_exists(pid)
    assert held.deliveries.empty()
    run(script, "").sampler.close()  # one that never ran


def test_a_process_that_lingers_is_killed(
    script: list[Held], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sampler, "PATIENCE", 0.05)
    lingering = 'import time; print(\'{"id": 1, "text": "a"}\', flush=True); time.sleep(60)'
    held = run(script, lingering)
    held.sampler.request(LoadModel("m"))
    assert held.next() == (Character("a", id=1),)
    held.sampler.close()
    assert held.sampler.pid is None
