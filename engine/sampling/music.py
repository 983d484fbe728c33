"""Sample piano music frame by frame.

K: the keys of a frame, 88 · planes: one plane of the keys that sound, or two (then those that are
struck).
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.codecs import KeysCodec
from engine.errors import InputError
from engine.frame_spec import KEYS
from engine.inference.heads import KeysHead
from engine.inference.models import Model
from engine.inference.network import Network
from engine.music import score_file
from engine.music.piano_roll import Roll
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.options import MUSIC_OPTIONS
from engine.protocol import EndReason, Frame
from engine.sampling.decoding import match_weight

MAX_PROMPT = 100_000  # frames
MAX_LENGTH = 1_000_000  # seconds or bars


def _default(name: str) -> Any:
    return MUSIC_OPTIONS[name].default


@dataclass(frozen=True)
class MusicRequest:
    """Music to write; `engine.options` has the range and default of each option."""

    prime: Roll | None = None  # the prompt: how the music begins; None: no prompt
    temperature: float = _default("temperature")
    memory: float = _default("memory")
    least: int = _default("least")  # a frame with fewer notes is drawn again
    seed: int | None = _default("seed")  # None: a random one
    length: int = _default("length")  # frames


def keys_codec(model: Model) -> KeysCodec:
    """Return the codec of a model of music; raises InputError for a model of lyrics."""
    if not isinstance(model.codec, KeysCodec):
        raise InputError(f"{model.name} writes lyrics: use 'rnn-tui sample lyrics'.")
    return model.codec


@dataclass(frozen=True)
class Prompt:
    """How music begins, and the time signature and tempo in which it continues."""

    roll: Roll | None  # None: from silence
    time_signature: tuple[int, int]
    codec: KeysCodec  # that of the model, at the prompt's tempo


def read_prompt(
    codec: KeysCodec,
    file: Path | None = None,
    notes: Sequence[int] | None = None,
    frames: Sequence[Frame] | None = None,
) -> Prompt:
    """Return a prompt; without a file it is in 4/4 and at the codec's tempo.

    file: a MIDI or MusicXML file; notes: the MIDI pitches of one frame; frames: several frames.
    Raises InputError for two of them at once, for a file that cannot be read, and for pitches
    outside a piano's range.
    """
    if sum(given is not None for given in (file, notes, frames)) > 1:
        raise InputError("A file and notes exclude each other: begin with only one of them.")
    if file is not None:
        score = score_file.read(file)
        roll = codec.quantize(score)
        return Prompt(roll, score.time_signature, codec.at_tempo(roll.tempo))
    if notes is None and not frames:
        return Prompt(None, (4, 4), codec)
    if frames is None:
        frames = [Frame(tuple(notes or ()), ())]
        _check_pitches(notes or ())
    planes = np.zeros((len(frames), 2, KEYS), np.uint8)
    for row, frame in zip(planes, frames, strict=True):
        for plane, pitches in zip(row, (frame.keys, frame.onsets or ()), strict=True):
            if pitches:
                _check_pitches(pitches)
            plane[[pitch - LOWEST_PITCH for pitch in pitches]] = 1
    return Prompt(codec.decode(planes.reshape(len(frames), -1)), (4, 4), codec)


def _check_pitches(pitches: Sequence[int]) -> None:
    """Raise InputError for pitches to begin with that are not on the piano, and for none."""
    if not pitches or not all(LOWEST_PITCH <= pitch <= HIGHEST_PITCH for pitch in pitches):
        given = ", ".join(map(str, pitches)) or "empty"
        raise InputError(
            f"The notes to begin with must be MIDI pitches from {LOWEST_PITCH} to {HIGHEST_PITCH}, "
            f"not {given}."
        )


def count_frames(
    codec: KeysCodec,
    time_signature: tuple[int, int],
    *,
    bars: float | None = None,
    seconds: float | None = None,
    prefix: str = "",
) -> int:
    """Return the number of frames in a number of bars or of seconds.

    Raises InputError out of range, with the prefix before the name, for example "--".
    """
    name, length = ("bars", bars) if bars is not None else ("seconds", seconds or 0.0)
    if not 0 < length < MAX_LENGTH:
        raise InputError(
            f"{prefix}{name} must be above 0 and below {MAX_LENGTH:,}, not {length:g}."
        )
    frames = codec.frames_per_bar(time_signature) if name == "bars" else 1 / codec.seconds
    return max(1, round(length * frames))


def frame_pitches(frame: NDArray[np.uint8], planes: int) -> Frame:
    """Return the MIDI pitches that sound in a frame (K,), and those that are struck.

    Those struck: None for a frame of one plane, which does not have them.
    """
    sounding, *onsets = (
        tuple((np.flatnonzero(plane) + LOWEST_PITCH).tolist())
        for plane in frame.reshape(planes, KEYS)
    )
    return Frame(sounding, onsets[0] if onsets else None)


@dataclass(kw_only=True)
class MusicStream:
    """An iterable, to be used once, that writes music and yields its frames; made by `stream`."""

    model: Model
    codec: KeysCodec
    prime: NDArray[np.uint8]  # (P, K) the prompt's P frames
    request: MusicRequest
    seed: int
    stopped: Callable[[], bool]  # called before each frame
    frames: int = 0  # written so far, without the prompt
    reason: EndReason | None = None  # why it ended; None: it has not ended

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Yield each frame (K,) when it is drawn."""
        network = self.model.stepper
        assert isinstance(network, Network)
        head = network.head
        assert isinstance(head, KeysHead)
        generator = np.random.Generator(np.random.PCG64(self.seed))
        state = network.initial_state(None, 1)
        silence = np.zeros((1, *self.codec.spec.shape), self.prime.dtype)
        *read, frame = np.concatenate([silence, self.prime])[:, None]  # (1, K) each
        for earlier in read:
            network.feed(state, earlier, self._match_weight)
        while self.frames < self.request.length:
            if self.stopped():
                self.reason = "stopped"
                return
            inputs = network.feed(state, frame, self._match_weight)
            frame = head.sample(inputs, self.request.temperature, generator, self.request.least)
            self.frames += 1
            yield frame[0]
        self.reason = "length"

    @property
    def _match_weight(self) -> float:
        return match_weight(self.request.memory, self.request.temperature)


def stream(
    model: Model, request: MusicRequest, stopped: Callable[[], bool] = lambda: False
) -> MusicStream:
    """Check a request and return a stream that writes it; the same seed writes the same music.

    stopped: called before each frame; when it returns true, the stream ends. Raises InputError for
    a model of lyrics and for an invalid request.
    """
    codec = keys_codec(model)
    for name, option in MUSIC_OPTIONS.items():
        option.check(getattr(request, name))
    if request.prime is None:
        prompt = np.zeros((0, *codec.spec.shape), np.uint8)
    else:
        prompt = codec.encode(request.prime)
    if len(prompt) > MAX_PROMPT:
        raise InputError(f"The prompt has {len(prompt):,} frames: the limit is {MAX_PROMPT:,}.")
    return MusicStream(
        model=model,
        codec=codec,
        prime=prompt,
        request=request,
        seed=secrets.randbits(32) if request.seed is None else request.seed,
        stopped=stopped,
    )
