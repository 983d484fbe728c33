"""Training on transposed songs."""

from pathlib import Path

import pytest
import safetensors.numpy

from engine.errors import InputError
from engine.runs import run_dir
from engine.runs.run_dir import RunDir
from engine.train import launch, worker
from tests.engine.train.conftest import MakeConfig

SETTINGS = (
    "model.match_memory=true",
    "train.bptt=7",
    "train.steps=12",
    "train.save_every=5",
    "train.sample_every=0",
    "train.transpose=6",
    "train.warmup=0",
    "train.min_lr_ratio=1",  # so that the learning rate does not depend on the number of steps
)


def tensors(run: RunDir) -> dict[str, bytes]:
    data = safetensors.numpy.load_file(run.checkpoints / "last" / "trainer.safetensors")
    return {name: value.tobytes() for name, value in data.items()}


def test_a_run_stopped_within_songs_resumes_to_the_last_bit(
    make_music_config: MakeConfig, tunes: Path
) -> None:
    whole = launch.new_run(make_music_config(tunes, *SETTINGS), "whole")
    off = launch.new_run(make_music_config(tunes, *SETTINGS, "train.transpose=0"), "off")
    parts = launch.new_run(make_music_config(tunes, *SETTINGS, "train.steps=5"), "parts")
    worker.train_run(parts)
    launch.resume("parts", ["train.steps=12"])
    for run in (whole, off, parts):
        worker.train_run(run)
    assert tensors(parts) == tensors(whole)
    assert tensors(off) != tensors(whole)


def test_transposing_lyrics_is_refused(make_config: MakeConfig) -> None:
    with pytest.raises(InputError, match=r"train\.transpose is for music"):
        launch.new_run(make_config("train.transpose=3"), "none")
    assert run_dir.list_runs() == []
    run = launch.new_run(make_config("train.steps=6"), "words")
    worker.train_run(run)
    with pytest.raises(InputError, match=r"train\.transpose is for music"):
        launch.resume("words", ["train.steps=9", "train.transpose=3"])
