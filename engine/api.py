"""Use rnn-tui from Python: train a model, load one, write lyrics and piano music.

    from engine import generate, load, train

    print(load("lyrics").generate(prime="Why", artist="Mabel Rowe"))
    load("folk").generate(bars=16).save("tune.mid")
    mine = train("songs.csv", preset="quick")

Options are those of `engine.options`, as keyword arguments, with the same checks. Whatever is wrong
with the input raises `engine.errors.InputError` with one sentence.
"""

import base64
import dataclasses
import html
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from engine import config, files
from engine.config import Kind
from engine.data import datasets
from engine.data.codecs import KeysCodec
from engine.errors import InputError
from engine.inference import models
from engine.inference.models import DEFAULT_PRECISION, Model
from engine.music import export_process, pitch, roll_image, wav_file
from engine.music.piano_roll import Roll
from engine.music.score import Score
from engine.music.synth import RATE
from engine.options import (
    LYRICS_OPTIONS,
    LYRICS_SAMPLING_OPTIONS,
    MUSIC_EXTRA_OPTIONS,
    MUSIC_OPTIONS,
    AnyOption,
    OptionValue,
)
from engine.protocol import EndReason, Frame
from engine.runs.event_log import Listener
from engine.sampling import lyrics, music
from engine.sampling.decoding import SamplingParams
from engine.suggestions import did_you_mean

MAX_AUDIO_SECONDS = 90.0  # of a piece that a notebook also shows as sound
_AUDIO_RATE = 22_050  # of this sound, which is mono: a quarter of a WAV file's size

# The included models, for type checkers; any other name is a run's or a path.
LyricsName = Literal["lyrics", "english"]
MusicName = Literal["folk", "chorales", "piano"]
Value = OptionValue | bool | None  # of an option; a bool for one that is "on" or "off"
PathLike = str | os.PathLike[str]
_SONG_OPTIONS = {name: option for name, option in LYRICS_OPTIONS.items() if name != "count"}


@dataclass(frozen=True)
class Song:
    """Lyrics that a model has written; `print` shows the text."""

    text: str  # with the prompt
    prime: str  # the prompt
    artist: str | None
    model: str  # the name of the model
    seed: int
    reason: EndReason  # why it ended
    bits: float  # mean surprise of a character that was written

    def __str__(self) -> str:
        return self.text

    def save(self, path: PathLike) -> None:
        """Write the text to a file in UTF-8."""
        files.write_atomic(Path(path), f"{self.text}\n")

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the text, its prompt in bold."""
        prime, rest = (
            html.escape(part)
            for part in (self.text[: len(self.prime)], self.text[len(self.prime) :])
        )
        about = html.escape(
            ", ".join([self.artist or "no artist", self.model, f"seed {self.seed}"])
        )
        style = "white-space: pre-wrap; font-family: inherit"
        return f'<pre style="{style}"><b>{prime}</b>{rest}</pre><small>{about}</small>'


@dataclass(frozen=True)
class LyricsModel:
    """A model that writes lyrics; made by `load` and `train`."""

    model: Model

    @property
    def name(self) -> str:
        """The name or path by which it was loaded."""
        return self.model.name

    @property
    def artists(self) -> tuple[str, ...]:
        """The artists in whose styles it can write."""
        return self.model.conditions

    @overload
    def generate(
        self,
        prime: str = "",
        *,
        artist: str | None = None,
        mix: Mapping[str, float] | None = None,
        best: int | None = None,
        count: None = None,
        **options: Value,
    ) -> Song: ...

    @overload
    def generate(
        self,
        prime: str = "",
        *,
        artist: str | None = None,
        mix: Mapping[str, float] | None = None,
        best: None = None,
        count: int,
        **options: Value,
    ) -> list[Song]: ...

    def generate(
        self,
        prime: str = "",
        *,
        artist: str | None = None,
        mix: Mapping[str, float] | None = None,
        best: int | None = None,
        count: int | None = None,
        **options: Value,
    ) -> Song | list[Song]:
        """Write a song, or with `count` a list of songs with consecutive seeds.

        prime: the prompt, how the song begins. artist: write in this artist's style; mix: in those
        of several, weights by artist, which must sum to 1. best: write N songs and return the
        one that the model finds most probable. options: of `LYRICS_OPTIONS`, for example
        temperature=0.5, seed=1, raw=True.
        """
        if best is not None and count is not None:
            raise InputError("best and count exclude each other: pass only one of them.")
        number = best if best is not None else 1 if count is None else count
        stream = self._stream(prime, artist, mix, number, options)
        if best is not None:
            songs, characters = lyrics.write_best(stream)
        else:
            songs, characters = stream.songs, list(stream)
        texts = {song.number: stream.prime for song in songs}
        for character in characters:
            texts[character.song] += character.text
        result = []
        for song in songs:
            assert song.reason is not None
            result.append(
                Song(
                    text=texts[song.number],
                    prime=stream.prime,
                    artist=artist,
                    model=self.name,
                    seed=song.seed,
                    reason=song.reason,
                    bits=-song.likelihood,
                )
            )
        return result[0] if count is None else result

    def stream(
        self,
        prime: str = "",
        *,
        artist: str | None = None,
        mix: Mapping[str, float] | None = None,
        **options: Value,
    ) -> Iterator[str]:
        """Write a song as `generate` does, and yield its characters after the prompt."""
        stream = self._stream(prime, artist, mix, 1, options)
        return (character.text for character in stream)

    def _stream(
        self,
        prime: str,
        artist: str | None,
        mix: Mapping[str, float] | None,
        count: int,
        options: Mapping[str, Value],
    ) -> lyrics.LyricsStream:
        values = _check_names(options, _SONG_OPTIONS)
        params = {name: values.pop(name) for name in LYRICS_SAMPLING_OPTIONS if name in values}
        request = lyrics.LyricsRequest(
            prime=prime,
            artist=artist,
            mix=mix,
            count=count,
            params=SamplingParams(**params),
            **values,
        )
        return lyrics.stream(self.model, request)


@dataclass(frozen=True)
class Piece:
    """Piano music that a model has written, or that a Score was made of."""

    score: Score  # notes timed in seconds
    frames: Roll  # the same as a piano roll
    model: str  # the name of the model
    seed: int

    @property
    def roll(self) -> NDArray[np.bool_]:
        """The keys that sound, (T, 88): T frames, the lowest key first."""
        return self.frames.sounding

    @property
    def onsets(self) -> NDArray[np.bool_]:
        """The keys that are struck, (T, 88)."""
        return self.frames.onset

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return self.frames.seconds

    def save(self, path: PathLike) -> None:
        """Write a file; its ending chooses the format (see `export_process.ENDINGS`)."""
        export_process.save(self.score, Path(path), self.frames.frame_seconds)

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows without HTML: the piano roll."""
        return roll_image.draw([self.frames])

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the piano roll and, of up to 90 s, the sound."""
        parts = [f'<img style="max-width: 100%" src="{_data_url("image/png", self._repr_png_())}">']
        if 0 < self.seconds <= MAX_AUDIO_SECONDS:
            sound = wav_file.synthesize(self.score)
            step = RATE // _AUDIO_RATE
            mono = sound[: len(sound) // step * step].reshape(-1, step * 2).mean(1)[:, None]
            url = _data_url("audio/wav", wav_file.encode(mono, _AUDIO_RATE))
            parts.append(f'<audio controls src="{url}"></audio>')
        about = html.escape(f"{self.model}, {self.seconds:.0f} s, seed {self.seed}")
        return f"{'<br>'.join(parts)}<br><small>{about}</small>"


def _data_url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


@dataclass(frozen=True)
class MusicModel:
    """A model that writes piano music; made by `load` and `train`."""

    model: Model

    @property
    def name(self) -> str:
        """The name or path by which it was loaded."""
        return self.model.name

    @overload
    def generate(
        self,
        prime: PathLike | Piece | None = None,
        *,
        notes: str | Sequence[int] | None = None,
        bars: float | None = None,
        seconds: float | None = None,
        best: int | None = None,
        count: None = None,
        **options: Value,
    ) -> Piece: ...

    @overload
    def generate(
        self,
        prime: PathLike | Piece | None = None,
        *,
        notes: str | Sequence[int] | None = None,
        bars: float | None = None,
        seconds: float | None = None,
        best: None = None,
        count: int,
        **options: Value,
    ) -> list[Piece]: ...

    def generate(
        self,
        prime: PathLike | Piece | None = None,
        *,
        notes: str | Sequence[int] | None = None,
        bars: float | None = None,
        seconds: float | None = None,
        best: int | None = None,
        count: int | None = None,
        **options: Value,
    ) -> Piece | list[Piece]:
        """Write a piece, or with `count` a list of pieces with consecutive seeds.

        prime: the prompt, a MIDI file or a piece to continue. notes: a chord to begin with, as
        "C4,E4,G4" or MIDI pitches. bars, seconds: its length, without the prompt; otherwise the
        option length. best: write N pieces and return the one that the model finds most probable.
        options: of `MUSIC_OPTIONS`, for example temperature=0.8, seed=1.
        """
        if best is not None and count is not None:
            raise InputError("best and count exclude each other: pass only one of them.")
        for name, number in (("best", best), ("count", count)):
            if number is not None:
                MUSIC_EXTRA_OPTIONS[name].check(number)
        first, prompt = self._stream(prime, notes, bars, seconds, options)
        pieces = music.streams(self.model, first.request, best or count or 1)
        written = [
            self._piece(stream, frames, prompt)
            for stream, frames in music.with_frames(pieces, best is not None)
        ]
        return written[0] if count is None else written

    def _piece(
        self, stream: music.MusicStream, frames: Iterable[NDArray[np.uint8]], prompt: music.Prompt
    ) -> Piece:
        """Return the piece of a stream that has written its frames."""
        roll = prompt.codec.decode(np.stack([*stream.prime, *frames]))
        score = dataclasses.replace(roll.score(), time_signature=prompt.time_signature)
        return Piece(score, roll, self.name, stream.seed)

    def stream(
        self,
        prime: PathLike | Piece | None = None,
        *,
        notes: str | Sequence[int] | None = None,
        bars: float | None = None,
        seconds: float | None = None,
        **options: Value,
    ) -> Iterator[Frame]:
        """Write a piece as `generate` does, and yield its frames after the prompt.

        A frame has the MIDI pitches that sound and those that are struck.
        """
        stream, prompt = self._stream(prime, notes, bars, seconds, options)
        return (music.frame_pitches(frame, prompt.codec.planes) for frame in stream)

    def _stream(
        self,
        prime: PathLike | Piece | None,
        notes: str | Sequence[int] | None,
        bars: float | None,
        seconds: float | None,
        options: Mapping[str, Value],
    ) -> tuple[music.MusicStream, music.Prompt]:
        values = _check_names(options, MUSIC_OPTIONS)
        given = [name for name in ("length",) if name in values]
        given += [name for name, x in (("bars", bars), ("seconds", seconds)) if x is not None]
        if len(given) > 1:
            raise InputError(f"{' and '.join(given)} exclude each other: pass only one of them.")
        prompt = self._prompt(music.keys_codec(self.model), prime, notes)
        if bars is not None or seconds is not None:
            values["length"] = music.count_frames(
                prompt.codec, prompt.time_signature, bars=bars, seconds=seconds
            )
        request = music.MusicRequest(prime=prompt.roll, **values)
        return music.stream(self.model, request), prompt

    def _prompt(
        self, codec: KeysCodec, prime: PathLike | Piece | None, notes: str | Sequence[int] | None
    ) -> music.Prompt:
        pitches = pitch.parse_chord(notes) if isinstance(notes, str) else notes
        if not isinstance(prime, Piece):
            return music.read_prompt(codec, None if prime is None else Path(prime), pitches)
        if pitches is not None:
            raise InputError("A piece and notes exclude each other: begin with only one of them.")
        roll = codec.quantize(prime.score)
        return music.Prompt(roll, prime.score.time_signature, codec.at_tempo(roll.tempo))


def _check_names(options: Mapping[str, Value], known: Mapping[str, AnyOption]) -> dict[str, Any]:
    """Return the options with "on" and "off" in place of bools; raises InputError for other names.

    The values are checked by those who use them.
    """
    result: dict[str, Any] = {}
    for name, value in options.items():
        if name not in known:
            hint = did_you_mean(name, known, f"use one of {', '.join(sorted(known))}.")
            raise InputError(f"There is no option {name!r}: {hint}")
        switch = isinstance(value, bool) and known[name].type is str
        result[name] = ("on" if value else "off") if switch else value
    return result


@overload
def load(name: LyricsName, kind: None = None, *, precision: str = ...) -> LyricsModel: ...


@overload
def load(name: MusicName, kind: None = None, *, precision: str = ...) -> MusicModel: ...


@overload
def load(name: str | None, kind: Literal["lyrics"], *, precision: str = ...) -> LyricsModel: ...


@overload
def load(name: str | None, kind: Literal["music"], *, precision: str = ...) -> MusicModel: ...


@overload
def load(
    name: str | None = None, kind: Kind | None = None, *, precision: str = ...
) -> LyricsModel | MusicModel: ...


def load(
    name: str | None = None, kind: Kind | None = None, *, precision: str = DEFAULT_PRECISION
) -> LyricsModel | MusicModel:
    """Load a model.

    name: an included model, a run, or the path of a model's folder; None: an included model of
    `kind`. kind: "lyrics" or "music", for a model that must be of this kind. precision: "fast"
    (8-bit integers; lyrics only) or "full" (float32).
    """
    if kind is not None:
        _check_choice("kind", kind, ("lyrics", "music"))
    _check_choice("precision", precision, ("fast", "full"))
    model = models.load(name, precision, kind)
    if kind not in (None, model.kind):
        raise InputError(f"{model.name} writes {model.kind}: name a model for {kind}.")
    return LyricsModel(model) if model.kind == "lyrics" else MusicModel(model)


def _check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise InputError(f"{name} must be {' or '.join(map(repr, choices))}, not {value!r}.")


@overload
def generate(model: LyricsName, prime: str = "", *, count: None = None, **options: Any) -> Song: ...


@overload
def generate(
    model: MusicName, prime: PathLike | Piece | None = None, *, count: None = None, **options: Any
) -> Piece: ...


@overload
def generate(
    model: str | None = None, prime: Any = None, **options: Any
) -> Song | list[Song] | Piece | list[Piece]: ...


def generate(
    model: str | None = None, prime: Any = None, **options: Any
) -> Song | list[Song] | Piece | list[Piece]:
    """Load a model and write one song or piece: `load(model).generate(prime, **options)`.

    Each call reads the model again; to write several, load it once.
    """
    loaded = load(model)
    if isinstance(loaded, MusicModel):
        pieces: Piece | list[Piece] = loaded.generate(prime, **options)
        return pieces
    written: Song | list[Song] = loaded.generate("" if prime is None else prime, **options)
    return written


def train(
    data: PathLike,
    *,
    kind: Kind | None = None,
    preset: str | None = None,
    run: str | None = None,
    settings: Mapping[str, object] | None = None,
    listener: Listener | None = None,
) -> LyricsModel | MusicModel:
    """Train a new run in this process and return its best model.

    data: the name of a data set, or the path of songs or music. kind: "lyrics" or "music" (default:
    as the data are). preset: settings to start from. run: its name (default: made from the model).
    settings: changes of settings, for example {"train.steps": 500}. listener: called with each
    event of the run; `print` shows them. An interrupt (ctrl-c, or the notebook's button) saves a
    checkpoint and returns the model so far; `rnn-tui train … --resume RUN` continues it.
    """
    from engine.train import launch, worker

    source = os.fspath(data)
    kind = datasets.guess_kind(source) if kind is None else kind
    _check_choice("kind", kind, ("lyrics", "music"))
    pairs = [f"{key}={_setting_text(value)}" for key, value in (settings or {}).items()]
    chosen = launch.new_run(config.load(kind, preset, pairs, source), run)
    worker.train_run(chosen, listener)
    return load(chosen.name, kind)


def _setting_text(value: object) -> str:
    """Return the value of a setting as `--set` takes it: a list in the form of TOML."""
    if isinstance(value, list | tuple):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
