"""The song that a network reads: a given one, a held-out one, or else one that it writes."""

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
from engine.sampling import conditioning, lyrics, music
from engine.sampling.decoding import SamplingParams
from engine.sampling.lyrics import LyricsRequest
from engine.sampling.music import MusicRequest

MAX_LENGTH = 20_000  # characters or frames; the rest of a song is not read
# Lengths of a song that the model writes, if its training songs no longer exist:
GENERATED_CHARACTERS = 1_000
GENERATED_FRAMES = 200
_TIME_SIGNATURE = (4, 4)  # if unknown


@dataclass(frozen=True)
class SongRequest:
    """Which song to read: a text, a file, or without both the held-out song of a number."""

    text: str | None = None
    file: Path | None = None  # MIDI or MusicXML
    artist: str | None = None  # read it as a song of this artist; None: the song's artist, if known
    song: int = 0  # number of the held-out song, from 0; wraps around


@dataclass(frozen=True, eq=False)
class InputSong:
    """A song for a network to read."""

    title: str
    frames: NDArray[Any]  # (T, *frame)
    text: str = ""  # of lyrics: T characters, U+FFFD for those that the model does not have
    condition: Array | None = None  # weights of artists as `conditioning.weights` returns them
    time_signature: tuple[int, int] = _TIME_SIGNATURE
    tempo: float | None = None  # of music, in beats per minute; None: the median of the corpus
    song: int = 0  # its number among the held-out songs, or the seed that wrote it
    songs: int = 1  # held-out songs to choose from; 1: this one only; 0: as many as seeds
    note: str = ""  # a sentence that only the beginning is read; empty: all is read


def load_song(model: Model, request: SongRequest) -> InputSong:
    """Return the requested song, at most its first `MAX_LENGTH` characters or frames.

    Raises InputError for a text that the model cannot read, a file that is not music, an artist
    that the model does not have, and a text for a model of music or a file for one of lyrics.
    """
    if request.song < 0:
        raise InputError(f"The song number must be 0 or more, not {request.song}.")
    if request.text is not None and request.file is not None:
        raise InputError("A text and a file exclude each other: name only one of them.")
    if model.kind == "lyrics" and request.file is not None:
        raise InputError(f"{model.name} reads lyrics, not music: use a text.")
    if model.kind == "music" and request.text is not None:
        raise InputError(f"{model.name} reads music, not lyrics: use a MIDI or MusicXML file.")
    conditioning.weights(model, request.artist, None)  # refuses an unknown artist
    if request.text is not None:
        return _read_text(model, request.text, request.artist)
    if request.file is not None:
        return _read_score(model, request.file)
    try:
        return _held_out(model, request)
    except InputError:  # the training songs no longer exist, or no songs are held out
        return _write_song(model, request)


def _read_text(model: Model, text: str, artist: str | None) -> InputSong:
    assert isinstance(model.codec, CharacterCodec)
    note = _truncation_note(len(text), "characters")
    text = lyrics.normalize_text(model, model.codec, text[:MAX_LENGTH], "text")
    if not text:
        raise InputError("The text is empty: write at least a line, or leave it out.")
    condition = conditioning.weights(model, artist, None)
    return InputSong("the text given", model.codec.encode(text), text, condition, note=note)


def _truncation_note(size: int, unit: str) -> str:
    if size <= MAX_LENGTH:
        return ""
    return f"The song has {size:,} {unit}: only the first {MAX_LENGTH:,} were read."


def _read_score(model: Model, file: Path) -> InputSong:
    codec = music.keys_codec(model)
    prompt = music.read_prompt(codec, file)
    roll = prompt.roll
    assert roll is not None
    if not len(roll):
        raise InputError(f"{file} has no notes for a piano: use another file.")
    frames = codec.encode(roll)
    note = _truncation_note(len(frames), "frames")
    return InputSong(
        file.name,
        frames[:MAX_LENGTH],
        time_signature=prompt.time_signature,
        tempo=roll.tempo,
        note=note,
    )


def _held_out(model: Model, request: SongRequest) -> InputSong:
    """Return a validation song of the model's training corpus.

    Raises InputError if the corpus no longer exists, or has no such songs.
    """
    corpus = models.training_corpus(model)
    rows = corpus.select("valid")
    if not len(rows):
        raise InputError(f"No songs of {corpus.name} were held out: name a song.")
    number = request.song % len(rows)
    row = int(rows[number])
    artist, title = corpus.titles[row]
    style = request.artist or (artist if artist in model.conditions else None)
    condition = conditioning.weights(model, style, None) if model.conditions else None
    frames = corpus.translated(model.codec, list(model.conditions)).song(row)
    note = _truncation_note(len(frames), "characters" if model.kind == "lyrics" else "frames")
    text = ""
    if isinstance(model.codec, CharacterCodec):
        frames = frames[:-1]  # without the end mark
        text = model.codec.decode(frames[:MAX_LENGTH])
    return InputSong(
        title=" – ".join(filter(None, (artist, title))),
        frames=frames[:MAX_LENGTH],
        text=text,
        condition=condition,
        song=number,
        songs=len(rows),
        note=note,
    )


def _write_song(model: Model, request: SongRequest) -> InputSong:
    """Let the model write a song, with the requested song number as its seed."""
    title = f"written by {model.name}, seed {request.song}"
    if isinstance(model.codec, CharacterCodec):
        params = SamplingParams(temperature=0.7, raw="on")
        wanted = LyricsRequest("", request.artist, params, request.song, GENERATED_CHARACTERS)
        text = "".join(character.text for character in lyrics.stream(model, wanted))
        condition = conditioning.weights(model, request.artist, None)
        frames: NDArray[Any] = model.codec.encode(text)
        return InputSong(title, frames, text, condition, song=request.song, songs=0)
    written = music.stream(model, MusicRequest(seed=request.song, length=GENERATED_FRAMES))
    return InputSong(title, np.stack(list(written)), song=request.song, songs=0)
