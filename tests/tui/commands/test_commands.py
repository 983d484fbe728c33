"""The commands on valid input: their output as text and as JSON."""

import argparse
import csv
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from engine import paths
from engine.config import RunConfig
from engine.runs import run_dir
from tests.tui.commands.conftest import WORDS
from tui import cli
from tui.commands import watch

Call = Callable[..., Any]


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_train_prints_its_events(
    call: Call, songs: Path, tiny: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = call("train", "lyrics", "--data", songs, "--run", "one", *tiny, "--json")
    assert done.status == 0
    kinds = [item["event"] for item in objects(done.out)]
    assert kinds[0] == "started"
    assert kinds[-1] == "finished"
    assert {"step", "evaluated", "saved"} <= set(kinds)
    plain = call("watch", "one", "--plain")
    assert plain.status == 0
    assert "validation loss" in plain.out
    assert plain.out.rstrip().endswith("completed at step 12")
    assert objects(call("watch", "one", "--json").out) == objects(done.out)
    monkeypatch.setattr(watch, "LONG_BYTES", 1000)
    monkeypatch.setattr(watch, "TAIL_BYTES", 500)
    first, best, note, *rest = call("watch", "one").out.splitlines()
    assert (first, note[:13]) == (plain.out.splitlines()[0], "Only the last")
    assert "validation loss" in best
    assert rest == plain.out.splitlines()[-len(rest) :]
    assert len(rest) < len(plain.out.splitlines()) // 2


def test_a_resumed_run_takes_more_steps(call: Call, trained: str) -> None:
    done = call("train", "lyrics", "--resume", trained, "--set", "train.steps=18", "--json")
    assert done.status == 0
    events = objects(done.out)
    assert {"event": "resumed", "step": 12, "time": events[1]["time"]} == events[1]
    assert events[-1]["step"] == 18
    assert call("runs", "--json").out.count("\n") == 1


def test_the_same_seed_writes_the_same_text(call: Call, trained: str) -> None:
    arguments = ["sample", "lyrics", "--model", trained, "--prime", "Why", "--artist", "ada lark"]
    arguments += ["--temperature", "0.5", "--seed", "1", "--length", "60"]
    first, second = call(*arguments), call(*arguments)
    assert first.status == 0
    assert first.out == second.out
    assert first.out.startswith("Why")
    assert len(first.out) == 3 + 60 + 1
    characters = objects(call(*arguments, "--json").out)
    assert "Why" + "".join(item["text"] for item in characters[:-1]) + "\n" == first.out
    last = characters[-1]
    assert (last["done"], last["reason"], last["characters"]) == (True, "length", 60)
    assert (last["seed"], last["prime"], last["artist"]) == (1, "Why", "ada lark")


def test_a_model_keeps_the_words_and_lengths_of_its_training_songs(
    call: Call, trained: str
) -> None:
    file = run_dir.find(trained).checkpoints / "best" / "words.txt"
    assert file.read_text().split("\n") == sorted([*WORDS, "why"])
    lengths = json.loads(file.with_name("meta.json").read_text())["lengths"]
    assert len(lengths) == 21
    assert lengths == sorted(lengths)
    assert 20 < lengths[0] < lengths[-1] < 220


def test_songs_have_known_words_a_form_and_rhyme_unless_raw(call: Call, trained: str) -> None:
    sample = ("sample", "lyrics", "--model", trained, "--seed", 3)
    known = {*WORDS, "why"}
    song = call(*sample, "--form", "vcc", "--rhyme", "AABB").out
    verse, chorus, again = song.removesuffix("\n").split("\n\n")
    assert chorus == again
    assert {word.lower() for word in re.findall("[A-Za-z]+", song)} <= known
    assert 4 <= len(verse.split("\n")) <= 8
    raw = call(*sample, "--raw", "--length", 300).out
    assert raw == call(*sample, "--raw", "on", "--form", "VCC", "--length", 300).out
    assert {word.lower() for word in re.findall("[A-Za-z]+", raw)} - known
    line_by_line = call(*sample, "--length", 300).out
    assert line_by_line == call(*sample, "--raw", "off", "--length", 300).out
    assert line_by_line != raw
    one = ("--candidates", "1", "--known-words", "off", "--form", "none", "--ending", "off")
    assert call(*sample, *one, "--length", 300).out == raw


def test_several_songs_have_consecutive_seeds(call: Call, trained: str) -> None:
    arguments = ["sample", "lyrics", "--model", trained, "--count", 2, "--seed", 5, "--length", 10]
    done = [item for item in objects(call(*arguments, "--json").out) if "done" in item]
    assert [item["seed"] for item in done] == [5, 6]


@pytest.mark.parametrize("preset", ["uniform", "frequencies", "markov"])
def test_counting_models_are_trained_listed_scored_and_sampled(
    call: Call, songs: Path, preset: str
) -> None:
    arguments = ("train", "lyrics", "--data", songs, "--preset", preset, "--run", preset, "--quiet")
    done = call(*arguments)
    assert (done.status, done.out) == (0, "")
    (listed,) = (row for row in objects(call("models", "--json").out) if row["source"] == "run")
    assert (listed["name"], listed["kind"], listed["memory"]) == (preset, "lyrics", False)
    (score,) = objects(call("eval", "--model", preset, "--json").out)
    assert score["metric"] == "bits_per_character"
    assert score["split"] == "test"
    assert score["frames"] > 0
    (valid,) = objects(call("eval", "--model", preset, "--split", "valid", "--json").out)
    assert valid["value"] == pytest.approx(listed["bits_per_character"])
    assert len(call("sample", "lyrics", "--model", preset, "--length", 9).out) == 10


def test_eval_as_text_and_on_other_songs(call: Call, trained: str, songs: Path) -> None:
    arguments = call("eval", "--model", trained).out
    assert "bits per character" in arguments
    own = objects(call("eval", "--model", trained, "--json").out)
    same = objects(call("eval", "--model", trained, "--data", songs, "--json").out)
    assert own == same
    other = objects(call("eval", "--model", trained, "--data", "originals", "--json").out)
    assert other[0]["split"] == "test"  # the included data set has splits of its own
    assert other[0]["frames"] < 30_000
    assert 2 < other[0]["value"] < 8


def test_one_song_is_described_and_scored(call: Call, trained: str, songs: Path) -> None:
    one = songs.with_name("one.csv")
    text = "over the river and under the moon"
    one.write_text(f"artist,song,text\nZed,One,{text}\n")
    (facts,) = objects(call("data", "info", one, "--json").out)
    assert (facts["songs"], facts["train_songs"], facts["characters"]) == (1, 1, len(text))
    (score,) = objects(call("eval", "--model", trained, "--data", one, "--json").out)
    assert (score["split"], score["frames"]) == ("all", len(text) + 1)
    assert "of all songs" in call("eval", "--model", trained, "--data", one).out


def test_a_folder_whose_name_is_not_utf_8(call: Call, tmp_path: Path, tiny: list[str]) -> None:
    folder = tmp_path / os.fsdecode(b"Caf\xc9")
    for number in range(20):
        song = folder / os.fsdecode(b"Art\xe9") / f"{number}.txt"
        song.parent.mkdir(parents=True, exist_ok=True)
        song.write_text(f"song {number} under the moon and over the river")
    assert "Art\ufffd (20)" in call("data", "info", folder).out
    done = call("train", "lyrics", "--data", folder, "--run", "r", *tiny)
    assert (done.status, done.err) == (0, "")
    assert call("train", "lyrics", "--resume", "r", "--set", "train.steps=14").status == 0
    preset = run_dir.find("r").path / "config.toml"
    again = call("train", "lyrics", "--preset", preset, "--run", "s")
    assert (again.status, again.err) == (0, "")
    assert call("eval", "--model", "r").status == 0
    (row, _) = objects(call("runs", "--json").out)
    assert row["corpus"] == "Caf\ufffd"


def test_what_is_left_out_is_printed(call: Call, songs: Path, tiny: list[str]) -> None:
    lines = songs.read_text() + "Cy Marsh,Tiny,,la\nCy Marsh,Small,,lo\n"
    text = "one song that may be held out because it is the only one"
    songs.write_text(lines + "".join(f"Band {i},Only,,{text} {i}\n" for i in range(9)))
    done = call("train", "lyrics", "--data", songs, *tiny, "--set", "data.valid_fraction=0.3")
    assert done.status == 0
    assert "Left out (too short): 2: Cy Marsh – Tiny, Cy Marsh – Small\n" in done.err
    assert "no training song, and the model cannot learn their style: Band " in done.err
    info = call("data", "info", songs).out
    assert "left out (too short)       2: Cy Marsh – Tiny" in info


def test_eval_reports_how_much_is_copied(call: Call, trained: str, songs: Path) -> None:
    (score,) = objects(call("eval", "--model", trained, "--json").out)
    assert score["novelty"]["characters"] == 4000
    assert "Songs it writes: " in call("eval", "--model", trained).out
    songs.unlink()
    shutil.rmtree(paths.corpora())
    other_songs = ("eval", "--model", trained, "--data", "originals")
    assert objects(call(*other_songs, "--json").out)[0]["novelty"] is None
    assert "How much it copies is unknown: There is no file" in call(*other_songs).out


def test_similar_songs_by_title_and_by_file(call: Call, trained: str, tmp_path: Path) -> None:
    arguments = ("similar", "Song 4", "--model", trained, "--count", 3)
    rows = objects(call(*arguments, "--json").out)
    assert [row["to"] for row in rows] == ["Ada Lark – Song 4"] * 3
    assert [row["similarity"] for row in rows] == sorted(
        (row["similarity"] for row in rows), reverse=True
    )
    shown = call(*arguments).out.splitlines()
    assert shown[0].endswith("most similar to Ada Lark – Song 4, by small:")
    assert [line.split(maxsplit=1)[1] for line in shown[1:]] == [
        f"{row['artist']} – {row['title']}" for row in rows
    ]
    file = tmp_path / "mine.txt"
    file.write_text("Why\nriver road ¥ and stone\n", encoding="utf-8")
    done = call("similar", file, "--model", trained, "--count", 1, "--json")
    assert objects(done.out)[0]["to"] == str(file)
    assert "was not trained on these characters, which are read as unknown: '¥'." in done.err
    file.write_text("river road\n" * 2_000, encoding="utf-8")
    done = call("similar", file, "--model", trained, "--count", 1)
    assert "has 21,999 characters: only the first 20,000 are read" in done.err


def test_data_lists_and_describes(call: Call, songs: Path) -> None:
    listed, *_ = objects(call("data", "list", "--json").out)
    assert listed["name"] == "originals"
    assert Path(listed["path"]).is_file()
    (info,) = objects(call("data", "info", songs, "--json").out)
    assert info["songs"] == 30
    assert info["artists"] == {"Ada Lark": 20, "Bo Finch": 10}
    arguments = call("data", "info", songs).out
    assert "2: Ada Lark (20), Bo Finch (10)" in arguments
    assert "{" not in arguments


def test_data_sets_are_listed_and_downloaded(call: Call) -> None:
    listed = {item["name"]: item for item in objects(call("data", "list", "--json").out)}
    assert listed["pieces"]["here"] is True
    assert (listed["nottingham"]["here"], listed["nottingham"]["size"]) == (False, 371_688)
    assert len(listed["nottingham"]["sha256"]) == 64
    shown = call("data", "list").out
    row = next(line.split() for line in shown.splitlines() if line.startswith("nottingham "))
    assert row[-1] == "no"
    assert "0.4 MB" in shown
    assert "included" in shown
    done = call("data", "fetch", "originals")
    assert done.status == 0
    assert "originals is already available: " in done.out
    (facts,) = objects(call("data", "fetch", "pieces", "--json").out)
    assert (facts["fresh"], facts["verified"]) == (False, True)


def test_models_and_runs_as_text(call: Call, trained: str) -> None:
    assert "lstm 2 × 12" in call("models").out
    assert "finished" in call("runs").out
    info = call("models", "info", trained).out
    assert "Ada Lark, Bo Finch" in info
    (facts,) = objects(call("models", "info", trained, "--json").out)
    assert facts["conditions"] == ["Ada Lark", "Bo Finch"]
    (run,) = objects(call("runs", "--json").out)
    assert run["best_bits_per_character"] > 0
    assert run["best_nats_per_frame"] is None
    assert (run["name"], run["state"], run["step"], run["steps"]) == (trained, "finished", 12, 12)


def test_missing_artists_are_reported(call: Call, songs: Path, tiny: list[str]) -> None:
    artists = "data.artists=Ada Lark,Ado Lark,Nobody"
    done = call("train", "lyrics", "--data", songs, "--run", "some", "--set", artists, *tiny)
    assert done.status == 0
    assert (
        "The songs lack 2 artists of data.artists: Ado Lark (close: Ada Lark), Nobody." in done.err
    )


def test_help_and_version(call: Call, capfd: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["--version"], ["train", "--help"], ["data", "info", "--help"]):
        with pytest.raises(SystemExit) as ended:
            call(*arguments)
        assert ended.value.code == 0
    assert "rnn-tui" in capfd.readouterr().out


def test_python_m_tui_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"rnn-tui {metadata.version('rnn-tui')}\n"


def test_a_run_is_exported_as_csv(call: Call, trained: str, tmp_path: Path) -> None:
    path = tmp_path / "out" / "figures.csv"
    assert call("export", trained, "--csv", path).out == f"{path}\n"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["step"] for row in rows] == ["5", "6", "10", "12"]
    assert float(rows[1]["valid_bits"]) > 0
    assert rows[0]["valid_bits"] == ""


def test_a_run_is_exported_for_tensorboard(call: Call, trained: str, tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX", reason="the extra `tensorboard` is not installed")
    assert call("export", trained, "--tensorboard", tmp_path / "board").status == 0
    assert list((tmp_path / "board" / trained).glob("events.out.tfevents.*"))


@pytest.mark.parametrize("extra", ["tensorboard", "wandb"])
def test_a_missing_extra_is_reported_before_a_run_is_read(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: str
) -> None:
    run_dir.create("long", RunConfig(), {})
    for package in ("tensorboardX", "wandb"):
        monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr("tui.commands.export.valid_events", pytest.fail)
    monkeypatch.setattr("tui.commands.export.write_metrics_csv", pytest.fail)
    done = call("export", "long", "--csv", tmp_path / "a.csv", f"--{extra}", tmp_path / "board")
    assert done.status == 2
    assert f"needs the extra '{extra}'" in done.err
    assert not list(tmp_path.glob("*.csv"))


def wandb_records(file: Path) -> list[Any]:
    """Return the records of a file of wandb: a header of 7 bytes, then records, each with its
    checksum, length and type before it; type 1 is a whole record."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, records, start = file.read_bytes(), [], 7
    assert data[:4] == b":W&B"
    while start < len(data):
        _, length, kind = struct.unpack_from("<IHB", data, start)
        assert kind == 1  # longer ones are divided; there is none here
        start += 7
        records.append(Record.FromString(data[start : start + length]))
        start += length
    return records


@pytest.mark.slow
def test_a_run_is_exported_for_wandb(
    call: Call, songs: Path, tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb", reason="the extra `wandb` is not installed")
    tiny += ["--set", "train.sample_every=6", "--quiet"]
    assert call("train", "lyrics", "--data", songs, "--run", "mine", *tiny).status == 0
    monkeypatch.setenv("WANDB_MODE", "online")  # the command does not follow it
    with mock.patch.dict(os.environ):
        done = call("export", "mine", "--wandb", tmp_path / "out")
    folder = Path(done.out.strip())
    assert (done.status, done.err, folder.parent) == (0, "", tmp_path / "out" / "wandb")
    assert folder.name.startswith("offline-run-")
    records = wandb_records(next(folder.glob("run-*.wandb")))
    (run,) = (record.run for record in records if record.HasField("run"))
    assert (run.project, run.display_name) == ("rnn-tui", "mine")
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    assert config["model"]["hidden_size"] == 12
    rows: dict[int, dict[str, Any]] = {}
    for record in records:
        if record.HasField("history"):
            values = {
                item.key or "/".join(item.nested_key): json.loads(item.value_json)
                for item in record.history.item
            }
            rows.setdefault(record.history.step.num, {}).update(values)
    assert list(rows) == [5, 6, 10, 12]
    events = objects(call("watch", "mine", "--json").out)
    wanted = next(event for event in events if event["event"] == "evaluated")
    assert rows[6]["valid/bits"] == pytest.approx(wanted["bits"])
    assert rows[6]["_timestamp"] == pytest.approx(wanted["time"])
    assert rows[5]["train/loss"] > 0
    table = json.loads(next(folder.glob("files/media/table/*.json")).read_text())
    sample = next(event for event in events if event["event"] == "sampled")
    assert table["columns"] == ["step", "prompt", "artist", "text"]
    assert table["data"][0] == [sample[key] for key in ("step", "prime", "condition", "text")]


def test_wandb_is_given_the_metrics_of_each_step(
    call: Call, trained: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a stand-in for the package; and nothing is written without it."""
    export = ("export", trained, "--csv", tmp_path / "a.csv", "--wandb", tmp_path / "out")
    monkeypatch.setitem(sys.modules, "wandb", None)
    with mock.patch.dict(os.environ):
        done = call(*export)
    assert (done.status, done.out) == (2, "")
    assert "Writing for Weights & Biases needs the extra 'wandb': in rnn-tui's" in done.err
    assert {path.name for path in tmp_path.iterdir()} == {"home", "songs.csv"}

    package = mock.MagicMock()
    run = package.init.return_value.__enter__.return_value
    run.settings.sync_dir = str(tmp_path / "there")
    monkeypatch.setitem(sys.modules, "wandb", package)
    with mock.patch.dict(os.environ):
        assert call(*export).out == f"{tmp_path / 'a.csv'}\n{tmp_path / 'there'}\n"
        assert os.environ["WANDB_ERROR_REPORTING"] == "false"
    assert package.init.call_args.kwargs["mode"] == "offline"
    rows = {(call.kwargs["step"], name) for call in run.log.call_args_list for name in call.args[0]}
    assert {(5, "train/loss"), (6, "valid/bits"), (12, "valid/loss")} <= rows
    assert {step for step, _ in rows} == {5, 6, 10, 12}
    package.teardown.assert_called_once()


def test_settings_are_listed(call: Call) -> None:
    shown = call("settings").out
    assert [line for line in shown.splitlines() if line.startswith("[")] == [
        "[data]", "[model]", "[train]",
    ]  # fmt: skip
    lines = [line for line in shown.splitlines() if line and line[0] not in " ["]
    rows = objects(call("settings", "--json").out)
    assert [line.split("=")[0] for line in lines] == [row["key"] for row in rows]
    assert "train.steps=2000  (a whole number of 1 or more)\n    Number of optimizer" in shown
    assert "model.head=joint  (joint or independent; music only)" in lines
    for row in rows:
        assert set(row) == {"key", "type", "default", "low", "high", "choices", "help"}


def test_settings_are_found_by_a_part_of_the_key(call: Call) -> None:
    (row,) = objects(call("settings", "checkpoint_seg", "--json").out)
    assert (row["type"], row["default"], row["low"], row["high"]) == ("int", 0, 0, None)
    assert row["choices"] == ["auto"]
    (row,) = objects(call("settings", "sample_primes", "--json").out)
    assert (row["type"], row["default"]) == ("list", ["Why", "Well"])
    assert call("settings", "layers").out.startswith("[model]\nmodel.layers=2  (")
    done = call("settings", "stepz")
    assert (done.status, done.out) == (2, "")
    assert "No setting has 'stepz' in its key: did you mean 'steps'" in done.err


def test_every_help_is_a_sentence() -> None:
    parsers = [cli.parser()]
    for parser in parsers:  # grows
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                parsers += action.choices.values()
            elif action.help != argparse.SUPPRESS:
                assert re.fullmatch(r"[A-Z-].*[.]|[a-z]+: .*[.]", str(action.help)), action
    assert len(parsers) > 20
