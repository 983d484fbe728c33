"""Heads in NumPy, for sampling; `engine.model.heads` trains them.

A head has two tasks. At the input, it computes what a frame adds to the first layer's
pre-activations; at the output, it computes the logits of the next character, or chooses the keys of
the next frame, from the last layer's output. With a match memory (`engine.data.match_memory`) both
tasks also use the matched frame: the one that followed the longest earlier match in the song.

N: number of songs; H: hidden units; S·H: columns of a layer's pre-activations
(`engine.inference.cells`); V: indices of characters and marks; E: embedding size; M: kinds of
match; F: features of a key; U: units of a `Decider`. A frame of keys, (K,), has one plane of 88
bits (the keys that sound) or two (the second: the keys that are struck).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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

MAX_DRAWS = 32  # attempts to draw a frame with enough notes, and without parallels
MIN_TEMPERATURE = 1e-6  # in a quotient

Frames = NDArray[np.uint8]  # (N, K), K = 88 · planes
Nats = NDArray[np.float64]  # negative log likelihoods
Shapes = dict[str, tuple[int, ...]]


class HeadInput(NamedTuple):
    """The input from which a head predicts the next frames of N songs."""

    hidden: Quantized  # (N, H) the last layer's output, quantized for the head's product
    previous: NDArray[Any]  # (N, *frame) the last frames
    matched: NDArray[Any]  # (N, *frame) the matched frames; zeros where there is no match
    match_kind: NDArray[np.int64]  # (N,) as `MatchMemory.push` returns it; 0: no match


@dataclass(frozen=True)
class CharacterHead:
    """The head for characters: a table lookup as input, logits over V characters as output."""

    table: Array  # (V, S·H) what each character adds to the first pre-activations, plus the bias
    matched_table: Array  # (V, S·H) the same of a matched character; (0, 0): no match memory
    weight: Product  # multiplies hidden (N, H) by the output weights → (N, V)
    bias: Array  # (1, V): NumPy adds arrays faster if they have the same number of axes
    gain: Array  # (M,) by match kind: added to the matched character's logit; (0,): no match memory

    @staticmethod
    def shapes(config: ModelConfig, spec: FrameSpec) -> Shapes:
        """Return the shape of each of the head's tensors by name."""
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
        """Build the head from a network's float32 tensors, as `Cell.pack_gates` returns them.

        product: takes the head's output weights and returns the function that multiplies by them.
        """
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
        """Return what characters (N,) add to the first pre-activations, plus bias: (N, S·H)."""
        rows: Array = self.table.take(frames, 0)  # faster than [frames]
        return rows

    def matched_sums(self, frames: NDArray[Any]) -> Array:
        """Return what matched characters (N,) add to the first pre-activations: (N, S·H)."""
        rows: Array = self.matched_table.take(frames, 0)
        return rows

    def logits(self, inputs: HeadInput) -> Array:
        """Return the logits (N, V) of the next character."""
        logits = self.weight(inputs.hidden)
        logits += self.bias
        if self.gain.size:
            logits[np.arange(len(logits)), inputs.matched] += self.gain[inputs.match_kind]
        return logits


class FixedKeys(NamedTuple):
    """Bits of the next frame that are known, the same for N songs, for example a melody's."""

    bits: NDArray[np.bool_]  # (K,)
    free: NDArray[np.bool_]  # (K,) where the head chooses, whatever `bits` has there


@dataclass(frozen=True)
class KeyDecision:
    """How the keys of N frames are chosen: copied from `given`, to score them, or drawn."""

    given: Frames | None = None  # None: drawn with `noise`
    noise: NDArray[np.float64] | None = None  # (N, K) of the logistic distribution, to draw with
    temperature: float = 1.0
    fixed: FixedKeys | None = None  # bits that are not drawn

    def decide(self, logits: Array, keys: int | slice) -> tuple[NDArray[np.bool_], Nats]:
        """Choose the bits of some keys; return them and their negative log likelihoods.

        keys: one index, or a slice of n keys. The logits and both results have the shape (N,) for
        one key and (N, n) for a slice.
        """
        if self.given is not None:
            bits = self.given[:, keys] > 0
        else:  # 1 with probability sigmoid(logits / temperature)
            assert self.noise is not None
            bits = logits + self.temperature * self.noise[:, keys] > 0
            if self.fixed is not None:
                bits = np.where(self.fixed.free[keys], bits, self.fixed.bits[keys])
        return bits, np.logaddexp(0.0, np.where(bits, -logits, logits), dtype=np.float64)


@dataclass(frozen=True)
class _RecordedDecision(KeyDecision):
    """A decision for one song that records the log odds of each bit."""

    logits: dict[int, float] = field(default_factory=dict)  # by key

    def decide(self, logits: Array, keys: int | slice) -> tuple[NDArray[np.bool_], Nats]:
        first = keys if isinstance(keys, int) else 0
        self.logits.update(enumerate(logits.ravel().tolist(), first))
        return super().decide(logits, keys)


@dataclass(frozen=True)
class KeysHead(ABC):
    """The base of the two heads for piano keys: their input, drawing and scoring."""

    table: Array  # (K, S·H) what each key adds to the first layer's pre-activations
    table_bias: Array  # (S·H,)
    matched_table: Array  # (K, S·H) the same of a matched frame's keys; (K, 0): no match memory
    end_weight: Product  # multiplies hidden (N, H) by the weights of the song's end → (N, 1)
    end_bias: Array  # (1,)

    @staticmethod
    def end_shapes(config: ModelConfig) -> Shapes:
        """Return the shapes of the tensors that predict a song's end."""
        return {"head.end.weight": (config.hidden_size, 1), "head.end.bias": (1,)}

    @staticmethod
    def common(
        config: ModelConfig,
        tensors: Mapping[str, Array],
        product: Callable[[Array], Product],
    ) -> tuple[Array, Array, Array, Product, Array]:
        """Return the attributes of this class, computed from a network's tensors."""
        keys, width = tensors["head.input"], config.embedding_size
        rows = tensors["cells.0.input"]
        matched = keys @ rows[width : 2 * width] if config.match_memory else keys[:, :0]
        return (
            keys @ rows[:width],
            tensors["cells.0.bias"],
            matched,
            product(tensors["head.end.weight"]),
            tensors["head.end.bias"],
        )

    def end_logits(self, inputs: HeadInput) -> Array:
        """Return the log odds, (N,), that each song ends in place of the next frame."""
        logits: Array = (self.end_weight(inputs.hidden) + self.end_bias)[:, 0]
        return logits

    def input_sums(self, frames: NDArray[Any]) -> Array:
        """Return what frames (N, K) add to the first pre-activations, plus bias: (N, S·H)."""
        return frames.astype(np.float32) @ self.table + self.table_bias

    def matched_sums(self, frames: NDArray[Any]) -> Array:
        """Return what matched frames (N, K) add to the first pre-activations: (N, S·H)."""
        return frames.astype(np.float32) @ self.matched_table

    @abstractmethod
    def decide(self, inputs: HeadInput, decision: KeyDecision) -> tuple[Frames, Nats]:
        """Choose the next frames; return them, (N, K), and their negative log likelihoods, (N,)."""

    def nats(self, inputs: HeadInput, frames: Frames) -> Nats:
        """Return the negative log likelihoods, (N,), of frames (N, K) as the next of N songs."""
        return self.decide(inputs, KeyDecision(given=frames))[1]

    def draw(
        self,
        inputs: HeadInput,
        temperature: float,
        generator: np.random.Generator,
        min_notes: int = 0,
        fixed: FixedKeys | None = None,
    ) -> tuple[Frames, Nats]:
        """Draw the next frames, (N, K); return them and their negative log likelihoods, (N,).

        temperature: 0 takes the more probable state of each key, inf makes both equally probable.
        min_notes: a frame with fewer notes is drawn again, up to `MAX_DRAWS` draws in all, so that
        the music does not fall silent. fixed: bits that are known.
        """
        frames, nats = np.zeros_like(inputs.previous), np.zeros(len(inputs.previous))
        redraw = np.ones(len(frames), np.bool_)
        for _ in range(MAX_DRAWS):
            noise = generator.logistic(size=(int(redraw.sum()), frames.shape[1]))
            rest = HeadInput(*(values[redraw] for values in tuple(inputs)))
            decision = KeyDecision(noise=noise, temperature=temperature, fixed=fixed)
            frames[redraw], nats[redraw] = self.decide(rest, decision)
            redraw = frames[:, :KEYS].sum(1) < min_notes
            if not redraw.any():
                break
        return frames, nats

    def draw_other(
        self,
        inputs: HeadInput,
        temperature: float,
        generator: np.random.Generator,
        frame: Frames,
        *,
        sounding: bool = False,
    ) -> tuple[Frames, Nats]:
        """Draw the next frame of one song, in which other keys sound than in `frame`, (1, K).

        The probabilities are those of `draw` under this condition, without drawing until it holds:
        the highest key that differs is drawn first, then the keys below it. sounding: one of the
        keys from that one up must sound, so that the frame is not silent. Returns the same as
        `draw`.
        """
        keys = frame[0, :KEYS] > 0
        recorded = _RecordedDecision(given=frame)
        self.decide(inputs, recorded)
        logits = np.array([recorded.logits[key] for key in range(KEYS)])
        odds = np.where(keys, logits, -logits) / max(temperature, MIN_TEMPERATURE)
        log_same, log_other = -np.logaddexp(0, -odds), -np.logaddexp(0, odds)  # (88,)
        # The log probability of each key to be the highest that differs.
        log_p = np.cumsum(log_same[::-1])[::-1] - log_same + log_other
        if sounding:
            log_p[keys & (np.cumsum(keys[::-1])[::-1] == 1)] = -np.inf  # the only one from it up
        highest = int((log_p + generator.gumbel(size=KEYS)).argmax())
        bits = frame[0] > 0
        bits[highest] ^= True
        free = np.ones_like(bits)
        free[highest:KEYS] = False
        return self.draw(inputs, temperature, generator, fixed=FixedKeys(bits, free))


@dataclass(frozen=True)
class IndependentHead(KeysHead):
    """The head that chooses each key independently of the other keys."""

    weight: Product  # multiplies hidden (N, H) by the output weights → (N, K)
    bias: Array  # (K,)
    gain: Array  # (M, 2) by match kind: added to the logit of a key silent, sounding in `matched`

    @staticmethod
    def shapes(config: ModelConfig, spec: FrameSpec) -> Shapes:
        """Return the shape of each of the head's tensors by name."""
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
            **KeysHead.end_shapes(config),
        }

    @classmethod
    def build(
        cls,
        config: ModelConfig,
        tensors: Mapping[str, Array],
        product: Callable[[Array], Product],
    ) -> "IndependentHead":
        """Build the head from a network's float32 tensors, as `Cell.pack_gates` returns them.

        product: takes the head's output weights and returns the function that multiplies by them.
        """
        gain = tensors.get("head.gain", np.zeros((1, 2), np.float32))
        common = cls.common(config, tensors, product)
        return cls(*common, product(tensors["head.weight"]), tensors["head.bias"], gain)

    def decide(self, inputs: HeadInput, decision: KeyDecision) -> tuple[Frames, Nats]:
        """Choose the next frames; return them, (N, K), and their negative log likelihoods, (N,)."""
        logits = self.weight(inputs.hidden) + self.bias
        silent, sounding = self.gain[inputs.match_kind].T[:, :, None]  # (N, 1) each
        logits += np.where(inputs.matched > 0, sounding, silent)
        bits, nats = decision.decide(logits, slice(None))
        sounds, before = bits[:, :KEYS], inputs.previous[:, :KEYS] > 0
        if bits.shape[1] > KEYS:  # a key that sounds, but did not before, is certainly struck
            undecided = sounds & before
            bits[:, KEYS:] = np.where(undecided, bits[:, KEYS:], sounds)
            nats[:, KEYS:] *= undecided
        return bits.astype(np.uint8), nats.sum(1)


@dataclass(frozen=True)
class Decider:
    """A small network, shared by the keys of a plane, that chooses key after key from high to low.

    P: number of known planes, which are given: from the previous and the matched frame, and, for
    onsets, the keys chosen to sound.
    """

    above: Array  # (KEYS_ABOVE, U) weights of the next higher keys, which are chosen already
    counts: Array  # (NOTE_COUNTS + 1, U) what each number of keys chosen to be 1 so far adds
    around: Array  # (P · (2 · KEYS_AROUND + 1), U) weights of the nearby keys in the known planes
    mix: Array  # (F, U) weights of the key's features
    bias: Array  # (U,)
    out: Array  # (U,)
    out_bias: Array  # (1,)

    @staticmethod
    def shapes(name: str, planes: int) -> Shapes:
        """Return the shape of each tensor of the decider `name`; planes: P, the known planes."""
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
        """Build the decider `name` from a network's tensors."""
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
        """Choose the keys that are marked in `undecided` (N, 88); copy the others from `certain`.

        features: (N, 88, F); planes: the known planes, (N, P, 88); certain: (N, 88); first: the
        index in a frame of the plane's first key. Returns the bits (N, 88) and the negative log
        likelihoods (N,).
        """
        count = len(features)
        padded = np.pad(planes, ((0, 0), (0, 0), (KEYS_AROUND, KEYS_AROUND)))
        windows = sliding_window_view(
            padded, 2 * KEYS_AROUND + 1, 2
        )  # (N, P, 88, 2 · KEYS_AROUND + 1)
        known = windows.transpose(0, 2, 1, 3).reshape(count, KEYS, -1)
        fixed = known @ self.around + features @ self.mix + self.bias  # (N, 88, U)
        bits = np.zeros((count, KEYS + KEYS_ABOVE), np.float32)
        notes = np.zeros(count, np.intp)  # chosen so far
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
    """The head that chooses each key given the keys above it.

    It chooses the keys that sound first, then the onsets (the keys that are struck).
    """

    features: Product  # multiplies hidden (N, H) by the output weights → (N, 88 · F)
    bias: Array  # (88 · F,)
    sounding: Decider
    onset: Decider | None  # None: frames have one plane

    @staticmethod
    def shapes(config: ModelConfig, spec: FrameSpec) -> Shapes:
        """Return the shape of each of the head's tensors by name."""
        planes, known = spec.size // KEYS, 2 if config.match_memory else 1
        return {
            "head.input": (spec.size, config.embedding_size),
            "head.features": (config.hidden_size, KEYS * KEY_FEATURES),
            "head.bias": (KEYS * KEY_FEATURES,),
            **Decider.shapes("head.sounding", planes * known),
            **(Decider.shapes("head.onset", 2 + known) if planes == 2 else {}),
            **KeysHead.end_shapes(config),
        }

    @classmethod
    def build(
        cls,
        config: ModelConfig,
        tensors: Mapping[str, Array],
        product: Callable[[Array], Product],
    ) -> "JointHead":
        """Build the head from a network's float32 tensors, as `Cell.pack_gates` returns them.

        product: takes the head's output weights and returns the function that multiplies by them.
        """
        onset = "head.onset.weight" in tensors
        return cls(
            *cls.common(config, tensors, product),
            features=product(tensors["head.features"]),
            bias=tensors["head.bias"],
            sounding=Decider.build("head.sounding", tensors),
            onset=Decider.build("head.onset", tensors) if onset else None,
        )

    def decide(self, inputs: HeadInput, decision: KeyDecision) -> tuple[Frames, Nats]:
        """Choose the next frames; return them, (N, K), and their negative log likelihoods, (N,)."""
        count = len(inputs.hidden)
        features = (self.features(inputs.hidden) + self.bias).reshape(count, KEYS, KEY_FEATURES)
        frames = [inputs.previous, inputs.matched] if self.matched_table.size else [inputs.previous]
        planes = np.concatenate(frames, 1).reshape(count, -1, KEYS).astype(np.float32)
        every, none = np.ones((count, KEYS), np.bool_), np.zeros((count, KEYS), np.bool_)
        sounds, nats = self.sounding.decide(features, planes, every, none, decision, 0)
        if self.onset is None:
            return sounds.astype(np.uint8), nats
        before = planes[:, 0] > 0
        certain = sounds & ~before  # a key that sounds, but did not before, is certainly struck
        known = np.concatenate([sounds[:, None], certain[:, None], planes[:, 1::2]], 1)
        known = known.astype(np.float32)
        onsets, onset_nats = self.onset.decide(
            features, known, sounds & before, certain, decision, KEYS
        )
        return np.concatenate([sounds, onsets], 1).astype(np.uint8), nats + onset_nats


Head = CharacterHead | IndependentHead | JointHead

KEYS_HEADS: dict[str, type[IndependentHead | JointHead]] = {
    "joint": JointHead,
    "independent": IndependentHead,
}


def head_class(config: ModelConfig, spec: FrameSpec) -> type[Head]:
    """Return the class of a network's head; for frames of keys, `config.head` names it."""
    return CharacterHead if spec.kind == "characters" else KEYS_HEADS[config.head]
