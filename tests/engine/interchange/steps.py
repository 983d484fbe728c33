"""What our own network computes step by step, to compare exported ones with."""

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from engine.data.codecs import Codec, KeysCodec
from engine.data.match_memory import MatchMemory
from engine.inference import models
from engine.inference.heads import CharacterHead, KeyDecision, KeysHead
from engine.inference.network import Network

# Settings of small models with random weights that together have every part of a network.
LYRICS: list[dict[str, Any]] = [
    {"cell": "lstm", "layers": 2, "match_memory": True},
    {"cell": "gru", "tied": True},
    {"cell": "rnn", "condition_size": 0},
]
MUSIC: list[dict[str, Any]] = [
    {"planes": 2, "match_memory": True, "match_recovery": True, "beat_position": True, "layers": 2},
    {"planes": 2, "head": "independent", "match_memory": True, "cell": "gru"},
    {"planes": 1, "beat_position": True},
    {"planes": 1, "head": "independent"},
]


@dataclass(frozen=True)
class _Recorded(KeyDecision):
    """A decision that records the logits of the keys that are undecided."""

    logits: dict[int, float] = field(default_factory=dict)

    def decide(self, logits: Any, keys: int | slice) -> Any:
        numbers = range(*keys.indices(logits.shape[1])) if isinstance(keys, slice) else [keys]
        self.logits.update(zip(numbers, np.ravel(logits).tolist(), strict=True))
        return super().decide(logits, keys)


class Step(NamedTuple):
    frame: NDArray[Any]  # (1, *frame)
    matched: NDArray[Any]  # (1, *frame)
    match_kind: int
    following: NDArray[Any]  # (1, *frame) the next frame
    logits: dict[int, float] | None  # by character or key, those that are decided; None: left out


def calm(folder: Path) -> Path:
    """Halve a model's recurrent weights: in a chaotic network any rounding grows without end."""
    file = folder / "model.safetensors"
    tensors = load_file(file)
    halved = {name: t / 2 if name.endswith(".hidden") else t for name, t in tensors.items()}
    save_file(halved, file)
    return folder


def _random_song(codec: Codec, count: int, rng: np.random.Generator) -> NDArray[Any]:
    """Return count + 1 frames, the first of zeros, in which a phrase returns."""
    spec = codec.spec
    high = spec.size if spec.kind == "characters" else 12

    def part(length: int) -> NDArray[Any]:
        values = rng.integers(3, high, (length, *spec.shape))
        return values if spec.kind == "characters" else values == 3

    phrase = part(40)
    song = np.concatenate([phrase if n % 2 else part(30) for n in range(count // 35 + 2)])
    song[0] = 0
    if isinstance(codec, KeysCodec):
        song = codec.encode(codec.decode(song))  # no key is struck that does not sound
        song[0] = 0
    return song[: count + 1].astype(spec.dtype)


def random_steps(
    folder: Path, count: int, artist: int = 0, every: int = 1, seed: int = 0
) -> list[Step]:
    """Read a random song; logits: of every n-th step."""
    model = models.read("m", folder, "full")
    stepper, codec = model.stepper, model.codec
    assert isinstance(stepper, Network)
    song = _random_song(codec, count, np.random.default_rng(seed))
    condition = None
    if model.conditions:
        condition = np.eye(len(model.conditions) + 1, dtype=np.float32)[artist]
    state = stepper.initial_state(condition, 1)
    memory = MatchMemory(codec.spec, model.config.match_recovery)
    result = []
    for number, (frame, following) in enumerate(itertools.pairwise(song)):
        inputs = stepper.feed(state, frame[None])
        matched, kind = memory.push(frame)
        if not model.config.match_memory:
            matched, kind = np.zeros_like(frame), 0
        logits: dict[int, float] | None = None
        if number % every == 0 and isinstance(stepper.head, CharacterHead):
            logits = dict(enumerate(stepper.head.logits(inputs)[0].tolist()))
        elif number % every == 0 and isinstance(stepper.head, KeysHead):
            decision = _Recorded(given=following[None])
            stepper.head.decide(inputs, decision)
            logits = decision.logits
        result.append(Step(frame[None], np.asarray(matched)[None], kind, following[None], logits))
    return result
