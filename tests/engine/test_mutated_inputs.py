"""Files of every kind with random damage: each is read or refused in a sentence, in little memory.

`RNN_TUI_TEST_MUTATIONS` is the number of damaged files (default 1,500; 100,000 take some minutes).
"""

import contextlib
import json
import multiprocessing
import os
import random
import resource
import sys
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from engine import config as configs
from engine.data import lyrics_files, music_files
from engine.errors import InputError
from engine.inference import models
from engine.music import midi, musicxml
from engine.music.score import Note, Score
from engine.runs import event_log, events, log_summary
from engine.runs.run_dir import RunDir

COUNT = int(os.environ.get("RNN_TUI_TEST_MUTATIONS", "1500"))
PROCESSES = 2
MEMORY = 512 << 20  # bytes that reading may take
_EDGES = (
    b"\x00",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b'"',
    b"\n",
    b"[",
    b"{",
    b"-1",
)
Write = Callable[..., Path]


def mutate(content: bytes, chance: random.Random) -> bytes:
    """Damage a file in one to four places."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(data) + 1)
        stop = min(len(data), start + int(chance.paretovariate(0.6)))
        match chance.randrange(6):
            case 0 if start < len(data):
                data[start] ^= 1 << chance.randrange(8)
            case 1:
                del data[start:stop]
            case 2:
                data[start:start] = data[start:stop] * chance.randint(1, 20)
            case 3:
                data[start:start] = chance.choice(_EDGES)
            case 4:
                data[start:stop] = chance.randbytes(stop - start)
            case _:
                del data[start:]
    return bytes(data)


def read_music(path: Path) -> None:
    with music_files.open_songs(path) as entries:
        for entry in entries:
            music_files.load_song(entry, 0.25, 0.0)


def read_lyrics(path: Path) -> None:
    for _ in lyrics_files.read_songs(path):
        pass


def read_model(path: Path) -> None:
    models.read("damaged", path.parent)


def read_log(path: Path) -> None:
    event_log.read_history(path)
    list(event_log.valid_events(path))


def read_summary(path: Path) -> None:
    event_log.read_history(path.with_name("events.jsonl"))


def read_config(path: Path) -> None:
    configs.load("lyrics", str(path), [], "x")


def read_run(path: Path) -> None:
    run = RunDir(path.parent)
    run.worker()
    run.last_step()
    run.config()


@pytest.fixture
def inputs(tmp_path: Path, write: Write) -> list[tuple[Path, Callable[[Path], None]]]:
    """Write a file of each kind; return each with its reader."""
    notes = tuple(Note(0.3 * i, 0.3 * i + 0.2, 50 + i * 7 % 30) for i in range(40))
    tune = tmp_path / "tune.mid"
    midi.write(Score(notes), tune)
    musicxml.write(Score(notes), tmp_path / "tune.musicxml")
    with zipfile.ZipFile(tmp_path / "tunes.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tune, "a.mid")
        archive.write(tune, "b.mid")
    rolls = {"train": [[[60, 64], [62]] * 8], "valid": [], "test": [[[60]] * 3]}
    (tmp_path / "rolls.json").write_text(json.dumps(rolls))
    rows = [f'Ada,"Song {n}","some ""words""\nand a line {n}"' for n in range(20)]
    (tmp_path / "songs.csv").write_text("\n".join(["artist,song,text", *rows]))
    lines = [json.dumps({"artist": "Bo", "song": f"{n}", "text": "la la\nla é"}) for n in range(20)]
    (tmp_path / "songs.jsonl").write_text("\n".join(lines))
    network = write(tmp_path / "network")
    chain = write(tmp_path / "chain", kind="markov", order=2)
    (tmp_path / "preset.toml").write_text(configs.to_toml(configs.RunConfig()))
    run = tmp_path / "run"
    run.mkdir()
    content = {"format": 2, "config": configs.to_mapping(configs.RunConfig())}
    (run / "config.json").write_text(json.dumps(content))
    (run / "worker.json").write_text(json.dumps({"host": "a", "pid": 1, "created": 1.0}))
    log = event_log.EventLog(run / "events.jsonl")
    for step in range(1, 30):
        log.append(events.Step(step, 1.0, 1.4, 0.1, 1.0, 9.0, 1.0, 1.0, None))
        log.append(events.Evaluated(step, 1.0 / step, 1.4, 10, best=False))
    log.append(events.Resumed(20))
    log.close()
    return [
        *((tmp_path / name, read_music) for name in ("tune.mid", "tune.musicxml", "tunes.zip")),
        (tmp_path / "rolls.json", read_music),
        *((tmp_path / name, read_lyrics) for name in ("songs.csv", "songs.jsonl")),
        *((network / name, read_model) for name in ("meta.json", "model.safetensors")),
        *((chain / name, read_model) for name in ("meta.json", "model.safetensors")),
        (tmp_path / "preset.toml", read_config),
        *((run / name, read_run) for name in ("config.json", "worker.json")),
        (run / "events.jsonl", read_log),
        (run / log_summary.FILE, read_summary),
    ]


def read_damaged(
    inputs: list[tuple[Path, Callable[[Path], None]]], folder: Path, numbers: range
) -> None:
    """Damage and read a file for each number; exit with status 1 and its trace if one crashes."""
    np.seterr(all="ignore")
    if sys.platform == "linux":
        used = psutil.Process().memory_info().vms
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    whole = [path.read_bytes() for path, _ in inputs]
    for number in numbers:
        chance = random.Random(number)
        index = chance.randrange(len(inputs))
        path, read = inputs[index]
        copy = folder / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        for other in path.parent.iterdir():  # the other files of a model or a run
            if other.is_file():
                (copy.parent / other.name).write_bytes(other.read_bytes())
        copy.write_bytes(mutate(whole[index], chance))
        try:
            with contextlib.suppress(InputError):
                read(copy)
        except BaseException:
            traceback.print_exc()
            print(f"crashed: number {number}, {path.name}", file=sys.stderr, flush=True)
            os._exit(1)


@pytest.mark.slow
def test_damaged_files_are_read_or_refused(
    inputs: list[tuple[Path, Callable[[Path], None]]],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(
            target=read_damaged,
            args=(inputs, tmp_path / f"damaged-{first}", range(first, COUNT, PROCESSES)),
        )
        for first in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * PROCESSES, capfd.readouterr().err


def test_files_without_damage_are_read(
    inputs: list[tuple[Path, Callable[[Path], None]]],
) -> None:
    for path, read in inputs:
        read(path)
