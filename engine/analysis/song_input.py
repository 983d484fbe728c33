"""Songs for a network to read: what was given, one it never saw, or else one of its own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.codecs import CharacterCodec
from engine.errors import InputError
from engine.inference import models
from engine.inference.cells import Array
from engine.inference.models import Model
from engine.sampling import conditioning
from engine.sampling import lyrics as sampler
from engine.sampling import music as rolls
from engine.sampling.decoding import SamplingParams
from engine.sampling.music import MusicRequest

MAX_LENGTH = 20_000  # characters or frames that are read
GENERATED_CHARACTERS = (
    1_000  # characters that a model writes itself where none of its songs is here
)
GENERATED_FRAMES = 200  # frames
_METRE = (4, 4)  # where it is not known


@dataclass(frozen=True)
class SongRequest:
    """Which song is to be read; without a text or file one of those held out from training."""

    text: str | None = None
    file: Path | None = None  # MIDI
    artist: str | None = None  # as whose song it is read; None: nobody's, or the song's own
    song: int = 0  # which of the songs held out; it is counted on from the first after the last


@dataclass(frozen=True, eq=False)
class InputSong:
    """A song to be read."""

    title: str
    frames: NDArray[Any]  # (T, *frame)
    text: str = ""  # of lyrics, T characters; what the model does not know is U+FFFD
    condition: Array | None = None  # (A + 1,)
    metre: tuple[int, int] = _METRE
    song: int = 0  # its place among
    songs: int = 1  # so many; 0: there is no end to them
    note: str = ""  # a sentence, where not all of it is read


def load_song(model: Model, asked: SongRequest) -> InputSong:
    """The song that was asked for, no longer than is read of one.

    Raises InputError for a text that the model cannot read, a file that is none, an artist whom it
    does not know, and a song of the wrong kind.
    """
    if asked.song < 0:
        raise InputError(f"The song is {asked.song}: give 0 or more.")
    lyrics = isinstance(model.codec, CharacterCodec)
    if asked.text is not None and asked.file is not None:
        raise InputError("Both a text and a file were given: give one of them.")
    if (asked.text if not lyrics else asked.file) is not None:
        kind, give = ("lyrics", "a text") if lyrics else ("music", "a MIDI file")
        raise InputError(f"{model.name} reads {kind}: give {give}.")
    conditioning.weights(model, asked.artist, None)  # an artist it does not know is refused
    if asked.text is not None:
        return _text(model, "the text given", asked.text, asked.artist)
    if asked.file is not None:
        return _midi(model, asked.file)
    try:
        return _held_out(model, asked)
    except InputError:  # the songs are gone, or none was held out
        return _own(model, asked)


def _text(model: Model, title: str, text: str, artist: str | None) -> InputSong:
    assert isinstance(model.codec, CharacterCodec)
    note = _note(len(text), "characters")
    text = sampler.normalize_text(model, model.codec, text[:MAX_LENGTH], "text")
    if not text:
        raise InputError("The text is empty: give at least a line, or leave it out.")
    weights = conditioning.weights(model, artist, None)
    return InputSong(title, model.codec.encode(text), text, weights, note=note)


def _note(size: int, what: str) -> str:
    if size <= MAX_LENGTH:
        return ""
    return f"It has {size:,} {what}: only the first {MAX_LENGTH:,} were read."


def _midi(model: Model, file: Path) -> InputSong:
    codec = rolls.keys_codec(model)
    music, metre = rolls.read_prompt(codec, file)
    assert music is not None
    if not len(music):
        raise InputError(f"{file} has no notes for a piano: give another.")
    frames = codec.encode(music)
    note = _note(len(frames), "frames")
    return InputSong(file.name, frames[:MAX_LENGTH], metre=metre, note=note)


def _held_out(model: Model, asked: SongRequest) -> InputSong:
    """One of the validation songs of what the model learned from."""
    corpus = models.training_corpus(model)
    rows = corpus.select("valid")
    if not len(rows):
        raise InputError(f"Of {corpus.name} no songs were held out: give one.")
    row = int(rows[asked.song % len(rows)])
    artist, title = corpus.titles[row]
    who = asked.artist or (artist if artist in model.conditions else None)
    weights = conditioning.weights(model, who, None) if model.conditions else None
    frames = corpus.translated(model.codec, list(model.conditions)).song(row)
    note = _note(len(frames), "characters" if model.kind == "lyrics" else "frames")
    text = ""
    if isinstance(model.codec, CharacterCodec):
        frames = frames[:-1]  # the end mark
        text = model.codec.decode(frames[:MAX_LENGTH])
    named = " – ".join(filter(None, (artist, title)))
    place = asked.song % len(rows)
    return InputSong(named, frames[:MAX_LENGTH], text, weights, _METRE, place, len(rows), note)


def _own(model: Model, asked: SongRequest) -> InputSong:
    """One that the model writes itself, by the seed that is the song's number."""
    title = f"written by {model.name}, seed {asked.song}"
    if isinstance(model.codec, CharacterCodec):
        request = sampler.LyricsRequest(
            "", asked.artist, SamplingParams(0.7), asked.song, GENERATED_CHARACTERS
        )
        text = "".join(character.text for character in sampler.stream(model, request))
        weights = conditioning.weights(model, asked.artist, None)
        frames: NDArray[Any] = model.codec.encode(text)
        return InputSong(title, frames, text, weights, song=asked.song, songs=0)
    music = rolls.stream(model, MusicRequest(seed=asked.song, length=GENERATED_FRAMES))
    return InputSong(title, np.stack(list(music)), song=asked.song, songs=0)
