"""Samples written during training, always from the same prompts and seeds, to compare them."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from engine import files
from engine.config import TrainConfig
from engine.data.codecs import CharacterCodec
from engine.data.corpus import Corpus
from engine.inference.models import Model
from engine.music import midi
from engine.music.pitch import LOWEST_PITCH
from engine.runs.events import Sampled
from engine.runs.run_dir import RunDir
from engine.sampling import music
from engine.sampling.decoding import SamplingParams
from engine.sampling.lyrics import LyricsRequest, stream
from engine.sampling.music import MusicRequest
from engine.train.run_context import RunContext

MUSIC_TEMPERATURE = 1.0  # the model's own probabilities, with which a joint head writes best


def write_samples(context: RunContext, model: Model, step: int) -> None:
    """Write samples as events, and to samples/ as one text file of lyrics or one MIDI file."""
    run, settings = context.run, context.config.train
    run.require_exists()
    if isinstance(model.codec, CharacterCodec):
        texts = []
        for sampled in _sample_lyrics(model, model.codec, step, context.corpus, settings):
            context.log.append(sampled)
            texts.append(f"[{sampled.condition or 'no artist'}]\n{sampled.prime}{sampled.text}\n")
        files.write_atomic(run.samples / f"step-{step:06d}.txt", "\n".join(texts))
    else:
        context.log.append(_sample_music(run, model, step, settings))


def _sample_lyrics(
    model: Model, codec: CharacterCodec, step: int, corpus: Corpus, settings: TrainConfig
) -> Iterator[Sampled]:
    """Write lyrics for each prompt of `train.sample_primes`, and yield their events.

    The first text has no artist; each following one has the artist with the next most songs.
    Characters of a prompt that the codec does not have are left out.
    """
    artists = _artists_by_songs(corpus, model)
    params = SamplingParams(temperature=settings.sample_temperature, raw="on")
    for number, prompt in enumerate(settings.sample_primes):
        unknown = set(codec.unknown_characters(prompt))
        prime = "".join(character for character in prompt if character not in unknown)
        artist = artists[(number - 1) % len(artists)] if number and artists else None
        request = LyricsRequest(
            prime, artist, params, settings.seed + number, settings.sample_length
        )
        yield Sampled(
            step=step,
            prime=prime,
            condition=artist,
            text="".join(character.text for character in stream(model, request)),
            temperature=settings.sample_temperature,
        )


def _artists_by_songs(corpus: Corpus, model: Model) -> list[str]:
    """Return the artists in descending order of their songs; [] for a model without artists."""
    if not model.conditions:
        return []
    counts = np.bincount(corpus.songs["condition"], minlength=len(corpus.conditions) + 1)[1:]
    return [corpus.conditions[index] for index in np.argsort(-counts, kind="stable")]


def _sample_music(run: RunDir, model: Model, step: int, settings: TrainConfig) -> Sampled:
    """Write a piece that starts from silence to a MIDI file; returns its event."""
    request = MusicRequest(
        temperature=MUSIC_TEMPERATURE, seed=settings.seed, length=settings.sample_length
    )
    song = music.stream(model, request)
    roll = song.codec.decode(np.stack(list(song)))
    score = dataclasses.replace(roll.score(), time_signature=song.codec.metre)
    midi.write(score, run.samples / f"step-{step:06d}.mid")
    notes = roll.notes()
    notes[:, 2] += LOWEST_PITCH
    return Sampled(
        step=step,
        prime="",
        condition=None,
        text="",
        temperature=MUSIC_TEMPERATURE,
        notes=notes.tolist(),
        frame=roll.frame_seconds,
    )
