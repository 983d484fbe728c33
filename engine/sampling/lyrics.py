"""Write songs with a model of lyrics: requests, and the streams of their characters."""

import dataclasses
import secrets
import unicodedata
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.data.codecs import CharacterCodec
from engine.errors import InputError
from engine.frame_spec import BEGIN
from engine.inference.cells import Array
from engine.inference.models import Model
from engine.inference.network import State
from engine.options import LYRICS_EXTRA_OPTIONS, LYRICS_OPTIONS, OptionValue
from engine.sampling import conditioning
from engine.sampling.character_writer import CharacterWriter
from engine.sampling.decoding import SamplingParams, match_weight
from engine.sampling.known_words import KnownWords, known_words
from engine.sampling.line_writer import LineWriter
from engine.sampling.rhyme import RhymingWords, rhyming_words
from engine.sampling.songs import Character, GeneratedSong

MAX_CHARACTERS = 5_000  # of a song without a requested length
MAX_PROMPT = 100_000  # characters
_PROMPT_CHUNK = 256  # characters of a prompt that are read between two checks for a stop


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


@dataclass(kw_only=True)
class LyricsStream:
    """An iterable, to be used once, that writes songs and yields their characters.

    It is made by `stream`. Each step writes one character of every song that has not ended.
    """

    model: Model
    codec: CharacterCodec
    condition: Array | None  # weights of artists as `conditioning.weights` returns them
    prime: str  # the prompt, normalized
    params: SamplingParams  # may be replaced while songs are written
    songs: list[GeneratedSong]
    length: int | None  # as in `LyricsRequest`
    alternatives: int
    stopped: Callable[[], bool]  # called before each step, and while the prompt is read
    known_words: KnownWords | None  # None: the model has no list of words

    @cached_property
    def alphabet(self) -> list[str]:
        """The character of each index of the codec, (V,)."""
        return [self.codec.decode([index]) for index in range(self.codec.spec.size)]

    @property
    def limit(self) -> int:
        """The number of characters at which a song is cut, if it has not ended."""
        return MAX_CHARACTERS if self.length is None else self.length

    @property
    def rhymes(self) -> RhymingWords:
        """The known words by what they rhyme with; raises InputError if that is not known."""
        if self.known_words is None:
            raise InputError(
                f"{self.model.name} has no list of words to rhyme: leave rhyme at none, or use "
                "another model."
            )
        return rhyming_words(self.known_words)

    def check(self, params: SamplingParams) -> None:
        """Raise InputError for parameters that do not suit the model or the request."""
        _check_guidance(self.model, params, self.condition)
        if params.resolved().rhyme != "none":
            _ = self.rhymes

    def initial_state(self, *, guided: bool) -> State:
        """Return the state before a song: one row; if guided two, the second without the artist."""
        condition = self.condition
        if guided and condition is not None:
            condition = np.stack([condition, np.zeros_like(condition)])
        return self.model.stepper.initial_state(condition, 1 + guided)

    def read(self, state: State, frames: NDArray[np.int64]) -> None:
        """Read frames (T, rows of the state), unless the stream is stopped."""
        for start in range(0, len(frames), _PROMPT_CHUNK):
            if not self.stopped():
                params = self.params  # may have been changed
                weight = match_weight(params.memory, params.temperature)
                self.model.stepper.read(state, frames[start : start + _PROMPT_CHUNK], weight)

    def __iter__(self) -> Iterator[Character]:
        """Yield the characters in the order in which they are chosen."""
        by_line = not self.params.is_raw and "\n" in self.alphabet
        writer: CharacterWriter | LineWriter = (LineWriter if by_line else CharacterWriter)(self)
        while writer.songs and not self.stopped():
            if not by_line and not self.params.is_raw and "\n" in self.alphabet:
                by_line, writer = True, LineWriter(self)  # which can also do without its options
            yield from writer.step()
        for song in writer.songs:
            song.reason = "stopped"


def stream(
    model: Model, request: LyricsRequest, stopped: Callable[[], bool] = lambda: False
) -> LyricsStream:
    """Check a request and return a stream that writes it; the same seed writes the same text.

    Song i of several has the seed + i, and the text that a single song with this seed would have:
    always in fast precision, and in full precision while a batch has up to `matmul.MAX_SINGLE_ROWS`
    rows: a row for each candidate of each song, two with guidance. With more rows rounding may
    differ in the last bit, and so in rare cases the text.

    stopped: called before each step; once it has returned true it must always do so.
    Raises InputError for a model of music and for an invalid request.
    """
    if not isinstance(model.codec, CharacterCodec):
        raise InputError(f"{model.name} writes music: use 'rnn-tui sample music'.")
    for name in ("seed", "length", "count"):
        LYRICS_OPTIONS[name].check(getattr(request, name))
    LYRICS_EXTRA_OPTIONS["alternatives"].check(request.alternatives)
    condition = conditioning.weights(model, request.artist, request.mix)
    prompt = normalize_text(model, model.codec, request.prime)
    frames = array("q", [BEGIN, *model.codec.encode(prompt).tolist()])
    first_seed = secrets.randbits(32) if request.seed is None else request.seed
    result = LyricsStream(
        model=model,
        codec=model.codec,
        condition=condition,
        prime=prompt,
        params=request.params,
        songs=[
            GeneratedSong.start(number, first_seed + number, frames, model.codec.spec.size)
            for number in range(request.count)
        ],
        length=request.length,
        alternatives=request.alternatives,
        stopped=stopped,
        known_words=known_words(model),
    )
    result.check(request.params)
    return result


def change_params(stream: LyricsStream | None, values: Mapping[str, OptionValue]) -> None:
    """Change some sampling parameters of a stream's songs while they are written.

    values: new values by field of `SamplingParams`. Raises InputError for values that are invalid
    or do not suit the model, and for None in place of a stream.
    """
    if stream is None:
        raise InputError("No song is being written: request one before changing its options.")
    params = dataclasses.replace(stream.params, **values)  # type: ignore[arg-type]
    stream.check(params)
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
