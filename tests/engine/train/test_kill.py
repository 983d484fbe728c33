"""Runs killed at any moment, full disks and damaged checkpoints: nothing saved is lost."""

import json
import multiprocessing
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
from tests.engine.train.conftest import MakeConfig

# The number of kills of the longest run: 200 take some minutes.
KILLS = int(os.environ.get("RNN_TUI_TEST_KILLS", "20"))
LONG = KILLS, 20 * KILLS
Limited = Callable[[RunDir, int, int], tuple[int, str]]


def lines(run: RunDir) -> list[str]:
    """Return the complete lines of the run's events."""
    return run.events.read_text().split("\n")[:-1]


def train_and_kill(run: RunDir, seconds: float) -> bool:
    """Train in another process and kill it; returns whether it was still training."""
    context = multiprocessing.get_context("fork")  # torch is imported here already
    process = context.Process(target=worker.train_run, args=(run,))
    process.start()
    deadline = time.monotonic() + 60
    before = len(lines(run))
    while process.is_alive() and len(lines(run)) < before + 2 and time.monotonic() < deadline:
        time.sleep(0.002)  # until it trains
    process.join(seconds)
    if not process.is_alive():
        process.join()
        assert process.exitcode == 0
        return False
    process.kill()
    process.join()
    return True


@pytest.mark.parametrize(
    ("count", "steps"),
    [
        pytest.param(n, steps, marks=pytest.mark.slow)
        for n, steps in ((3, 160), (KILLS, 20 * KILLS))
    ],
)
def test_killed_at_random_moments(make_config: MakeConfig, count: int, steps: int) -> None:
    torch.set_num_threads(1)
    settings = (f"train.steps={steps}", "train.save_every=10", "train.evaluate_every=25",
                "train.sample_every=0")  # fmt: skip
    chance = random.Random(3)
    whole = launch.new_run(make_config(*settings), "whole")
    worker.train_run(whole)  # first, so that the processes forked below need no imports
    run = launch.new_run(make_config(*settings), "killed")
    kills = 0
    while kills < count:
        before = lines(run)
        assert train_and_kill(run, chance.uniform(0.0, 0.12)), "the run is too short"
        kills += 1
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
    worker.train_run(run)
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
