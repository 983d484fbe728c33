"""The training loop: truncated back-propagation through time over parallel streams of songs.

Everything random is a function of the seed and the step, so that a resumed run takes exactly the
steps that it would have taken without the interruption. A frame is a character of lyrics or a time
step of music.
"""

import math
import time
from collections.abc import Set
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from engine.config import TrainConfig
from engine.inference import models
from engine.inference.models import ModelMeta
from engine.model.network import detach_state
from engine.model.window import to_device
from engine.runs.events import Evaluated, Heartbeat, Saved
from engine.train import checkpoint
from engine.train.device import precision
from engine.train.evaluate import score_network, to_window
from engine.train.initial_model import sampling_words
from engine.train.metrics import StepMeter, not_finite_error
from engine.train.optimizer import set_learning_rate, update_ema
from engine.train.run_context import RunContext
from engine.train.samples import write_samples
from engine.train.state import TrainState

# The least seconds between two reports, and the like, on a fast device; by request.
INTERVALS = {"report": 1.0, "may evaluate": 30.0, "may save": 30.0, "may sample": 30.0}


class StepResult(NamedTuple):
    """The figures of one step. Tensors on a CUDA device may not have been computed yet."""

    loss: Tensor  # nats per frame of this rank's streams
    grad_norm: Tensor  # before clipping
    lr: float
    frames: int  # number of frames of all ranks


@dataclass(frozen=True)
class Due:
    """The work that is due after a step."""

    report: bool
    evaluate: bool
    save: bool
    sample: bool
    stop: bool

    @classmethod
    def after(
        cls, step: int, settings: TrainConfig, requests: Set[str], *, timed: bool = False
    ) -> "Due":
        """Return the work that is due after a step, given the requests of all ranks.

        After the last step the network is evaluated and saved. On a request to stop it is saved
        but, to end quickly, not evaluated. timed: what is due at an interval of steps is due only
        with the request "may evaluate" and the like (see `_Clock`), and a report on request.
        """

        def every(steps: int, work: str = "") -> bool:
            now = not timed or f"may {work}" in requests
            return now and steps > 0 and step % steps == 0

        last = step == settings.steps
        stop = "stop" in requests and not last
        evaluate = (last or every(settings.evaluate_every, "evaluate")) and not stop
        save = last or stop or "save" in requests or every(settings.save_every, "save")
        return cls(
            report=evaluate or save or "report" in requests or every(settings.log_every),
            evaluate=evaluate,
            save=save,
            sample="sample" in requests or every(settings.sample_every, "sample"),
            stop=stop,
        )


class _Clock:
    """The times since the last report, evaluation, checkpoint and sample, on a fast device.

    Intervals in steps alone would leave it idle most of the time. Only the first rank's clock
    counts, by its requests: all ranks must do the same.
    """

    def __init__(self) -> None:
        self._last = dict.fromkeys(INTERVALS, time.monotonic())

    def requests(self) -> set[str]:
        """Return the requests of what may be done again."""
        now = time.monotonic()
        return {name for name, last in self._last.items() if now - last >= INTERVALS[name]}

    def done(self, due: Due) -> None:
        """Begin the intervals again of what was due and is done."""
        for name in INTERVALS:
            if getattr(due, name.removeprefix("may ")):
                self._last[name] = time.monotonic()


def train(context: RunContext, training: TrainState) -> str:
    """Take the remaining steps; returns "completed" or "stopped", the same on all ranks.

    Raises WorkError when the loss, the gradient or a weight becomes infinite or NaN; the last
    checkpoints are then unchanged.
    """
    settings, ranks = context.config.train, training.ranks
    meter = StepMeter(training, settings, context.log)
    # With train.deterministic the best checkpoint must not depend on the time either.
    timed, clock = training.device.type != "cpu" and not settings.deterministic, _Clock()
    training.network.train()
    while training.step < settings.steps:
        start = time.perf_counter()
        result = take_step(training, settings)
        meter.add(*result, time.perf_counter() - start)

        heartbeat = {"report"} if context.log.idle_for() else set()
        times = clock.requests() if timed and ranks.is_first else set()
        requests = ranks.union(context.poll_requests() | heartbeat | times)
        due = Due.after(training.step, settings, requests, timed=timed)
        if due.report:
            meter.report()
        if due.evaluate or due.save:
            _evaluate_and_save(context, training, due)
        if due.sample and ranks.is_first:
            model = models.from_tensors(_meta(context, training), checkpoint.ema_weights(training))
            write_samples(context, model, training.step)
        clock.done(due)
        if due.stop:
            return "stopped"
    return "completed"


def take_step(training: TrainState, settings: TrainConfig) -> StepResult:
    """Take one optimizer step, on the next batch."""
    network, ranks = training.network, training.ranks
    training.step += 1
    # Dropout differs from step to step and from rank to rank.
    torch.manual_seed(settings.seed * 1_000_003 + training.step + (ranks.rank << 53))
    batch = training.batches.next_batch()
    assert batch is not None  # a stream with a seed never ends

    weight = to_device(batch.weight, training.device)
    # The loss is the mean over the frames of all ranks. In batches of whole songs, frames past the
    # end of a song have weight 0.
    frames = ranks.sum(torch.tensor([batch.weight.sum(dtype=float)])).item()
    with precision(training.device, settings):
        window = to_window(batch, training.device)
        nats, state = training.nats(window, training.carried_state)
        loss = (nats * weight).sum() / (frames / ranks.size)
    training.optimizer.zero_grad()
    loss.backward()
    norm = clip_grad_norm_(network.parameters(), settings.grad_clip or float("inf"))
    lr = set_learning_rate(training.optimizer, settings, training.step)
    training.optimizer.step()
    update_ema(training.ema, network, settings, training.step)
    training.carried_state = detach_state(state)  # the next back-propagation stops here
    return StepResult(loss.detach(), norm, lr, int(frames))


def _evaluate_and_save(context: RunContext, training: TrainState, due: Due) -> None:
    """Evaluate if that is due; save a checkpoint if that is due or the score is the best so far.

    Every rank must call this at the same step; only the first evaluates and writes.
    """
    _require_finite_weights(training, context.config.train)
    carried_state = checkpoint.gather_carried_state(training)
    if not training.ranks.is_first:
        return
    better = due.evaluate and _evaluate(context, training)
    if due.save or better:
        # Without validation songs there is no loss, and the latest checkpoint is the best.
        best = better or training.best_loss is None
        meta = _meta(context, training)
        words = sampling_words(context.config, context.corpus)
        name = checkpoint.save(context.run, training, carried_state, meta, words, best)
        context.log.append(Saved(step=training.step, checkpoint=name, best=best))


def _require_finite_weights(training: TrainState, settings: TrainConfig) -> None:
    """Raise WorkError for infinite or NaN weights, before they replace a good checkpoint."""
    sums = [p.detach().sum() for p in training.network.parameters()]
    if not torch.stack(sums).isfinite().all():
        raise not_finite_error("sum of the weights", training.step, settings)


def _evaluate(context: RunContext, training: TrainState) -> bool:
    """Score the averaged weights on the validation songs; returns whether it is the best score.

    Returns False without validation songs. Raises WorkError for an infinite or NaN loss.
    """
    settings, corpus, log = context.config.train, context.corpus, context.log
    if not len(corpus.select("valid")):
        return False

    def on_progress() -> None:
        if log.idle_for():
            log.append(Heartbeat(step=training.step, doing="evaluating"))

    score = score_network(training.ema, corpus, "valid", settings.evaluate_frames, on_progress)
    if not math.isfinite(score.loss):
        raise not_finite_error("validation loss", training.step, settings)
    better = training.best_loss is None or score.loss < training.best_loss
    if better:
        training.best_loss = score.loss
    training.scores = {"valid": {"loss": score.loss, "bits": score.bits}}
    log.append(
        Evaluated(
            step=training.step,
            loss=score.loss,
            bits=score.bits,
            frames=score.frames,
            best=better,
        )
    )
    return better


def _meta(context: RunContext, training: TrainState) -> ModelMeta:
    parameters = sum(p.numel() for p in training.network.parameters())
    return checkpoint.build_meta(
        context.config, context.corpus, training.step, training.scores, parameters
    )
