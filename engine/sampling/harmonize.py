"""Harmonize a melody: a model of music adds keys beneath it.

The melody's notes do not change, and nothing follows its last one. Beneath that one, if it belongs
to the tonic's chord, are the other notes of this chord. The model reads and writes the notes on its
own grid of frames, in the key that it was trained in. In each bar it draws several versions, of
which the one is kept that it finds the most probable together with the melody.

T: the melody's frames; K: the keys of a frame, 88 · planes; N: versions.
"""

import itertools
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.codecs import KeysCodec
from engine.errors import InputError
from engine.frame_spec import KEYS
from engine.inference.heads import FixedKeys, HeadInput, KeysHead
from engine.inference.models import Model
from engine.inference.network import Network, State, copy_songs, select_songs
from engine.music import score_file
from engine.music.key_finding import MusicalKey, find_key
from engine.music.melody import melody_path, parse_melody
from engine.music.piano_roll import NoteBuilder
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.score import Note, Score
from engine.protocol import EndReason, Frame
from engine.sampling.music import MAX_PROMPT, MusicParams, frame_pitches, keys_codec

VERSIONS = 8  # of each bar
TRIAL_FRAMES = 16  # that are written in each octave, to choose one
_CHORD_NOTES = (3, 2)  # added beneath the melody's last note
_CHORD_RANGE = 36  # semitones from its lowest key to the melody's last
STUCK_NATS = 10.0  # added for each frame in which the keys are held longer than in training songs
_SOFTER = 0.8  # velocity of the added notes, as a share of the melody's median

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class HarmonyRequest(MusicParams):
    """A melody to harmonize; the guard avoids versions that hold the added keys too long."""

    melody: Score


def read_melody(codec: KeysCodec, text: str) -> Score:
    """Return the melody of a MIDI file, or of notes at the codec's tempo; see `parse_melody`.

    Raises InputError for a file that cannot be read and for a text that is not notes.
    """
    path = melody_path(text)
    return parse_melody(text, codec.tempo, codec.metre) if path is None else score_file.read(path)


def transpositions(notes: Sequence[Note], near: int) -> list[int]:
    """Return the semitones that move notes to a model's key, to each octave that it may expect.

    near: the fewest semitones to the key. They are few, and all notes stay on the piano; if they
    cannot, there is only one of them.
    """
    low = min(note.pitch for note in notes) - LOWEST_PITCH
    high = HIGHEST_PITCH - max(note.pitch for note in notes)
    return [shift for shift in (near, near + 12, near - 12) if -low <= shift <= high] or [near]


def frame_positions(codec: KeysCodec, score: Score) -> NDArray[np.float64]:
    """Return the start and end of each of n notes in frames, (n, 2)."""
    times = np.array([(note.start, note.end) for note in score.notes]).reshape(-1, 2)
    positions = score.tempo_map.beats(times) / codec.beats if codec.beats else times / codec.seconds
    return np.asarray(positions.round(6))


def melody_frames(codec: KeysCodec, melody: Score) -> tuple[Bits, Bits]:
    """Return the melody's bits in frames, (T, K), and the keys that are free for others, (T, 88).

    Free keys are below the melody's highest note at every moment of their frame, and none of its
    notes sounds on them in the frame. Where the melody rests, they are below the note before.
    """
    positions = frame_positions(codec, melody)
    count = math.ceil(positions.max())
    if count > MAX_PROMPT:
        raise InputError(f"The melody has {count:,} frames: the limit is {MAX_PROMPT:,}.")
    frames = codec.encode(codec.quantize(melody)) > 0
    bits = np.zeros((count, codec.spec.size), np.bool_)
    bits[: len(frames)] = frames[:count]
    pitches = np.array([note.pitch for note in melody.notes])
    # Between two neighboring edges, no note starts or ends.
    edges = np.unique(positions)
    spans = np.searchsorted(edges, positions)  # (n, 2)
    top = np.zeros(len(edges) - 1, np.int64)  # the highest pitch between two edges; 0: a rest
    for pitch, (start, end) in zip(pitches, spans, strict=True):
        np.maximum(top[start:end], pitch, out=top[start:end])
    limit = np.full(count, HIGHEST_PITCH + 1)
    outer = np.stack([np.floor(edges[:-1]), np.ceil(edges[1:])], 1).astype(np.int64)
    for pitch, (first, stop) in zip(top, outer, strict=True):
        if pitch:
            np.minimum(limit[first:stop], pitch, out=limit[first:stop])
    rests = limit > HIGHEST_PITCH
    last = np.maximum.accumulate(np.where(rests, -1, np.arange(count)))
    limit = np.where(last < 0, limit[~rests][0], limit[last])
    free = np.arange(LOWEST_PITCH, HIGHEST_PITCH + 1) < limit[:, None]
    for pitch, (start, end) in zip(pitches, positions, strict=True):
        if LOWEST_PITCH <= pitch <= HIGHEST_PITCH:
            free[math.floor(start) : math.ceil(end), pitch - LOWEST_PITCH] = False
    return bits, free


class HeldKeys:
    """For how long N versions of a song hold the keys that are added.

    limit: frames, the longest that a chord is held in the training songs; None: no limit.
    """

    def __init__(self, limit: int | None, count: int) -> None:
        self._limit = limit
        self._keys = np.zeros((count, KEYS), np.bool_)
        self._run = np.zeros(count, np.int64)

    def add(self, keys: NDArray[Any]) -> NDArray[np.float64]:
        """Add the next frame of each version, (N, 88); return what it costs, (N,), in nats."""
        same = (self._keys == (keys > 0)).all(1) & (keys > 0).any(1)
        self._run = np.where(same, self._run + 1, 1)
        self._keys = keys > 0
        if self._limit is None:
            return np.zeros(len(keys))
        return np.where(self._run > self._limit, STUCK_NATS, 0.0)

    def keep(self, version: int) -> None:
        """Let all versions continue one of them."""
        self._keys[:], self._run[:] = self._keys[version].copy(), self._run[version]


@dataclass(kw_only=True)
class HarmonyStream:
    """An iterable, to be used once, that yields the added keys frame by frame; made by `stream`."""

    model: Model
    codec: KeysCodec  # that of the model, at the melody's tempo
    request: HarmonyRequest
    key: MusicalKey  # of the melody
    shift: int  # semitones by which the model sees it transposed
    bits: Bits  # (T, K) the melody's, transposed
    free: Bits  # (T, 88) where the model may add keys, transposed
    close: int  # the frame from which the tonic's chord is beneath the last note; T: none is
    seed: int
    stopped: Callable[[], bool]  # called before each frame
    frames: int = 0  # yielded so far
    nats: float = 0.0  # negative log likelihood of the bars written so far, with the melody
    reason: EndReason | None = None  # why it ended; None: it has not ended
    _builder: NoteBuilder = field(default_factory=lambda: NoteBuilder(1.0))
    _notes: list[Note] = field(default_factory=list)  # added, with times in frames

    def __iter__(self) -> Iterator[Frame]:
        """Yield the added keys of each frame, as pitches of the melody's own key."""
        for bits in self._write():
            frame = frame_pitches(bits.astype(np.uint8), len(bits) // KEYS)
            keys, onsets = (
                None if some is None else tuple(pitch - self.shift for pitch in some)
                for some in (frame.keys, frame.onsets)
            )
            assert keys is not None
            self._notes += self._builder.add(keys, onsets)
            self.frames += 1
            yield Frame(keys, onsets)
        self._notes += self._builder.finish()

    @property
    def score(self) -> Score:
        """The melody with the notes added so far."""
        melody, notes = self.request.melody, [*self._notes, *self._builder.open_notes()]
        velocity = float(np.median([note.velocity for note in melody.notes]))
        softer = max(1, round(_SOFTER * velocity))
        added = (
            # A frame may last longer than the melody.
            Note(
                self._second(note.start),
                min(self._second(note.end), melody.end),
                note.pitch,
                softer,
            )
            for note in notes
        )
        both = sorted((*melody.notes, *added), key=lambda note: (note.start, note.pitch))
        return replace(melody, notes=tuple(both))

    def _second(self, frame: float) -> float:
        """Return when a frame begins."""
        if self.codec.beats is None:
            return frame * self.codec.seconds
        return self.request.melody.tempo_map.second_at(frame * self.codec.beats)

    def _write(self) -> Iterator[Bits]:
        """Yield the added bits of each frame, transposed.

        A frame's bits are (K,); those of the chord at the end always include the onsets, (176,).
        """
        last = yield from self.bars()
        if self.reason is None and self.close < len(self.bits):
            yield from self._ending(*last)
        self.reason = self.reason or "end"

    def bars(self) -> Generator[Bits, None, tuple[State, NDArray[np.uint8]]]:
        """Yield the added bits (K,) of each frame up to `close`, transposed, bar by bar.

        Returns the state of one song after all of these but the last, and the last, (1, K).
        """
        network = self.model.stepper
        assert isinstance(network, Network)
        bar = max(1, round(self.codec.frames_per_bar(self.request.melody.time_signature)))
        state = network.initial_state(None, VERSIONS)
        frame = np.zeros((VERSIONS, *self.codec.spec.shape), np.uint8)
        generator = np.random.Generator(np.random.PCG64(self.seed))
        bounds = self.model.meta.bounds if self.request.guard == "on" else None
        held = HeldKeys(bounds.hold if bounds else None, VERSIONS)
        for first in range(0, self.close, bar):
            versions = []
            nats = np.zeros(VERSIONS)
            for row in range(first, min(first + bar, self.close)):
                if self.stopped():
                    self.reason = "stopped"
                    return state, frame
                inputs = network.feed(state, frame, self.request.match_weight)
                frame, more = self._draw(inputs, row, generator)
                nats += more + held.add(frame[:, :KEYS] & self.free[row])
                versions.append(frame)
            best = int(nats.argmin())
            self.nats += nats[best]
            held.keep(best)
            state = copy_songs(state, [best] * VERSIONS)
            frame = frame[[best] * VERSIONS]
            for row, drawn in enumerate(versions, first):
                yield (drawn[best] > 0) & self._free(row)
        return select_songs(state, [0]), frame[:1]

    def _free(self, row: int) -> Bits:
        return np.tile(self.free[row], self.codec.planes)

    def _draw(
        self, inputs: HeadInput, row: int, generator: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        network, request = self.model.stepper, self.request
        assert isinstance(network, Network)
        assert isinstance(network.head, KeysHead)
        fixed = FixedKeys(self.bits[row], self._free(row))
        return network.head.draw(inputs, request.temperature, generator, request.least, fixed)

    def _ending(self, state: State, frame: NDArray[np.uint8]) -> Iterator[Bits]:
        """Yield the tonic's chord beneath the melody's last note, for as long as it sounds."""
        network = self.model.stepper
        assert isinstance(network, Network)
        inputs = network.feed(state, frame, self.request.match_weight)
        frames, free = self.bits[self.close :], self.free[self.close :]
        chords = np.array(_closing_chords(self.request.melody, self.key, self.shift, free))
        keys = np.tile(chords, self.codec.planes) | frames[0]  # (n, K) with the melody's
        inputs = HeadInput(*(np.repeat(values, len(chords), 0) for values in tuple(inputs)))
        assert isinstance(network.head, KeysHead)
        chord = chords[network.head.nats(inputs, keys.astype(np.uint8)).argmin()]
        yield np.concatenate([chord, chord])  # keys that sounded before are struck again
        for _ in frames[1:]:
            yield np.concatenate([chord, np.zeros_like(chord)])


def _last_note(melody: Score) -> Note:
    return max(melody.notes, key=lambda note: (note.end, note.pitch))


def _closing_chords(melody: Score, key: MusicalKey, shift: int, free: Bits) -> list[Bits]:
    """Return the tonic's chords (88,) that fit beneath the melody's last note, in root position.

    The list is empty if this note does not belong to the tonic's chord. free: (n, 88), the keys
    that may be added in its n frames; like the chords, they are transposed by `shift`.
    """
    last = _last_note(melody).pitch
    if last % 12 not in key.triad:
        return []
    lowest = max(LOWEST_PITCH, last - _CHORD_RANGE)
    tones = [
        pitch
        for pitch in range(lowest, min(last, HIGHEST_PITCH + 1))
        if pitch % 12 in key.triad and 0 <= pitch + shift - LOWEST_PITCH < KEYS
        and free[:, pitch + shift - LOWEST_PITCH].all()
    ]  # fmt: skip
    chords = []
    for size in _CHORD_NOTES:
        for voicing in itertools.combinations(tones, size):
            classes = {pitch % 12 for pitch in (*voicing, last)}
            if voicing[0] % 12 == key.tonic and classes >= {*key.triad[:2]}:
                chord = np.zeros(KEYS, np.bool_)
                chord[[pitch + shift - LOWEST_PITCH for pitch in voicing]] = True
                chords.append(chord)
    return chords


def stream(
    model: Model, request: HarmonyRequest, stopped: Callable[[], bool] = lambda: False
) -> HarmonyStream:
    """Check a request and return a stream that harmonizes the melody.

    stopped: called before each frame; when it returns true, the stream ends. Raises InputError for
    a model of lyrics, an invalid request and a melody without notes.
    """
    melody = request.melody
    codec = keys_codec(model).at_tempo(melody.first_note_tempo)
    request.check()
    if not melody.notes:
        raise InputError("The melody has no notes: give one with notes on the piano.")
    key = find_key(melody.notes)
    seed = request.new_seed()
    # The first frame that begins with or within the last note.
    positions = frame_positions(codec, melody)
    start = positions[melody.notes.index(_last_note(melody)), 0]
    last = min(math.ceil(start), math.ceil(positions.max()) - 1)

    def transposed(shift: int) -> HarmonyStream:
        moved = replace(melody, notes=tuple(_moved(note, shift) for note in melody.notes))
        bits, free = melody_frames(codec, moved)
        # In the melody's own key, an added note must be on the piano too.
        pitches = np.arange(LOWEST_PITCH, HIGHEST_PITCH + 1) - shift
        free &= (pitches >= LOWEST_PITCH) & (pitches <= HIGHEST_PITCH)
        chords = _closing_chords(melody, key, shift, free[last:])
        return HarmonyStream(
            model=model, codec=codec, request=request, key=key, shift=shift,
            bits=bits, free=free, close=last if chords else len(bits), seed=seed, stopped=stopped,
        )  # fmt: skip

    return min(
        map(transposed, transpositions(melody.notes, model.meta.keys.shift(key))), key=_trial
    )


def _trial(song: HarmonyStream) -> float:
    """Return the negative log likelihood of the first frames, written on trial."""
    bits, free = song.bits[:TRIAL_FRAMES], song.free[:TRIAL_FRAMES]
    trial = replace(song, bits=bits, free=free, close=len(bits))
    for _ in trial.bars():
        pass
    return trial.nats


def _moved(note: Note, semitones: int) -> Note:
    return replace(note, pitch=min(127, max(0, note.pitch + semitones)))
