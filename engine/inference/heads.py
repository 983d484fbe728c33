"""Heads in NumPy, the streaming side of `engine.model.heads`.

A head turns a frame into its part of the first layer's pre-activations, and the last layer's output
into logits of the next character, or into the keys of the next frame.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.config import ModelConfig
from engine.frame_spec import (
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

MAX_DRAWS = 16  # of a frame that has too few notes

Frames = NDArray[np.uint8]  # (N, K), K = 88 · planes
Nats = NDArray[np.float64]  # (N,)
Shapes = dict[str, tuple[int, ...]]


class HeadInput(NamedTuple):
    """The input of a head, before the next frame of N songs."""

    hidden: Quantized  # (N, H) the last layer's output, as the head's product takes it
    previous: NDArray[Any]  # (N, *frame)
    matched: NDArray[Any]  # (N, *frame) the frame that the match memory expects; zero without one
    match_kind: NDArray[np.int64]  # (N,) 0: no match


@dataclass(frozen=True)
class CharacterHead:
    """Characters: a row of a table as input, logits over all V of them as output."""

    table: Array  # (V, S·H) each character's part of the first pre-activations, with the bias
    matched_table: Array  # (V, S·H) its part as the matched one; (0, 0) without a match memory
    weight: Product  # (N, H) → (N, V)
    bias: Array  # (1, V): NumPy adds arrays faster if they have the same number of axes
    gain: Array  # (M) added to the matched character's logit for each kind of match; (0) without

    @staticmethod
    def shapes(config: ModelConfig, spec: FrameSpec) -> Shapes:
        """Return the names and shapes of its tensors."""
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
        """Build it from a network's float32 tensors; product: how its weight is multiplied."""
        embedding, width = tensors["head.embedding"], config.embedding_size  # (V, E)
        rows = tensors["cells.0.input"]
        none = np.zeros((0, 0), np.float32)
        if config.tied:
            weight = tensors["head.project"] @ embedding.T
        else:
            weight = np.ascontiguousarray(tensors["head.weight"].T)
        return cls(
            table=embedding @ rows[:width] + tensors["cells.0.bias"],
            matched_table=embedding @ rows[width : 2 * width] if config.match_memory else none,
            weight=product(weight),
            bias=tensors["head.bias"][None],
            gain=tensors.get("head.gain", none).ravel(),
        )

    def input_sums(self, frames: NDArray[Any]) -> Array:
        """Return the part of characters (N,) in the first pre-activations, (N, S·H), with bias."""
        rows: Array = self.table.take(frames, 0)  # faster than [frames]
        return rows

    def matched_sums(self, frames: NDArray[Any]) -> Array:
        """Return the part of matched characters (N,) in the first pre-activations, (N, S·H)."""
        rows: Array = self.matched_table.take(frames, 0)
        return rows

    def logits(self, inputs: HeadInput) -> Array:
        """Return the logits (N, V) of the next character."""
        logits = self.weight(inputs.hidden)
        logits += self.bias
        if self.gain.size:
            logits[np.arange(len(logits)), inputs.matched] += self.gain[inputs.match_kind]
        return logits


@dataclass(frozen=True)
class KeyDecision:
    """How the keys of N frames are decided: copied from `given`, or drawn with `noise`."""

    given: Frames | None = None
    noise: NDArray[np.float64] | None = None  # (N, K) logistic
    temperature: float = 1.0

    def decide(self, logits: Array, keys: int | slice) -> tuple[NDArray[np.bool_], Nats]:
        """Return the bits of those keys and their negative log likelihoods, shaped as `logits`."""
        if self.given is not None:
            bits = self.given[:, keys] > 0
        else:  # above zero with the probability sigmoid(logits / temperature)
            assert self.noise is not None
            bits = logits + self.temperature * self.noise[:, keys] > 0
        return bits, np.logaddexp(0.0, np.where(bits, -logits, logits), dtype=np.float64)


@dataclass(frozen=True)
class KeysHead(ABC):
    """The common part of the two heads for piano keys: input tables, drawing and scoring."""

    table: Array  # (K, S·H) each key's part of the first layer's pre-activations
    table_bias: Array  # (S·H)
    matched_table: Array  # (K, S·H) its part in the matched frame; (K, 0) without a match memory

    @staticmethod
    def tables(config: ModelConfig, tensors: Mapping[str, Array]) -> tuple[Array, Array, Array]:
        """Compute the three fields above from a network's tensors."""
        keys, width = tensors["head.input"], config.embedding_size
        rows = tensors["cells.0.input"]
        matched = keys @ rows[width : 2 * width] if config.match_memory else keys[:, :0]
        return keys @ rows[:width], tensors["cells.0.bias"], matched

    def input_sums(self, frames: NDArray[Any]) -> Array:
        """Return the part of frames (N, K) in the first pre-activations, (N, S·H), with bias."""
        return frames.astype(np.float32) @ self.table + self.table_bias

    def matched_sums(self, frames: NDArray[Any]) -> Array:
        """Return the part of matched frames (N, K) in the first pre-activations, (N, S·H)."""
        return frames.astype(np.float32) @ self.matched_table

    @abstractmethod
    def decide(self, inputs: HeadInput, decision: KeyDecision) -> tuple[Frames, Nats]:
        """Decide the next frames, (N, K), and return their negative log likelihoods, (N,), too."""

    def nats(self, inputs: HeadInput, frames: Frames) -> Nats:
        """Return the negative log likelihood of frames (N, K) as the next ones, (N,)."""
        return self.decide(inputs, KeyDecision(given=frames))[1]

    def sample(
        self,
        inputs: HeadInput,
        temperature: float,
        generator: np.random.Generator,
        min_notes: int = 0,
    ) -> Frames:
        """Draw the next frames, (N, K).

        temperature: 0 takes the more probable state of each key, inf makes both equally probable.
        A frame with fewer than `min_notes` notes is drawn again, up to `MAX_DRAWS` times in all, so
        that a song does not fall silent.
        """
        frames = np.zeros_like(inputs.previous)
        redraw = np.ones(len(frames), np.bool_)
        for _ in range(MAX_DRAWS):
            noise = generator.logistic(size=(int(redraw.sum()), frames.shape[1]))
            rest = HeadInput(*(values[redraw] for values in tuple(inputs)))
            decision = KeyDecision(noise=noise, temperature=temperature)
            frames[redraw] = self.decide(rest, decision)[0]
            redraw = frames[:, :KEYS].sum(1) < min_notes
            if not redraw.any():
                break
        return frames


@dataclass(frozen=True)
class IndependentHead(KeysHead):
    """Keys that are decided independently of each other."""

    weight: Product  # (N, H) → (N, K)
    bias: Array  # (K)
    gain: Array  # (M, 2) by kind of match: added to keys silent, and sounding, in the matched frame

    @staticmethod
    def shapes(config: ModelConfig, spec: FrameSpec) -> Shapes:
        """Return the names and shapes of its tensors."""
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
        """Build it from a network's float32 tensors; product: how its weight is multiplied."""
        gain = tensors.get("head.gain", np.zeros((1, 2), np.float32))
        tables = cls.tables(config, tensors)
        return cls(*tables, product(tensors["head.weight"]), tensors["head.bias"], gain)

    def decide(self, inputs: HeadInput, decision: KeyDecision) -> tuple[Frames, Nats]:
        """Decide the next frames, (N, K), and return their negative log likelihoods, (N,), too."""
        logits = self.weight(inputs.hidden) + self.bias
        silent, sounding = self.gain[inputs.match_kind].T[:, :, None]  # (N, 1) each
        logits += np.where(inputs.matched > 0, sounding, silent)
        bits, nats = decision.decide(logits, slice(None))
        sounds, before = bits[:, :KEYS], inputs.previous[:, :KEYS] > 0
        if bits.shape[1] > KEYS:  # a key that was silent has its onset where it sounds
            undecided = sounds & before
            bits[:, KEYS:] = np.where(undecided, bits[:, KEYS:], sounds)
            nats[:, KEYS:] *= undecided
        return bits.astype(np.uint8), nats.sum(1)


@dataclass(frozen=True)
class Decider:
    """The small network, shared by all keys, that decides them from high to low."""

    above: Array  # (KEYS_ABOVE, U) weights of the keys above, which are decided already
    counts: Array  # (NOTE_COUNTS + 1, U) by how many keys are set so far
    around: Array  # (P · (2 · KEYS_AROUND + 1), U) weights of P planes of known keys
    mix: Array  # (F, U)
    bias: Array  # (U)
    out: Array  # (U)
    out_bias: Array  # (1)

    @staticmethod
    def shapes(name: str, planes: int) -> Shapes:
        """Return the names and shapes of its tensors."""
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
        """Build it from a network's tensors."""
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
        undecided: NDArray[np.bool_],
        certain: NDArray[np.bool_],
        decision: KeyDecision,
        first: int,
    ) -> tuple[NDArray[np.bool_], Nats]:
        """Decide the keys that `undecided` (N, 88) marks; the others are as in `certain` (N, 88).

        features (N, 88, F); planes (N, P, 88); first: the offset of the keys' plane in a frame.
        Returns the bits (N, 88) and the negative log likelihoods (N,).
        """
        count = len(features)
        padded = np.pad(planes, ((0, 0), (0, 0), (KEYS_AROUND, KEYS_AROUND)))
        windows = sliding_window_view(
            padded, 2 * KEYS_AROUND + 1, 2
        )  # (N, P, 88, 2 · KEYS_AROUND + 1)
        known = windows.transpose(0, 2, 1, 3).reshape(count, KEYS, -1)
        fixed = known @ self.around + features @ self.mix + self.bias  # (N, 88, U)
        bits = np.zeros((count, KEYS + KEYS_ABOVE), np.float32)
        notes = np.zeros(count, np.intp)  # so far
        nats = np.zeros(count)
        for key in reversed(range(KEYS)):
            value, mask = certain[:, key], undecided[:, key]
            if mask.any():
                units = fixed[:, key] + bits[:, key + 1 : key + 1 + KEYS_ABOVE] @ self.above
                units += self.counts[np.minimum(notes, NOTE_COUNTS)]
                logits = np.maximum(units, 0.0) @ self.out + self.out_bias
                chosen, key_nats = decision.decide(logits, first + key)
                value = np.where(mask, chosen, value)
                nats += np.where(mask, key_nats, 0.0)
            bits[:, key] = value
            notes += value > 0
        return bits[:, :KEYS] > 0, nats


@dataclass(frozen=True)
class JointHead(KeysHead):
    """Keys that depend on each other: the sounding ones from high to low, then the onsets too."""

    features: Product  # (N, H) → (N, 88 · F)
    bias: Array  # (88 · F)
    sounding: Decider
    onset: Decider | None  # for frames of two planes

    @staticmethod
    def shapes(config: ModelConfig, spec: FrameSpec) -> Shapes:
        """Return the names and shapes of its tensors."""
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
        """Build it from a network's float32 tensors; product: how its weight is multiplied."""
        onset = "head.onset.weight" in tensors
        return cls(
            *cls.tables(config, tensors),
            features=product(tensors["head.features"]),
            bias=tensors["head.bias"],
            sounding=Decider.build("head.sounding", tensors),
            onset=Decider.build("head.onset", tensors) if onset else None,
        )

    def decide(self, inputs: HeadInput, decision: KeyDecision) -> tuple[Frames, Nats]:
        """Decide the next frames, (N, K), and return their negative log likelihoods, (N,), too."""
        count = len(inputs.hidden)
        features = (self.features(inputs.hidden) + self.bias).reshape(count, KEYS, KEY_FEATURES)
        frames = [inputs.previous, inputs.matched] if self.matched_table.size else [inputs.previous]
        planes = np.concatenate(frames, 1).reshape(count, -1, KEYS).astype(np.float32)
        every, none = np.ones((count, KEYS), np.bool_), np.zeros((count, KEYS), np.bool_)
        sounds, nats = self.sounding.decide(features, planes, every, none, decision, 0)
        if self.onset is None:
            return sounds.astype(np.uint8), nats
        before = planes[:, 0] > 0
        certain = sounds & ~before  # a key that was silent has its onset where it sounds
        known = np.concatenate([sounds[:, None], certain[:, None], planes[:, 1::2]], 1)
        known = known.astype(np.float32)
        onsets, onset_nats = self.onset.decide(
            features, known, sounds & before, certain, decision, KEYS
        )
        return np.concatenate([sounds, onsets], 1).astype(np.uint8), nats + onset_nats


Head = CharacterHead | IndependentHead | JointHead

HEADS: dict[str, dict[str, type[Head]]] = {
    "characters": {"joint": CharacterHead, "independent": CharacterHead},
    "keys": {"joint": JointHead, "independent": IndependentHead},
}
