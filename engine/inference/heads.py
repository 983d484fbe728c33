"""Heads in NumPy: how a frame enters the first layer, and what the last one says of the next."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.config import ModelConfig
from engine.frames import (
    KEY_FEATURES,
    KEY_UNITS,
    KEYS,
    KEYS_ABOVE,
    KEYS_AROUND,
    NOTE_COUNTS,
    FrameSpec,
)
from engine.inference.cells import Array
from engine.inference.matmul import Product, Quantized


class HeadInput(NamedTuple):
    """The moment before the next frame of N songs."""

    hidden: Quantized  # (N, H) the last layer's output, as the head's product takes it
    previous: NDArray[Any]  # (N, *frame)
    recalled: NDArray[Any]  # (N, *frame) by the memory of the song; zero without
    match: NDArray[np.int64]  # (N,) the kind of its match; 0: none


MAX_DRAWS = 16  # times that a frame with too few notes is drawn again

Frames = NDArray[np.uint8]  # (N, K), K = 88 · planes
Nats = NDArray[np.float64]  # (N,)
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class KeyDecision:
    """How the keys of N frames are decided: as they are in `given`, or else drawn."""

    given: Frames | None = None
    noise: NDArray[np.float64] | None = None  # (N, K) logistic
    temperature: float = 1.0

    def decide(self, logits: Array, keys: int | slice) -> tuple[NDArray[np.bool_], Nats]:
        """The bits of those keys and their negative log likelihoods, both like `logits`."""
        if self.given is not None:
            bits = self.given[:, keys] > 0
        else:  # above zero just as often as sigmoid(logits / temperature) says
            assert self.noise is not None
            bits = logits + self.temperature * self.noise[:, keys] > 0
        return bits, np.logaddexp(0.0, np.where(bits, -logits, logits), dtype=np.float64)


@dataclass(frozen=True)
class KeysHead(ABC):
    """What both heads share: how frames enter the first layer, how they are drawn and scored."""

    table: Array  # (K, S·H) what each key gives to the first layer's gates
    table_bias: Array  # (S·H)
    remembered: Array  # (K, S·H) what it gives there in the recalled frame; (K, 0) without a memory

    @staticmethod
    def entry(config: ModelConfig, tensors: Mapping[str, Array]) -> tuple[Array, Array, Array]:
        """The first three fields, from a network's tensors."""
        keys, joined, width = tensors["head.input"], tensors["cells.0.input"], config.embedding_size
        remembered = keys @ joined[width : 2 * width] if config.match_memory else keys[:, :0]
        return keys @ joined[:width], tensors["cells.0.bias"], remembered

    def inputs(self, frames: NDArray[Any]) -> Array:
        """What frames (N, K) give to the first layer's gates, (N, S·H), with its bias."""
        return frames.astype(np.float32) @ self.table + self.table_bias

    def remember(self, frames: NDArray[Any]) -> Array:
        """What recalled frames (N, K) give to the first layer's gates, (N, S·H)."""
        return frames.astype(np.float32) @ self.remembered

    @abstractmethod
    def decide(self, seen: HeadInput, rule: KeyDecision) -> tuple[Frames, Nats]:
        """Decide the next frames by a rule: (N, K), and their negative log likelihoods, (N,)."""

    def nats(self, seen: HeadInput, frames: Frames) -> Nats:
        """The negative log likelihood of frames (N, K) as the next ones, (N,)."""
        return self.decide(seen, KeyDecision(given=frames))[1]

    def sample(
        self, seen: HeadInput, temperature: float, generator: np.random.Generator, least: int = 0
    ) -> Frames:
        """Draw the next frames, (N, K).

        temperature: 0 sets every key that is likelier set than not, inf tosses coins. A frame of
        fewer than `least` notes is drawn again, so that a song does not fall silent.
        """
        frames = np.zeros_like(seen.previous)
        few = np.ones(len(frames), np.bool_)
        for _ in range(MAX_DRAWS):
            noise = generator.logistic(size=(int(few.sum()), frames.shape[1]))
            rest = HeadInput(*(values[few] for values in tuple(seen)))
            frames[few] = self.decide(rest, KeyDecision(noise=noise, temperature=temperature))[0]
            few = frames[:, :KEYS].sum(1) < least
            if not few.any():
                break
        return frames


@dataclass(frozen=True)
class IndependentHead(KeysHead):
    """Each key for itself."""

    weight: Product  # (N, H) → (N, K)
    bias: Array  # (K)
    gain: Array  # (M, 2) what each kind of match adds to keys recalled silent, and sounding

    @staticmethod
    def shapes(config: ModelConfig, spec: FrameSpec) -> Shapes:
        """The names and shapes of the tensors it is made from."""
        gain = (
            {"head.gain": (spec.match_kinds(config.match_recovery), 2)}
            if config.match_memory
            else {}
        )
        return {
            "head.input": (spec.size, config.embedding_size),
            "head.weight": (config.hidden_size, spec.size),
            "head.bias": (spec.size,),
            **gain,
        }

    @classmethod
    def build(
        cls,
        config: ModelConfig,
        tensors: Mapping[str, Array],
        product: Callable[[Array], Product],
    ) -> "IndependentHead":
        """Make it from a network's tensors, all float32; product: how its weight is multiplied."""
        gain = tensors.get("head.gain", np.zeros((1, 2), np.float32))
        entry = cls.entry(config, tensors)
        return cls(*entry, product(tensors["head.weight"]), tensors["head.bias"], gain)

    def decide(self, seen: HeadInput, rule: KeyDecision) -> tuple[Frames, Nats]:
        """Decide the next frames by a rule: (N, K), and their negative log likelihoods, (N,)."""
        logits = self.weight(seen.hidden) + self.bias
        silent, sounding = self.gain[seen.match].T[:, :, None]  # (N, 1) each
        logits += np.where(seen.recalled > 0, sounding, silent)
        bits, misses = rule.decide(logits, slice(None))
        sounds, before = bits[:, :KEYS], seen.previous[:, :KEYS] > 0
        if bits.shape[1] > KEYS:
            in_question = sounds & before
            bits[:, KEYS:] = np.where(in_question, bits[:, KEYS:], sounds)
            misses[:, KEYS:] *= in_question
        return bits.astype(np.uint8), misses.sum(1)


@dataclass(frozen=True)
class Decider:
    """The small network, shared by all keys, that decides them from high to low."""

    above: Array  # (ABOVE, U) for the keys above that are decided already
    counts: Array  # (COUNTS + 1, U) for how many of them are set
    around: Array  # (P · (2 · AROUND + 1), U) for P planes of keys that are known
    mix: Array  # (F, U)
    bias: Array  # (U)
    out: Array  # (U)
    out_bias: Array  # (1)

    @staticmethod
    def shapes(name: str, planes: int) -> Shapes:
        """The names and shapes of the tensors it is made from."""
        return {
            f"{name}.weight": (
                KEYS_ABOVE + NOTE_COUNTS + planes * (2 * KEYS_AROUND + 1),
                KEY_UNITS,
            ),
            f"{name}.mix": (KEY_FEATURES, KEY_UNITS),
            f"{name}.bias": (KEY_UNITS,),
            f"{name}.out": (KEY_UNITS, 1),
            f"{name}.out_bias": (1,),
        }

    @classmethod
    def build(cls, name: str, tensors: Mapping[str, Array]) -> "Decider":
        """Make it from a network's tensors."""
        mix, bias, out, out_bias = (
            tensors[f"{name}.{part}"] for part in ("mix", "bias", "out", "out_bias")
        )
        above, levels, around = np.split(
            tensors[f"{name}.weight"], [KEYS_ABOVE, KEYS_ABOVE + NOTE_COUNTS]
        )
        counts = np.concatenate([np.zeros_like(levels[:1]), levels.cumsum(0)])
        return cls(above, counts, around, mix, bias, out[:, 0], out_bias)

    def decide(
        self,
        features: Array,
        planes: Array,
        where: NDArray[np.bool_],
        rest: NDArray[np.bool_],
        rule: KeyDecision,
        first: int,
    ) -> tuple[NDArray[np.bool_], Nats]:
        """Decide the keys that `where` (N, 88) marks; the others are as in `rest` (N, 88).

        features (N, 88, F); planes (N, P, 88); first: where the keys' plane starts in a frame.
        Returns the bits (N, 88) and the negative log likelihoods (N,).
        """
        count = len(features)
        padded = np.pad(planes, ((0, 0), (0, 0), (KEYS_AROUND, KEYS_AROUND)))
        windows = sliding_window_view(padded, 2 * KEYS_AROUND + 1, 2)  # (N, P, 88, 2 · AROUND + 1)
        known = windows.transpose(0, 2, 1, 3).reshape(count, KEYS, -1)
        fixed = known @ self.around + features @ self.mix + self.bias  # (N, 88, U)
        bits = np.zeros((count, KEYS + KEYS_ABOVE), np.float32)
        notes = np.zeros(count, np.intp)  # so far
        nats = np.zeros(count)
        for key in reversed(range(KEYS)):
            value = rest[:, key]
            asked = where[:, key]
            if asked.any():
                units = fixed[:, key] + bits[:, key + 1 : key + 1 + KEYS_ABOVE] @ self.above
                units += self.counts[np.minimum(notes, NOTE_COUNTS)]
                logits = np.maximum(units, 0.0) @ self.out + self.out_bias
                chosen, misses = rule.decide(logits, first + key)
                value = np.where(asked, chosen, value)
                nats += np.where(asked, misses, 0.0)
            bits[:, key] = value
            notes += value > 0
        return bits[:, :KEYS] > 0, nats


@dataclass(frozen=True)
class JointHead(KeysHead):
    """Keys that know of each other: the sounding ones from high to low, then the onsets so too."""

    features: Product  # (N, H) → (N, 88 · F)
    bias: Array  # (88 · F)
    sounding: Decider
    onset: Decider | None  # for frames of two planes

    @staticmethod
    def shapes(config: ModelConfig, spec: FrameSpec) -> Shapes:
        """The names and shapes of the tensors it is made from."""
        planes, known = spec.size // KEYS, 2 if config.match_memory else 1
        return {
            "head.input": (spec.size, config.embedding_size),
            "head.features": (config.hidden_size, KEYS * KEY_FEATURES),
            "head.bias": (KEYS * KEY_FEATURES,),
            **Decider.shapes("head.sounding", planes * known),
            **(Decider.shapes("head.onset", 2 + known) if planes == 2 else {}),
        }

    @classmethod
    def build(
        cls,
        config: ModelConfig,
        tensors: Mapping[str, Array],
        product: Callable[[Array], Product],
    ) -> "JointHead":
        """Make it from a network's tensors, all float32; product: how its weight is multiplied."""
        onset = "head.onset.weight" in tensors
        return cls(
            *cls.entry(config, tensors),
            features=product(tensors["head.features"]),
            bias=tensors["head.bias"],
            sounding=Decider.build("head.sounding", tensors),
            onset=Decider.build("head.onset", tensors) if onset else None,
        )

    def decide(self, seen: HeadInput, rule: KeyDecision) -> tuple[Frames, Nats]:
        """Decide the next frames by a rule: (N, K), and their negative log likelihoods, (N,)."""
        count = len(seen.hidden)
        features = (self.features(seen.hidden) + self.bias).reshape(count, KEYS, KEY_FEATURES)
        frames = [seen.previous, seen.recalled] if self.remembered.size else [seen.previous]
        planes = np.concatenate(frames, 1).reshape(count, -1, KEYS).astype(np.float32)
        all_, none = np.ones((count, KEYS), np.bool_), np.zeros((count, KEYS), np.bool_)
        sounds, nats = self.sounding.decide(features, planes, all_, none, rule, 0)
        if self.onset is None:
            return sounds.astype(np.uint8), nats
        before = planes[:, 0] > 0
        begun = sounds & ~before  # the certain onsets
        known = np.concatenate([sounds[:, None], begun[:, None], planes[:, 1::2]], 1)
        known = known.astype(np.float32)
        onsets, more = self.onset.decide(features, known, sounds & before, begun, rule, KEYS)
        return np.concatenate([sounds, onsets], 1).astype(np.uint8), nats + more


@dataclass(frozen=True)
class CharacterHead:
    """Characters: a row of a table on the way in, logits over all V of them on the way out."""

    table: Array  # (V, S·H) what each character gives to the first layer's gates, with the bias
    remembered: Array  # (V, S·H) what it gives there as the recalled one; (0, 0) without a memory
    weight: Product  # (N, H) → (N, V)
    bias: Array  # (1, V): NumPy adds arrays faster that have as many axes
    gain: Array  # (M) what each kind of match adds to the recalled one's logit; (0) without

    @staticmethod
    def shapes(config: ModelConfig, spec: FrameSpec) -> dict[str, tuple[int, ...]]:
        """The names and shapes of the tensors it is made from."""
        size, hidden, width = spec.size, config.hidden_size, config.embedding_size  # V, H, E
        out = {"head.project": (hidden, width)} if config.tied else {"head.weight": (size, hidden)}
        gain = (
            {"head.gain": (spec.match_kinds(config.match_recovery), 1)}
            if config.match_memory
            else {}
        )
        return {"head.embedding": (size, width), **out, "head.bias": (size,), **gain}

    @classmethod
    def build(
        cls,
        config: ModelConfig,
        tensors: Mapping[str, Array],
        product: Callable[[Array], Product],
    ) -> "CharacterHead":
        """Make it from a network's tensors, all float32; product: how its weight is multiplied."""
        embedding, width = tensors["head.embedding"], config.embedding_size  # (V, E)
        joined = tensors["cells.0.input"]
        none = np.zeros((0, 0), np.float32)
        if config.tied:
            weight = tensors["head.project"] @ embedding.T
        else:
            weight = np.ascontiguousarray(tensors["head.weight"].T)
        return cls(
            table=embedding @ joined[:width] + tensors["cells.0.bias"],
            remembered=embedding @ joined[width : 2 * width] if config.match_memory else none,
            weight=product(weight),
            bias=tensors["head.bias"][None],
            gain=tensors.get("head.gain", none).ravel(),
        )

    def inputs(self, frames: NDArray[Any]) -> Array:
        """What characters (N,) give to the first layer's gates, (N, S·H), with its bias."""
        rows: Array = self.table.take(frames, 0)  # faster than [frames]
        return rows

    def remember(self, frames: NDArray[Any]) -> Array:
        """What recalled characters (N,) give to the first layer's gates, (N, S·H)."""
        rows: Array = self.remembered.take(frames, 0)
        return rows

    def logits(self, seen: HeadInput) -> Array:
        """Logits (N, V) of the next character."""
        logits = self.weight(seen.hidden)
        logits += self.bias
        if self.gain.size:
            logits[np.arange(len(logits)), seen.recalled] += self.gain[seen.match]
        return logits


Head = CharacterHead | IndependentHead | JointHead

HEADS: dict[str, dict[str, type[Head]]] = {
    "characters": {"joint": CharacterHead, "independent": CharacterHead},
    "keys": {"joint": JointHead, "independent": IndependentHead},
}
