"""The sampler's process as the app holds it."""

import queue
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tui.sources import sampler
from tui.sources.answers import Begun, Done, Frame, Heard, Letter, Loaded, Pace, gather
from tui.sources.sampler import MusicRequest, Request, Sampler
from tui.sources.told import Doing, Near, Neighbour, Placed, Point, Reading, Rung, Written

MUSIC = str(Path(__file__).parents[1] / "music_fake.py")
FAKE = str(Path(__file__).parents[1] / "lyrics_fake.py")


class Held:
    """A sampler, and what it delivered."""

    def __init__(self) -> None:
        self.heard: queue.SimpleQueue[tuple[float, Heard]] = queue.SimpleQueue()
        self.sampler = Sampler(lambda heard: self.heard.put((time.monotonic(), heard)))

    def next(self) -> Heard:
        return self.heard.get(timeout=30)[1]

    def song(self, number: int) -> tuple[str, Heard, list[float]]:
        """The text, the last of what was heard of it, and when each delivery came."""
        text, times = "", []
        while True:
            moment, heard = self.heard.get(timeout=30)
            assert heard.id == number
            text += heard.text
            times.append(moment)
            if heard.done or heard.error:
                return text, heard, times


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    monkeypatch.setattr(sampler, "command", (sys.executable, FAKE, "worker"))
    result = Held()
    yield result
    result.sampler.close()


def test_lines_are_folded_by_request() -> None:
    lines = [
        b'{"id": 2, "started": true, "seed": 9, "prime": ""}',
        b'{"id": 2, "text": "a"}',
        b'{"id": 3, "loaded": true, "model": "m", "words": "w", "conditions": ["x", "y"]}',
        b'{"id": 2, "text": "\\u00e9"}',
        b'{"id": 2, "done": true, "reason": "end", "characters": 2, "seconds": 0.5, "seed": 9}',
        b'{"id": 4, "error": "No."}',
        b"Traceback (most recent call last):",
        b'{"id": null, "error": "Nobody asked."}',
        b"[]",
        b"",
        b"\xff",
    ]
    assert gather(lines) == [
        Heard(2, (Letter("a"), Letter("é")), seed=9, done=Done("end", 2, 0.5)),
        Heard(3, loaded=Loaded("w", ("x", "y"))),
        Heard(4, error="No."),
    ]
    assert gather([]) == []


def test_what_is_told_of_characters_comes_with_them() -> None:
    lines = [
        b'{"id": 2, "text": "a", "bits": 1.5, "alternatives": [["b", 0.5], ["", 0.25]]}',
        b'{"id": 2, "text": "n", "copied": 21, "from": "Ada Moor"}',
        b'{"id": 2, "done": true, "reason": "end", "characters": 2, "seconds": 0.5, "seed": 9, '
        b'"novelty": {"characters": 40, "least": 20, "copied": 0.525, "longest": 21}}',
    ]
    (heard,) = gather(lines)
    assert heard.letters == (
        Letter("a", 1.5, (("b", 0.5), ("", 0.25))),
        Letter("n", copied=21, source="Ada Moor"),
    )
    assert heard.text == "an"
    assert heard.done == Done("end", 2, 0.5, "52 % copied, at most 21 characters in a row")
    none = lines[2].replace(b"21", b"0").replace(b"0.525", b"0.0")
    (heard,) = gather([none])
    assert heard.done
    assert heard.done.novelty == "nothing copied"


def test_songs_written_together_are_told_apart() -> None:
    lines = [
        b'{"id": 2, "started": true, "seed": 9, "prime": ""}',
        b'{"id": 2, "text": "a", "song": 0, "bits": 1.5}',
        b'{"id": 2, "text": "b", "song": 1, "bits": 0.5}',
        b'{"id": 2, "text": "c", "song": 0, "bits": 1.0}',
        b'{"id": 2, "text": "d", "song": "x"}',
        b'{"id": 2, "done": true, "song": 1, "reason": "end", "characters": 1, "seconds": 0.5, '
        b'"seed": 10, "bits": 0.75}',
    ]
    assert gather(lines) == [
        Heard(2, seed=9),
        Heard(2, (Letter("a", 1.5), Letter("c", 1.0)), song=0),
        Heard(2, (Letter("b", 0.5),), done=Done("end", 1, 0.5, bits=0.75), song=1),
    ]


def test_what_is_no_song_is_told_in_order() -> None:
    lines = [
        b'{"id": 2, "doing": "counting"}',
        b'{"id": 2, "rung": 0, "name": "uniform", "bits": 6.19}',
        b'{"id": 2, "rung": 1, "name": "m", "bits": null}',
        b'{"id": 2, "started": true, "seed": 9, "prime": "Why"}',
        b'{"id": 2, "rung": 1, "text": "a"}',
        b'{"id": 3, "read": 8, "songs": 240}',
        b'{"id": 3, "map": [{"name": "A", "songs": 3, "x": 0.5, "y": -1}], "artist": null, '
        b'"share": 0.5}',
        b'{"id": 4, "map": [{"name": "t", "song": 7, "x": 0, "y": 0}], "artist": "A", "share": 1}',
        b'{"id": 4, "map": [{"name": "t"}], "artist": "A", "share": 1}',
        b'{"id": 5, "near": [{"song": 1, "artist": "A", "title": "t", "similarity": 0.9}], '
        b'"song": 7}',
    ]
    assert gather(lines) == [
        Heard(2, seed=9, parts=(Doing("counting"), Rung(0, "uniform", 6.19), Rung(1, "m", None),
                                Written(1, "a"))),
        Heard(3, parts=(Reading(8, 240), Placed((Point("A", 0.5, -1.0, 3),), None, 0.5))),
        Heard(4, parts=(Placed((Point("t", 0.0, 0.0, song=7),), "A", 1.0),)),
        Heard(5, parts=(Near(7, (Neighbour("A", "t", 0.9),)),)),
    ]  # fmt: skip


def test_lines_about_music_are_folded_too() -> None:
    length = b'"seconds": 0.25, "beats": null, "tempo": 100.0'
    lines = [
        b'{"id": 1, "loaded": true, "words": "w", "conditions": [], "kind": "music", ' + length
        + b"}",
        b'{"id": 2, "started": true, "seed": 9, "prime": [{"keys": [60], "onsets": [60]}], '
        b'"metre": [3, 4], ' + length + b"}",
        b'{"id": 2, "keys": [60, 64], "onsets": [64]}',
        b'{"id": 2, "keys": [], "onsets": null}',
        b'{"id": 2, "done": true, "reason": "length", "frames": 2, "seconds": 0.5, "seed": 9}',
    ]  # fmt: skip
    pace = Pace(0.25, None, 100.0)
    begun = Begun((Frame((60,), (60,)),), (3, 4), pace)
    frames = (Frame((60, 64), (64,)), Frame((), None))
    assert gather(lines) == [
        Heard(1, loaded=Loaded("w", (), pace)),
        Heard(2, frames=frames, seed=9, begun=begun, done=Done("length", 2, 0.5)),
    ]


def test_music_is_asked_for_and_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "command", (sys.executable, MUSIC, "worker"))
    held = Held()
    number = held.sampler.sample_music(
        MusicRequest("chorals", notes=(60,), temperature=float("inf"), length=5)
    )
    frames: list[Frame] = []
    begun, done = None, None
    while done is None:
        heard = held.next()
        assert heard.id == number
        frames += heard.frames
        begun, done = begun or heard.begun, heard.done
    assert begun == Begun((Frame((60,), (60,)),) * 2, (4, 4), Pace(0.25, 0.5, 120.0))
    assert (len(frames), done) == (5, Done("length", 5, 0.25))
    held.sampler.close()


def test_a_warm_process_answers_one_request_after_another(held: Held) -> None:
    assert held.sampler.pid is None
    assert held.sampler.load("first") == 1
    assert held.next().loaded == Loaded(
        "", ("The Paper Lanterns", "Ada Moor", "Moor & Daughters", "Quiet Harbour")
    )
    pid = held.sampler.pid
    number = held.sampler.sample(Request("first", seed=1, length=50, temperature=float("inf")))
    text, last, _ = held.song(number)
    assert (len(text), last.done) == (50, Done("length", 50, 0.25, bits=2.5))
    assert held.sampler.pid == pid is not None


def test_deliveries_are_few_however_fast_the_characters(held: Held) -> None:
    number = held.sampler.sample(Request("first", length=20_000))
    text, _, times = held.song(number)
    assert len(text) == 20_000
    assert len(times) <= 2 + sampler.RATE * (times[-1] - times[0])


def test_a_stop_ends_the_song(held: Held) -> None:
    held.sampler.stop()  # with nothing running
    number = held.sampler.sample(Request("first", prime="wait"))
    assert held.next().seed == 7
    held.sampler.stop()
    _, last, _ = held.song(number)
    assert last.done
    assert last.done.reason == "stopped"


def test_a_process_that_died_is_told_of_and_started_anew(held: Held) -> None:
    number = held.sampler.sample(Request("first", prime="die"))
    _, last, _ = held.song(number)
    assert last.died
    assert last.error == (
        "The sampler ended by itself (exit status 1: the bellows burst): "
        "write again to start it anew."
    )
    assert held.sampler.pid is None
    number = held.sampler.sample(Request("first", length=5))
    assert len(held.song(number)[0]) == 5


def test_what_cannot_be_started_is_told_of(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "command", ("no-such-program-anywhere",))
    number = held.sampler.load("first")
    heard = held.next()
    assert (heard.id, heard.died) == (number, True)
    assert heard.error
    assert heard.error.startswith("Cannot start the sampler (No such file or directory)")


def test_closing_ends_the_process_silently(held: Held) -> None:
    held.sampler.load("first")
    held.next()
    pid = held.sampler.pid
    held.sampler.close()
    assert held.sampler.pid is None
    assert pid
    assert not psutil.pid_exists(pid)
    assert held.heard.empty()
    Held().sampler.close()  # one that never ran


def test_a_process_that_lingers_is_killed(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = (
        'import json, time; input(); print(\'{"id": 1, "text": "a"}\', flush=True); time.sleep(60)'
    )
    monkeypatch.setattr(sampler, "command", (sys.executable, "-c", deaf))
    monkeypatch.setattr(sampler, "PATIENCE", 0.05)
    held.sampler.load("first")
    assert held.next().text == "a"
    held.sampler.close()
    assert held.sampler.pid is None


def test_importing_it_brings_in_nothing_heavy() -> None:
    code = (
        "import sys, tui.pages.lyrics; "
        "print(*{'torch', 'pandas', 'numpy', 'safetensors'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
