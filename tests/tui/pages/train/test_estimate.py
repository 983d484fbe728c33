import pytest

from engine import config
from engine.config import RunConfig, with_settings
from engine.runs.run_dir import RunDir
from tests.tui.conftest import WriteRun
from tui.pages.train import estimate as estimates
from tui.pages.train.estimate import Speed, architecture, estimate, measured_speeds


@pytest.mark.parametrize(
    ("kind", "preset", "parameters"),
    [("lyrics", "quick", 186_090), ("lyrics", "own-songs", 7_689_253),
     ("music", "chorales", 735_426)],
)  # fmt: skip
def test_the_number_of_weights_is_about_right(kind: str, preset: str, parameters: int) -> None:
    assert estimates.weights(config.load(kind, preset)) == pytest.approx(parameters, rel=0.25)


def test_the_speed_of_an_earlier_run_is_used(write_run: WriteRun) -> None:
    run: RunDir = write_run("first")
    speeds = measured_speeds()
    key = architecture(run.config())
    assert list(speeds) == [key]
    assert speeds[key].run == "first"
    expected = RunConfig()  # 2,000 steps of 32 × 128
    assert architecture(expected) == key
    speeds = {key: Speed("first", 2000 * 32 * 128 / 600)}
    assert estimate(expected, speeds, gpu=False).startswith(
        "Estimate: about 11 min as fast as the run first, "  # a tenth more for evaluations
    )
    twice = with_settings(expected, ["train.steps=4000"])
    assert "about 22 min" in estimate(twice, speeds, gpu=False)


def test_without_an_earlier_run_the_estimate_grows_with_the_work() -> None:
    small = estimate(config.load("lyrics", "quick"), {}, gpu=False)
    assert small.startswith("Estimate: about 30 s on one idle core, 4")
    assert "on one idle core, 6" in estimate(config.load("lyrics", "own-songs"), {}, gpu=False)
    assert "min on one idle core" in estimate(config.load("music", "chorales"), {}, gpu=False)
    assert estimate(config.load("lyrics", "markov"), {}, gpu=False) == "Estimate: a few seconds."


def test_the_speed_of_a_gpu_is_not_guessed() -> None:
    words = estimate(RunConfig(), {}, gpu=True)
    assert "on this GPU is known after a first run" in words
    on_cpu = with_settings(RunConfig(), ["train.device=cpu"])
    assert "on one idle core" in estimate(on_cpu, {}, gpu=True)
