"""Tests of the GPU benchmark on the CPU: its checks, its measurements, its files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine import paths
from engine.frame_spec import FrameSpec
from engine.model import cudnn
from engine.model.cudnn import Kernel
from tests.benchmarks.gpu import __main__ as gpu
from tests.benchmarks.gpu import checks

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the environment variable that the benchmark changes."""
    monkeypatch.setenv(paths.HOME_VARIABLE, "nowhere")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_missing_device_is_an_error_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main([]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no CUDA device" in line
    assert "--device cpu --quick" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bits", "2"], "--songs"),
        (["--songs", "gone.csv", "--bits", "2"], "no file"),
        (["--songs", str(ROOT / "assets/corpora/originals.csv"), "--bits=2", "--steps=0"], "steps"),
        (["--minutes", "nan"], "--minutes nan must be greater than 0"),
    ],
)
def test_invalid_arguments_are_refused_before_anything_is_measured(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gpu.main(["--device", "cpu", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("segment", [0, checks.SEGMENT])
def test_equal_gradients_pass_and_others_fail(
    segment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, limit = FrameSpec("characters", 50), checks.ROUNDING[torch.float64]
    assert checks._gradients("lstm", spec, segment, CPU) <= limit
    assert checks._kernels("lstm", torch.float64, CPU) <= limit
    wrong = {**cudnn.KERNELS, "lstm": Kernel(torch.lstm, (0, 1, 2, 3))}
    monkeypatch.setattr(cudnn, "KERNELS", wrong)
    assert checks._kernels("lstm", torch.float64, CPU) > 1e-3


def test_nan_fails() -> None:
    assert not checks.Check("NaN", float("nan"), 1.0).passed


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [6.2, 0.1])
def test_the_results_are_written_to_both_files(tmp_path: Path, wanted: float) -> None:
    arguments = ["--device", "cpu", "--quick", "--output", str(tmp_path / "found"), "--steps", "20"]
    arguments += ["--songs", "assets/corpora/originals.csv", "--bits", str(wanted)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.gpu", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["command"].endswith(str(wanted))
    assert all(check["passed"] for check in found["checks"])
    assert len(found["checks"]) == 1 + 3 * 6 + 1
    assert len(found["speed"]) == 8
    assert all(row["characters"] > 0 for row in found["speed"])
    (goal,) = found["goal"]
    assert goal["reached"] == (goal["best"] <= wanted)
    text = (tmp_path / "found.md").read_text()
    for part in ("# Training on", "## Checks", "## Speed", "## Goal", found["date"]):
        assert part in text
