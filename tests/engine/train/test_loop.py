"""A run from its beginning to its end, in this process: what it says, keeps and brings back."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from engine.config import RunConfig, TrainConfig
from engine.errors import InputError, WorkError
from engine.inference import models
from engine.runs import events
from engine.runs.event_log import EventReader, History
from engine.runs.run_dir import RunDir
from engine.train import evaluate_model, launch, optimizer, worker
from engine.train.optimizer import learning_rate

Small = Callable[..., RunConfig]


def everything(run: RunDir) -> dict[str, bytes]:
    """All that the last checkpoint holds, but for the seconds that it took."""
    folder = run.checkpoints / "last"
    trainer = safetensors.torch.load_file(folder / "trainer.safetensors")
    model = safetensors.torch.load_file(folder / "model.safetensors")
    tensors = {**trainer, **{f"model/{name}": value for name, value in model.items()}}
    return {name: value.numpy().tobytes() for name, value in tensors.items()}


def said(run: RunDir) -> list[events.Event]:
    return EventReader(run.events).poll()


def stop_at(step: int) -> Callable[[RunDir], Callable[[events.Event], None]]:
    """A listener that asks the run to stop once it has reported a step."""

    def listening(run: RunDir) -> Callable[[events.Event], None]:
        def listen(event: events.Event) -> None:
            if isinstance(event, events.Step) and event.step >= step:
                run.request("stop")

        return listen

    return listening


def test_a_run_says_saves_and_samples_at_its_intervals(small: Small) -> None:
    run = launch.new_run(small(), "whole")
    worker.train_run(run)
    heard = said(run)
    assert isinstance(heard[0], events.Started)
    assert heard[-1] == events.Finished(step=24, reason="completed", time=heard[-1].time)
    history = History()
    for event in heard:
        history.add(event)
    assert [event.step for event in history.evaluations] == [8, 16, 24]
    assert {6, 12, 18, 24} <= {event.step for event in history.checkpoints}
    assert [event.step for event in history.samples] == [12, 12, 24, 24]
    assert [event.prime for event in history.samples[:2]] != ["Why", "Well"]  # no capitals here
    assert history.samples[0].condition is None
    assert history.samples[1].condition == "Ada"  # who has most songs
    assert all(len(event.text) == 20 for event in history.samples)
    assert {3, 6, 9, 12, 15, 18, 21, 24} <= {event.step for event in history.steps}
    for step in history.steps:
        assert step.loss is not None
        assert step.bits == pytest.approx(step.loss / math.log(2))
    assert history.steps[-1].remaining == 0
    assert (run.samples / "step-000024.txt").read_text().startswith("[no artist]\n")


def test_it_learns(small: Small) -> None:
    run = launch.new_run(small("train.steps=80", "train.lr=0.04", "model.dropout=0"), "learns")
    worker.train_run(run)
    first, *_, last = (event for event in said(run) if isinstance(event, events.Evaluated))
    assert last.loss < 0.75 * first.loss


def test_best_and_last_are_kept_and_nothing_else(small: Small) -> None:
    run = launch.new_run(small(), "kept")
    worker.train_run(run)
    best = min(
        (event for event in said(run) if isinstance(event, events.Evaluated)),
        key=lambda event: event.loss,
    )
    folders = {path.name for path in run.checkpoints.iterdir() if not path.is_symlink()}
    assert folders == {f"step-{best.step:06d}", "step-000024"}
    meta = json.loads((run.checkpoints / "best" / "meta.json").read_text())
    assert meta["step"] == best.step
    assert meta["scores"]["valid"]["loss"] == best.loss


def test_the_saved_model_scores_what_the_run_said(small: Small) -> None:
    run = launch.new_run(small("train.evaluate_frames=0"), "scored")
    worker.train_run(run)
    model = models.load("scored")
    score = evaluate_model.score_model(model, "", "valid")
    assert score.loss == pytest.approx(model.meta["scores"]["valid"]["loss"], rel=1e-6)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_stopped_and_resumed_is_bit_for_bit_the_uninterrupted_run(
    small: Small, precision: str
) -> None:
    """With dropout, dropped artists, averaging, and stops off every interval."""
    setting = f"train.precision={precision}"
    whole = launch.new_run(small(setting), "whole")
    worker.train_run(whole)
    parts = launch.new_run(small(setting), "parts")
    for step in (5, 10, 17):
        listen = stop_at(step)(parts)
        worker.POLL_SECONDS, before = 0.0, worker.POLL_SECONDS
        try:
            worker.train_run(parts, listen)
        finally:
            worker.POLL_SECONDS = before
        last = said(parts)[-1]
        assert isinstance(last, events.Finished)
        assert last.reason == "stopped"
        launch.resume("parts")
    worker.train_run(parts)
    assert everything(parts) == everything(whole)
    resumed = [event.step for event in said(parts) if isinstance(event, events.Resumed)]
    assert len(resumed) == 3
    assert resumed == sorted(set(resumed))


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_what_a_resume_restores_for_every_cell(small: Small, cell: str) -> None:
    settings = (f"model.cell={cell}", "model.tied=true", "train.sample_every=0")
    whole = launch.new_run(small(*settings, "train.steps=12", "train.min_lr_ratio=1"), "whole")
    worker.train_run(whole)
    parts = launch.new_run(small(*settings, "train.steps=7", "train.min_lr_ratio=1"), "parts")
    worker.train_run(parts)
    launch.resume("parts", ["train.steps=12"])
    worker.train_run(parts)
    assert everything(parts) == everything(whole)


@pytest.mark.parametrize("segment", ["0", "auto"])
def test_whole_songs_as_one_gradient_learn_and_resume(small: Small, segment: str) -> None:
    settings = ("train.bptt=0", f"train.checkpoint_segment={segment}", "train.min_lr_ratio=1")
    whole = launch.new_run(small(*settings, "train.steps=12", "train.lr=0.02"), "whole")
    worker.train_run(whole)
    parts = launch.new_run(small(*settings, "train.steps=7", "train.lr=0.02"), "parts")
    worker.train_run(parts)
    launch.resume("parts", ["train.steps=12"])
    worker.train_run(parts)
    assert everything(parts) == everything(whole)
    heard = said(whole)
    assert isinstance(heard[0], events.Started)
    songs = round(0.9 * 40)  # of the forty, those to train on
    assert heard[0].frames_per_step == round(heard[0].train_frames / songs) * 4
    first, *_, last = (event for event in heard if isinstance(event, events.Evaluated))
    assert last.loss < first.loss


def test_checkpointing_changes_the_memory_and_not_the_weights(small: Small) -> None:
    weights = []
    for name, segment in (("plain", 0), ("segments", 5)):
        setting = f"train.checkpoint_segment={segment}"
        run = launch.new_run(small("model.dropout=0", "train.steps=6", setting), name)
        worker.train_run(run)
        folder = run.checkpoints / "last"
        weights.append(safetensors.torch.load_file(folder / "model.safetensors"))
    for key, value in weights[0].items():
        torch.testing.assert_close(weights[1][key], value, rtol=1e-3, atol=1e-5)


def test_a_model_with_a_memory_learns_resumes_and_scores_like_any(small: Small) -> None:
    settings = ("model.match_memory=true", "train.sample_every=0", "train.min_lr_ratio=1")
    whole = launch.new_run(small(*settings, "train.steps=12"), "whole")
    worker.train_run(whole)
    parts = launch.new_run(small(*settings, "train.steps=7"), "parts")
    worker.train_run(parts)
    launch.resume("parts", ["train.steps=12"])
    worker.train_run(parts)
    assert everything(parts) == everything(whole)
    model = models.load("parts")
    assert model.config.match_memory
    score = evaluate_model.score_model(model, "", "valid")
    assert score.loss == pytest.approx(model.meta["scores"]["valid"]["loss"], rel=1e-6)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_checkpoint(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(config: TrainConfig, step: int) -> float:
        return math.nan if step == 8 else learning_rate(config, step)

    monkeypatch.setattr(optimizer, "learning_rate", broken)
    run = launch.new_run(small("train.evaluate_every=6"), "nan")
    with pytest.raises(WorkError, match=r"no longer a finite number at step 9.*train\.lr"):
        worker.train_run(run)
    last = said(run)[-1]
    assert isinstance(last, events.Failed)
    assert "no longer a finite number" in last.reason
    steps = [event for event in said(run) if isinstance(event, events.Step)]
    assert steps[-1].loss is None  # said as a gap, not as a wrong figure
    model = models.load("nan")
    assert model.meta["step"] == 6
    monkeypatch.undo()
    monkeypatch.setenv("RNN_TUI_HOME", str(run.path.parents[1]))
    launch.resume("nan")
    worker.train_run(run)
    assert isinstance(said(run)[-1], events.Finished)


def test_requests_for_a_checkpoint_and_a_sample(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.0)
    run = launch.new_run(small("train.save_every=100", "train.sample_every=0"), "asked")

    def listen(event: events.Event) -> None:
        if isinstance(event, events.Step) and event.step == 3:
            run.request("save")
            run.request("sample")

    worker.train_run(run, listen)
    heard = said(run)
    assert any(isinstance(event, events.Saved) and event.step < 8 for event in heard)
    assert [type(event) for event in heard].count(events.Sampled) == 2
    assert not list((run.path / "control").iterdir())


def test_a_run_without_validation_songs_keeps_its_last_as_best(small: Small) -> None:
    run = launch.new_run(small("data.valid_fraction=0", "data.test_fraction=0"), "blind")
    worker.train_run(run)
    assert (run.checkpoints / "best").resolve().name == "step-000024"
    assert not any(isinstance(event, events.Evaluated) for event in said(run))


def test_two_trainers_on_one_run_are_refused(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "LOCK_TIMEOUT", 0.0)
    run = launch.new_run(small(), "one")
    with run.lock():
        with pytest.raises(InputError, match="already being trained by process"):
            worker.train_run(run)
        with pytest.raises(InputError, match="already being trained by process"):
            launch.resume("one")
    assert said(run) == []


def test_songs_that_changed_are_refused(small: Small, songs: Path) -> None:
    run = launch.new_run(small(), "changed")
    songs.write_text(songs.read_text().replace("moon", "lamp"))
    with pytest.raises(InputError, match="have changed since the run"):
        worker.train_run(run)


@pytest.mark.parametrize("kind", ["uniform", "frequencies", "markov"])
def test_counting_models_run_like_networks(small: Small, kind: str) -> None:
    run = launch.new_run(small(f"model.kind={kind}"), kind)
    worker.train_run(run)
    kinds = [type(event) for event in said(run)]
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
    assert score.loss == pytest.approx(model.meta["scores"]["valid"]["loss"])


@pytest.mark.parametrize("evaluate_every", [1, 100])
def test_weights_that_are_no_numbers_never_become_a_checkpoint(
    small: Small, evaluate_every: int
) -> None:
    settings = ("train.warmup=0", "train.save_every=1", f"train.evaluate_every={evaluate_every}")
    run = launch.new_run(small(*settings, "train.lr=1e38", "train.grad_clip=0"), "wild")
    with pytest.raises(WorkError, match=r"no longer a finite number at step \d"):
        worker.train_run(run)
    assert not (run.checkpoints / "last").exists() or models.load("wild")
    last = said(run)[-1]
    assert isinstance(last, events.Failed)
    assert last.step >= 1


def test_a_listener_that_goes_away_stops_the_run_with_a_checkpoint(small: Small) -> None:
    run = launch.new_run(small("train.steps=5000"), "piped")

    def closed(event: events.Event) -> None:
        if isinstance(event, events.Step):
            raise BrokenPipeError

    worker.train_run(run, closed)
    last = said(run)[-1]
    assert isinstance(last, events.Finished)
    assert last.reason == "stopped"
    assert run.last_step() == last.step


def test_what_a_resume_may_not_change_leaves_the_run_as_it_was(small: Small) -> None:
    run = launch.new_run(small("train.steps=6"), "fixed")
    worker.train_run(run)
    before = run.metadata()
    for setting in ("train.batch_size=5", "train.seed=9", "model.hidden_size=3", "train.steps=6"):
        with pytest.raises(InputError):
            launch.resume("fixed", [setting])
        assert run.metadata() == before
    launch.resume("fixed", ["train.steps=9"])
    worker.train_run(run)
    assert run.last_step() == 9


def test_a_counting_run_can_be_stopped_and_begun_again(small: Small) -> None:
    run = launch.new_run(small("model.kind=markov"), "counted")
    run.request("stop")
    worker.train_run(run)
    assert [type(event) for event in said(run)] == [events.Started, events.Finished]
    launch.resume("counted")
    worker.train_run(run)
    history = History()
    for event in said(run):
        history.add(event)
    assert len(history.checkpoints) == len(history.evaluations) == 1
    with pytest.raises(InputError, match="is complete: its model needs one pass"):
        launch.resume("counted")
