"""Writing a song, one character at a time."""

import secrets
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.data.characters import BEGIN, END, UNKNOWN, CharacterCodec
from engine.data.names import either, fold, near
from engine.errors import InputError
from engine.sample.decoding import Rules, choose, trust
from engine.sample.models import Model

LONGEST = 5_000  # characters of a song whose length was left open
LONGEST_PRIME = 100_000  # characters

Reason = Literal["end", "length", "stopped"]


@dataclass(frozen=True)
class Request:
    """What to write."""

    prime: str = ""  # how the song begins
    artist: str | None = None
    rules: Rules = field(default_factory=Rules)
    seed: int | None = None  # None: a new one
    length: int | None = None  # just so many characters; None: until the song's end mark


def _codec(model: Model) -> CharacterCodec:
    if not isinstance(model.codec, CharacterCodec):
        raise InputError(f"{model.name} writes music: use 'rnn-tui sample music'.")
    return model.codec


def _prime(model: Model, text: str) -> str:
    """The prime as the corpus would have it; refused where the model cannot read it."""
    if len(text) > LONGEST_PRIME:
        raise InputError(f"The prime has {len(text):,} characters: give at most {LONGEST_PRIME:,}.")
    prime = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if unknown := _codec(model).unknown(prime):
        shown = ", ".join(repr(character) for character in unknown[:10])
        more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""
        raise InputError(
            f"The prime has characters that {model.name} has never seen ({shown}{more}): "
            "leave them out, or write them another way."
        )
    return prime


def _condition(model: Model, artist: str | None) -> NDArray[np.float32] | None:
    """The weights (A + 1,) of the model's artists; None for nobody."""
    if artist is None:
        return None
    if not model.conditions:
        raise InputError(
            f"{model.name} knows no artists: leave the artist out, or use another model."
        )
    for place, name in enumerate(model.conditions):
        if fold(name) == fold(artist):
            weights = np.zeros(len(model.conditions) + 1, np.float32)
            weights[1 + place] = 1.0
            return weights
    close = near(artist, model.conditions)
    hint = (
        f"did you mean {either(close)}?"
        if close
        else f"it knows {len(model.conditions)}, as {either(model.conditions[:3])}."
    )
    raise InputError(f"{model.name} knows no artist {artist!r}: {hint}")


@dataclass
class Stream:
    """A song being written: iterate over it once for its characters; made by `stream`."""

    model: Model
    condition: NDArray[np.float32] | None
    prime: str  # as it was read
    rules: Rules  # looked up anew at each character
    seed: int
    length: int | None
    stopped: Callable[[], bool]  # asked before each character, also of the prime
    characters: int = 0  # written so far, without the prime
    reason: Reason | None = None  # why it ended

    def __iter__(self) -> Iterator[str]:
        """Yield each character as soon as it is chosen."""
        stepper, codec = self.model.stepper, _codec(self.model)
        generator = np.random.Generator(np.random.PCG64(self.seed))
        banned = [BEGIN, UNKNOWN] if self.length is None else [BEGIN, UNKNOWN, END]
        limit = LONGEST if self.length is None else self.length
        state = stepper.begin(self.condition, 1)
        read = np.concatenate([[BEGIN], codec.encode(self.prime)]).reshape(-1, 1)  # (frames, 1)
        for frame in read[:-1]:
            if self.stopped():
                self.reason = "stopped"
                return
            stepper.feed(state, frame, self._trust())
        frame = read[-1]  # (1,)
        while self.characters < limit:
            if self.stopped():
                self.reason = "stopped"
                return
            logits = stepper.step(state, frame, self._trust())
            frame = choose(logits, self.rules, generator, banned)
            if frame[0] == END:
                self.reason = "end"
                return
            self.characters += 1
            yield codec.decode(frame)
        self.reason = "length"

    def _trust(self) -> float:
        return trust(self.rules.memory, self.rules.temperature)


def stream(model: Model, request: Request, stopped: Callable[[], bool] = lambda: False) -> Stream:
    """Check the request and make ready to write it; the same seed writes the same text.

    The stream says its seed, and when it is over how many characters it wrote and why it ended:
    at the song's end mark, at the length, or because `stopped` said so.
    Raises InputError for a prime, an artist, a seed or a length that cannot be.
    """
    if request.seed is not None and request.seed < 0:
        raise InputError(f"The seed is {request.seed}: give 0 or more.")
    if request.length is not None and request.length < 1:
        raise InputError(f"The length is {request.length}: give 1 character or more.")
    return Stream(
        model,
        _condition(model, request.artist),
        _prime(model, request.prime),
        request.rules,
        secrets.randbits(32) if request.seed is None else request.seed,
        request.length,
        stopped,
    )
