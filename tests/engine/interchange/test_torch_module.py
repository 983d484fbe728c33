"""The plain PyTorch module computes what our own network computes, without rnn-tui on the path."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from engine.errors import InputError
from engine.interchange import standalone, torch_module
from tests.engine.interchange.steps import LYRICS, MUSIC, calm, random_steps

Write = Callable[..., Path]
STEPS = 240  # the phrase comes three times
# Reads the songs of the test, and writes the logits of its own steps; finds its own matches.
CODE = """
import importlib.util, sys
from pathlib import Path
import numpy as np, torch
torch.set_num_threads(1)
for folder in sorted(Path().iterdir()):
    spec = importlib.util.spec_from_file_location("model", folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model, song = module.load(folder), np.load(folder / "song.npy")
    lyrics = model.characters is not None
    frames = [torch.tensor(frame) if lyrics else torch.tensor(frame).float() for frame in song]
    state, memory, result = model.initial_state(), module.MatchMemory(model), []
    artist = torch.tensor([2 if model.artists else 0])
    with torch.no_grad():
        for frame, following in zip(frames, frames[1:]):
            found = memory.push(frame) if model.config["match_memory"] else ()
            output, state = model.step(frame, state, artist, *found)
            chosen = {} if lyrics else {"chosen": following}
            result.append(model.logits(output, frame, *found, **chosen)[0].numpy())
    np.save(folder / "logits.npy", np.stack(result))
    if lyrics:
        text = module.write(model, "a b", length=20, temperature=0.5, artist=1)
        assert text.startswith("a b") and len(text) <= 23, text
assert "engine" not in sys.modules
"""


@pytest.mark.slow  # a process that imports torch
def test_each_kind_of_network(write: Write, write_music: Write, tmp_path: Path) -> None:
    songs = {}
    for number, settings in enumerate(LYRICS + MUSIC):
        make = write_music if settings in MUSIC else write
        source = calm(make(tmp_path / "models" / str(number), **settings))
        target = tmp_path / "exported" / str(number)
        torch_module.write(source, target)
        artist = 2 if settings in LYRICS and settings.get("condition_size") != 0 else 0
        songs[target] = random_steps(source, STEPS, artist)
        frames = [step.frame for step in songs[target]]
        np.save(target / "song.npy", np.stack([*frames, songs[target][-1].following]).astype(int))
    done = subprocess.run(
        [sys.executable, "-I", "-c", CODE],
        cwd=tmp_path / "exported",
        capture_output=True,
        text=True,
        env={},
    )
    assert done.returncode == 0, done.stderr
    for target, steps in songs.items():
        found = np.load(target / "logits.npy")
        for row, step in zip(found, steps, strict=True):
            for key, logit in (step.logits or {}).items():
                assert row[key] == pytest.approx(logit, abs=1e-4)


def test_the_end_is_predicted_from_the_last_output(write_music: Write, tmp_path: Path) -> None:
    folder = write_music(tmp_path / "m")
    tensors = load_file(folder / "model.safetensors") | {
        "head.end.weight": torch.linspace(-1, 1, 8)[:, None],
        "head.end.bias": torch.tensor([0.5]),
    }
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    output = torch.eye(8)
    found = standalone.SongModel(meta, tensors).end_logits(output)
    assert torch.allclose(found, torch.linspace(-1, 1, 8) + 0.5)


def test_the_module_imports_nothing_of_ours() -> None:
    names = set()
    for node in ast.walk(ast.parse(torch_module.STANDALONE.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add(str(node.module).split(".")[0])
    assert names == {"json", "pathlib", "safetensors", "sys", "torch", "typing"}


def test_what_cannot_be_exported_is_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="A markov 5 model has no network to export"):
        torch_module.write(write(tmp_path / "counts", kind="markov"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    folder: Any = write(tmp_path / "m")
    with pytest.raises(InputError, match="exists already: choose another folder"):
        torch_module.write(folder, tmp_path)
