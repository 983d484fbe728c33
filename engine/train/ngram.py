"""Training of n-gram models: one pass over the training songs instead of optimizer steps."""

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from engine.data.words import training_words
from engine.inference import models
from engine.model import ngram
from engine.runs.events import Evaluated, Heartbeat, Saved
from engine.train import checkpoint
from engine.train.evaluate import score_ngram
from engine.train.run_context import RunContext
from engine.train.samples import write_samples


class _StopRequestedError(Exception):
    """A stop was requested while songs were counted or scored."""


def train_ngram(context: RunContext) -> str:
    """Count the n-grams of the training songs, then evaluate, save and sample.

    The whole training is recorded as step 1. Returns "completed", or "stopped" after a request to
    stop, with nothing saved.
    """
    try:
        _train(context)
    except _StopRequestedError:
        return "stopped"
    return "completed"


def _train(context: RunContext) -> None:
    corpus, log = context.corpus, context.log

    def on_progress(doing: str) -> None:
        if "stop" in context.poll_requests():
            raise _StopRequestedError
        if log.idle_for():
            log.append(Heartbeat(step=0, doing=doing))

    def songs() -> Iterator[NDArray[Any]]:
        for row in corpus.select("train"):
            on_progress("counting")
            yield corpus.song(row)

    model = ngram.fit(songs(), corpus.codec.spec.size, context.config.model)
    scores = {}
    if len(corpus.select("valid")):
        score = score_ngram(model, corpus, "valid", lambda: on_progress("evaluating"))
        scores = {"valid": {"loss": score.loss, "bits": score.bits}}
        log.append(
            Evaluated(step=1, loss=score.loss, bits=score.bits, frames=score.frames, best=True)
        )
    meta = checkpoint.build_meta(context.config, corpus, 1, scores, model.parameters)
    tensors = model.tensors()
    words = training_words(corpus)
    name = checkpoint.write_checkpoint(context.run, 1, tensors, meta, words, best=True)
    log.append(Saved(step=1, checkpoint=name, best=True))
    write_samples(context, models.from_tensors(meta, tensors), 1)
