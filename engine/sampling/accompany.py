"""Accompany what a person plays: a model of music adds keys beneath it, frame after frame."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from engine.frame_spec import KEYS
from engine.inference.heads import FixedKeys, HeadInput, KeysHead
from engine.inference.models import Model
from engine.inference.network import Network, State
from engine.music.key_finding import find_key
from engine.music.piano_roll import shift_frames
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.score import Note
from engine.protocol import Frame
from engine.sampling.harmonize import HeldKeys, transpositions
from engine.sampling.music import MusicParams, frame_pitches, keys_codec

VERSIONS = 8  # of each frame, of which the most probable is kept
KEY_FRAMES = 64  # the last frames in which keys were played, by which the key is found
SETTLE_FRAMES = 16  # between two changes of the key, which need all frames to be read again
HISTORY = 256  # frames that are read again then

Bits = NDArray[np.uint8]  # (K,)


class Accompanist:
    """Adds keys to one frame after another; the model sees the key's tonic moved to C."""

    def __init__(self, model: Model, **options: Any) -> None:
        """options: fields of `MusicParams`.

        Raises InputError for a model of lyrics and for options out of range.
        """
        self._params = params = MusicParams(**options)
        params.check()
        self._planes, self._keys = keys_codec(model).planes, model.meta.keys
        assert isinstance(model.stepper, Network)
        assert isinstance(model.stepper.head, KeysHead)
        self._network, self._head = model.stepper, model.stepper.head
        self._generator = np.random.Generator(np.random.PCG64(params.new_seed()))
        self._played: list[tuple[int, ...]] = []  # the keys of frames in which some were played
        self._frames: list[Bits] = []  # as played: with the keys added
        bounds = model.meta.bounds if params.guard == "on" else None
        self._held = HeldKeys(bounds.hold if bounds else None, VERSIONS)
        self._limit = HIGHEST_PITCH + 1  # added keys are below it
        self._shift = 0  # semitones by which the model sees the music transposed
        self._settled = 0  # number of frames when it was changed last
        self._state = self._start()

    def _start(self) -> State:
        """Return the state of the network after the frames so far, but for the last."""
        state = self._network.initial_state(None, 1)
        silence = np.zeros(self._planes * KEYS, np.uint8)
        for frame in [silence, *self._frames][-HISTORY:-1]:
            self._network.feed(
                state, shift_frames(frame, self._shift)[None], self._params.match_weight
            )
        return state

    def add(self, keys: tuple[int, ...], onsets: tuple[int, ...]) -> Frame:
        """Return the keys added beneath those of a person in the next frame.

        keys: the pitches that sound; onsets: those of them that are struck. Raises InputError for a
        pitch that is not on the piano.
        """
        if not all(LOWEST_PITCH <= pitch <= HIGHEST_PITCH for pitch in (*keys, *onsets)):
            raise InputError(
                f"The keys must be MIDI pitches from {LOWEST_PITCH} to {HIGHEST_PITCH}."
            )
        keys = tuple({*keys, *onsets})
        if keys:
            self._played = [*self._played, keys][-KEY_FRAMES:]
            self._limit = max(keys)
        self._find_key()
        last = self._frames[-1] if self._frames else np.zeros(self._planes * KEYS, np.uint8)
        inputs = self._network.feed(
            self._state, shift_frames(last, self._shift)[None], self._params.match_weight
        )
        inputs = HeadInput(*(np.repeat(values, VERSIONS, 0) for values in tuple(inputs)))
        played = np.zeros((2, KEYS), np.uint8)
        played[0, [pitch - LOWEST_PITCH for pitch in keys]] = 1
        played[1, [pitch - LOWEST_PITCH for pitch in onsets]] = 1
        free = np.arange(LOWEST_PITCH, HIGHEST_PITCH + 1) < self._limit
        free &= played[0] == 0
        free_bits = np.tile(free, self._planes).astype(np.uint8)
        fixed = FixedKeys(
            shift_frames(played[: self._planes].ravel(), self._shift) > 0,
            shift_frames(free_bits, self._shift) > 0,
        )
        frames, nats = self._head.draw(
            inputs, self._params.temperature, self._generator, self._params.least, fixed
        )
        free_moved = fixed.free[:KEYS]
        best = int((nats + self._held.add(frames[:, :KEYS] & free_moved)).argmin())
        self._held.keep(best)
        drawn = shift_frames(frames[best], -self._shift)
        self._frames.append((drawn & free_bits) | played[: self._planes].ravel())
        return frame_pitches(drawn & free_bits, self._planes)

    def _find_key(self) -> None:
        """Change the transposition if the key is another one, and read the frames again."""
        count = len(self._frames)
        if not self._played or (self._settled and count < self._settled + SETTLE_FRAMES):
            return
        notes = [Note(0, 1, pitch) for keys in self._played for pitch in keys]
        shift = transpositions(notes, self._keys.shift(find_key(notes)))[0]
        if shift != self._shift:
            self._shift, self._settled = shift, count
            self._state = self._start()
