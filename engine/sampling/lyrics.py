"""Sample lyrics character by character; several songs are stepped as a batch."""

import dataclasses
import math
import secrets
import unicodedata
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.data.codecs import END, UNKNOWN, CharacterCodec
from engine.errors import InputError
from engine.frame_spec import BEGIN
from engine.inference.cells import Array
from engine.inference.models import Model
from engine.inference.network import select_songs
from engine.options import LYRICS_EXTRA_OPTIONS, LYRICS_OPTIONS
from engine.protocol import EndReason
from engine.sampling import conditioning
from engine.sampling.decoding import (
    SamplingParams,
    apply_guidance,
    break_lines,
    choose,
    log_sum_exp,
    match_weight,
    penalize_repetition,
)

MAX_CHARACTERS = 5_000  # of a song without a requested length
MAX_PROMPT = 100_000  # characters
_PROMPT_CHUNK = 256  # characters of a prompt that are read between two checks for a stop
_NOISE_BLOCK = 32  # characters whose noise is drawn at once
_BIT = math.log(2)  # nats

Logits = NDArray[np.float64]


@dataclass(frozen=True)
class LyricsRequest:
    """One or more songs to write."""

    prime: str = ""  # the prompt: how the songs begin
    artist: str | None = None  # None: no artist
    params: SamplingParams = field(default_factory=SamplingParams)
    seed: int | None = None  # None: a random one
    length: int | None = None  # characters; None: until the end mark, at most `MAX_CHARACTERS`
    mix: Mapping[str, float] | None = None  # in place of an artist: weights by artist, sum 1
    count: int = 1  # songs; song i has the seed + i
    alternatives: int = 0  # how many of the most probable characters to list at each position


class Character(NamedTuple):
    """A character of a song.

    The probabilities are those of the model, with guidance, at temperature 1: without filters,
    repetition penalty and line length.
    """

    text: str
    bits: float  # its surprise: −log2 of its probability
    alternatives: list[tuple[str, float]]  # most probable characters and probability; "": the end
    song: int  # the number of its song, from 0


@dataclass(kw_only=True)
class GeneratedSong:
    """One of the songs that a `LyricsStream` writes."""

    number: int  # from 0
    seed: int
    noise: Iterator[NDArray[np.float64]]  # Gumbel noise, (1, V) for each character
    frames: "array[int]"  # the begin mark, the prompt and the text so far, as codec indices
    characters: int = 0  # written so far, without the prompt
    bits: float = 0.0  # total surprise of these characters, and of the end mark once it is drawn
    reason: EndReason | None = None  # why it ended; None: it has not ended

    @property
    def likelihood(self) -> float:
        """Minus the mean bits per character, the end mark included: higher is more probable."""
        return -self.bits / max(1, self.characters + (self.reason == "end"))


@dataclass(kw_only=True)
class LyricsStream:
    """An iterable, to be used once, that writes songs and yields their characters.

    It is made by `stream`. Each step writes one character of every song that has not ended.
    """

    model: Model
    condition: Array | None  # weights of artists as `conditioning.weights` returns them
    prime: str  # the prompt, normalized
    params: SamplingParams  # may be replaced while songs are written
    songs: list[GeneratedSong]
    length: int | None  # as in `LyricsRequest`
    alternatives: int
    stopped: Callable[[], bool]  # called before each step, and while the prompt is read

    def __iter__(self) -> Iterator[Character]:
        """Yield each character when it is chosen."""
        live = _LiveSongs(self)
        while live.songs and not self.stopped():
            yield from live.step()
        for song in live.songs:
            song.reason = "stopped"


class _LiveSongs:
    """The songs of a stream that have not ended: N equally long texts, stepped as one batch."""

    def __init__(self, stream: LyricsStream) -> None:
        """Read the prompt of a stream's songs."""
        codec = stream.model.codec
        assert isinstance(codec, CharacterCodec)
        self._stream, self._stepper = stream, stream.model.stepper
        self._alphabet = [codec.decode([index]) for index in range(codec.spec.size)]
        self._masked = np.zeros(codec.spec.size)  # added to logits: −inf for marks not to be drawn
        self._masked[[BEGIN, UNKNOWN] if stream.length is None else [BEGIN, UNKNOWN, END]] = -np.inf
        self._limit = MAX_CHARACTERS if stream.length is None else stream.length
        self.songs = stream.songs
        self._use(stream.params)
        self._read()

    def _use(self, params: SamplingParams) -> None:
        """Sample with these parameters from now on."""
        self._params = params
        self._match_weight = match_weight(params.memory, params.temperature)
        self._guided = params.guidance != 1

    def _read(self) -> None:
        """Compute the state after all frames of the songs but the last, which `step` reads.

        With guidance the state has 2·N rows: N with the artist, then N without.
        """
        copies, condition = 1 + self._guided, self._stream.condition
        if self._guided and condition is not None:
            condition = np.stack([condition, np.zeros_like(condition)])
        self._state = self._stepper.initial_state(condition, copies)
        texts = np.array([song.frames for song in self.songs]).T  # (T, N)
        self._last = texts[-1]
        common = len(texts) - self.songs[0].characters  # the begin mark and the prompt
        texts = texts[:-1]
        self._feed(np.tile(texts[:common, :1], copies))
        if len(self.songs) > 1:
            rows = [row for row in range(copies) for _ in self.songs]
            self._state = select_songs(self._state, rows)
        self._feed(np.tile(texts[common:], copies))

    def _feed(self, frames: NDArray[np.int64]) -> None:
        """Read frames (T, rows of the state), unless the stream is stopped."""
        for start in range(0, len(frames), _PROMPT_CHUNK):
            if not self._stream.stopped():
                params = self._stream.params  # may have been changed
                weight = match_weight(params.memory, params.temperature)
                self._stepper.read(self._state, frames[start : start + _PROMPT_CHUNK], weight)

    def step(self) -> Iterator[Character]:
        """Choose the next character of each song, and yield those that are not the end mark."""
        params = self._stream.params
        if params is not self._params:  # changed since the last step
            guided = self._guided
            self._use(params)
            if guided != self._guided:
                self._read()
        frames = np.tile(self._last, 2) if self._guided else self._last
        logits = self._stepper.step(self._state, frames, self._match_weight).astype(np.float64)
        if self._guided:
            logits = apply_guidance(logits, params.guidance)
        rows = [next(song.noise) for song in self.songs]
        noise = rows[0] if len(rows) == 1 else np.concatenate(rows)
        restricted = self._restrict(logits, params) if params.repetition or params.line else logits
        self._last = choose(restricted + self._masked, params, noise)
        sums, count, ended = log_sum_exp(logits), self._stream.alternatives, False
        for row, (song, index) in enumerate(zip(self.songs, self._last.tolist(), strict=True)):
            bits = (sums[row] - logits.item(row, index)) / _BIT
            song.bits += bits
            if index == END:
                song.reason, ended = "end", True
                continue
            song.frames.append(index)
            song.characters += 1
            if song.characters == self._limit:
                song.reason, ended = "length", True
            others = self._most_probable(logits[row] - sums[row], count) if count else []
            yield Character(self._alphabet[index], bits, others, song.number)
        if ended:
            self._drop_ended()

    def _restrict(self, logits: Logits, params: SamplingParams) -> Logits:
        """Return logits (N, V) changed by the repetition penalty and the line length."""
        texts = [song.frames for song in self.songs]
        if params.repetition:
            logits = penalize_repetition(logits, texts, params.repetition)
        if params.line:
            logits = break_lines(logits, texts, params.line, self._alphabet)
        return logits

    def _most_probable(self, log_p: Logits, count: int) -> list[tuple[str, float]]:
        """Return the `count` most probable characters, with probabilities, from log_p (V,)."""
        order = np.argsort(-log_p, kind="stable")[: count + 2].tolist()
        indices = [index for index in order if index not in (BEGIN, UNKNOWN)]
        return [(self._alphabet[index], float(np.exp(log_p[index]))) for index in indices[:count]]

    def _drop_ended(self) -> None:
        rows = [row for row, song in enumerate(self.songs) if song.reason is None]
        unguided = [len(self.songs) + row for row in rows] if self._guided else []
        self._state = select_songs(self._state, rows + unguided)
        self.songs, self._last = [self.songs[row] for row in rows], self._last[rows]


def _gumbel_noise(seed: int, size: int) -> Iterator[NDArray[np.float64]]:
    """Yield Gumbel noise (1, size) for each character of a song in turn."""
    generator = np.random.Generator(np.random.PCG64(seed))
    while True:  # in blocks: a call for each character would take longer than drawing its numbers
        # −log of an exponential variable has the Gumbel distribution.
        yield from -np.log(generator.standard_exponential((_NOISE_BLOCK, 1, size)))


def stream(
    model: Model, request: LyricsRequest, stopped: Callable[[], bool] = lambda: False
) -> LyricsStream:
    """Check a request and return a stream that writes it; the same seed writes the same text.

    Song i of several has the seed + i, and the text that a single song with this seed would have:
    always in fast precision, and in full precision with up to `matmul.MAX_SINGLE_ROWS` songs (half
    as many with guidance, which steps each song twice). With more songs rounding may differ in the
    last bit, and so in rare cases the text.

    stopped: called before each step; once it has returned true it must always do so.
    Raises InputError for a model of music and for an invalid request.
    """
    if not isinstance(model.codec, CharacterCodec):
        raise InputError(f"{model.name} writes music: use 'rnn-tui sample music'.")
    for name in ("seed", "length", "count"):
        LYRICS_OPTIONS[name].check(getattr(request, name))
    LYRICS_EXTRA_OPTIONS["alternatives"].check(request.alternatives)
    condition = conditioning.weights(model, request.artist, request.mix)
    _check_guidance(model, request.params, condition)
    prompt = normalize_text(model, model.codec, request.prime)
    frames = array("q", [BEGIN, *model.codec.encode(prompt).tolist()])
    first_seed = secrets.randbits(32) if request.seed is None else request.seed
    return LyricsStream(
        model=model,
        condition=condition,
        prime=prompt,
        params=request.params,
        songs=[
            GeneratedSong(
                number=number,
                seed=first_seed + number,
                noise=_gumbel_noise(first_seed + number, model.codec.spec.size),
                frames=frames[:],
            )
            for number in range(request.count)
        ],
        length=request.length,
        alternatives=request.alternatives,
        stopped=stopped,
    )


def change_params(stream: LyricsStream | None, values: Mapping[str, float]) -> None:
    """Change some sampling parameters of a stream's songs while they are written.

    values: new values by field of `SamplingParams`. Raises InputError for values out of range, and
    for None in place of a stream.
    """
    if stream is None:
        raise InputError("No song is being written: request one before changing its options.")
    params = dataclasses.replace(stream.params, **values)  # type: ignore[arg-type]
    _check_guidance(stream.model, params, stream.condition)
    stream.params = params


def write_best(stream: LyricsStream) -> tuple[list[GeneratedSong], list[Character]]:
    """Write all songs; return the one of highest likelihood, in a list, and its characters."""
    written: list[list[Character]] = [[] for _ in stream.songs]
    for character in stream:
        written[character.song].append(character)
    best = max(stream.songs, key=lambda song: song.likelihood)
    return [best], written[best.number]


def _check_guidance(model: Model, params: SamplingParams, condition: Array | None) -> None:
    """Raise InputError for guidance without an artist."""
    if params.guidance != 1 and condition is None:
        if model.conditions:
            raise InputError("Guidance needs an artist: name one, or a mix.")
        raise InputError(
            f"{model.name} has no artist styles to guide: leave guidance at 1, or use another "
            "model."
        )


def normalize_text(model: Model, codec: CharacterCodec, text: str, what: str = "prompt") -> str:
    r"""Return a text as corpora store it: in Unicode's form NFC, with \n as line ends.

    what: what errors call the text. Raises InputError if it is too long or has characters that the
    model was not trained on.
    """
    if len(text) > MAX_PROMPT:
        raise InputError(f"The {what} has {len(text):,} characters: the limit is {MAX_PROMPT:,}.")
    result = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if unknown := codec.unknown_characters(result):
        shown = ", ".join(repr(character) for character in unknown[:10])
        more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""
        raise InputError(
            f"The {what} has characters that {model.name} was not trained on ({shown}{more}): "
            "remove or replace them."
        )
    return result
