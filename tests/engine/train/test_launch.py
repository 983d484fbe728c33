"""Trainers in processes of their own."""

from collections.abc import Callable

from engine.config import RunConfig
from engine.train import launch, start

Small = Callable[..., RunConfig]


def test_a_spawned_trainer_holds_the_run_when_spawn_returns(small: Small) -> None:
    run = start.new_run(small("train.steps=3"), "away")
    number = launch.spawn(run)
    assert run.worker()["pid"] == number
    with run.working(60):  # until it has let go
        assert run.last_step() == 3
