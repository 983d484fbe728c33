"""The training loop: truncated back-propagation through time over lanes of songs.

Everything random is a function of the seed and the step, so that a run that goes on from a
checkpoint makes the very steps that it would have made.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.nn.utils import clip_grad_norm_

from engine import events
from engine.config import RunConfig, TrainConfig
from engine.data.corpus import Corpus
from engine.eventlog import EventLog
from engine.model.network import Network, detach
from engine.rundir import RunDir
from engine.sample import models
from engine.train import checkpoints, evaluate, segments
from engine.train import training as trainings
from engine.train.meter import Meter, no_number
from engine.train.optimiser import learning_rate
from engine.train.samples import write_samples
from engine.train.training import Training

Asked = Callable[[], set[str]]


def train(
    run: RunDir,
    config: RunConfig,
    corpus: Corpus,
    training: Training,
    log: EventLog,
    asked: Asked = set,
) -> str:
    """Take the steps that are left; returns "completed" or "stopped".

    asked: what has been asked of the run since the last call ("stop", "save", "sample").
    Raises WorkError when the loss or the gradient is no longer a number; the checkpoints written
    before stay as they are.
    """
    settings, network = config.train, training.network
    parameters = sum(p.numel() for p in network.parameters())
    meter = Meter(training, settings, log)

    def meta() -> dict[str, Any]:
        return checkpoints.describe(config, corpus, training.step, training.scores, parameters)

    network.train()
    while training.step < settings.steps:
        began = time.perf_counter()
        training.step += 1
        torch.manual_seed(settings.seed * 1_000_003 + training.step)  # dropout of this step
        batch = training.lanes.next()
        assert batch is not None  # lanes with a seed never end

        window, weight = evaluate.tensors(batch), torch.from_numpy(batch.weight)
        nats, state = segments.nats(network, window, training.state, settings.checkpoint_segment)
        frames = weight.sum()  # those past the end of a whole song weigh nothing
        loss = (nats * weight).sum() / frames
        training.optimizer.zero_grad()
        loss.backward()
        norm = clip_grad_norm_(network.parameters(), settings.clip or float("inf"))
        rate = learning_rate(settings, training.step)
        for group in training.optimizer.param_groups:
            group["lr"] = rate
        training.optimizer.step()
        training.average.update_parameters(network)
        training.state = detach(state)  # here truncated back-propagation cuts
        meter.add(loss.detach(), norm, rate, int(frames), time.perf_counter() - began)

        requests = asked()
        ending = training.step == settings.steps
        stopping = "stop" in requests and not ending
        evaluating = ending or training.step % settings.evaluate_every == 0
        saving = (
            ending or stopping or "save" in requests or training.step % settings.save_every == 0
        )
        if training.step % settings.report_every == 0 or evaluating or saving or log.quiet():
            meter.report()  # which refuses to go on from what is no number
        if evaluating or saving:
            _require_numbers(training, settings)
        better = evaluating and not stopping and _evaluate(training, config, corpus, log)
        if saving or better:
            best = better or training.best is None  # without validation the last is the best
            name = trainings.save(run, training, meta(), best)
            log.append(events.Saved(step=training.step, checkpoint=name, best=best))
        if "sample" in requests or (
            settings.sample_every and training.step % settings.sample_every == 0
        ):
            model = models.from_tensors(meta(), trainings.weights(training))
            write_samples(run, model, training.step, corpus, settings, log)
        if stopping:
            return "stopped"
    return "completed"


def _require_numbers(training: Training, settings: TrainConfig) -> None:
    """Raise WorkError before weights that are no numbers replace a good checkpoint."""
    sums = [p.detach().sum() for p in training.network.parameters()]
    if not torch.stack(sums).isfinite().all():
        raise no_number("sum of some weights", training.step, settings)


def _evaluate(training: Training, config: RunConfig, corpus: Corpus, log: EventLog) -> bool:
    """Look at the validation songs, with the averaged weights; whether it is the best score yet."""
    if not len(corpus.select("valid")):
        return False
    model = training.average.module
    assert isinstance(model, Network)

    def beat() -> None:
        if log.quiet():
            log.append(events.Heartbeat(step=training.step, doing="evaluating"))

    score = evaluate.network(model, corpus, "valid", config.train.evaluate_frames, beat)
    if not math.isfinite(score.loss):
        raise no_number("validation loss", training.step, config.train)
    better = training.best is None or score.loss < training.best
    if better:
        training.best = score.loss
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
