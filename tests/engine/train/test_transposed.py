"""Runs over songs that are transposed as they enter a lane."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from engine.config import RunConfig
from engine.errors import InputError
from engine.music import midi
from engine.music.score import Note, Score
from engine.runs import run_dir
from engine.runs.run_dir import RunDir
from engine.train import launch, worker

Small = Callable[..., RunConfig]
SETTINGS = (
    "model.match_memory=true",
    "train.bptt=7",
    "train.steps=12",
    "train.save_every=5",
    "train.sample_every=0",
    "train.transpose=6",
    "train.warmup=0",
    "train.min_lr_ratio=1",  # so that the rate does not depend on the number of steps
)


@pytest.fixture
def tunes(tmp_path: Path) -> Path:
    """A folder of short tunes."""
    folder = tmp_path / "tunes"
    folder.mkdir()
    for number in range(30):
        steps = np.random.default_rng(number).integers(0, 12, 12 + number % 7)
        notes = [Note(i * 0.3, i * 0.3 + 0.3, 60 + int(step)) for i, step in enumerate(steps)]
        (folder / f"{number}.mid").write_bytes(midi.encode(Score(tuple(notes))))
    return folder


def tensors(run: RunDir) -> dict[str, bytes]:
    data = safetensors.numpy.load_file(run.checkpoints / "last" / "trainer.safetensors")
    return {name: value.tobytes() for name, value in data.items()}


def test_stopped_within_songs_and_resumed_it_is_bit_for_bit_the_same(
    small_music: Small, tunes: Path
) -> None:
    whole = launch.new_run(small_music(tunes, *SETTINGS), "whole")
    off = launch.new_run(small_music(tunes, *SETTINGS, "train.transpose=0"), "off")
    parts = launch.new_run(small_music(tunes, *SETTINGS, "train.steps=5"), "parts")
    worker.train_run(parts)
    launch.resume("parts", ["train.steps=12"])
    for run in (whole, off, parts):
        worker.train_run(run)
    assert tensors(parts) == tensors(whole)
    assert tensors(off) != tensors(whole)


def test_refused_for_lyrics_by_name(small: Small) -> None:
    with pytest.raises(InputError, match=r"train\.transpose is for music"):
        launch.new_run(small("train.transpose=3"), "none")
    assert run_dir.list_runs() == []
    run = launch.new_run(small("train.steps=6"), "words")
    worker.train_run(run)
    with pytest.raises(InputError, match=r"train\.transpose is for music"):
        launch.resume("words", ["train.steps=9", "train.transpose=3"])
