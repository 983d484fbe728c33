"""Runs trained in this process: events, checkpoints, samples, requests, errors and resuming."""

import dataclasses
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from engine.config import TrainConfig
from engine.errors import InputError, WorkError
from engine.inference import models
from engine.runs import events
from engine.runs.event_log import EventReader
from engine.runs.log_summary import History
from engine.runs.run_dir import RunDir
from engine.train import distributed, evaluate_model, launch, loop, optimizer, worker
from engine.train.loop import Due
from engine.train.optimizer import learning_rate
from tests.engine.train.conftest import MakeConfig


def checkpoint_bytes(run: RunDir) -> dict[str, bytes]:
    """Return the bytes of each tensor of the last checkpoint."""
    folder = run.checkpoints / "last"
    trainer = safetensors.torch.load_file(folder / "trainer.safetensors")
    model = safetensors.torch.load_file(folder / "model.safetensors")
    tensors = {**trainer, **{f"model/{name}": value for name, value in model.items()}}
    return {name: value.numpy().tobytes() for name, value in tensors.items()}


def events_of(run: RunDir) -> list[events.Event]:
    return EventReader(run.events).poll()


def stop_at(step: int) -> Callable[[RunDir], Callable[[events.Event], None]]:
    """Return a listener that requests a stop once a step is reported."""

    def for_run(run: RunDir) -> Callable[[events.Event], None]:
        def listen(event: events.Event) -> None:
            if isinstance(event, events.Step) and event.step >= step:
                run.request("stop")

        return listen

    return for_run


@pytest.mark.parametrize(
    ("step", "requests", "due"),
    [
        (5, set(), ""),
        (6, set(), "report"),
        (8, set(), "report evaluate"),
        (10, set(), "report save"),
        (14, set(), "sample"),
        (5, {"report"}, "report"),
        (5, {"save"}, "report save"),
        (5, {"sample"}, "sample"),
        (5, {"stop"}, "report save stop"),
        (8, {"stop"}, "report save stop"),  # not evaluated, to stop soon
        (20, {"stop"}, "report evaluate save"),  # the last step: the run is completed
    ],
)
def test_what_is_due_after_a_step(step: int, requests: set[str], due: str) -> None:
    settings = TrainConfig(steps=20, log_every=3, evaluate_every=8, save_every=10, sample_every=7)
    found = dataclasses.asdict(Due.after(step, settings, requests))
    assert [name for name, value in found.items() if value] == due.split()


@pytest.mark.parametrize(
    ("step", "requests", "due"),
    [
        (6, set(), ""),
        (6, {"report"}, "report"),
        (8, {"may save"}, ""),
        (8, {"may evaluate"}, "report evaluate"),
        (10, {"may save", "may evaluate"}, "report save"),
        (14, {"may sample"}, "sample"),
        (5, {"save"}, "report save"),
        (5, {"stop"}, "report save stop"),
        (20, set(), "report evaluate save"),
    ],
)
def test_what_is_due_on_a_fast_device(step: int, requests: set[str], due: str) -> None:
    settings = TrainConfig(steps=20, log_every=3, evaluate_every=8, save_every=10, sample_every=7)
    found = dataclasses.asdict(Due.after(step, settings, requests, timed=True))
    assert [name for name, value in found.items() if value] == due.split()
    assert requests <= {*distributed.REQUESTS}


def test_the_clock_of_a_fast_device_begins_again_after_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    clock = loop._Clock()
    now += 1.5
    assert clock.requests() == {"report"}
    now += 30
    assert clock.requests() == {*loop.INTERVALS}
    assert clock.requests() <= {*distributed.REQUESTS}
    clock.done(Due(report=True, evaluate=True, save=False, sample=False, stop=False))
    assert clock.requests() == {"may save", "may sample"}


def test_sample_every_zero_means_never() -> None:
    assert not Due.after(7, TrainConfig(steps=20, sample_every=0), set()).sample


def test_events_checkpoints_and_samples_come_at_their_intervals(make_config: MakeConfig) -> None:
    run = launch.new_run(make_config(), "whole")
    worker.train_run(run)
    found = events_of(run)
    assert isinstance(found[0], events.Started)
    assert found[-1] == events.Finished(step=24, reason="completed", time=found[-1].time)
    history = History()
    for event in found:
        history.add(event)
    assert [event.step for event in history.evaluations] == [8, 16, 24]
    assert {6, 12, 18, 24} <= {event.step for event in history.checkpoints}
    assert [event.step for event in history.samples] == [12, 12, 24, 24]
    # The songs have no capitals, which are therefore left out of the prompts.
    assert [event.prime for event in history.samples[:2]] != ["Why", "Well"]
    assert history.samples[0].condition is None
    assert history.samples[1].condition == "Ada"  # who has the most songs
    assert all(len(event.text) == 20 for event in history.samples)
    assert {3, 6, 9, 12, 15, 18, 21, 24} <= {event.step for event in history.steps}
    for step in history.steps:
        assert step.loss is not None
        assert step.bits == pytest.approx(step.loss / math.log(2))
    assert history.steps[-1].remaining == 0
    assert (run.samples / "step-000024.txt").read_text().startswith("[no artist]\n")


def test_the_loss_falls(make_config: MakeConfig) -> None:
    run = launch.new_run(
        make_config("train.steps=80", "train.lr=0.04", "model.dropout=0"), "learns"
    )
    worker.train_run(run)
    first, *_, last = (event for event in events_of(run) if isinstance(event, events.Evaluated))
    assert last.loss < 0.75 * first.loss


def test_only_the_best_and_the_last_two_checkpoints_are_kept(make_config: MakeConfig) -> None:
    run = launch.new_run(make_config(), "kept")
    worker.train_run(run)
    best = min(
        (event for event in events_of(run) if isinstance(event, events.Evaluated)),
        key=lambda event: event.loss,
    )
    folders = {path.name for path in run.checkpoints.iterdir() if not path.is_symlink()}
    assert folders == {f"step-{best.step:06d}", "step-000018", "step-000024"}
    meta = json.loads((run.checkpoints / "best" / "meta.json").read_text())
    assert meta["step"] == best.step
    assert meta["scores"]["valid"]["loss"] == best.loss


def test_the_saved_model_has_the_score_of_the_run(make_config: MakeConfig) -> None:
    run = launch.new_run(make_config("train.evaluate_frames=0"), "scored")
    worker.train_run(run)
    model = models.load("scored")
    score = evaluate_model.score_model(model, "", "valid")
    assert score.loss == pytest.approx(model.meta.scores["valid"].loss, rel=1e-6)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_resumed_run_equals_the_uninterrupted_one_to_the_last_bit(
    make_config: MakeConfig, precision: str
) -> None:
    """With dropout, also of artists, averaging, and stops between the intervals."""
    setting = f"train.precision={precision}"
    whole = launch.new_run(make_config(setting), "whole")
    worker.train_run(whole)
    parts = launch.new_run(make_config(setting), "parts")
    for step in (5, 10, 17):
        listen = stop_at(step)(parts)
        worker.POLL_SECONDS, before = 0.0, worker.POLL_SECONDS
        try:
            worker.train_run(parts, listen)
        finally:
            worker.POLL_SECONDS = before
        last = events_of(parts)[-1]
        assert isinstance(last, events.Finished)
        assert last.reason == "stopped"
        launch.resume("parts")
    worker.train_run(parts)
    assert checkpoint_bytes(parts) == checkpoint_bytes(whole)
    resumed = [event.step for event in events_of(parts) if isinstance(event, events.Resumed)]
    assert len(resumed) == 3
    assert resumed == sorted(set(resumed))


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_every_cell_resumes_to_the_last_bit(make_config: MakeConfig, cell: str) -> None:
    settings = (f"model.cell={cell}", "model.tied=true", "train.sample_every=0")
    whole = launch.new_run(
        make_config(*settings, "train.steps=12", "train.min_lr_ratio=1"), "whole"
    )
    worker.train_run(whole)
    parts = launch.new_run(make_config(*settings, "train.steps=7", "train.min_lr_ratio=1"), "parts")
    worker.train_run(parts)
    launch.resume("parts", ["train.steps=12"])
    worker.train_run(parts)
    assert checkpoint_bytes(parts) == checkpoint_bytes(whole)


@pytest.mark.slow
@pytest.mark.parametrize("segment", ["0", "auto"])
def test_windows_of_whole_songs_learn_and_resume(make_config: MakeConfig, segment: str) -> None:
    settings = ("train.bptt=0", f"train.checkpoint_segment={segment}", "train.min_lr_ratio=1")
    whole = launch.new_run(make_config(*settings, "train.steps=12", "train.lr=0.02"), "whole")
    worker.train_run(whole)
    parts = launch.new_run(make_config(*settings, "train.steps=7", "train.lr=0.02"), "parts")
    worker.train_run(parts)
    launch.resume("parts", ["train.steps=12"])
    worker.train_run(parts)
    assert checkpoint_bytes(parts) == checkpoint_bytes(whole)
    found = events_of(whole)
    assert isinstance(found[0], events.Started)
    songs = round(0.9 * 40)  # training songs
    assert found[0].frames_per_step == round(found[0].train_frames / songs) * 4
    first, *_, last = (event for event in found if isinstance(event, events.Evaluated))
    assert last.loss < first.loss


def test_gradient_checkpointing_does_not_change_the_weights(make_config: MakeConfig) -> None:
    weights = []
    for name, segment in (("plain", 0), ("segments", 5)):
        setting = f"train.checkpoint_segment={segment}"
        run = launch.new_run(make_config("model.dropout=0", "train.steps=6", setting), name)
        worker.train_run(run)
        folder = run.checkpoints / "last"
        weights.append(safetensors.torch.load_file(folder / "model.safetensors"))
    for key, value in weights[0].items():
        torch.testing.assert_close(weights[1][key], value, rtol=1e-3, atol=1e-5)


def test_a_model_with_match_memory_resumes_and_scores(make_config: MakeConfig) -> None:
    settings = ("model.match_memory=true", "train.sample_every=0", "train.min_lr_ratio=1")
    whole = launch.new_run(make_config(*settings, "train.steps=12"), "whole")
    worker.train_run(whole)
    parts = launch.new_run(make_config(*settings, "train.steps=7"), "parts")
    worker.train_run(parts)
    launch.resume("parts", ["train.steps=12"])
    worker.train_run(parts)
    assert checkpoint_bytes(parts) == checkpoint_bytes(whole)
    model = models.load("parts")
    assert model.config.match_memory
    score = evaluate_model.score_model(model, "", "valid")
    assert score.loss == pytest.approx(model.meta.scores["valid"].loss, rel=1e-6)


def test_a_loss_of_nan_ends_the_run_and_keeps_the_checkpoint(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(config: TrainConfig, step: int) -> float:
        return math.nan if step == 8 else learning_rate(config, step)

    monkeypatch.setattr(optimizer, "learning_rate", broken)
    run = launch.new_run(make_config("train.evaluate_every=6"), "nan")
    with pytest.raises(WorkError, match=r"no longer a finite number at step 9.*train\.lr"):
        worker.train_run(run)
    last = events_of(run)[-1]
    assert isinstance(last, events.Failed)
    assert "no longer a finite number" in last.reason
    steps = [event for event in events_of(run) if isinstance(event, events.Step)]
    assert steps[-1].loss is None  # missing, not a wrong figure
    model = models.load("nan")
    assert model.meta.step == 6
    monkeypatch.undo()
    monkeypatch.setenv("RNN_TUI_HOME", str(run.path.parents[1]))
    launch.resume("nan")
    worker.train_run(run)
    assert isinstance(events_of(run)[-1], events.Finished)


def test_requests_for_a_checkpoint_and_a_sample(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.0)
    run = launch.new_run(make_config("train.save_every=100", "train.sample_every=0"), "requests")

    def listen(event: events.Event) -> None:
        if isinstance(event, events.Step) and event.step == 3:
            run.request("save")
            run.request("sample")

    worker.train_run(run, listen)
    found = events_of(run)
    assert any(isinstance(event, events.Saved) and event.step < 8 for event in found)
    assert [type(event) for event in found].count(events.Sampled) == 2
    assert not list((run.path / "control").iterdir())


def test_without_validation_songs_the_last_checkpoint_is_the_best(make_config: MakeConfig) -> None:
    run = launch.new_run(make_config("data.valid_fraction=0", "data.test_fraction=0"), "blind")
    worker.train_run(run)
    assert (run.checkpoints / "best").resolve().name == "step-000024"
    assert not any(isinstance(event, events.Evaluated) for event in events_of(run))


def test_two_trainers_on_one_run_are_refused(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOCK_TIMEOUT", 0.0)
    run = launch.new_run(make_config(), "one")
    with run.lock():
        with pytest.raises(InputError, match="already being trained by process"):
            worker.train_run(run)
        with pytest.raises(InputError, match="already being trained by process"):
            launch.resume("one")
    assert events_of(run) == []


def test_changed_songs_are_refused(make_config: MakeConfig, songs: Path) -> None:
    run = launch.new_run(make_config(), "changed")
    songs.write_text(songs.read_text().replace("moon", "lamp"))
    with pytest.raises(InputError, match="have changed since the run"):
        worker.train_run(run)


@pytest.mark.parametrize("kind", ["uniform", "frequencies", "markov"])
def test_ngram_models_run_like_networks(make_config: MakeConfig, kind: str) -> None:
    run = launch.new_run(make_config(f"model.kind={kind}"), kind)
    worker.train_run(run)
    kinds = [type(event) for event in events_of(run)]
    assert kinds == [
        events.Started,
        events.Evaluated,
        events.Saved,
        events.Sampled,
        events.Sampled,
        events.Finished,
    ]
    model = models.load(kind)
    score = evaluate_model.score_model(model, "", "valid")
    assert score.loss == pytest.approx(model.meta.scores["valid"].loss)


@pytest.mark.parametrize("evaluate_every", [1, 100])
def test_infinite_weights_are_never_saved(make_config: MakeConfig, evaluate_every: int) -> None:
    settings = ("train.warmup=0", "train.save_every=1", f"train.evaluate_every={evaluate_every}")
    run = launch.new_run(make_config(*settings, "train.lr=1e38", "train.grad_clip=0"), "wild")
    with pytest.raises(WorkError, match=r"no longer a finite number at step \d"):
        worker.train_run(run)
    assert not (run.checkpoints / "last").exists() or models.load("wild")
    last = events_of(run)[-1]
    assert isinstance(last, events.Failed)
    assert last.step >= 1


def test_a_listener_that_fails_stops_the_run_with_a_checkpoint(make_config: MakeConfig) -> None:
    run = launch.new_run(make_config("train.steps=5000"), "piped")

    def closed(event: events.Event) -> None:
        if isinstance(event, events.Step):
            raise BrokenPipeError

    with pytest.raises(WorkError, match=r"The output cannot be written .* --resume piped"):
        worker.train_run(run, closed)
    last = next(event for event in events_of(run)[::-1] if isinstance(event, events.Saved))
    assert run.last_step() == last.step
    assert last.step < 5000


def test_a_refused_resume_leaves_the_run_unchanged(make_config: MakeConfig) -> None:
    run = launch.new_run(make_config("train.steps=6"), "fixed")
    worker.train_run(run)
    before = run.metadata()
    for setting in ("train.batch_size=5", "train.seed=9", "model.hidden_size=3", "train.steps=6"):
        with pytest.raises(InputError):
            launch.resume("fixed", [setting])
        assert run.metadata() == before
    launch.resume("fixed", ["train.steps=9"])
    worker.train_run(run)
    assert run.last_step() == 9


def test_a_stopped_ngram_run_starts_again(make_config: MakeConfig) -> None:
    run = launch.new_run(make_config("model.kind=markov"), "counted")
    run.request("stop")
    worker.train_run(run)
    assert [type(event) for event in events_of(run)] == [events.Started, events.Finished]
    launch.resume("counted")
    worker.train_run(run)
    history = History()
    for event in events_of(run):
        history.add(event)
    assert len(history.checkpoints) == len(history.evaluations) == 1
    with pytest.raises(InputError, match="is complete: its model needs one pass"):
        launch.resume("counted")
