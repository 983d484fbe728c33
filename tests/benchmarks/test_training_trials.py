"""Tests of the comparison of training settings, at small sizes."""

import re

import pytest

from tests.benchmarks import training_trials

SMALL = ["--steps", "3"]
SMALL += ["--set=model.hidden_size=8", "--set=train.batch_size=2", "--set=train.bptt=16"]


@pytest.fixture(autouse=True)
def home(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prepare the songs in a temporary folder."""
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path))


def test_a_variant_of_half_the_cost_takes_twice_the_steps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    costs = iter((0.5,))
    monkeypatch.setattr(training_trials, "_cost", lambda *_: next(costs))
    assert training_trials.main(["originals", "", "model.cell=gru train.lr=1e-3", *SMALL]) == 0
    base, gru = capsys.readouterr().out.splitlines()
    assert re.match(r"base +\d\.\d{3}  3 steps, 96 characters, 1\.00", base)
    assert re.match(r"model.cell=gru train.lr=1e-3 +\d\.\d{3}  6 steps, 192 char.*, 0\.50", gru)


def test_the_cost_is_the_median_ratio_of_cpu_times(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter((9.0, 1.0, *[3.0, 2.0] * training_trials.TURNS))
    monkeypatch.setattr(training_trials, "_two_steps", lambda *_: lambda: next(seconds))
    assert training_trials._cost(None, None, None) == 1.5  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("variants", "message"), [(["model.cell=gur"], "gur"), (["nothing"], "needs a key")]
)
def test_a_wrong_variant_is_refused_before_any_work(
    variants: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert training_trials.main(["originals", "", *variants, *SMALL]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
