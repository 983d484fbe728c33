"""rnn-tui export --onnx and --pytorch, and rnn-tui models import."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.tui.commands.conftest import Call


def test_an_included_model_is_exported(call: Call, tmp_path: Path) -> None:
    file, folder = tmp_path / "chorales.onnx", tmp_path / "chorales"
    done = call("export", "chorales", "--onnx", file, "--pytorch", folder)
    assert (done.status, done.out) == (0, f"{file}\n{folder}\n")
    assert file.stat().st_size > 100_000
    names = {path.name for path in folder.iterdir()}
    assert names == {"model.py", "model.safetensors", "meta.json", "SHA256SUMS"}
    again = call("export", "chorales", "--pytorch", folder)
    assert again.status == 2
    assert f"{folder} exists already: choose another folder." in again.err
    assert call("export", "chorales").status == 2
    assert "There is no model 'choral'" in call("export", "choral", "--onnx", file).err


def test_without_the_extra_nothing_is_written(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    done = call("export", "chorales", "--onnx", tmp_path / "m.onnx", "--pytorch", tmp_path / "m")
    assert done.status == 2
    assert "Writing ONNX files needs the extra 'onnx'" in done.err
    assert not list(tmp_path.glob("m*"))


def test_a_checkpoint_is_imported_and_writes(call: Call, tmp_path: Path) -> None:
    rng, letters = np.random.default_rng(1), "\n abc"
    shapes = {
        "encoder.weight": (5, 6),
        "rnn.weight_ih_l0": (32, 6),
        "rnn.weight_hh_l0": (32, 8),
        "rnn.bias_ih_l0": (32,),
        "rnn.bias_hh_l0": (32,),
        "decoder.weight": (5, 8),
        "decoder.bias": (5,),
    }
    tensors = {name: rng.standard_normal(s).astype(np.float32) for name, s in shapes.items()}
    save_file(tensors, tmp_path / "theirs.safetensors")
    (tmp_path / "letters.json").write_text(json.dumps(letters))
    command = ("models", "import", tmp_path / "theirs.safetensors", "-o", tmp_path / "mine")
    refused = call(*command)
    assert refused.status == 2
    assert "the default vocabulary, string.printable, has 100 characters" in refused.err
    done = call(*command, "--vocabulary", tmp_path / "letters.json")
    assert done.status == 0
    assert done.out.startswith(f"{tmp_path / 'mine'}: lstm 1 × 8, ")
    sample = ("sample", "lyrics", "--model", tmp_path / "mine", "--length", 40, "--seed", 1)
    song = call(*sample, "--prime", "ab", "--raw").out
    assert song.startswith("ab")
    assert set(song) <= set(letters)
    assert len(song) == 43


def test_a_piece_is_written_as_abc(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "tune.abc"
    sample = ("sample", "music", "--model", "chorales", "--length", 4, "--seed", 1)
    assert call(*sample, "-o", path).status == 0
    assert path.read_text().startswith("%abc-2.1\nX:1\nT:tune\n")
    assert "--wav does not write .abc files: use -o" in call(*sample, "--wav", path).err
