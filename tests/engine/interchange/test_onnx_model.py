"""ONNX files: onnxruntime computes what our own network computes, over a thousand steps."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import InputError
from engine.inference import models
from engine.interchange import onnx_model
from tests.engine.interchange.steps import LYRICS, MUSIC, calm, random_steps

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
STEPS = 1_000
Write = Callable[..., Path]


def _largest_difference(folder: Path, file: Path, artist: int = 0, every: int = 1) -> float:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    inputs = {value.name: value for value in session.get_inputs()}
    state = {
        name: np.zeros((1, value.shape[1]), np.float32)
        for name, value in inputs.items()
        if name.startswith(("h.", "c."))
    }
    kind = np.int64 if "int64" in inputs["frame"].type else np.float32
    worst = 0.0
    for number, step in enumerate(random_steps(folder, STEPS, artist, every)):
        values: dict[str, Any] = {
            "frame": step.frame.astype(kind),
            "matched": step.matched.astype(kind),
            "match_kind": np.array([step.match_kind]),
            "position": np.array([number]),
            "artist": np.array([artist]),
            "chosen": step.following.astype(np.float32),
        }
        feed = state | {name: value for name, value in values.items() if name in inputs}
        results = dict(zip(names, session.run(names, feed), strict=True))
        state = {name: results[f"next.{name}"] for name in state}
        for key, logit in (step.logits or {}).items():
            worst = max(worst, abs(float(results["logits"][0, key]) - logit))
    return worst


@pytest.mark.parametrize("settings", LYRICS, ids=str)
def test_a_model_of_lyrics(write: Write, tmp_path: Path, settings: dict[str, Any]) -> None:
    folder, file = calm(write(tmp_path / "m", **settings)), tmp_path / "m.onnx"
    onnx_model.write(folder, file)
    artist = 0 if settings.get("condition_size") == 0 else 2
    assert _largest_difference(folder, file, artist) < 1e-4
    session = onnxruntime.InferenceSession(file)
    content = session.get_modelmeta().custom_metadata_map[onnx_model.METADATA_KEY]
    assert json.loads(content) == json.loads((folder / "meta.json").read_text())


@pytest.mark.parametrize("settings", MUSIC, ids=str)
def test_a_model_of_music(write_music: Write, tmp_path: Path, settings: dict[str, Any]) -> None:
    folder, file = calm(write_music(tmp_path / "m", **settings)), tmp_path / "m.onnx"
    onnx_model.write(folder, file)
    assert _largest_difference(folder, file, every=50) < 1e-4


def test_several_songs_are_a_batch(write: Write, tmp_path: Path) -> None:
    folder, file = write(tmp_path / "m", condition_size=0, layers=1), tmp_path / "m.onnx"
    onnx_model.write(folder, file)
    session = onnxruntime.InferenceSession(file)

    def logits(*frames: int) -> Any:
        zeros = np.zeros((len(frames), 12), np.float32)
        feed = {"frame": np.array(frames), "h.0": zeros, "c.0": zeros}
        return session.run(["logits"], feed)[0]

    assert np.allclose(logits(4, 7), np.concatenate([logits(4), logits(7)]), atol=1e-6)


def test_the_end_is_predicted_from_the_last_output(write_music: Write, tmp_path: Path) -> None:
    folder = write_music(tmp_path / "m")
    weight = np.linspace(-1, 1, 8, dtype=np.float32)[:, None]
    tensors = models.read_tensors(folder) | {
        "head.end.weight": weight,
        "head.end.bias": np.array([0.5], np.float32),
    }
    session = onnxruntime.InferenceSession(onnx_model.encode(models.read_meta(folder), tensors))
    zeros = {"h.0": np.zeros((2, 8), np.float32), "c.0": np.zeros((2, 8), np.float32)}
    frames = np.eye(2, 88, dtype=np.float32)
    feed = zeros | {"frame": frames, "chosen": frames}
    end, hidden = session.run(["end", "next.h.0"], feed)
    assert np.allclose(end, hidden @ weight + 0.5, atol=1e-6)
    assert not np.allclose(end[0], end[1])


def test_what_cannot_be_exported_is_refused(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="A markov 5 model has no network to export"):
        onnx_model.write(write(tmp_path / "counts", kind="markov"), tmp_path / "m.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    folder = write(tmp_path / "m")
    meta, tensors = models.read_meta(folder), models.read_tensors(folder)
    with pytest.raises(InputError, match="needs the extra 'onnx': in rnn-tui's folder, run"):
        onnx_model.encode(meta, tensors)
    assert not (tmp_path / "m.onnx").exists()
