"""The songs that a `engine.sampling.lyrics.LyricsStream` writes, and their characters."""

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.data.codecs import UNKNOWN
from engine.frame_spec import BEGIN
from engine.protocol import EndReason

BIT = math.log(2)  # nats
_NOISE_BLOCK = 32  # characters whose noise is drawn at once

Logits = NDArray[np.float64]


class Character(NamedTuple):
    """A character of a song.

    The probabilities are those of the model, with guidance, at temperature 1: without filters,
    repetition penalty, line length, known words and form.
    """

    text: str
    bits: float  # its surprise: −log2 of its probability
    alternatives: list[tuple[str, float]]  # most probable characters and probability; "": the end
    song: int  # the number of its song, from 0


@dataclass(kw_only=True)
class GeneratedSong:
    """One of the songs that a stream writes."""

    number: int  # from 0
    seed: int
    noise: Iterator[NDArray[np.float64]]  # Gumbel noise, (1, V) for each character
    random: np.random.Generator  # draws the candidates of lines
    frames: "array[int]"  # the begin mark, the prompt and the text so far, as codec indices
    characters: int = 0  # written so far, without the prompt
    bits: float = 0.0  # total surprise of these characters, and of the end mark once it is drawn
    reason: EndReason | None = None  # why it ended; None: it has not ended

    @classmethod
    def start(cls, number: int, seed: int, prompt: "array[int]", size: int) -> "GeneratedSong":
        """Return a song that has only its prompt; size: V."""
        return cls(
            number=number,
            seed=seed,
            noise=_gumbel_noise(seed, size),
            random=np.random.Generator(np.random.PCG64([seed, 1])),
            frames=prompt[:],
        )

    @property
    def likelihood(self) -> float:
        """Minus the mean bits per character, the end mark included: higher is more probable."""
        return -self.bits / max(1, self.characters + (self.reason == "end"))


def _gumbel_noise(seed: int, size: int) -> Iterator[NDArray[np.float64]]:
    """Yield Gumbel noise (1, size) for each character of a song in turn."""
    generator = np.random.Generator(np.random.PCG64(seed))
    while True:  # in blocks: a call for each character would take longer than drawing its numbers
        # −log of an exponential variable has the Gumbel distribution.
        yield from -np.log(generator.standard_exponential((_NOISE_BLOCK, 1, size)))


def most_probable(log_p: Logits, count: int, alphabet: list[str]) -> list[tuple[str, float]]:
    """Return the `count` most probable characters, with probabilities, from log_p (V,)."""
    order = np.argsort(-log_p, kind="stable")[: count + 2].tolist()
    indices = [index for index in order if index not in (BEGIN, UNKNOWN)]
    return [(alphabet[index], float(np.exp(log_p[index]))) for index in indices[:count]]
