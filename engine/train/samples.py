"""What a model in training writes, from the same primes each time, to see how it learns."""

import numpy as np

from engine import events, files
from engine.config import TrainConfig
from engine.data.corpus import Corpus
from engine.rundir import EventLog, RunDir
from engine.sample.decoding import Rules
from engine.sample.models import Model
from engine.sample.sampler import Request, stream


def write_samples(
    run: RunDir, model: Model, step: int, corpus: Corpus, settings: TrainConfig, log: EventLog
) -> None:
    """Write one text for each of `train.sample_primes` to the events and to samples/.

    The first is by nobody, the next by the artists with the most songs. Characters of a prime that
    the corpus does not have are left out.
    """
    artists = _most_songs(corpus, model)
    rules = Rules(temperature=settings.sample_temperature)
    texts = []
    for number, wanted in enumerate(settings.sample_primes):
        strange = set(model.codec.unknown(wanted))
        prime = "".join(character for character in wanted if character not in strange)
        artist = artists[(number - 1) % len(artists)] if number and artists else None
        request = Request(prime, artist, rules, settings.seed + number, settings.sample_length)
        text = "".join(stream(model, request))
        log.append(
            events.Sampled(
                step=step,
                prime=prime,
                condition=artist,
                text=text,
                temperature=settings.sample_temperature,
            )
        )
        texts.append(f"[{artist or 'anyone'}]\n{prime}{text}\n")
    files.write_atomic(run.samples / f"step-{step:06d}.txt", "\n".join(texts))


def _most_songs(corpus: Corpus, model: Model) -> list[str]:
    """The artists, those with the most songs first; none for a model that knows no artists."""
    if not model.conditions:
        return []
    counts = np.bincount(corpus.songs["condition"], minlength=len(corpus.conditions) + 1)[1:]
    return [corpus.conditions[place] for place in np.argsort(-counts, kind="stable")]
