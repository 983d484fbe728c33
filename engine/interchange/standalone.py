"""A recurrent network that writes lyrics or piano music, in plain PyTorch.

This file needs torch and safetensors, and nothing else of rnn-tui. `rnn-tui export MODEL --pytorch
FOLDER` puts it as model.py beside the model's weights and description. There,

    python model.py "Why"

writes a song of a model of lyrics; the argument is its prompt. In Python:

    from model import load
    model = load()
    output, state = model.step(model.begin(), model.initial_state())
    logits = model.logits(output, model.begin())

N: songs, stepped as a batch; H: hidden units; V: characters; K: keys of a frame, 88 or 176 (those
that sound, then those that are struck). *frame is (N,) int64 for characters, (N, K) float for keys.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

KEYS = 88  # of a piano; key 0 is the MIDI pitch 21
KEYS_ABOVE, KEYS_AROUND, NOTE_COUNTS, KEY_FEATURES = 48, 12, 8, 8  # inputs that decide a key
PERIODS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)  # of the position encoding, in frames
CHARACTER_MATCHES = (3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32)  # lengths of matches, in frames
KEY_MATCHES = (2, 3, 4, 6, 8, 12, 16, 24, 32)
BEGIN, END, MARKS = 0, 1, 3  # marks; the index of the first character

State = list[Tensor]  # h, and for an LSTM c, of each layer, (N, H); then the position (N,)


class SongModel(nn.Module):
    """The network of a model.safetensors, with the description in its meta.json."""

    def __init__(self, meta: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        super().__init__()
        self.meta, self.config = meta, meta["model"]
        if self.config["kind"] != "network":
            raise ValueError(f"a model of the kind {self.config['kind']} has no network")
        self.weights = nn.ParameterDict(
            {name.replace(".", "_"): nn.Parameter(tensor) for name, tensor in tensors.items()}
        )
        self.characters = meta["codec"].get("characters")  # None: a model of music
        self.artists: list[str] = meta["conditions"] if "condition.weight" in tensors else []
        positions = torch.arange(384).unsqueeze(1)  # the encoding repeats after 384 frames
        angles = 2 * torch.pi * (positions % torch.tensor(PERIODS)) / torch.tensor(PERIODS)
        self.register_buffer("positions", torch.cat((angles.sin(), angles.cos()), 1))

    def __getitem__(self, name: str) -> Tensor:
        tensor: Tensor = self.weights[name.replace(".", "_")]
        return tensor

    @property
    def frame_size(self) -> int:
        """The size V of the alphabet with its marks, or the number K of keys."""
        if self.characters is not None:
            return MARKS + len(self.characters)
        return KEYS * int(self.meta["codec"]["planes"])

    def begin(self, count: int = 1) -> Tensor:
        """Return the frames before the first ones of `count` songs: the begin mark, or silence."""
        if self.characters is not None:
            return torch.zeros(count, dtype=torch.int64)
        return torch.zeros(count, self.frame_size)

    def initial_state(self, count: int = 1) -> State:
        """Return the state before the first frames of `count` songs."""
        states = (2 if self.config["cell"] == "lstm" else 1) * self.config["layers"]
        zeros = torch.zeros(count, self.config["hidden_size"])
        return [*(zeros.clone() for _ in range(states)), torch.zeros(count, dtype=torch.int64)]

    def encode(self, frame: Tensor) -> Tensor:
        """Return the vectors (N, E) of frames (*frame)."""
        if self.characters is not None:
            return functional.embedding(frame, self["head.embedding"])
        return frame @ self["head.input"]

    def step(
        self,
        frame: Tensor,
        state: State,
        artist: Tensor | None = None,
        matched: Tensor | None = None,
        match_kind: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Read one frame of each song; return the last layer's output (N, H) and the next state.

        artist: (N,), 0 for no artist, else 1 + the index in `artists`. matched (*frame), match_kind
        (N,): as `MatchMemory.push` returns them, for a model that has a match memory.
        """
        config, count = self.config, len(frame)
        parts = [self.encode(frame)]
        if config["match_memory"]:
            parts.append(self.encode(self.begin(count) if matched is None else matched))
            kind = torch.zeros(count, dtype=torch.int64) if match_kind is None else match_kind
            parts.append(functional.one_hot(kind, self.match_kinds).to(parts[0].dtype))
        if config["beat_position"]:
            parts.append(self.get_buffer("positions")[state[-1] % 384])
        if self.artists:
            none = torch.zeros(count, dtype=torch.int64)
            parts.append(self["condition.weight"][none if artist is None else artist])
        x = torch.cat(parts, 1)
        result: State = []
        per_layer = (len(state) - 1) // config["layers"]
        for layer in range(config["layers"]):
            arrays = state[layer * per_layer : (layer + 1) * per_layer]
            arrays = self._cell(layer, x, arrays)
            result += arrays
            x = arrays[0]
        return x, [*result, state[-1] + 1]

    def _cell(self, layer: int, x: Tensor, arrays: list[Tensor]) -> list[Tensor]:
        """Step one layer: h, and for an LSTM c, (N, H) each."""
        h, name = arrays[0], f"cells.{layer}"
        from_input = x @ self[f"{name}.input"] + self[f"{name}.bias"]
        from_hidden = h @ self[f"{name}.hidden"]
        if self.config["cell"] == "rnn":
            return [torch.tanh(from_input + from_hidden)]
        if self.config["cell"] == "gru":
            (rx, zx, nx), (rh, zh, nh) = from_input.chunk(3, 1), from_hidden.chunk(3, 1)
            r, z = torch.sigmoid(rx + rh), torch.sigmoid(zx + zh)
            n = torch.tanh(nx + r * (nh + self[f"{name}.hidden_bias"]))
            return [n + z * (h - n)]
        i, f, o, g = (from_input + from_hidden).chunk(4, 1)
        c = torch.sigmoid(f) * arrays[1] + torch.sigmoid(i) * torch.tanh(g)
        return [torch.sigmoid(o) * torch.tanh(c), c]

    @property
    def match_kinds(self) -> int:
        """The number M of kinds of match."""
        recovery = bool(self.config["match_recovery"])
        lengths = CHARACTER_MATCHES if self.characters is not None else KEY_MATCHES
        return 1 + 2 * recovery + len(lengths)

    def logits(
        self,
        output: Tensor,
        frame: Tensor,
        matched: Tensor | None = None,
        match_kind: Tensor | None = None,
        chosen: Tensor | None = None,
    ) -> Tensor:
        """Return the logits of the next characters, (N, V), or of the next frames' keys, (N, K).

        output: from `step`, whose other arguments are repeated here. chosen (N, K): the next frame,
        its undecided keys 0, for a model whose head is "joint": the logit of a key depends on the
        keys above it, and the logits of the keys that are struck on all keys that sound. A key that
        sounds, but did not in `frame`, is certainly struck; a silent one is not.
        """
        kind = torch.zeros(len(frame), dtype=torch.int64) if match_kind is None else match_kind
        matched = self.begin(len(frame)) if matched is None else matched
        if self.characters is not None:
            if self.config["tied"]:
                logits = output @ self["head.project"] @ self["head.embedding"].T
            else:
                logits = output @ self["head.weight"].T
            logits = logits + self["head.bias"]
            if self.config["match_memory"]:
                logits = logits.scatter_add(1, matched[:, None], self["head.gain"][kind])
            return logits
        if self.config["head"] == "independent":
            logits = output @ self["head.weight"] + self["head.bias"]
            if self.config["match_memory"]:
                silent, sounding = self["head.gain"][kind].unsqueeze(2).unbind(1)
                logits = logits + torch.where(matched > 0, sounding, silent)
            return logits
        features = (output @ self["head.features"] + self["head.bias"]).view(-1, KEYS, KEY_FEATURES)
        chosen = torch.zeros_like(frame) if chosen is None else chosen
        frames = [frame, matched] if self.config["match_memory"] else [frame]
        planes = torch.cat(frames, 1).view(len(frame), -1, KEYS)
        sounding = chosen[:, :KEYS]
        logits = self._decide("head.sounding", sounding, features, planes)
        if self.frame_size == KEYS:
            return logits
        begun = sounding * (1 - frame[:, :KEYS])
        known = torch.cat((sounding[:, None], begun[:, None], planes[:, 1::2]), 1)
        onsets = self._decide("head.onset", chosen[:, KEYS:], features, known)
        return torch.cat((logits, onsets), 1)

    def end_logits(self, output: Tensor) -> Tensor:
        """Return the log odds (N,) that songs end in place of the next frame.

        Only some models of music predict it; lyrics end with the end mark.
        """
        return (output @ self["head.end.weight"] + self["head.end.bias"])[:, 0]

    def _decide(self, name: str, bits: Tensor, features: Tensor, planes: Tensor) -> Tensor:
        """Return the logits (N, 88) of the keys of a plane, each given the bits (N, 88) above it.

        features: (N, 88, F); planes: (N, P, 88), which are known.
        """
        above = functional.pad(bits, (0, KEYS_ABOVE))[:, 1:].unfold(1, KEYS_ABOVE, 1)
        around = functional.pad(planes, (KEYS_AROUND, KEYS_AROUND))
        around = around.unfold(2, 2 * KEYS_AROUND + 1, 1).transpose(1, 2).flatten(2)
        notes = bits.flip(1).cumsum(1).flip(1) - bits  # set above the key
        counted = notes.unsqueeze(2) > torch.arange(NOTE_COUNTS)
        inputs = torch.cat((above, counted.to(bits.dtype), around), 2)
        units = inputs @ self[f"{name}.weight"] + features @ self[f"{name}.mix"]
        units = torch.relu(units + self[f"{name}.bias"])
        return (units @ self[f"{name}.out"] + self[f"{name}.out_bias"]).squeeze(2)


class MatchMemory:
    """Finds an earlier occurrence of the last frames of a song, for a model with a match memory.

    A match is an earlier occurrence of the last n frames, n the greatest of the match lengths for
    which there is one, and the latest such. The matched frame is the one that followed it.
    """

    def __init__(self, model: SongModel) -> None:
        self.recovery = bool(model.config["match_recovery"])
        lengths = CHARACTER_MATCHES if model.characters is not None else KEY_MATCHES
        self.lengths = (1, *lengths) if self.recovery else lengths
        self.zero = model.begin()
        self.frames: list[Tensor] = []
        self.keys: list[tuple[int, ...]] = []
        self.ends: dict[tuple[tuple[int, ...], ...], int] = {}
        self.position = 0  # of the last matched frame; 0: no match yet

    def push(self, frame: Tensor) -> tuple[Tensor, Tensor]:
        """Add the song's next frame (1, …); return the matched frame (1, …) and kind (1,)."""
        self.frames.append(frame)
        self.keys.append(tuple(int(value) for value in frame.flatten()))
        position = self.position + 1 if self.position and self.recovery else 0
        kind = int(position > 0)
        for number, length in enumerate(self.lengths, 1 + self.recovery):
            if length > len(self.keys):
                break
            run = tuple(self.keys[-length:])
            if run in self.ends:
                position, kind = self.ends[run], number
            self.ends[run] = len(self.keys)
        self.position = position
        return self.frames[position] if kind else self.zero, torch.tensor([kind])


def load(folder: str | Path = Path(__file__).parent) -> SongModel:
    """Read the model in a folder, by default the folder of this file."""
    meta = json.loads((Path(folder) / "meta.json").read_text(encoding="utf-8"))
    return SongModel(meta, load_file(Path(folder) / "model.safetensors")).eval()


@torch.no_grad()
def write(
    model: SongModel, prompt: str, length: int = 500, temperature: float = 0.7, artist: int = 0
) -> str:
    """Write lyrics, character by character; return the text with its prompt."""
    text, state, memory = prompt, model.initial_state(), MatchMemory(model)
    frames = [BEGIN, *(MARKS + model.characters.index(character) for character in prompt)]
    while True:
        logits = torch.empty(0)
        for index in frames:
            frame = torch.tensor([index])
            matched, kind = memory.push(frame)
            output, state = model.step(frame, state, torch.tensor([artist]), matched, kind)
            logits = model.logits(output, frame, matched, kind)[0]
        logits[[BEGIN, MARKS - 1]] = -torch.inf
        index = int(torch.multinomial(torch.softmax(logits / temperature, 0), 1))
        if index == END or len(text) >= len(prompt) + length:
            return text
        text += model.characters[index - MARKS]
        frames = [index]


if __name__ == "__main__":
    print(write(load(), " ".join(sys.argv[1:])))
