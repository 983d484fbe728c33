"""Writing songs, one character at a time; several songs in step with each other."""

import dataclasses
import math
import secrets
import unicodedata
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.data.codecs import BEGIN, END, UNKNOWN, CharacterCodec
from engine.errors import InputError
from engine.inference.cells import Array
from engine.inference.models import Model
from engine.inference.network import State, select_songs
from engine.options import LYRICS_EXTRA_OPTIONS, LYRICS_OPTIONS
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

MAX_CHARACTERS = 5_000  # characters of a song whose length was left open
MAX_PROMPT = 100_000  # characters
_CHUNK = 256  # characters of a prime that are read between two looks at a stop
_BLOCK = 32  # characters whose noise is drawn together
_BIT = math.log(2)  # nats

Logits = NDArray[np.float64]
EndReason = Literal["end", "length", "stopped"]


@dataclass(frozen=True)
class LyricsRequest:
    """What to write."""

    prime: str = ""  # how the song begins
    artist: str | None = None
    rules: SamplingParams = field(default_factory=SamplingParams)
    seed: int | None = None  # None: a new one
    length: int | None = None  # just so many characters; None: until the song's end mark
    mix: Mapping[str, float] | None = None  # in place of an artist: weights that sum to 1
    count: int = 1  # songs, song i with the seed + i
    alternatives: int = 0  # how many to tell with each character


class Character(NamedTuple):
    """A character as soon as it is chosen.

    Its surprise and the alternatives are by the model's own probabilities (guided, if it is):
    at temperature 1, without filters and penalty, its lines as long as they come.
    """

    text: str
    bits: float  # its surprise: −log2 of its probability
    alternatives: list[tuple[str, float]]  # the likeliest with their probabilities; "": end
    song: int  # which of the songs it belongs to, from 0


@dataclass
class GeneratedSong:
    """One of the songs of a stream."""

    number: int  # from 0
    seed: int
    noise: Iterator[NDArray[np.float64]]  # Gumbel's, (1, V) for each character
    frames: "array[int]"  # its text so far with the prime, as codec indices
    characters: int = 0  # written so far, without the prime
    bits: float = 0.0  # the surprise of all of them, and of the end mark
    reason: EndReason | None = None  # why it ended

    @property
    def likelihood(self) -> float:
        """How likely the model finds it: minus its bits a character, the end mark one too."""
        return -self.bits / max(1, self.characters + (self.reason == "end"))


@dataclass
class LyricsStream:
    """Songs being written: iterate over it once for their characters; made by `stream`.

    The songs take turns, each step one character of every song that has not ended.
    """

    model: Model
    alphabet: list[str]  # the text of each index: of the end mark none
    condition: Array | None  # (A + 1,)
    prime: str  # as it was read
    rules: SamplingParams  # may be replaced while it writes
    songs: list[GeneratedSong]
    length: int | None
    alternatives: int
    stopped: Callable[[], bool]  # asked before each step, also within the prime
    shared: int  # frames that all songs have in common: the begin mark and the prime

    def __iter__(self) -> Iterator[Character]:
        """Yield each character as soon as it is chosen."""
        allowed = np.zeros(len(self.alphabet))
        allowed[[BEGIN, UNKNOWN] if self.length is None else [BEGIN, UNKNOWN, END]] = -np.inf
        limit = MAX_CHARACTERS if self.length is None else self.length
        singing = self.songs
        rules, pair, believed = self.rules, self._pair, self._trust
        state = self._read(singing, pair)
        last = np.array([song.frames[-1] for song in singing])
        while singing and not self.stopped():
            if rules is not self.rules:
                rules, believed = self.rules, self._trust
                if pair != self._pair:  # the guidance was turned on or off
                    pair = self._pair
                    state = self._read(singing, pair)
            frames = np.tile(last, 2) if pair else last
            logits = self.model.stepper.step(state, frames, believed).astype(np.float64)
            if pair:
                logits = apply_guidance(logits, self.rules.guidance)
            rows = [next(song.noise) for song in singing]
            noise = rows[0] if len(rows) == 1 else np.concatenate(rows)
            last = choose(self._ruled(logits, singing) + allowed, self.rules, noise)
            over, sums = False, log_sum_exp(logits)
            for row, (song, index) in enumerate(zip(singing, last.tolist(), strict=True)):
                bits = (sums[row] - logits.item(row, index)) / _BIT
                song.bits += bits
                if index == END:
                    song.reason, over = "end", True
                    continue
                song.frames.append(index)
                song.characters += 1
                if song.characters == limit:
                    song.reason, over = "length", True
                others = self._others(logits[row] - sums[row]) if self.alternatives else []
                yield Character(self.alphabet[index], bits, others, song.number)
            if over:
                going = [row for row, song in enumerate(singing) if song.reason is None]
                state = select_songs(state, going + [len(singing) + row for row in going] * pair)
                singing, last = [singing[row] for row in going], last[going]
        for song in singing:
            song.reason = "stopped"

    def _read(self, songs: list[GeneratedSong], pair: bool) -> State:
        """The state before the last frame of songs that are equally long, N rows.

        With a pair 2·N rows: those of the artist, then those without.
        """
        weights = self.condition
        if pair and weights is not None:
            weights = np.stack([weights, np.zeros_like(weights)])
        state = self.model.stepper.initial_state(weights, 1 + pair)
        texts = np.array([song.frames for song in songs]).T[:-1]  # (T, N)
        self._feed(state, np.tile(texts[: self.shared, :1], 1 + pair))
        if len(songs) > 1:
            state = select_songs(state, [row for row in range(1 + pair) for _ in songs])
        self._feed(state, np.tile(texts[self.shared :], 1 + pair))
        return state

    def _feed(self, state: State, frames: NDArray[np.int64]) -> None:
        """Read frames (T, N), unless a stop comes."""
        for start in range(0, len(frames), _CHUNK):
            if not self.stopped():
                self.model.stepper.read(state, frames[start : start + _CHUNK], self._trust)

    @property
    def _pair(self) -> bool:
        """Whether the model is also stepped without the artist."""
        return self.rules.guidance != 1

    @property
    def _trust(self) -> float:
        return match_weight(self.rules.memory, self.rules.temperature)

    def _ruled(self, logits: Logits, songs: list[GeneratedSong]) -> Logits:
        """The logits (N, V) by the rules that look at what the songs say so far."""
        repetition, line = self.rules.repetition, self.rules.line
        if repetition:
            logits = penalize_repetition(logits, [song.frames for song in songs], repetition)
        if line:
            logits = break_lines(logits, [song.frames for song in songs], line, self.alphabet)
        return logits

    def _others(self, own: Logits) -> list[tuple[str, float]]:
        """The likeliest characters by log probabilities (V,), with their probabilities."""
        order = np.argsort(-own, kind="stable")[: self.alternatives + 2]
        write_best = [place for place in order.tolist() if place not in (BEGIN, UNKNOWN)]
        return [
            (self.alphabet[place], float(np.exp(own[place])))
            for place in write_best[: self.alternatives]
        ]


def _noise(seed: int, size: int) -> Iterator[NDArray[np.float64]]:
    """Gumbel noise (1, size) for one character after another of a song."""
    generator = np.random.Generator(np.random.PCG64(seed))
    while True:  # a call for each character would cost more than its numbers
        # Minus the logarithm of an exponential variable, whose own draw takes none.
        yield from -np.log(generator.standard_exponential((_BLOCK, 1, size)))


def stream(
    model: Model, request: LyricsRequest, stopped: Callable[[], bool] = lambda: False
) -> LyricsStream:
    """Check the request and make ready to write it; the same seed writes the same text.

    Song i of several has the seed + i and the text that this seed gives alone: always in fast
    precision, and in full precision with up to `products.TOGETHER` songs (half as many where the
    guidance steps each twice); with more, rounding may differ in the last bit, and so in rare cases
    the text.

    The stream's songs say their seeds, and when they are over how many characters they have and
    why they ended: at the song's end mark, at the length, or because `stopped` said so, which has
    to stay so. Raises InputError for what cannot be.
    """
    if not isinstance(model.codec, CharacterCodec):
        raise InputError(f"{model.name} writes music: use 'rnn-tui sample music'.")
    for name in ("seed", "length", "count"):
        LYRICS_OPTIONS[name].check(getattr(request, name))
    LYRICS_EXTRA_OPTIONS["alternatives"].check(request.alternatives)
    weights = conditioning.weights(model, request.artist, request.mix)
    _check_guidance(model, request.rules, weights)
    prime = normalize_text(model, model.codec, request.prime)
    size = model.codec.spec.size
    read = array("q", [BEGIN, *model.codec.encode(prime).tolist()])
    first = secrets.randbits(32) if request.seed is None else request.seed
    songs = [
        GeneratedSong(number, first + number, _noise(first + number, size), read[:])
        for number in range(request.count)
    ]
    return LyricsStream(
        model,
        [model.codec.decode([index]) for index in range(size)],
        weights,
        prime,
        request.rules,
        songs,
        request.length,
        request.alternatives,
        stopped,
        len(read),
    )


def change_params(stream: LyricsStream | None, values: Mapping[str, float]) -> None:
    """Change some of the rules of songs while they are written.

    Raises InputError for rules that cannot be, and where no songs are being written.
    """
    if stream is None:
        raise InputError("There is no song under way to be changed: ask for one.")
    rules = dataclasses.replace(stream.rules, **values)  # type: ignore[arg-type]
    _check_guidance(stream.model, rules, stream.condition)
    stream.rules = rules


def write_best(stream: LyricsStream) -> tuple[list[GeneratedSong], list[Character]]:
    """Write all songs, and keep the one that the model finds likeliest, and its characters."""
    written: list[list[Character]] = [[] for _ in stream.songs]
    for character in stream:
        written[character.song].append(character)
    best = max(stream.songs, key=lambda song: song.likelihood)
    return [best], written[best.number]


def _check_guidance(model: Model, rules: SamplingParams, weights: Array | None) -> None:
    """Refuse guidance by no artist."""
    if rules.guidance != 1 and weights is None:
        hint = (
            "name an artist or a mix" if model.conditions else "leave it out, or use another model"
        )
        said = "there is no artist" if model.conditions else f"{model.name} knows no artists"
        raise InputError(f"The guidance is {rules.guidance} but {said}: {hint}.")


def normalize_text(model: Model, codec: CharacterCodec, text: str, what: str = "prime") -> str:
    """A text as the corpus would have it; refused, as `what`, where the model cannot read it."""
    if len(text) > MAX_PROMPT:
        raise InputError(f"The {what} has {len(text):,} characters: give at most {MAX_PROMPT:,}.")
    result = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if unknown := codec.unknown_characters(result):
        shown = ", ".join(repr(character) for character in unknown[:10])
        more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""
        raise InputError(
            f"The {what} has characters that {model.name} has never seen ({shown}{more}): "
            "leave them out, or write them another way."
        )
    return result
