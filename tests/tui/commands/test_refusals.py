"""Invalid input: an error of one sentence, exit status 2, and no files left."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from engine.runs import run_dir
from tests.strange_files import STRANGE, replace

Call = Callable[..., Any]


def refused(done: Any) -> str:
    """Check that a command refused its input, and return the error."""
    assert done.status == 2, done
    assert done.out == ""
    lines = done.err.splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("rnn-tui: ")
    assert lines[0].endswith((".", "?"))
    return str(lines[0])


def leftovers(home: Path) -> list[Path]:
    """Return what a refused command must not leave: runs and unfinished corpora."""
    runs, corpora = home / "runs", home / "corpora"
    folders = [path for path in corpora.glob("*") if path.is_dir()] if corpora.is_dir() else []
    half = [path for path in folders if not (path / "meta.json").exists()]
    return [*(runs.iterdir() if runs.is_dir() else []), *half]


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "not a CSV": (bytes(range(256)) * 40, "bad.csv"),
    "no such columns": (b"singer,words\nA,la la la la la la la\n", "column"),
    "no rows": (b"artist,song,link,text\n", "bad.csv"),
    "undecodable": ("artist,text\nA,caf\xe9 ".encode("latin-1") + b"x" * 40 + b"\n", "UTF-8"),
    "too short": (b"artist,text\nA,la\nB,lo\nC,li\nD,le\n", "data.min_length"),
    "too few": (b"artist,text\nA,only one song there is in here\n", "more songs"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_invalid_song_files(
    call: Call, tmp_path: Path, home: Path, tiny: list[str], name: str
) -> None:
    content, message = BAD_FILES[name]
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    sentence = refused(call("train", "lyrics", "--data", path, *tiny))
    assert message in sentence
    assert leftovers(home) == []


SETTINGS = {
    "train.stepz=3": "did you mean 'train.steps'?",
    "train.steps=many": "whole number",
    "train.steps=0": "1 or more",
    "train.lr=nan": "train.lr",
    "train.bptt=-1": "0 or more",
    "train.checkpoint_segment=-64": "0 or more",
    "train.checkpoint_segment=much": "a whole number of 0 or more, or auto",
    "model.cell=tcn": "rnn, gru or lstm",
    "model.dropout=1.5": "from 0 to 0.95",
    "model.order=9": "from 1 to 8",
    "300": '"300" needs a key, for example train.steps=300.',
    "train.steps": "train.steps needs a value, for example train.steps=2000.",
    "data.artists=Abba Gold": "Abba Gold",
    "data.min_songs=900": "data.min_songs",
    "data.valid_fraction=0.9": "from 0 to 0.5",
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_invalid_settings(call: Call, songs: Path, home: Path, setting: str) -> None:
    sentence = refused(call("train", "lyrics", "--data", songs, "--set", setting))
    assert SETTINGS[setting] in sentence
    assert leftovers(home) == []


def test_invalid_arguments(call: Call, songs: Path, trained: str, tmp_path: Path) -> None:
    sample = ("sample", "lyrics", "--model", trained)
    songs.with_name("empty.txt").write_text(" \n")
    songs.with_name("odd.txt").write_bytes(b"\xff\xfe\xff")
    songs.with_name("lost.csv").symlink_to("nowhere.csv")
    clock = ("--set", "model.beat_position=true")
    cases = [
        (("data", "info", songs.with_name("lost.csv")), "is neither a file nor a folder"),
        (("train", "lyrics", "--data", songs, "--preset", "article"), "'--set data.artists='"),
        (("train", "lyrics", "--data", songs, "--preset", "tunes"), "'rnn-tui train music'"),
        (("train", "lyrics", "--data", songs, *clock), "model.beat_position is for music"),
        (
            ("train", "lyrics", "--data", songs, "--run", "folk"),
            "included model is called 'folk'",
        ),
        (("train", "lyrics", "--data", songs, "--run", ""), "--run ''"),
        (("neurons", "--text", songs, "--song", "2"), "--song: not allowed"),
        (("export", trained, "--csv", "/proc/no/x.csv"), "Cannot write /proc/no/x.csv"),
        (("train", "lyrics", "--data", tmp_path / "gone.csv"), "There is no file"),
        (("train", "lyrics"), "--data"),
        (("train", "lyrics", "--data", "orginals"), "'originals'"),
        (("data", "fetch", "nottingam"), "'nottingham'"),
        (
            ("data", "fetch", "pieces", "--timeout", "0"),
            "--timeout must be a finite number above 0",
        ),
        (("data", "info", "nottingham"), "rnn-tui data fetch nottingham"),
        (("train", "lyrics", "--data", songs, "--preset", "lstn"), "'lstm'"),
        (("train", "lyrics", "--data", songs, "--run", trained), "--resume small"),
        (("train", "lyrics", "--data", songs, "--run", "a/b"), "--run 'a/b'"),
        (("train", "lyrics", "--resume", "nobody"), "There is no run 'nobody'"),
        (("train", "lyrics", "--resume", trained), "--set train.steps=24"),
        (("train", "lyrics", "--resume", trained, "--data", songs), "--resume"),
        (
            ("train", "lyrics", "--resume", trained, "--set", "model.hidden_size=3"),
            "model.hidden_size=3",
        ),
        (("train", "opera"), "'opera'"),
        (("trian",), "trian"),
        (("watch", "nobody"), "There is no run 'nobody'"),
        ((*sample, "--artist", "Ada Larc"), "'Ada Lark'"),
        ((*sample, "--prime", "Wh¥"), "'¥'"),
        ((*sample, "--temperature", "-1"), "Temperature must be a number from 0 to inf, not '-1'."),
        ((*sample, "--temperature", "nan"), "Temperature must be a number from 0 to inf"),
        ((*sample, "--temperature", "warm"), "Temperature must be a number from 0 to inf"),
        ((*sample, "--top-k", "-2"), "Top-k must be a whole number of 0 or more"),
        ((*sample, "--top-p", "0"), "Top-p must be a number above 0 and at most 1"),
        ((*sample, "--min-p", "2"), "Min-p must be a number from 0 to 1"),
        ((*sample, "--line", "-1"), "Line must be a whole number from 0 to 200, not '-1'."),
        ((*sample, "--line", "201"), "Line must be a whole number from 0 to 200, not '201'."),
        ((*sample, "--length", "0"), "Length must be a whole number of 1 or more"),
        ((*sample, "--count", "0"), "Count must be a whole number from 1 to 1,000"),
        (
            (*sample, "--form", "xyz"),
            "Form must be 'none', or 1 to 24 of the letters V, C, B, not 'xyz'.",
        ),
        (
            (*sample, "--candidates", "0"),
            "Candidates must be a whole number from 1 to 64, not '0'.",
        ),
        ((*sample, "--rhyme", "abba"), "Rhyme must be 'none', 'aabb' or 'abab', not 'abba'."),
        ((*sample, "--known-words", "yes"), "Known words must be 'on' or 'off', not 'yes'."),
        ((*sample, "--raw", "maybe"), "Raw must be 'on' or 'off', not 'maybe'."),
        ((*sample, "--seed", "-1"), "Seed must be a whole number of 0 or more"),
        (("sample", "lyrics", "--model", "smal"), "'small'"),
        (("eval", "--model", tmp_path), "meta.json"),
        (("similar", "Sonk 7", "--model", trained), "'Song 7'"),
        (("similar", "Song", "--model", trained), "name one of these songs"),
        (
            ("similar", "Song 7", "--model", trained, "--count", "0"),
            "The count must be 1 to 1,000 songs, not 0",
        ),
        (("similar", songs.with_name("empty.txt"), "--model", trained), "is empty"),
        (("similar", songs.with_name("odd.txt"), "--model", trained), "UTF-8"),
        (("data", "info", tmp_path / "gone"), "gone"),
        (("data",), "list|fetch|info"),
        (("models", "info", "nobody"), "nobody"),
        (("export", trained), "--csv"),
        (("export", "nobody", "--csv", tmp_path / "x"), "nobody"),
    ]
    for arguments, message in cases:
        assert message in refused(call(*arguments)), arguments


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--best", "3")], ids=str)
def test_rhyme_without_words_to_rhyme(call: Call, trained: str, arguments: tuple[str, ...]) -> None:
    (run_dir.find(trained).checkpoints / "best" / "words.txt").unlink()
    done = call("sample", "lyrics", "--model", trained, "--rhyme", "aabb", *arguments)
    assert "small has no list of words to rhyme: leave rhyme at none" in refused(done)
    assert done.out == ""


def test_an_artist_for_a_model_without_artists(call: Call, songs: Path) -> None:
    arguments = ("train", "lyrics", "--data", songs, "--preset", "markov", "--run", "m", "--quiet")
    assert call(*arguments).status == 0
    message = refused(call("sample", "lyrics", "--model", "m", "--artist", "Ada Lark"))
    assert "has no artist styles" in message


@pytest.mark.parametrize("damage", ["cut", "foreign", "shape", "lacking", "not finite", "no meta"])
def test_damaged_models(call: Call, trained: str, damage: str) -> None:
    folder = (run_dir.find(trained).checkpoints / "best").resolve()
    weights, meta = folder / "model.safetensors", folder / "meta.json"
    tensors = safetensors.numpy.load_file(weights)
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-64])
    elif damage == "foreign":
        weights.write_bytes(b"PK\x03\x04 this is a pickle in a zip, or anything else")
    elif damage == "shape":
        facts = json.loads(meta.read_text())
        facts["model"]["hidden"] = 13
        meta.write_text(json.dumps(facts))
    elif damage == "lacking":
        tensors.pop("head.bias")
        weights.write_bytes(safetensors.numpy.save(tensors))
    elif damage == "not finite":
        tensors["head.bias"] = np.full_like(tensors["head.bias"], np.nan)
        weights.write_bytes(safetensors.numpy.save(tensors))
    else:
        meta.unlink()
    for arguments in (("sample", "lyrics"), ("eval",)):
        assert str(folder) in refused(call(*arguments, "--model", trained))


def test_two_trainers_on_one_run(call: Call, trained: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_dir.find(trained).lock():
        arguments = ("train", "lyrics", "--resume", trained, "--set", "train.steps=99")
        assert "already being trained by process" in refused(call(*arguments))


def test_a_bug_is_reported_in_one_sentence(
    call: Call, trained: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug\nin two lines")

    monkeypatch.setattr(run_dir, "list_runs", broken)
    done = call("runs")
    assert done.status == 1
    assert done.err.count("\n") == 1
    assert "ZeroDivisionError: a bug in two lines" in done.err
    assert "Traceback" in call("runs", "--debug").err
    assert "Traceback" in call("--debug", "runs").err


@pytest.mark.parametrize("content", ["[]", "{}", "no JSON", '{"config": {"kind": "opera"}}'])
def test_a_broken_run_affects_no_other(call: Call, trained: str, home: Path, content: str) -> None:
    broken = home / "runs" / "20990101-000000-broken"
    broken.mkdir()
    (broken / "config.json").write_text(content)
    done = call("runs", "--json")
    assert done.status == 0
    assert [json.loads(line)["name"] for line in done.out.splitlines()] == ["broken", trained]
    assert call("models").status == 0
    arguments = ("train", "lyrics", "--resume", "broken")
    assert str(broken) in refused(call(*arguments)) or content.startswith('{"config')


@pytest.mark.parametrize("kind", STRANGE)
def test_a_strange_run_is_refused_at_once(
    call: Call, trained: str, home: Path, tmp_path: Path, kind: str
) -> None:
    run = run_dir.find(trained)
    replace(run.path / "config.json", kind)
    assert "best" in call("runs").out
    (run.path / "events.jsonl").unlink()
    done = call("runs")
    assert done.status == 0
    assert trained in done.out
    assert done.err.startswith(f"Cannot read {run.path / 'config.json'} (")
    assert done.err.count("\n") == 1
    assert done.err.strip() == json.loads(call("runs", "--json").out)["error"]
    for words in (
        ("train", "lyrics", "--resume", trained),
        ("eval", "--model", str(run.path), "--data", "nothing.csv"),
    ):
        refused(call(*words))


def test_a_finished_run_takes_no_requests(call: Call, trained: str) -> None:
    message = refused(call("ask", trained, "stop"))
    assert "is not in training (finished) and takes no requests: for more steps use" in message
    assert f"--resume {trained} --set train.steps=24" in message


def test_changed_songs_are_not_scored(call: Call, trained: str, songs: Path) -> None:
    songs.write_text(songs.read_text() + 'Zed,New,,"a song that was not there before"\n')
    assert "have changed since" in refused(call("eval", "--model", trained))
    assert call("eval", "--model", trained, "--data", songs).status == 0


def test_names_too_long_for_files(call: Call, songs: Path) -> None:
    long = "x" * 300
    for arguments in (("watch", long), ("data", "info", long), ("train", "lyrics", "--data", long)):
        assert long in refused(call(*arguments))
    refused(call("train", "lyrics", "--data", songs, "--run", "音" * 80))


def test_an_unknown_option_names_the_closest_ones_and_the_help_of_its_command(call: Call) -> None:
    assert refused(call("sample", "lyrics", "--guidence", "2")) == (
        "rnn-tui: 'rnn-tui sample lyrics' has no option --guidence: did you mean '--guidance' "
        "or '--line'?"
    )
    assert refused(call("runs", "--zzz=1")) == (
        "rnn-tui: 'rnn-tui runs' has no option --zzz: see 'rnn-tui runs --help'."
    )
    assert refused(call("--plian")) == (
        "rnn-tui: 'rnn-tui' has no option --plian: did you mean '--plain'?"
    )
