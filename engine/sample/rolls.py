"""Writing piano music, one frame at a time."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.codecs import KeysCodec
from engine.errors import InputError
from engine.music import midi, roll
from engine.music.roll import Roll
from engine.music.score import HIGHEST, KEYS, LOWEST
from engine.sample.decoding import trust
from engine.sample.keys import KeysHead
from engine.sample.models import Model
from engine.sample.network import Network
from engine.sample.sampler import Reason

LONGEST = 100_000  # frames, of a song and of a prime


@dataclass(frozen=True)
class RollRequest:
    """What to write."""

    prime: Roll | None = None  # how it begins
    temperature: float = 1.0  # 0: the likeliest state of each key; inf: coins are tossed
    memory: float = 1.0  # how far a model's memory of the song is believed
    least: int = 0  # notes in a frame: one with fewer is drawn again
    seed: int | None = None  # None: a new one
    length: int = 200  # frames


@dataclass
class RollStream:
    """Music being written: iterate over it once for its frames; made by `stream`."""

    model: Model
    codec: KeysCodec
    prime: NDArray[np.uint8]  # (P, K)
    request: RollRequest  # looked up anew at each frame
    seed: int
    stopped: Callable[[], bool]
    frames: int = 0  # written so far, without the prime
    reason: Reason | None = None  # why it ended

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Yield each frame (K,) as soon as it is drawn."""
        network = self.model.stepper
        assert isinstance(network, Network)
        head = network.head
        assert isinstance(head, KeysHead)
        generator = np.random.Generator(np.random.PCG64(self.seed))
        state = network.begin(None, 1)
        silence = np.zeros((1, *self.codec.spec.shape), np.uint8)
        before = np.concatenate([silence, self.prime])  # (1 + P, K)
        for frame in before[:-1]:
            if self.stopped():
                self.reason = "stopped"
                return
            network.feed(state, frame[None], self._trust())
        frame = before[-1:]  # (1, K)
        while self.frames < self.request.length:
            if self.stopped():
                self.reason = "stopped"
                return
            seen = network.feed(state, frame, self._trust())
            frame = head.sample(seen, self.request.temperature, generator, self.request.least)
            self.frames += 1
            yield frame[0]
        self.reason = "length"

    def _trust(self) -> float:
        return trust(self.request.memory, self.request.temperature)


def codec_of(model: Model) -> KeysCodec:
    """What its frames stand for. Raises InputError for a model of lyrics."""
    if not isinstance(model.codec, KeysCodec):
        raise InputError(f"{model.name} writes lyrics: use 'rnn-tui sample lyrics'.")
    return model.codec


def chord(model: Model, pitches: Sequence[Any]) -> Roll:
    """One frame of some keys, to begin with; raises InputError for what are no pitches of keys."""
    if not pitches or not all(type(p) is int and LOWEST <= p <= HIGHEST for p in pitches):
        raise InputError(
            f"The notes to begin with are {list(pitches)}: give MIDI pitches from {LOWEST} to "
            f"{HIGHEST}, as 60, 64, 67."
        )
    codec = codec_of(model)
    frame = np.zeros((1, KEYS), np.uint8)
    frame[0, [pitch - LOWEST for pitch in pitches]] = 1
    return roll.from_frames(frame, codec.seconds, codec.tempo)


def opening(model: Model, path: Path) -> Roll:
    """The music of a MIDI file, to begin with; raises InputError for what is none."""
    return codec_of(model).quantised(midi.read(path))


def keys(frame: NDArray[np.uint8]) -> dict[str, list[int] | None]:
    """A frame (K,) in MIDI pitches: the keys that sound, and of two planes those that begin to."""
    planes = [(np.flatnonzero(plane) + LOWEST).tolist() for plane in frame.reshape(-1, KEYS)]
    return {"keys": planes[0], "onsets": planes[1] if len(planes) > 1 else None}


def stream(
    model: Model, request: RollRequest, stopped: Callable[[], bool] = lambda: False
) -> RollStream:
    """Check the request and make ready to write it; the same seed writes the same music.

    Raises InputError for a model of lyrics and for a request that cannot be.
    """
    codec = codec_of(model)
    if not request.temperature >= 0:
        raise InputError(
            f"The temperature is {request.temperature}: give 0 (each key's likelier state) or "
            "more, up to inf (coins tossed)."
        )
    checks: list[tuple[str, Any, bool, str]] = [
        ("memory", request.memory, 0 <= request.memory <= 1, "a share from 0 to 1"),
        ("least number of notes", request.least, 0 <= request.least <= 10, "0 to 10"),
        ("length", request.length, 1 <= request.length <= LONGEST, f"1 to {LONGEST:,} frames"),
        ("seed", request.seed, request.seed is None or request.seed >= 0, "0 or more"),
    ]
    for name, value, right, wanted in checks:
        if not right:
            raise InputError(f"The {name} is {value}: give {wanted}.")
    if request.prime is None:
        prime = np.zeros((0, *codec.spec.shape), np.uint8)
    else:
        prime = codec.encode(request.prime)
    if len(prime) > LONGEST:
        raise InputError(f"The prime has {len(prime):,} frames: give at most {LONGEST:,}.")
    seed = secrets.randbits(32) if request.seed is None else request.seed
    return RollStream(model, codec, prime, request, seed, stopped)
