"""Heads: they encode frames as inputs of the network, and compute likelihoods from its outputs.

Everything that depends on the kind of frame is in its head, so the network and the trainer are the
same for lyrics and music.

A song of lyrics ends with a character, the end mark. A song of music ends in place of a frame:
before each frame the head for keys predicts by an output of its own whether the song ends.

Frames of piano keys have one plane of 88 (the keys that sound) or two (then the onsets, the keys
that begin to sound). If a key sounds but was silent in the frame before, its onset is certain, and
a silent key certainly has none; so onsets are predicted only for keys that sound in both frames.

Shapes: T steps, L streams (the batch size), H hidden units, E embedding size, V characters,
K = 88 · planes, M match kinds, F features of a key.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

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
from engine.model.window import Window

INITIAL_KEY_LOGIT = -3.0  # the initial bias, because few keys sound
INITIAL_END_LOGIT = -5.0  # the initial bias, because a song has hundreds of frames and one end


def _uniform(*shape: int) -> nn.Parameter:
    """Return weights of a shape (inputs, …), initially uniform within ±1/√inputs."""
    bound = shape[0] ** -0.5
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))


def _bit_nats(logits: Tensor, bits: Tensor) -> Tensor:
    """Return the negative log likelihood of each bit, in nats."""
    return functional.binary_cross_entropy_with_logits(logits, bits, reduction="none")


def _can_select(tensor: Tensor) -> bool:
    """Return whether elements can be selected without a wait: a GPU has to report their number."""
    return tensor.device.type == "cpu"


class EndMark(nn.Module):
    """Predicts whether a song of music ends in place of the next frame."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(hidden_size, 1))
        self.bias = nn.Parameter(torch.full((1,), INITIAL_END_LOGIT))

    def nats(self, hidden: Tensor, window: Window) -> Tensor:
        """Return the negative log likelihood of ending or not ending, (T, L), in nats."""
        logits = torch.addmm(self.bias, hidden.flatten(0, 1), self.weight).view(hidden.shape[:2])
        ends = torch.zeros_like(logits) if window.end is None else window.end.to(logits.dtype)
        return _bit_nats(logits, ends)


def _without_ends(nats: Tensor, window: Window) -> Tensor:
    """Return nats (T, L), 0 where a song ends in place of a frame."""
    return nats if window.end is None else nats.masked_fill(window.end, 0.0)


class IndependentHead(nn.Module):
    """Predicts each key on its own, like the RNN baseline of Boulanger-Lewandowski et al. 2012."""

    def __init__(self, config: ModelConfig, spec: FrameSpec) -> None:
        super().__init__()
        self.width = config.embedding_size
        self.input = _uniform(spec.size, config.embedding_size)
        self.weight = _uniform(config.hidden_size, spec.size)
        self.bias = nn.Parameter(torch.full((spec.size,), INITIAL_KEY_LOGIT))
        # Added, by match kind, to the logits of keys that are silent in the matched frame, and of
        # those that sound in it.
        kinds = spec.match_kinds(config.match_recovery)
        self.gain = nn.Parameter(torch.zeros(kinds, 2)) if config.match_memory else None
        self.end = EndMark(config.hidden_size)

    @property
    def output_weight(self) -> nn.Parameter:
        """The weights that multiply the top layer's outputs."""
        return self.weight

    def encode(self, frames: Tensor) -> Tensor:
        """Return the vectors (..., E) of frames (..., K)."""
        return frames.to(self.input.dtype) @ self.input

    def nats(self, hidden: Tensor, window: Window) -> Tensor:
        """Return the negative log likelihood of each target, (T, L), in nats; of an end 0.

        hidden: the top layer's outputs (T, L, H).
        """
        logits = hidden @ self.weight + self.bias  # (T, L, K)
        if self.gain is not None and window.matched is not None and window.match_kind is not None:
            silent, sounding = functional.embedding(window.match_kind, self.gain).split(1, 2)
            logits = logits + torch.where(window.matched > 0, sounding, silent)
        bits = _bit_nats(logits, window.targets.to(logits.dtype))
        held = window.targets[..., :KEYS] & window.inputs[..., :KEYS]  # keys with uncertain onset
        onsets = bits[..., KEYS:] * held[..., : bits.shape[-1] - KEYS]
        return _without_ends(bits[..., :KEYS].sum(2) + onsets.sum(2), window)


class Decider(nn.Module):
    """A small network, shared by all keys, that predicts each key given the higher ones.

    Its inputs are the keys above (set or not), the number of them that are set, the keys around it
    in planes that are known already, and features of the key, computed from the hidden state. This
    is the neural autoregressive distribution estimator of Larochelle & Murray 2011, with weights
    that the keys share.
    """

    def __init__(self, planes: int) -> None:
        super().__init__()
        self.weight = _uniform(KEYS_ABOVE + NOTE_COUNTS + planes * (2 * KEYS_AROUND + 1), KEY_UNITS)
        self.mix = _uniform(KEY_FEATURES, KEY_UNITS)
        self.bias = nn.Parameter(torch.zeros(KEY_UNITS))
        self.out = _uniform(KEY_UNITS, 1)
        self.out_bias = nn.Parameter(torch.full((1,), INITIAL_KEY_LOGIT))

    def forward(
        self, bits: Tensor, features: Tensor, planes: Tensor, where: Tensor | None = None
    ) -> Tensor:
        """Return the logits (m,) of the m keys where `where` (n, 88) is true; None: of all keys.

        bits (n, 88): the n frames to predict; features (n, 88, F); planes (n, P, 88): P known
        planes for each frame.
        """
        above = functional.pad(bits, (0, KEYS_ABOVE))[:, 1:]
        above = above.unfold(1, KEYS_ABOVE, 1)  # (n, 88, ABOVE)
        around = functional.pad(planes, (KEYS_AROUND, KEYS_AROUND))
        around = around.unfold(2, 2 * KEYS_AROUND + 1, 1)  # (n, P, 88, 2 · AROUND + 1)
        around = around.transpose(1, 2)  # (n, 88, P, 2 · AROUND + 1)
        # A sum of integers is deterministic on every device.
        count = bits.flip(1).cumsum(1, dtype=torch.int32).flip(1) - bits  # (n, 88): set above it
        counted = count.unsqueeze(2) > torch.arange(NOTE_COUNTS, device=bits.device)
        parts = (features, above, counted, around)
        selected = [part.flatten(0, 1) if where is None else part[where] for part in parts]
        features, *inputs = [part.flatten(1).to(bits.dtype) for part in selected]  # (m, …) each
        units = torch.addmm(self.bias, torch.cat(inputs, 1), self.weight)
        units = torch.addmm(units, features, self.mix).relu_()  # (m, UNITS), most of the work
        return torch.addmm(self.out_bias, units, self.out).squeeze(1)


class JointHead(nn.Module):
    """Predicts the keys from high to low, each given those above: sounding keys, then onsets."""

    def __init__(self, config: ModelConfig, spec: FrameSpec) -> None:
        super().__init__()
        self.width = config.embedding_size
        self.input = _uniform(spec.size, config.embedding_size)
        self.features = _uniform(config.hidden_size, KEYS * KEY_FEATURES)
        self.bias = nn.Parameter(torch.zeros(KEYS * KEY_FEATURES))
        planes = spec.size // KEYS
        frames = 2 if config.match_memory else 1  # the frame before, and the matched frame
        self.sounding = Decider(planes * frames)
        self.onset = Decider(2 + frames) if planes == 2 else None
        self.end = EndMark(config.hidden_size)

    @property
    def output_weight(self) -> nn.Parameter:
        """The weights that multiply the top layer's outputs."""
        return self.features

    def encode(self, frames: Tensor) -> Tensor:
        """Return the vectors (..., E) of frames (..., K)."""
        return frames.to(self.input.dtype) @ self.input

    def nats(self, hidden: Tensor, window: Window) -> Tensor:
        """Return the negative log likelihood of each target, (T, L), in nats; of an end 0.

        hidden: the top layer's outputs (T, L, H).
        """
        flat = hidden.flatten(0, 1)  # (n, H), n = T·L
        features = torch.addmm(self.bias, flat, self.features).view(len(flat), KEYS, KEY_FEATURES)
        frames = [window.inputs] if window.matched is None else [window.inputs, window.matched]
        planes = torch.cat(frames, 2).to(flat.dtype).view(len(flat), -1, KEYS)
        targets = window.targets.to(flat.dtype).view(len(flat), -1, KEYS)  # (n, planes, 88)
        sounding = targets[:, 0]
        bits = _bit_nats(self.sounding(sounding, features, planes), sounding.flatten())
        nats = bits.view_as(sounding).sum(1)
        if self.onset is not None:
            onset, before = targets[:, 1], planes[:, 0]
            begun = sounding * (1 - before)  # certain onsets
            known = torch.stack((sounding, begun, *planes[:, 1::2].unbind(1)), 1)
            held = sounding * before  # keys with uncertain onsets
            if _can_select(held):
                where = held > 0
                bits = _bit_nats(self.onset(onset, features, known, where), onset[where])
                nats = nats.index_add(0, where.nonzero()[:, 0], bits)
            else:
                bits = _bit_nats(self.onset(onset, features, known), onset.flatten())
                nats = nats + (bits.view_as(onset) * held).sum(1)
        return _without_ends(nats.view(hidden.shape[:2]), window)


class CharacterHead(nn.Module):
    """Predicts characters: an embedding at the input, a softmax at the output.

    If the config has `tied`, the embedding also is the output layer (Press & Wolf 2017), after a
    projection from H to E.
    """

    def __init__(self, config: ModelConfig, spec: FrameSpec) -> None:
        super().__init__()
        size, hidden, width = spec.size, config.hidden_size, config.embedding_size  # V, H, E
        self.width = width
        self.embedding = nn.Parameter(
            torch.randn(size, width) * (width**-0.5 if config.tied else 1)
        )
        if config.tied:
            self.project = nn.Parameter(torch.randn(hidden, width) * hidden**-0.5)
        else:
            bound = hidden**-0.5
            self.weight = nn.Parameter(torch.empty(size, hidden).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(size))
        self.tied = config.tied
        # About the log odds that the matched character is right, by match length.
        rising = torch.linspace(1, 5, len(spec.match_lengths(config.match_recovery)))
        gain = torch.cat((torch.zeros(1 + config.match_recovery), rising)).unsqueeze(1)
        self.gain = nn.Parameter(gain) if config.match_memory else None  # (M, 1)

    @property
    def output_weight(self) -> nn.Parameter:
        """The weights that multiply the top layer's outputs."""
        return self.project if self.tied else self.weight

    def encode(self, frames: Tensor) -> Tensor:
        """Return the vectors (..., E) of character indices (...)."""
        return functional.embedding(frames, self.embedding)

    def logits(self, hidden: Tensor, window: Window) -> Tensor:
        """Return logits (T, L, V) from the top layer's outputs `hidden` (T, L, H).

        To the logit of the matched character a learned gain is added, one for each match kind.
        """
        if self.tied:
            logits = functional.linear(hidden @ self.project, self.embedding, self.bias)
        else:
            logits = functional.linear(hidden, self.weight, self.bias)
        if self.gain is None or window.matched is None or window.match_kind is None:
            return logits
        gain = functional.embedding(window.match_kind, self.gain, padding_idx=0)  # (T, L, 1)
        return logits.to(gain.dtype).scatter_add(2, window.matched.unsqueeze(2), gain)

    def nats(self, hidden: Tensor, window: Window) -> Tensor:
        """Return the negative log likelihood of each target, (T, L), in nats.

        hidden: the top layer's outputs (T, L, H).
        """
        logits, targets = self.logits(hidden, window).flatten(0, 1), window.targets  # (T·L, V)
        nats = functional.cross_entropy(logits, targets.flatten(), reduction="none")
        return nats.view_as(targets)


Head = CharacterHead | IndependentHead | JointHead

KEYS_HEADS: dict[str, type[IndependentHead | JointHead]] = {
    "joint": JointHead,
    "independent": IndependentHead,
}


def head_class(config: ModelConfig, spec: FrameSpec) -> type[Head]:
    """Return the class of a network's head: for keys the one that `config.head` names."""
    return CharacterHead if spec.kind == "characters" else KEYS_HEADS[config.head]
