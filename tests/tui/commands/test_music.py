"""The commands on music: training on MIDI, scores, samples as MIDI, WAV and PNG."""

import dataclasses
import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from engine.music import midi, musicxml
from engine.music.score import Note, Score

Call = Callable[..., Any]
TINY = {
    "data.frame_seconds": 0.3,
    "model.hidden_size": 12,
    "model.embedding_size": 8,
    "train.batch_size": 4,
    "train.bptt": 16,
    "train.steps": 12,
    "train.sample_length": 10,
    "train.evaluate_every": 6,
    "train.sample_every": 6,
    "train.threads": 1,
    "data.valid_fraction": 0.2,
    "data.test_fraction": 0.2,
}


@pytest.fixture
def tunes(tmp_path: Path) -> Path:
    """A folder of ten short tunes over a bass, each in another key."""
    folder = tmp_path / "tunes"
    for number in range(10):
        melody = [60 + number + step for step in (0, 2, 4, 5, 7, 5, 4, 2)] * 2
        notes = [Note(0.3 * i, 0.3 * i + 0.3, pitch) for i, pitch in enumerate(melody)]
        notes += [Note(1.2 * i, 1.2 * i + 1.2, 48 + number) for i in range(4)]
        midi.write(Score(tuple(notes)), folder / f"{number}.mid")
    return folder


@pytest.fixture(params=["joint", "independent"])
def tuned(call: Call, tunes: Path, request: pytest.FixtureRequest) -> str:
    """The name of a finished run on the tunes."""
    settings = [w for key, value in TINY.items() for w in ("--set", f"{key}={value}")]
    arguments = ("--run", "tuned", "--quiet", "--set", f"model.head={request.param}", *settings)
    done = call("train", "music", "--data", tunes, *arguments)
    assert done.status == 0, done.err
    return "tuned"


def test_similar_pieces_are_listed(call: Call, tuned: str, tunes: Path) -> None:
    arguments = ("similar", tunes / "3.mid", "--model", tuned, "--json")
    rows = [json.loads(line) for line in call(*arguments).out.splitlines()]
    assert len(rows) == 10
    assert rows[0]["title"].startswith("3")  # the piece itself is a training song
    assert rows[0]["similarity"] == pytest.approx(1, abs=1e-3)
    named = call("similar", rows[0]["title"], "--model", tuned, "--count", 1)
    assert f"most similar to {rows[0]['title']}, by tuned:" in named.out
    (tunes / "bad.mid").write_bytes(b"MThd but no music")
    done = call("similar", tunes / "bad.mid", "--model", tuned)
    assert (done.status, "bad.mid" in done.err) == (2, True)


def test_music_is_trained_watched_and_scored(call: Call, tuned: str) -> None:
    events = [json.loads(line) for line in call("watch", tuned, "--json").out.splitlines()]
    assert (events[0]["kind"], events[0]["unit"]) == ("music", "frame")
    samples = [event for event in events if event["event"] == "sampled"]
    assert len(samples) == 2
    for first, last, pitch in samples[-1]["notes"]:
        assert 0 <= first < last <= 10
        assert 21 <= pitch <= 108
    (score,) = (
        json.loads(line) for line in call("eval", "--model", tuned, "--json").out.splitlines()
    )
    assert score["metric"] == "nats_per_frame"
    assert 0 < score["value"] < 61  # 88 coins
    assert score["without_first_frames"] > 0
    assert score["per_song"] > 0
    assert (score["copies"], score["without_copies"]) == (0, score["value"])
    assert "nats per frame" in call("eval", "--model", tuned).out
    assert "music" in call("models").out
    (run,) = (json.loads(line) for line in call("runs", "--json").out.splitlines())
    assert run["best_bits_per_character"] is None
    assert 0 < run["best_nats_per_frame"] < 61


def test_a_sampled_piece_is_written_as_midi_wav_and_png(
    call: Call, tuned: str, tmp_path: Path, tunes: Path
) -> None:
    out, wav, png = (tmp_path / f"song.{ending}" for ending in ("mid", "wav", "png"))
    arguments = ("sample", "music", "--model", tuned, "--seed", 3, "--least", 1, "--length", 20)
    files = ("-o", out, "--wav", wav, "--png", png)
    done = call(*arguments, *files, "--prime", tunes / "0.mid")
    assert done.status == 0, done.err
    assert "notes" in done.out
    score = midi.read(out)
    assert score.notes[0].pitch in (60, 48)  # the prime's first chord
    assert score.end == pytest.approx((16 + 20) * 0.3, abs=0.7)
    with wave.open(str(wav)) as file:
        assert file.getnframes() / file.getframerate() >= score.end
    with Image.open(png) as image:
        assert min(image.size) > 100
    again = tmp_path / "again.mid"
    call(*arguments, "-o", again, "--prime", tunes / "0.mid")
    assert midi.read(again).notes == score.notes


def test_frames_as_json(call: Call, tuned: str) -> None:
    arguments = ("sample", "music", "--model", tuned, "--seconds", 3, "--seed", 1, "--json")
    *frames, done = (
        json.loads(line) for line in call(*arguments, "--notes", "60,E4").out.splitlines()
    )
    assert len(frames) == done["frames"] == 10
    assert done["reason"] == "length"
    for frame in frames:
        assert set(frame["onsets"]) <= set(frame["keys"])


def test_a_length_in_bars(call: Call, tuned: str, tunes: Path, tmp_path: Path) -> None:
    jig = midi.read(tunes / "0.mid")
    midi.write(dataclasses.replace(jig, time_signature=(6, 8)), tmp_path / "jig.mid")
    arguments = ("sample", "music", "--model", tuned, "--seed", 1, "--json", "--bars")
    for count, prime, frames in ((3, (), 20), (2.4, ("--prime", tmp_path / "jig.mid"), 12)):
        out = call(*arguments, count, *prime).out  # at 120 beats a minute a beat lasts 5 / 3 frames
        assert json.loads(out.splitlines()[-1])["frames"] == frames


def test_invalid_arguments(call: Call, tuned: str, tmp_path: Path) -> None:
    sample = ("sample", "music", "--model", tuned, "--json")
    (tmp_path / "no.mid").write_bytes(b"MThd but no music")
    cases = [
        (("sample", "music", "--model", tuned), "-o FILE.mid"),
        ((*sample, "-o", tmp_path / "a.mid", "--wav", tmp_path / "." / "a.mid"), "written twice"),
        ((*sample, "--length", 10**5, "--png", tmp_path), "is a folder"),
        ((*sample, "-o", "x.WAV"), "-o does not write .WAV files: use --wav x.WAV."),
        ((*sample, "--wav", "x.mid"), "--wav does not write .mid files: use -o x.mid."),
        ((*sample, "--prime", tmp_path / "gone.mid"), "gone.mid"),
        ((*sample, "--prime", tmp_path / "no.mid"), "no.mid"),
        ((*sample, "--notes", "60,H"), "'H' is not a note"),
        ((*sample, "--notes", "10"), "not on the piano"),
        ((*sample, "--temperature", "-1"), "Temperature must be a number from 0 to inf"),
        ((*sample, "--length", "0"), "Length must be a whole number from 1 to 100,000"),
        ((*sample, "--seconds", "nan"), "--seconds must be above 0 and below 1,000,000"),
        ((*sample, "--bars", "0"), "--bars must be above 0 and below 1,000,000, not 0."),
        ((*sample, "--least", "50"), "Min notes must be a whole number from 0 to 10"),
        ((*sample, "--memory", "2"), "Memory must be a number from 0 to 1"),
        ((*sample, "--melody", "C4 H"), "'H' is not a note"),
        ((*sample, "--melody", tmp_path / "gone.mid"), "gone.mid"),
        ((*sample, "--melody", "C4", "--bars", "2"), "--melody sets the length: leave out --bars."),
        ((*sample, "--melody", "C4", "--notes", "C4"), "not allowed with argument"),
        (("sample", "lyrics", "--model", tuned), "writes music"),
        (("train", "music", "--data", "originals"), "lyrics"),
        (
            ("train", "lyrics", "--resume", tuned),
            "is a music run: use 'rnn-tui train music --resume tuned'.",
        ),
        (("train", "music", "--data", tmp_path / "no.mid"), "no.mid"),
    ]
    for arguments, message in cases:
        done = call(*arguments)
        assert done.status == 2, (arguments, done)
        assert message in done.err, (arguments, done.err)
        assert done.err.count("\n") == 1, done.err


def test_counting_models_are_for_lyrics(call: Call, tunes: Path) -> None:
    done = call("train", "music", "--data", tunes, "--set", "model.kind=markov")
    assert done.status == 2
    assert "model.kind 'markov' is for lyrics: for music use model.kind=network." in done.err


@pytest.mark.parametrize("beats", [0.5, 0.0])
def test_a_piece_continues_in_the_metre_and_the_tempo_of_its_prompt(
    call: Call, tunes: Path, tmp_path: Path, beats: float
) -> None:
    settings = [w for key, value in TINY.items() for w in ("--set", f"{key}={value}")]
    frames = ("--set", f"data.frame_beats={beats}")
    assert call("train", "music", "--data", tunes, "--run", "t", *frames, *settings).status == 0
    waltz, out = tmp_path / "waltz.mid", tmp_path / "out.mid"
    notes = tuple(Note(float(i), i + 1.0, 60 + i) for i in range(12))
    midi.write(Score(notes, 60.0, (3, 4)), waltz)
    arguments = ("--model", "t", "--least", 1, "--prime", waltz, "--bars", 4, "-o", out)
    assert call("sample", "music", *arguments).status == 0
    score = midi.read(out)
    assert score.tempo == pytest.approx(60, abs=1e-3)
    assert score.time_signature == (3, 4)
    assert score.end == pytest.approx(12 + 12, abs=0.31)
    assert spans(score)[:3] == [(0, 1, 60), (1, 2, 61), (2, 3, 62)] if beats else score.notes


def spans(score: Score) -> list[tuple[float, float, int]]:
    return [(round(note.start, 2), round(note.end, 2), note.pitch) for note in score.notes]


def test_one_midi_file_is_described(call: Call, tmp_path: Path) -> None:
    notes = tuple(Note(i * 0.5, i * 0.5 + 0.5, 60 + i) for i in range(8))
    midi.write(Score((*notes, Note(0, 1, 10)), 90.0, (3, 4)), tmp_path / "one.mid")
    assert json.loads(call("data", "info", tmp_path / "one.mid", "--json").out) == {
        "name": "one.mid",
        "kind": "music",
        "notes": 8,
        "seconds": 4.0,
        "tempo": 90.0,
        "metre": "3/4",
        "lowest_key": "C4",
        "highest_key": "G4",
        "notes_left_out": {
            "drums": 0, "outside": 1, "empty": 0, "joined": 0, "grace": 0, "other_parts": 0
        },
    }  # fmt: skip
    assert "notes left out             1 outside" in call("data", "info", tmp_path / "one.mid").out


def test_music_is_written_described_and_continued_as_musicxml(
    call: Call, tuned: str, tmp_path: Path
) -> None:
    out = tmp_path / "tune.mxl"
    call("sample", "music", "--model", tuned, "--bars", 2, "--seed", 1, "-o", out)
    facts = json.loads(call("data", "info", out, "--json").out)
    assert (facts["name"], facts["metre"]) == ("tune.mxl", "4/4")
    assert facts["notes"] == len(musicxml.read(out).notes) > 0
    again = tmp_path / "again.musicxml"
    call("sample", "music", "--model", tuned, "--prime", out, "--length", 1, "-o", again)
    assert musicxml.read(again).notes[: facts["notes"] // 2]
    voice = (
        b'<score-part id="V"><part-name>Voice</part-name></score-part></part-list><part id="V">'
        b"<measure><note><pitch><step>C</step><octave>5</octave></pitch><duration>1</duration>"
        b"</note></measure></part>"
    )
    song = musicxml.encode(Score((Note(0, 1, 60),)))
    (tmp_path / "song.xml").write_bytes(song.replace(b"</part-list>", voice))
    printed = call("data", "info", tmp_path / "song.xml").out
    assert "notes left out             1 other parts" in printed
    assert "parts left out             Voice" in printed


def test_a_folder_with_test_songs_only_is_described_and_scored(
    call: Call, tuned: str, tunes: Path, tmp_path: Path
) -> None:
    tunes.rename(tmp_path / "test")
    (tmp_path / "tunes").mkdir()
    (tmp_path / "test").rename(tmp_path / "tunes" / "test")
    (facts,) = [json.loads(call("data", "info", tmp_path / "tunes", "--json").out)]
    assert (facts["train_songs"], facts["test_songs"]) == (0, 10)
    shown = call("data", "info", tmp_path / "tunes").out
    assert "frame                      0.25 beats\n" in shown
    assert "{" not in shown
    one = tmp_path / "tunes" / "test" / "3.mid"
    done = call("eval", "--model", tuned, "--data", one, "--json")
    assert json.loads(done.out)["frames"] == 16
    refused = call("train", "music", "--data", tmp_path / "tunes")
    assert refused.status == 2
    assert "has no songs to train on: put some into a folder named train." in refused.err


def test_a_piece_that_is_only_played_is_saved_under_a_new_name(
    call: Call, tuned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tui.commands.play.play", lambda *_: 1)  # no port
    arguments = ("sample", "music", "--model", tuned, "--seed", 3, "--length", 8, "--play")
    for name in ("tuned-3.mid", "tuned-3-2.mid", "tuned-3-3.mid"):
        done = call(*arguments)
        assert (done.status, done.out.split(": ")[0]) == (1, name)
    saved = sorted(path.name for path in tmp_path.glob("*.mid"))
    assert saved == ["tuned-3-2.mid", "tuned-3-3.mid", "tuned-3.mid"]
    assert call(*arguments, "--png", "roll.png").out.startswith("roll.png: ")
    assert sorted(path.name for path in tmp_path.glob("*.mid")) == saved


def test_a_melody_is_harmonized(call: Call, tuned: str, tmp_path: Path) -> None:
    melody = "C5 D5 E5:1.5 r:0.5 G5:0.5 C5:2.5"
    arguments = ("sample", "music", "--model", tuned, "--seed", 3, "--melody")
    out, again, png = (tmp_path / name for name in ("out.mid", "again.mid", "out.png"))
    done = call(*arguments, melody, "-o", out, "--png", png)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"{out}, {png}: ")
    beats = [(0, 1, 72), (1, 2, 74), (2, 3.5, 76), (4, 4.5, 79), (4.5, 7, 72)]
    assert {*beats} <= {(2 * start, 2 * end, pitch) for start, end, pitch in spans(midi.read(out))}
    midi.write(Score(tuple(Note(a / 2, b / 2, pitch) for a, b, pitch in beats)), again)
    *frames, end = (json.loads(line) for line in call(*arguments, again, "--json").out.splitlines())
    assert (end["reason"], end["frames"]) == ("end", len(frames))
    assert len(frames) == 12  # as long as the melody
    assert all(key < 79 for frame in frames for key in frame["keys"])
