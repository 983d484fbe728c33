"""What a model in training writes, from the same beginnings each time, to see how it learns."""

from collections.abc import Iterator

import numpy as np

from engine import files
from engine.config import TrainConfig
from engine.data.codecs import CharacterCodec
from engine.data.corpus import Corpus
from engine.inference.models import Model
from engine.music import midi
from engine.music.pitch import LOWEST_PITCH
from engine.runs import events
from engine.runs.event_log import EventLog
from engine.runs.events import Sampled
from engine.runs.run_dir import RunDir
from engine.sampling import music
from engine.sampling.decoding import SamplingParams
from engine.sampling.lyrics import LyricsRequest, stream
from engine.sampling.music import MusicRequest

MUSICAL = 1.0  # the temperature of music: a joint model's own probabilities are the clearest


def write_samples(
    run: RunDir, model: Model, step: int, corpus: Corpus, settings: TrainConfig, log: EventLog
) -> None:
    """Write songs to the events and to samples/: a text, or a MIDI file each."""
    if isinstance(model.codec, CharacterCodec):
        texts = []
        for sampled in _texts(model, model.codec, step, corpus, settings):
            log.append(sampled)
            texts.append(f"[{sampled.condition or 'anyone'}]\n{sampled.prime}{sampled.text}\n")
        files.write_atomic(run.samples / f"step-{step:06d}.txt", "\n".join(texts))
    else:
        log.append(_roll(run, model, step, settings))


def _texts(
    model: Model, codec: CharacterCodec, step: int, corpus: Corpus, settings: TrainConfig
) -> Iterator[Sampled]:
    """One text for each of `train.sample_primes`.

    The first is by nobody, the next by the artists with the most songs. Characters of a prime that
    the corpus does not have are left out.
    """
    artists = _most_songs(corpus, model)
    rules = SamplingParams(temperature=settings.sample_temperature)
    for number, wanted in enumerate(settings.sample_primes):
        strange = set(codec.unknown_characters(wanted))
        prime = "".join(character for character in wanted if character not in strange)
        artist = artists[(number - 1) % len(artists)] if number and artists else None
        request = LyricsRequest(
            prime, artist, rules, settings.seed + number, settings.sample_length
        )
        yield events.Sampled(
            step=step,
            prime=prime,
            condition=artist,
            text="".join(character.text for character in stream(model, request)),
            temperature=settings.sample_temperature,
        )


def _most_songs(corpus: Corpus, model: Model) -> list[str]:
    """The artists, those with the most songs first; none for a model that knows no artists."""
    if not model.conditions:
        return []
    counts = np.bincount(corpus.songs["condition"], minlength=len(corpus.conditions) + 1)[1:]
    return [corpus.conditions[place] for place in np.argsort(-counts, kind="stable")]


def _roll(run: RunDir, model: Model, step: int, settings: TrainConfig) -> Sampled:
    """One piece from silence, also as a MIDI file."""
    request = MusicRequest(temperature=MUSICAL, seed=settings.seed, length=settings.sample_length)
    song = music.stream(model, request)
    roll = song.codec.decode(np.stack(list(song)))
    midi.write(roll.score(), run.samples / f"step-{step:06d}.mid")
    notes = roll.notes()
    notes[:, 2] += LOWEST_PITCH
    return events.Sampled(
        step=step,
        prime="",
        condition=None,
        text="",
        temperature=MUSICAL,
        notes=notes.tolist(),
        frame=roll.frame_seconds,
    )
