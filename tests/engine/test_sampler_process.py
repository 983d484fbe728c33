"""The sampler's process, used as the app uses it."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import protocol
from engine.inference import models
from engine.music import midi
from engine.music.score import Note, Score
from engine.protocol import MusicFrame
from engine.sampling import music as rolls
from engine.sampling.music import MusicRequest

Write = Callable[..., Path]
ENDLESS = 10**9  # characters


class Process:
    """The process and its pipes."""

    def __init__(self) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "engine.sampler_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def send(self, line: bytes | None = None, **values: Any) -> None:
        assert self.popen.stdin
        self.popen.stdin.write((json.dumps(values).encode() if line is None else line) + b"\n")
        self.popen.stdin.flush()

    def read(self) -> dict[str, Any]:
        assert self.popen.stdout
        answer: dict[str, Any] = json.loads(self.popen.stdout.readline())
        return answer

    def read_until(self, key: str) -> tuple[str, dict[str, Any]]:
        """Return the text up to the answer that has the key, and that answer."""
        text = ""
        while key not in (answer := self.read()):
            text += answer["text"]
        return text, answer

    def end(self) -> tuple[int, bytes]:
        """Close stdin; return the exit status and stderr."""
        _, errors = self.popen.communicate(timeout=30)
        return self.popen.returncode, errors


@pytest.fixture
def process(home: Path) -> Iterator[Process]:
    worker = Process()
    yield worker
    worker.popen.kill()
    with contextlib.suppress(ValueError, OSError):
        worker.popen.communicate(timeout=30)


def test_a_conversation(process: Process, write: Write, tmp_path: Path) -> None:
    model = str(write(tmp_path / "model", kind="markov", order=4))
    process.send(do="load", id=1, model=model)
    assert process.read() == {
        "id": 1,
        "loaded": True,
        "model": model,
        "kind": "lyrics",
        "words": "markov 4",
        "conditions": [],
    }
    ask: dict[str, Any] = {
        "do": "sample",
        "model": model,
        "prime": "dead",
        "temperature": 0,
        "raw": "on",
        "length": None,
    }
    process.send(**ask, id="two", artist=None, top_k=3, top_p=0.9, min_p=0.1, memory=0.5, seed=9)
    assert process.read() == {"id": "two", "started": True, "seed": 9, "prime": "dead"}
    assert process.read() == {"id": "two", "text": " "}
    text, done = process.read_until("done")
    assert text == "bee,\nfed a fig."
    assert done.pop("seconds") >= 0
    assert 0 < done.pop("bits") < 1
    assert done == {"id": "two", "done": True, "reason": "end", "characters": 16, "seed": 9}
    process.send(do="sample", id=3, model=model, temperature="inf", length=30)
    seed = process.read()["seed"]
    text, done = process.read_until("done")
    assert (len(text), done["reason"], done["seed"]) == (30, "length", seed)
    process.send(do="sample", id=4, model=model, temperature="inf", length=30, seed=seed)
    process.read()
    assert process.read_until("done")[0] == text
    assert process.end() == (0, b"")


def test_a_stop_ends_the_current_song_and_no_later_one(
    process: Process, write: Write, tmp_path: Path
) -> None:
    model = str(write(tmp_path / "model"))
    process.send(do="stop")  # with nothing under way
    process.send(do="sample", id=1, model=model, length=ENDLESS)
    assert process.read()["started"]
    process.read()
    process.send(do="stop")
    text, done = process.read_until("done")
    assert (done["reason"], done["characters"]) == ("stopped", len(text) + 1)
    process.send(do="sample", id=2, model=model, length=5)
    process.read()
    assert process.read_until("done")[1]["reason"] == "length"


def test_a_stop_acts_within_a_long_prime(process: Process, write: Write, tmp_path: Path) -> None:
    model = str(write(tmp_path / "model", hidden_size=700))
    process.send(do="sample", id=1, model=model, prime="a" * 100_000)
    assert process.read()["started"]
    process.send(do="stop")
    done = process.read()
    assert (done["reason"], done["characters"]) == ("stopped", 0)
    assert done["seconds"] < 5


def test_a_conversation_about_music(process: Process, write_music: Write, tmp_path: Path) -> None:
    folder = write_music(tmp_path / "model", planes=2, match_memory=True)
    file = tmp_path / "tune.mid"
    notes = (Note(0.0, 0.6, 60), Note(0.3, 0.6, 64), Note(0.6, 0.9, 60))
    midi.write(Score(notes, 75.0, (3, 4)), file)
    process.send(do="load", id=1, model=str(folder))
    length = {"seconds": 0.3, "beats": None, "tempo": 100.0}
    loaded = process.read()
    assert (loaded["kind"], loaded["conditions"]) == ("music", [])
    assert {key: loaded[key] for key in length} == length
    ask: dict[str, Any] = {"do": "sample_music", "model": str(folder), "length": 12, "least": 1}
    process.send(**ask, id=2, prime=str(file), notes=None, seed=9, temperature=0.8, memory=0.5)
    assert process.read() == {
        "id": 2,
        "started": True,
        "seed": 9,
        "metre": [3, 4],
        **length,
        "tempo": 75.0,
        "prime": [
            {"keys": [60], "onsets": [60]},
            {"keys": [60, 64], "onsets": [64]},
            {"keys": [60], "onsets": [60]},
        ],
    }
    frames = [process.read() for _ in range(12)]
    done = process.read()
    assert done.pop("seconds") >= 0
    assert done == {"id": 2, "done": True, "reason": "length", "frames": 12, "seed": 9}
    model = models.load(str(folder))
    prime = rolls.read_prompt(rolls.keys_codec(model), file).roll
    request = MusicRequest(prime, temperature=0.8, memory=0.5, least=1, seed=9, length=12)
    expected = [
        json.loads(protocol.encode(MusicFrame(rolls.frame_pitches(frame, 2), id=2)))
        for frame in rolls.stream(model, request)
    ]
    assert frames == expected
    assert all(frame["keys"] for frame in frames)
    process.send(**ask, id=3, notes=[60, 67], temperature="inf")
    assert process.read()["prime"] == [{"keys": [60, 67], "onsets": [60, 67]}]
    assert process.end() == (0, b"")


def test_music_in_beats_without_onsets_is_stopped(
    process: Process, write_music: Write, tmp_path: Path
) -> None:
    model = str(write_music(tmp_path / "model", beats=0.25))
    process.send(do="sample_music", id=1, model=model, length=100_000)
    started = process.read()
    assert (started["seconds"], started["beats"], started["metre"]) == (0.15, 0.25, [3, 4])
    assert started["prime"] == []
    assert process.read()["onsets"] is None
    process.send(do="stop")
    count = 1
    while "done" not in (answer := process.read()):
        count += 1
    assert (answer["reason"], answer["frames"]) == ("stopped", count)


def test_several_pieces_and_the_best_of_them(
    process: Process, write_music: Write, tmp_path: Path
) -> None:
    model = str(write_music(tmp_path / "model", beats=0.25))
    ask: dict[str, Any] = {"do": "sample_music", "model": model, "length": 5}

    def written(**values: Any) -> tuple[int, dict[object, list[Any]], list[dict[str, Any]]]:
        """Return the seed, the keys of each frame by song, and the ends."""
        process.send(**ask, **values)
        seed = process.read()["seed"]
        frames: dict[object, list[Any]] = {}
        ends: list[dict[str, Any]] = []
        for _ in range(values.get("count", 1)):
            while "done" not in (answer := process.read()):
                frames.setdefault(answer.get("song"), []).append(answer["keys"])
            ends.append(answer)
        return seed, frames, ends

    seed, songs, ends = written(id=1, count=3, seed=4)
    assert (seed, [end["seed"] for end in ends]) == (4, [4, 5, 6])
    assert [end["song"] for end in ends] == [*songs] == [0, 1, 2]
    for number in range(3):
        assert written(id=2, seed=4 + number)[1] == {None: songs[number]}
    best = min(ends, key=lambda end: end["nats"])
    seed, kept, _ = written(id=3, best=3, seed=4)
    assert (seed, kept) == (best["seed"], {None: songs[best["song"]]})
    process.send(**ask, id=4, count=2, best=2)
    assert process.read()["error"] == "Both count and best were given: give one of them."
    process.send(do="sample_music", id=5, model=model, melody="C5", count=2)
    assert process.read()["error"] == "A melody is harmonized once: leave out count and best."


def test_a_length_in_bars_is_in_the_metre_and_the_tempo_of_the_prompt(
    process: Process, write_music: Write, tmp_path: Path
) -> None:
    file = tmp_path / "waltz.mid"
    midi.write(Score(tuple(Note(i, i + 1.0, 60 + i) for i in range(6)), 60.0, (3, 4)), file)
    cases: list[tuple[float | None, dict[str, Any], int]] = [
        (0.25, {"bars": 2}, 24),
        (0.25, {"seconds": 4}, 16),
        (None, {"bars": 2}, 20),  # six beats of a second each, in frames of 0.3 s
        (None, {"seconds": 4}, 13),
    ]
    for beats, length, frames in cases:
        model = str(write_music(tmp_path / f"model-{beats}", beats=beats, end=-20.0))
        process.send(do="sample_music", id=1, model=model, prime=str(file), **length)
        while "done" not in (answer := process.read()):
            pass
        assert answer["frames"] == frames, length
    process.send(do="sample_music", id=2, model=model, length=5, bars=2)
    assert "exclude each other" in process.read()["error"]


def test_a_melody_is_harmonized(process: Process, write_music: Write, tmp_path: Path) -> None:
    model = str(write_music(tmp_path / "folk", planes=2, beats=1.0))
    process.send(do="sample_music", id=1, model=model, melody="C5 E5:1.5", seed=4)
    started = process.read()
    assert (started["tempo"], started["prime"], started["seed"]) == (100.0, [], 4)
    assert started["melody"] == [[0.0, 0.6, 72, 80], [0.6, pytest.approx(1.5), 76, 80]]
    frames = []
    while "done" not in (answer := process.read()):
        frames.append(answer)
    assert (answer["reason"], answer["frames"]) == ("end", len(frames))
    assert len(frames) == 3  # as long as the melody
    assert all(key < 76 for frame in frames for key in frame["keys"])
    assert frames[1]["keys"] == frames[1]["onsets"] == frames[2]["keys"]  # the chord at the end
    process.send(do="sample_music", id=2, model=model, melody="C5", notes=[60])
    assert "exclude each other" in process.read()["error"]


def test_invalid_requests_for_music_are_refused(
    process: Process, write: Write, write_music: Write, tmp_path: Path
) -> None:
    music, lyrics = str(write_music(tmp_path / "music")), str(write(tmp_path / "lyrics"))
    (tmp_path / "no.mid").write_bytes(b"MThd but no music")
    cases: list[tuple[str, dict[str, Any]]] = [
        ("writes lyrics", {"model": lyrics}),
        ("no.mid", {"model": music, "prime": str(tmp_path / "no.mid")}),
        ("gone.mid", {"model": music, "prime": str(tmp_path / "gone.mid")}),
        ("MIDI pitches from 21 to 108, not 20", {"model": music, "notes": [20]}),
        ("MIDI pitches from 21 to 108, not empty", {"model": music, "notes": []}),
        ("begin with only one of them", {"model": music, "notes": [60], "prime": "a.mid"}),
        ("notes is [60.5]", {"model": music, "notes": [60.5]}),
        ("notes is 'C4'", {"model": music, "notes": "C4"}),
        (
            "Min notes must be a whole number from 0 to 10, not True",
            {"model": music, "least": True},
        ),
        ("Length must be a whole number from 1 to 100,000, not 0", {"model": music, "length": 0}),
        ("no key 'top_k'", {"model": music, "top_k": 3}),
    ]
    for words, values in cases:
        process.send(do="sample_music", id=5, **values)
        answer = process.read()
        assert answer["id"] == 5
        assert words in answer["error"]
    process.send(do="sample", id=6, model=music)
    assert "writes music" in process.read()["error"]


def test_options_are_changed_while_a_song_streams(
    process: Process, write: Write, tmp_path: Path
) -> None:
    model = str(write(tmp_path / "model", kind="markov", order=3))
    process.send(do="sample", id=1, model=model, temperature="inf", raw="on", length=ENDLESS)
    assert process.read()["started"]
    process.send(do="change", id=2, temperature=-1)
    process.send(do="change", id=3, temperature=0, top_k=1)
    _, refused = process.read_until("error")
    assert refused["id"] == 2
    assert "Temperature must be a number from 0 to inf, not -1" in refused["error"]
    assert process.read_until("changed")[1] == {"id": 3, "changed": True}
    written = "".join(process.read()["text"] for _ in range(400))
    following: dict[str, set[str]] = {}
    for place in range(3, 400):
        following.setdefault(written[place - 3 : place], set()).add(written[place])
    assert all(len(characters) == 1 for characters in following.values())
    process.send(do="stop")
    assert process.read_until("done")[1]["reason"] == "stopped"
    process.send(do="change", id=4, temperature=1)
    assert "No song is being written" in process.read()["error"]


def test_rhyme_is_refused_before_the_song_is_started(
    process: Process, write: Write, tmp_path: Path
) -> None:
    model = str(write(tmp_path / "model"))  # without a list of words
    process.send(do="sample", id=1, model=model, rhyme="aabb")
    assert "has no list of words to rhyme" in process.read()["error"]
    process.send(do="sample", id=2, model=model, length=ENDLESS, candidates=2)
    assert process.read()["started"]
    process.send(do="change", id=3, rhyme="abab")
    process.send(do="change", id=4, candidates=1, form="VC", ending="off")
    assert "has no list of words" in process.read_until("error")[1]["error"]
    assert process.read_until("changed")[1] == {"id": 4, "changed": True}


def test_several_songs_with_surprise_and_alternatives(
    process: Process, write: Write, tmp_path: Path
) -> None:
    model = str(write(tmp_path / "model"))
    ask: dict[str, Any] = {"do": "sample", "model": model, "raw": "on", "length": 8, "seed": 5}
    process.send(**ask, id=1, count=3, bits=True, alternatives=2, mix="Zed=0.5, Ada Löwe=0.5")
    assert process.read()["seed"] == 5
    songs = [""] * 3
    ends: list[dict[str, Any]] = []
    while len(ends) < 3:
        answer = process.read()
        if answer.get("done"):
            assert len(songs[answer["song"]]) == 8  # sent as soon as it has ended
            ends.append(answer)
            continue
        songs[answer["song"]] += answer["text"]
        assert len(ends) <= answer["song"]  # the others have not waited
        assert answer["bits"] >= 0
        assert len(answer["alternatives"]) == 2
    assert [(end["song"], end["seed"], end["characters"]) for end in ends] == [
        (0, 5, 8),
        (1, 6, 8),
        (2, 7, 8),
    ]
    likeliest = min(ends, key=lambda end: float(end["bits"]))
    process.send(**ask, id=2, best=3, mix="Zed=0.5, Ada Löwe=0.5")
    process.read()
    text, done = process.read_until("done")
    assert text == songs[likeliest["song"]]
    assert (done["seed"], done["bits"]) == (likeliest["seed"], likeliest["bits"])


def test_the_ladder_is_sent_step_by_step(process: Process, write_trained: Write) -> None:
    ask: dict[str, Any] = {"do": "ladder", "model": str(write_trained()), "prime": "a", "seed": 4}
    process.send(**ask, id=1, temperature=0.5, length=12)
    assert process.read()["doing"].startswith("counting")
    rungs = [process.read() for _ in range(11)]
    assert [rung["rung"] for rung in rungs] == list(range(11))
    assert process.read() == {"id": 1, "started": True, "seed": 4, "prime": "a"}
    written = [process.read() for _ in range(11 * 12)]
    assert [answer["rung"] for answer in written] == list(range(11)) * 12
    done = process.read()
    assert (done["reason"], done["characters"], done["seed"]) == ("length", 12, 4)
    process.send(**ask, id=2, temperature="inf", length=ENDLESS)
    for _ in range(14):
        process.read()
    process.send(do="stop")
    assert process.read_until("done")[1]["reason"] == "stopped"


def test_songs_are_mapped_and_compared(process: Process, write_trained: Write) -> None:
    model = str(write_trained())
    process.send(do="map", id=1, model=model)
    while "map" not in (answer := process.read()):
        assert 0 < answer["read"] <= answer["songs"] == 40
    assert [point["name"] for point in answer["map"]] == ["Ada Löwe", "Zed"]
    process.send(do="map", id=2, model=model, artist="Zed")
    placed = process.read()  # at once: they are read
    assert placed["artist"] == "Zed"
    song = placed["map"][0]["song"]
    process.send(do="similar", id=3, model=model, song=song, count=4)
    found = process.read()
    assert (found["song"], len(found["near"])) == (song, 4)
    assert song not in [row["song"] for row in found["near"]]
    for words, values in (
        ("no songs by 'Bo'", {"do": "map", "artist": "Bo"}),
        ("no song number 40", {"do": "similar", "song": 40}),
        ("song is missing: give the song's number", {"do": "similar"}),
        ("The count must be 1 to 1,000 songs, not 0", {"do": "similar", "song": 1, "count": 0}),
        ("no key 'artist'", {"do": "similar", "song": 1, "artist": "Zed"}),
    ):
        process.send(**values, id=4, model=model)
        assert words in process.read()["error"]


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One process for all invalid requests: it must survive each."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path_factory.mktemp("home")))
    worker = Process()
    monkeypatch.undo()
    yield worker
    assert worker.end() == (0, b"")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"load!", "not JSON"),
        (b"\xff\xfe{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'["sample"]', "not a JSON object"),
        (b'{"id": 7}', "asks to do None"),
        (b'{"id": 7, "do": ["load"]}', "asks to do ['load']"),
        (b'{"id": 7, "do": "load", "prime": "a"}', "no key 'prime'"),
        (b'{"id": 7, "do": "load", "model": 3}', "model is 3"),
        (b'{"id": 7, "do": "load", "model": "nix"}', "no model 'nix'"),
        (b'{"id": 7, "do": "sample", "prime": 3}', "prime is 3: give a text"),
        (
            b'{"id": 7, "do": "sample", "temperature": "hot"}',
            "Temperature must be a number from 0 to inf, not 'hot'",
        ),
        (
            b'{"id": 7, "do": "sample", "temperature": NaN}',
            "Temperature must be a number from 0 to inf, not nan",
        ),
        (
            b'{"id": 7, "do": "sample", "temperature": true}',
            "Temperature must be a number from 0 to inf, not True",
        ),
        (
            b'{"id": 7, "do": "sample", "temperature": 1' + b"0" * 400 + b"}",
            "from 0 to inf, not 1000",
        ),
        (
            b'{"id": 7, "do": "sample", "top_k": 1.5}',
            "Top-k must be a whole number of 0 or more, not 1.5.",
        ),
        (
            b'{"id": 7, "do": "sample", "top_p": 7}',
            "Top-p must be a number above 0 and at most 1, not 7",
        ),
        (
            b'{"id": 7, "do": "sample", "length": "all"}',
            "Length must be a whole number of 1 or more, not 'all'.",
        ),
        (b'{"id": 7, "do": "sample", "mix": {"Zed": 1}}', "mix is {'Zed': 1}: give a text"),
        (b'{"id": 7, "do": "sample", "mix": "Zed=all"}', "of 'Zed' is not a number but 'all'"),
        (b'{"id": 7, "do": "sample", "bits": 1}', "bits is 1: give true or false"),
        (b'{"id": 7, "do": "sample", "best": 3, "count": 2}', "Both count and best"),
        (
            b'{"id": 7, "do": "sample", "precision": "exact"}',
            "precision is 'exact': give fast or full",
        ),
        (b'{"id": 7, "do": "load", "precision": "exact"}', "precision is 'exact'"),
        (
            b'{"id": 7, "do": "sample", "guidance": NaN}',
            "Guidance must be a number from 0 to 10, not nan",
        ),
        (
            b'{"id": 7, "do": "sample", "line": 2.5}',
            "Line must be a whole number from 0 to 200, not 2.5.",
        ),
        (
            b'{"id": 7, "do": "sample", "line": 201}',
            "Line must be a whole number from 0 to 200, not 201",
        ),
        (
            b'{"id": 7, "do": "sample", "form": "vcv"}',
            "Form must be 'none', or 1 to 24 of the letters V, C, B, not 'vcv'.",
        ),
        (
            b'{"id": 7, "do": "sample", "known_words": true}',
            "Known words must be 'on' or 'off', not True.",
        ),
        (
            b'{"id": 7, "do": "sample", "candidates": 0}',
            "Candidates must be a whole number from 1 to 64, not 0.",
        ),
        (b'{"id": 7, "do": "change", "temperature": 1}', "No song is being written"),
        (b'{"id": 7, "do": "change", "prime": "a"}', "no key 'prime'"),
        (b'{"id": 7, "do": "change", "model": "a"}', "no key 'model'"),
    ],
)
def test_an_invalid_request_is_answered_with_an_error(
    lasting: Process, line: bytes, words: str
) -> None:
    lasting.send(line)
    answer = lasting.read()
    assert words in answer["error"]
    assert answer["id"] == (7 if b'"id": 7' in line else None)


def test_a_changed_checkpoint_is_loaded_again(process: Process, write: Write, home: Path) -> None:
    run = home / "runs" / "20250102-030405-night"
    steps = [write(run / "checkpoints" / f"step-{n}", layers=n) for n in (1, 2)]
    (run / "config.json").write_text("{}")
    best = run / "checkpoints" / "best"
    best.symlink_to("step-1")

    def words() -> str:
        process.send(do="load", id=1, model="night")
        return str(process.read()["words"])

    assert words() == "lstm 1 × 12"
    best.unlink()
    best.symlink_to("step-2")
    assert words() == "lstm 2 × 12"
    write(steps[1], layers=3)
    assert words() == "lstm 3 × 12"


def test_a_model_stays_loaded(process: Process, write: Write, tmp_path: Path) -> None:
    folder = write(tmp_path / "model")
    process.send(do="load", id=1, model=str(folder))
    assert process.read()["loaded"]
    (folder / "meta.json").write_text("no longer read")
    process.send(do="load", id=2, model=str(folder))
    assert process.read()["loaded"]


def test_the_end_of_stdin_ends_it_within_a_song(
    process: Process, write: Write, tmp_path: Path
) -> None:
    model = str(write(tmp_path / "model"))
    process.send(do="sample", id=1, model=model, length=ENDLESS)
    assert process.read()["started"]
    assert process.end() == (0, b"")  # communicate() closes stdin


def test_it_ends_quietly_when_stdout_is_closed(
    process: Process, write: Write, tmp_path: Path
) -> None:
    model = str(write(tmp_path / "model"))
    process.send(do="sample", id=1, model=model, length=ENDLESS)
    assert process.read()["started"]
    assert process.popen.stdout
    process.popen.stdout.close()
    assert process.popen.wait(timeout=30) == 0
    assert process.popen.stderr
    assert process.popen.stderr.read() == b""


def test_an_interrupt_is_left_to_the_parent_and_sigterm_ends_it(
    process: Process, write: Write, tmp_path: Path
) -> None:
    model = str(write(tmp_path / "model"))
    process.send(do="sample", id=1, model=model, length=ENDLESS)
    assert process.read()["started"]
    process.popen.send_signal(signal.SIGINT)
    for _ in range(100):
        assert "text" in process.read()
    process.popen.send_signal(signal.SIGTERM)
    assert process.end() == (-signal.SIGTERM, b"")


def test_it_needs_no_torch_or_textual_and_one_thread() -> None:
    script = (
        "import os, sys, engine.sampler_process as w; "
        "print([m for m in ('torch', 'textual', 'rich', 'tui') if m in sys.modules], "
        "os.environ['OPENBLAS_NUM_THREADS'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[] 1", done.stderr


def test_a_conversation_about_units(
    process: Process, write: Write, write_music: Write, tmp_path: Path
) -> None:
    model = str(write(tmp_path / "model", cell="gru", layers=2))
    process.send(do="unit", id=0, layer=1, unit=1)
    assert "ask for neurons first" in process.read()["error"]
    text = "a bad cab,\na bag."
    process.send(do="neurons", id=1, model=model, text=text, path=None, artist="Zed")
    answer = process.read()
    told = answer["neurons"]
    assert (answer["id"], told["text"], told["layers"], told["hidden"]) == (1, text, 2, 12)
    assert (told["title"], told["song"], told["songs"]) == ("the text given", 0, 1)
    best = {feature["name"]: feature["units"] for feature in told["features"]}
    assert best["in quotes"] == []
    layer, unit, correlation = best["vowel"][0]
    process.send(do="unit", id=2, layer=layer, unit=unit)
    seen = process.read()["unit"]
    assert (seen["layer"], seen["unit"]) == (layer, unit)
    assert seen["correlations"]["vowel"] == correlation
    assert len(seen["activations"]) == len(text)
    vowels = [float(character in "ae") for character in text]
    mean = sum(vowels) / len(vowels)
    sign = sum((v - mean) * a for v, a in zip(vowels, seen["activations"], strict=True))
    assert sign * correlation > 0
    for values, said in (
        ({"layer": 3, "unit": 1}, "no unit 1 in layer 3"),
        ({"layer": "1", "unit": 1}, "layer is '1': give its number, from 1."),
        ({"unit": 1}, "layer is missing: give its number, from 1."),
    ):
        process.send(do="unit", id=3, **values)
        assert said in process.read()["error"]
    music = str(write_music(tmp_path / "music"))
    process.send(do="load", id=4, model=music)
    assert process.read()["loaded"]
    process.send(do="unit", id=5, layer=1, unit=1)  # the song went with its model
    assert "ask for neurons first" in process.read()["error"]
    process.send(do="neurons", id=6, model=music)
    told = process.read()["neurons"]
    assert len(told["frames"]) == 200
    assert (told["songs"], told["text"]) == (0, None)
    process.send(do="neurons", id=7, model=music, path=str(tmp_path / "none.mid"))
    assert "none.mid" in process.read()["error"]
    assert process.end() == (0, b"")
