"""Counting models in a run of their own: one pass over the songs in place of steps."""

from collections.abc import Callable, Iterator
from typing import Any

from numpy.typing import NDArray

from engine.config import RunConfig
from engine.data.corpus import Corpus
from engine.inference import models
from engine.model import ngram
from engine.runs import events
from engine.runs.event_log import EventLog
from engine.runs.run_dir import RunDir
from engine.train import checkpoint, evaluate
from engine.train.samples import write_samples

Asked = Callable[[], set[str]]


class _StopAskedError(Exception):
    pass


def train_ngram(
    run: RunDir, config: RunConfig, corpus: Corpus, log: EventLog, asked: Asked = set
) -> str:
    """Count the training songs, evaluate, save and sample: the whole run is step 1.

    asked: as for `loop.train`. Returns "completed", or "stopped" with nothing saved.
    """
    try:
        _count(run, config, corpus, log, asked)
    except _StopAskedError:
        return "stopped"
    return "completed"


def _count(run: RunDir, config: RunConfig, corpus: Corpus, log: EventLog, asked: Asked) -> None:
    def beat(doing: str) -> None:
        if "stop" in asked():
            raise _StopAskedError
        if log.idle_for():
            log.append(events.Heartbeat(step=0, doing=doing))

    def songs() -> Iterator[NDArray[Any]]:
        for row in corpus.select("train"):
            beat("counting")
            yield corpus.song(row)

    model = ngram.fit(songs(), corpus.codec.spec.size, config.model)
    scores = {}
    if len(corpus.select("valid")):
        score = evaluate.score_ngram(model, corpus, "valid", lambda: beat("evaluating"))
        scores = {"valid": {"loss": score.loss, "bits": score.bits}}
        log.append(
            events.Evaluated(
                step=1, loss=score.loss, bits=score.bits, frames=score.frames, best=True
            )
        )
    meta = checkpoint.build_meta(config, corpus, 1, scores, model.parameters)
    tensors = model.tensors()
    name = checkpoint.write_checkpoint(run, 1, tensors, meta, best=True)
    log.append(events.Saved(step=1, checkpoint=name, best=True))
    write_samples(run, models.from_tensors(meta, tensors), 1, corpus, config.train, log)
