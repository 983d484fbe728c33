"""Runs killed at any moment, full disks and damaged checkpoints: nothing saved is lost."""

import functools
import json
import os
import random
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.numpy
import torch

from engine.errors import InputError, WorkError
from engine.inference import models
from engine.runs import events
from engine.runs.event_log import EventReader
from engine.runs.run_dir import RunDir
from engine.sampling.known_words import known_words
from engine.train import launch, worker
from tests.engine.train.conftest import MakeConfig, start_ranks

# The number of kills, divided among the kinds of run: 200 take some minutes.
KILLS = int(os.environ.get("RNN_TUI_TEST_KILLS", "20"))
# Runs to kill: the number of their processes, and settings (together every cell and head).
LYRICS = {
    "lstm": (1, ()),
    "gru with match memory": (1, ("model.cell=gru", "model.match_memory=true")),
    "rnn, checkpointed": (1, ("model.cell=rnn", "train.checkpoint_segment=5")),
    "two processes": (2, ("model.match_memory=true",)),
}
MUSIC = {
    "independent keys": (1, ("model.cell=gru", "model.beat_position=true")),
    "joint keys with match memory": (
        *(1, ("model.head=joint", "model.match_memory=true", "train.transpose=3")),
    ),
}
Limited = Callable[[RunDir, int, int], tuple[int, str]]


def lines(run: RunDir) -> list[str]:
    """Return the complete lines of the run's events."""
    return run.events.read_text().split("\n")[:-1]


def train(run: RunDir, ranks: int) -> None:
    """Train a run to its end: in this process, so that those forked later need no imports."""
    if ranks == 1:
        worker.train_run(run)
        return
    for process in start_ranks(run, ranks):
        process.join(120)
        assert process.exitcode == 0


def train_and_kill(run: RunDir, ranks: int, seconds: float, victim: int) -> bool:
    """Train in `ranks` processes and kill one; return whether it was still training."""
    processes = start_ranks(run, ranks)
    killed = processes[victim]
    deadline = time.monotonic() + 60
    before = len(lines(run))
    while killed.is_alive() and len(lines(run)) < before + 2 and time.monotonic() < deadline:
        time.sleep(0.002)  # until it trains
    killed.join(seconds)
    training = killed.is_alive()
    killed.kill()
    for process in processes:
        process.join(120)
        # A process ends with a sentence when another one is killed.
        assert process.exitcode == (0 if not training else -9 if process is killed else 1)
    return training


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*LYRICS, *MUSIC])
def test_killed_at_random_moments(
    make_config: MakeConfig, make_music_config: MakeConfig, tunes: Path, kind: str
) -> None:
    torch.set_num_threads(1)
    ranks, settings = (LYRICS | MUSIC)[kind]
    count = -(-KILLS // len(LYRICS | MUSIC))
    settings = ("model.condition_size=0", *settings) if kind in MUSIC else settings
    make = make_config if kind in LYRICS else functools.partial(make_music_config, tunes)
    config = make(f"train.steps={40 * count}", "train.save_every=10", "train.evaluate_every=25",
                  "train.sample_every=0", *settings)  # fmt: skip
    whole = launch.new_run(config, "whole", ranks=ranks)
    start = time.monotonic()
    train(whole, ranks)
    seconds = (time.monotonic() - start) / count
    run = launch.new_run(config, "killed", ranks=ranks)
    chance = random.Random(kind)
    for _ in range(count):
        before = lines(run)
        moment = chance.uniform(0.0, seconds)
        assert train_and_kill(run, ranks, moment, chance.randrange(ranks)), "the run is too short"
        now = lines(run)
        assert now[: len(before)] == before
        assert all(json.loads(line) for line in now)
        saved = [json.loads(line) for line in now if '"saved"' in line]
        if saved:
            # The checkpoint of the last Saved event exists, or a newer one.
            meta = json.loads((run.checkpoints / "last" / "meta.json").read_text())
            assert meta["step"] >= saved[-1]["step"]
            # Killed between the two links, `best` is one save behind `last`.
            assert models.load("killed").meta.step <= meta["step"] + 10
            best = [item["step"] for item in saved if item["best"]]
            # Without an evaluation before the kill there is no best checkpoint yet.
            assert not best or models.load("killed").meta.step >= best[-1]
    train(run, ranks)
    for name in ("model", "trainer"):
        ours, theirs = (
            safetensors.numpy.load_file(one.checkpoints / "last" / f"{name}.safetensors")
            for one in (run, whole)
        )
        assert ours.keys() == theirs.keys()
        assert all(ours[key].tobytes() == theirs[key].tobytes() for key in ours)
    drafts = [path for path in run.checkpoints.iterdir() if path.name.startswith(".")]
    assert drafts == []
    last = EventReader(run.events).poll()[-1]
    assert isinstance(last, events.Finished)


def test_a_full_disk_ends_the_run_and_keeps_the_last_checkpoint(
    make_config: MakeConfig, limited: Limited
) -> None:
    run = launch.new_run(make_config("model.hidden_size=48", "train.steps=6"), "full")
    worker.train_run(run)
    before = models.load("full")
    launch.resume("full", ["train.steps=12"])
    size = (run.checkpoints / "last" / "trainer.safetensors").stat().st_size
    status, errors = limited(run, resource.RLIMIT_FSIZE, size // 2)
    assert status == 2
    assert "No space left while writing" in errors
    assert errors.count("\n") == 1
    after = models.load("full")
    assert after.meta == before.meta
    last = EventReader(run.events).poll()[-1]
    assert isinstance(last, events.Failed)
    assert "No space left" in last.reason
    assert not [path for path in run.checkpoints.iterdir() if path.name.startswith(".")]
    worker.train_run(run)  # continues with space again
    assert models.locate("full")[1].name == "step-000012" or run.last_step() == 12


@pytest.mark.parametrize("damage", ["cut", "foreign", "other shape"])
def test_a_damaged_checkpoint_is_refused_in_one_sentence(
    make_config: MakeConfig, damage: str
) -> None:
    run = launch.new_run(make_config("train.steps=6"), "hurt")
    worker.train_run(run)
    trainer = run.checkpoints / "last" / "trainer.safetensors"
    if damage == "cut":
        trainer.write_bytes(trainer.read_bytes()[:-100])
    elif damage == "foreign":
        trainer.write_bytes(b"no tensors here")
    else:
        other = launch.new_run(make_config("train.steps=6", "model.hidden_size=13"), "other")
        worker.train_run(other)
        trainer.write_bytes((other.checkpoints / "last" / "trainer.safetensors").read_bytes())
    launch.resume("hurt", ["train.steps=9"])
    with pytest.raises(InputError, match=r"trainer\.safetensors is damaged: .*start a new run"):
        worker.train_run(run)
    (trainer.parent / "SHA256SUMS").unlink()  # as in a run of an earlier version
    with pytest.raises(InputError, match=r"Cannot resume from the checkpoint .*start a new run"):
        worker.train_run(run)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-7] ^= 4
    path.write_bytes(content)


def test_a_flipped_bit_is_found_and_the_checkpoint_before_is_offered(
    make_config: MakeConfig,
) -> None:
    run = launch.new_run(make_config("train.steps=6", "train.save_every=3"), "hurt")
    worker.train_run(run)
    assert [path.name for path in run.list_checkpoints()] == ["step-000006", "step-000003"]
    folder = run.checkpoints / "step-000006"
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert whole.keys() >= {"words.txt", "meta.json", "model.safetensors", "trainer.safetensors"}
    launch.resume("hurt", ["train.steps=7"])
    for name in ("model.safetensors", "trainer.safetensors"):
        flip_a_bit(folder / name)
        pattern = rf"{name} is damaged: .*\('rm -r .*step-000006'\) to resume from step-000003"
        with pytest.raises(InputError, match=pattern):
            worker.train_run(run)
        (folder / name).write_bytes(whole[name])
    for name in ("model.safetensors", "meta.json"):
        flip_a_bit(folder / name)
        with pytest.raises(InputError, match=rf"{name} is damaged: .*use the checkpoint .*000003"):
            models.load(str(folder))
        (folder / name).write_bytes(whole[name])
    flip_a_bit(folder / "words.txt")
    with pytest.raises(InputError, match=r"words\.txt is damaged"):
        known_words(models.load(str(folder)))
    # Without a link to a checkpoint the newest undamaged one is the last.
    (run.checkpoints / "last").unlink()
    assert run.last_step() == 3
    worker.train_run(run)
    resumed = [e.step for e in EventReader(run.events).poll() if isinstance(e, events.Resumed)]
    assert resumed[-1] == 3
    assert run.last_step() == 7


def test_a_run_whose_folder_is_removed_ends(make_config: MakeConfig) -> None:
    run = launch.new_run(make_config("train.steps=4000", "train.save_every=2"), "gone")

    def remove(event: events.Event) -> None:
        if isinstance(event, events.Saved):
            shutil.rmtree(run.path)

    with pytest.raises(WorkError, match=r"folder of the run 'gone' was removed, so"):
        worker.train_run(run, remove)
    assert not run.path.exists()
