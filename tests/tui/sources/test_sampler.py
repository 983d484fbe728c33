"""The sampler's process as the app holds it."""

import queue
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from engine.protocol import (
    Character,
    Failed,
    Frame,
    FrameLength,
    Loaded,
    LoadModel,
    LyricsDone,
    LyricsStarted,
    MusicDone,
    MusicFrame,
    MusicStarted,
    SampleLyrics,
    SampleMusic,
    SamplerAnswer,
)
from tests.tui import fake_worker as fake
from tests.tui.page import fake_programs
from tui.sources.restarting_process import ProcessEnded
from tui.sources.sampler import Answers, Sampler

HOT = {"temperature": float("inf")}


class Held:
    """A sampler, and what it delivered."""

    def __init__(self, page: str = "lyrics") -> None:
        self.deliveries: queue.SimpleQueue[tuple[float, Answers]] = queue.SimpleQueue()
        self.sampler = Sampler(
            fake_programs(page).sampler,
            lambda answers: self.deliveries.put((time.monotonic(), answers)),
        )

    def next(self) -> SamplerAnswer | ProcessEnded:
        """The first answer of the next delivery."""
        return self.deliveries.get(timeout=30)[1][0]

    def until_end(self, number: int) -> tuple[list[SamplerAnswer | ProcessEnded], list[float]]:
        """All answers to a request until its last, and when each delivery came."""
        answers: list[SamplerAnswer | ProcessEnded] = []
        times = []
        while True:
            moment, delivered = self.deliveries.get(timeout=30)
            answers += delivered
            times.append(moment)
            ends = (LyricsDone, MusicDone, Failed, ProcessEnded)
            if any(isinstance(answer, ends) for answer in delivered):
                assert {
                    answer.id for answer in answers if not isinstance(answer, ProcessEnded)
                } <= {number}
                return answers, times


@pytest.fixture
def held() -> Iterator[Held]:
    result = Held()
    yield result
    result.sampler.close()


def text(answers: list[SamplerAnswer | ProcessEnded]) -> str:
    return "".join(answer.text for answer in answers if isinstance(answer, Character))


def test_music_is_requested_and_streams() -> None:
    held = Held("music")
    number = held.sampler.request(SampleMusic("chorals", notes=(60,), options=HOT, length=5))
    (started, *frames, done), _ = held.until_end(number)
    chord = (Frame((60,), (60,)),) * 2
    assert started == MusicStarted(7, chord, (4, 4), FrameLength(0.25, 0.5, 120.0), id=number)
    assert frames == [MusicFrame(fake.frame(7 + index), id=number) for index in range(5)]
    assert done == MusicDone(reason="length", frames=5, seconds=0.25, seed=7, id=number)
    held.sampler.close()


def test_a_warm_process_answers_one_request_after_another(held: Held) -> None:
    assert held.sampler.pid is None
    assert held.sampler.request(LoadModel("first")) == 1
    assert held.next() == Loaded("first", "lyrics", "", tuple(fake.ARTISTS), id=1)
    pid = held.sampler.pid
    number = held.sampler.request(SampleLyrics("first", seed=1, length=50, options=HOT))
    answers, _ = held.until_end(number)
    assert answers[0] == LyricsStarted(1, "", id=2)
    assert text(answers) == fake.song(1, 50)
    assert answers[-1] == LyricsDone(
        reason="length", characters=50, seconds=0.25, seed=1, bits=2.5, id=2
    )
    assert held.sampler.pid == pid is not None


def test_deliveries_are_few_however_fast_the_characters(held: Held) -> None:
    number = held.sampler.request(SampleLyrics("first", length=20_000))
    answers, times = held.until_end(number)
    assert len(text(answers)) == 20_000
    assert Sampler.RATE is not None
    assert len(times) <= 2 + Sampler.RATE * (times[-1] - times[0])


def test_a_stop_ends_the_song(held: Held) -> None:
    held.sampler.stop()  # with nothing running
    number = held.sampler.request(SampleLyrics("first", prime="wait"))
    assert held.next() == LyricsStarted(7, "wait", id=number)
    held.sampler.stop()
    *_, last = held.until_end(number)[0]
    assert isinstance(last, LyricsDone)
    assert last.reason == "stopped"


def test_a_process_that_died_is_delivered_and_started_again(held: Held) -> None:
    number = held.sampler.request(SampleLyrics("first", prime="die"))
    assert held.until_end(number)[0] == [
        ProcessEnded(
            "The sampler ended unexpectedly (exit status 1: the bellows burst): try again to "
            "restart it."
        )
    ]
    assert held.sampler.pid is None
    number = held.sampler.request(SampleLyrics("first", length=5))
    assert len(text(held.until_end(number)[0])) == 5


def test_importing_it_brings_in_nothing_heavy() -> None:
    code = (
        "import sys, tui.pages.lyrics.screen; "
        "print(*{'torch', 'numpy', 'safetensors'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
