"""Sample piano music frame by frame, until the piece ends or has a requested length.

K: the keys of a frame, 88 · planes: one plane of the keys that sound, or two (then those that are
struck).
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.codecs import KeysCodec
from engine.errors import InputError
from engine.frame_spec import KEYS
from engine.inference.models import Model
from engine.inference.network import Network
from engine.music import score_file
from engine.music.key_finding import find_key
from engine.music.piano_roll import Roll, shift_frames
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.options import MUSIC_OPTIONS
from engine.protocol import EndReason, Frame
from engine.sampling.bar_writer import BarSettings, BarWriter, spread
from engine.sampling.decoding import match_weight
from engine.sampling.guard import Guard

MAX_PROMPT = 100_000  # frames
MAX_LENGTH = 1_000_000  # seconds or bars
MIN_KEY_NOTES = 5  # a prompt with fewer notes, such as a chord, has no key
MAX_FRAMES = 2_000  # of a piece without a requested length, if the lengths of others are unknown


def _default(name: str) -> Any:
    return MUSIC_OPTIONS[name].default


@dataclass(frozen=True, kw_only=True)
class MusicParams:
    """How music is sampled; `engine.options` has the range and default of each option."""

    temperature: float = _default("temperature")
    memory: float = _default("memory")
    least: int = _default("least")  # a frame with fewer notes is drawn again
    guard: str = _default("guard")  # "on" or "off"
    seed: int | None = _default("seed")  # None: a random one

    def check(self) -> None:
        """Raise InputError for an option out of range."""
        for name, option in MUSIC_OPTIONS.items():
            if hasattr(self, name):
                option.check(getattr(self, name))

    @property
    def match_weight(self) -> float:
        """The weight of the match memory."""
        return match_weight(self.memory, self.temperature)

    def new_seed(self) -> int:
        """Return the seed, or a random one if none is set."""
        return secrets.randbits(32) if self.seed is None else self.seed


@dataclass(frozen=True)
class MusicRequest(MusicParams):
    """Music to write."""

    prime: Roll | None = None  # the prompt: how the music begins; None: no prompt
    length: int | None = _default("length")  # frames; None: until the piece ends
    form: str = _default("form")  # letters of parts; "auto": one of the model's; "none"
    candidates: int = _default("candidates")  # versions of each bar


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
    """Return a prompt; without a file it has the codec's metre and tempo.

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
        return Prompt(None, codec.metre, codec)
    if frames is None:
        frames = [Frame(tuple(notes or ()), ())]
        _check_pitches(notes or ())
    planes = np.zeros((len(frames), 2, KEYS), np.uint8)
    for row, frame in zip(planes, frames, strict=True):
        for plane, pitches in zip(row, (frame.keys, frame.onsets or ()), strict=True):
            if pitches:
                _check_pitches(pitches)
            plane[[pitch - LOWEST_PITCH for pitch in pitches]] = 1
    return Prompt(codec.decode(planes.reshape(len(frames), -1)), codec.metre, codec)


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
    nats: float = 0.0  # negative log likelihood of what is written, and of the end if it is drawn
    reason: EndReason | None = None  # why it ended; None: it has not ended

    @property
    def limit(self) -> int:
        """The number of frames at which the piece is cut, if it has not ended."""
        if self.request.length is not None:
            return self.request.length
        longest = self.model.meta.lengths[-1] if self.model.meta.lengths else MAX_FRAMES
        return max(longest - len(self.prime), 1)

    @property
    def likelihood(self) -> float:
        """Minus the mean nats per frame, the end included: higher is more probable."""
        return -self.nats / max(1, self.frames + (self.reason == "end"))

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Yield each frame (K,); those of a bar with several versions when it is chosen."""
        network = self.model.stepper
        assert isinstance(network, Network)
        request, meta = self.request, self.model.meta
        generator = np.random.Generator(np.random.PCG64(self.seed))
        guard = Guard(meta.bounds if request.guard == "on" else None, request.least)
        bar = max(1, round(self.codec.frames_per_bar(self.codec.metre)))
        form = self._choose_form(generator, bar)
        settings = BarSettings(
            bar=bar,
            beat=max(1, round(self.codec.frames_per_bar((1, 4)))),
            form=form,
            candidates=request.candidates,
            temperature=request.temperature,
            match_weight=request.match_weight,
            lengths=meta.lengths,
        )
        writer = BarWriter(network, guard, settings, generator, self.stopped)
        shift = self._find_shift()
        writer.read(shift_frames(self.prime, shift))
        can_end = request.length is None
        limit = max(self.limit, len(form) * bar) if can_end else self.limit
        for frame in writer.write(limit, can_end):
            self.frames += 1
            self.nats = writer.nats
            yield shift_frames(frame, -shift)
        self.nats, self.reason = writer.nats, writer.reason

    def _find_shift(self) -> int:
        """Return the semitones that move the prompt to the key in which the model was trained."""
        notes = self.codec.decode(self.prime).score().notes if len(self.prime) else ()
        return self.model.meta.keys.shift(find_key(notes)) if len(notes) >= MIN_KEY_NOTES else 0

    def _choose_form(self, generator: np.random.Generator, bar: int) -> str:
        """Return the form in bars of `bar` frames; "": the model decides all."""
        form, forms = self.request.form, self.model.meta.forms
        if form not in {"auto", "none"}:
            return spread(form)
        if form == "none" or not forms or len(self.prime):
            return ""
        if self.request.length is not None:
            enough = tuple(each for each in forms if len(each) * bar >= self.request.length)
            forms = enough or forms
        return forms[int(generator.integers(len(forms)))]


def stream(
    model: Model, request: MusicRequest, stopped: Callable[[], bool] = lambda: False
) -> MusicStream:
    """Check a request and return a stream that writes it; the same seed writes the same music.

    stopped: called before each frame; when it returns true, the stream ends. Raises InputError for
    a model of lyrics and for an invalid request.
    """
    codec = keys_codec(model)
    request.check()
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
        seed=request.new_seed(),
        stopped=stopped,
    )


def streams(
    model: Model, request: MusicRequest, count: int, stopped: Callable[[], bool] = lambda: False
) -> list[MusicStream]:
    """Return streams of `count` pieces with consecutive seeds; see `stream`."""
    first = stream(model, request, stopped)
    seeds = range(first.seed + 1, first.seed + count)
    return [first, *(stream(model, replace(request, seed=seed), stopped) for seed in seeds)]


def with_frames(
    pieces: Sequence[MusicStream], best: bool
) -> list[tuple[MusicStream, Iterable[NDArray[np.uint8]]]]:
    """Pair each piece with its frames, which are written when they are iterated over.

    best: write all at once, and return only the best; see `write_best`.
    """
    return [write_best(pieces)] if best else [(piece, piece) for piece in pieces]


def write_best(pieces: Sequence[MusicStream]) -> tuple[MusicStream, list[NDArray[np.uint8]]]:
    """Write all pieces; return the one of highest likelihood, the first of equals, and its frames.

    A piece that is stopped is not compared, unless all are.
    """
    written = [list(piece) for piece in pieces]

    def rank(number: int) -> tuple[bool, float]:
        return pieces[number].reason != "stopped", pieces[number].likelihood

    best = max(range(len(pieces)), key=rank)
    return pieces[best], written[best]
