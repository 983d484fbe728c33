"""The training loop: truncated back-propagation through time over lanes of songs.

Everything random is a function of the seed and the step, so that a run that goes on from a
checkpoint makes the very steps that it would have made.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from engine.config import RunConfig, TrainConfig
from engine.data.corpus import Corpus
from engine.inference import models
from engine.model.network import detach_state
from engine.model.window import to_device
from engine.runs import events
from engine.runs.event_log import EventLog
from engine.runs.run_dir import RunDir
from engine.train import checkpoint, evaluate
from engine.train import state as trainings
from engine.train.device import precision
from engine.train.metrics import StepMeter, not_finite_error
from engine.train.optimizer import set_learning_rate, update_ema
from engine.train.samples import write_samples
from engine.train.state import TrainState

Asked = Callable[[], set[str]]


def train(
    run: RunDir,
    config: RunConfig,
    corpus: Corpus,
    training: TrainState,
    log: EventLog,
    asked: Asked = set,
) -> str:
    """Take the steps that are left; returns "completed" or "stopped", on all ranks the same.

    asked: what has been asked of the run since the last call ("stop", "save", "sample").
    Raises WorkError when the loss or the gradient is no longer a number; the checkpoints written
    before stay as they are.
    """
    settings, network, ranks = config.train, training.network, training.ranks
    parameters = sum(p.numel() for p in network.parameters())
    meter = StepMeter(training, settings, log)

    def meta() -> dict[str, Any]:
        return checkpoint.build_meta(config, corpus, training.step, training.scores, parameters)

    network.train()
    while training.step < settings.steps:
        began = time.perf_counter()
        loss, norm, rate, frames = take_step(training, settings)
        meter.add(loss, norm, rate, frames, time.perf_counter() - began)

        requests = ranks.union(asked() | ({"report"} if log.idle_for() else set()))
        ending = training.step == settings.steps
        stopping = "stop" in requests and not ending
        evaluating = ending or training.step % settings.evaluate_every == 0
        saving = (
            ending or stopping or "save" in requests or training.step % settings.save_every == 0
        )
        reporting = "report" in requests or training.step % settings.log_every == 0
        if reporting or evaluating or saving:
            meter.report()  # which refuses to go on from what is no number
        whole_state = training.carried_state
        if evaluating or saving:
            _require_numbers(training, settings)
            whole_state = trainings.whole_state(training)
        if not ranks.is_first:  # the first alone looks and writes
            if stopping:
                return "stopped"
            continue
        better = evaluating and not stopping and _evaluate(training, config, corpus, log)
        if saving or better:
            best = better or training.best_loss is None  # without validation the last is the best
            name = trainings.save(run, training, whole_state, meta(), best)
            log.append(events.Saved(step=training.step, checkpoint=name, best=best))
        if "sample" in requests or (
            settings.sample_every and training.step % settings.sample_every == 0
        ):
            model = models.from_tensors(meta(), trainings.weights(training))
            write_samples(run, model, training.step, corpus, settings, log)
        if stopping:
            return "stopped"
    return "completed"


def take_step(training: TrainState, settings: TrainConfig) -> tuple[Tensor, Tensor, float, int]:
    """Learn from the next batch; returns its loss, the gradient's norm, the rate, the frames."""
    network, ranks = training.network, training.ranks
    training.step += 1
    # Dropout of this step, for every rank another.
    torch.manual_seed(settings.seed * 1_000_003 + training.step + (ranks.rank << 53))
    batch = training.batches.next_batch()
    assert batch is not None  # lanes with a seed never end

    weight = to_device(batch.weight, training.device)
    # The mean over the frames of all ranks; those past the end of a whole song weigh nothing.
    frames = ranks.sum(torch.tensor([batch.weight.sum(dtype=float)])).item()
    with precision(training.device, settings):
        window = evaluate.to_window(batch, training.device)
        nats, state = training.nats(window, training.carried_state)
        loss = (nats * weight).sum() / (frames / ranks.size)
    training.optimizer.zero_grad()
    loss.backward()
    norm = clip_grad_norm_(network.parameters(), settings.grad_clip or float("inf"))
    rate = set_learning_rate(training.optimizer, settings, training.step)
    training.optimizer.step()
    update_ema(training.ema, network, settings, training.step)
    training.carried_state = detach_state(state)  # here truncated back-propagation cuts
    return loss.detach(), norm, rate, int(frames)


def _require_numbers(training: TrainState, settings: TrainConfig) -> None:
    """Raise WorkError before weights that are no numbers replace a good checkpoint."""
    sums = [p.detach().sum() for p in training.network.parameters()]
    if not torch.stack(sums).isfinite().all():
        raise not_finite_error("sum of some weights", training.step, settings)


def _evaluate(training: TrainState, config: RunConfig, corpus: Corpus, log: EventLog) -> bool:
    """Look at the validation songs, with the averaged weights; whether it is the best score yet."""
    if not len(corpus.select("valid")):
        return False

    def beat() -> None:
        if log.idle_for():
            log.append(events.Heartbeat(step=training.step, doing="evaluating"))

    score = evaluate.score_network(
        training.ema, corpus, "valid", config.train.evaluate_frames, beat
    )
    if not math.isfinite(score.loss):
        raise not_finite_error("validation loss", training.step, config.train)
    better = training.best_loss is None or score.loss < training.best_loss
    if better:
        training.best_loss = score.loss
    training.scores = {"valid": {"loss": score.loss, "bits": score.bits}}
    log.append(
        events.Evaluated(
            step=training.step,
            loss=score.loss,
            bits=score.bits,
            frames=score.frames,
            best=better,
        )
    )
    return better
