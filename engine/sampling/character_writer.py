"""Write songs character by character; several songs of the same length are stepped as a batch."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from engine.data.codecs import END, UNKNOWN
from engine.frame_spec import BEGIN
from engine.inference.network import copy_songs, select_songs
from engine.sampling.decoding import (
    SamplingParams,
    apply_guidance,
    choose,
    log_sum_exp,
    match_weight,
    restrict,
)
from engine.sampling.songs import BIT, Character, most_probable

if TYPE_CHECKING:
    from engine.sampling.lyrics import LyricsStream


class CharacterWriter:
    """The songs of a stream that have not ended: N equally long texts, stepped as one batch."""

    def __init__(self, stream: "LyricsStream") -> None:
        """Read the texts of a stream's songs so far."""
        self._stream, self._stepper = stream, stream.model.stepper
        self._masked = np.zeros(len(stream.alphabet))  # added to logits: −inf for marks not drawn
        self._masked[[BEGIN, UNKNOWN] if stream.length is None else [BEGIN, UNKNOWN, END]] = -np.inf
        self.songs = [song for song in stream.songs if song.reason is None]
        self._use(stream.params)
        self._read()

    def _use(self, params: SamplingParams) -> None:
        """Sample with these parameters from now on."""
        self._params = params
        self._match_weight = match_weight(params.memory, params.temperature)
        self._guided = params.guidance != 1

    def _read(self) -> None:
        """Compute the state after all frames of the songs but the last, which `step` reads.

        With guidance the state has 2·N rows: N with the artist, then N without.
        """
        copies = 1 + self._guided
        self._state = self._stream.initial_state(guided=self._guided)
        texts = np.array([song.frames for song in self.songs]).T  # (T, N)
        self._last = texts[-1]
        common = len(texts) - self.songs[0].characters  # the begin mark and the prompt
        texts = texts[:-1]
        self._stream.read(self._state, np.tile(texts[:common, :1], copies))
        if len(self.songs) > 1:
            rows = [row for row in range(copies) for _ in self.songs]
            self._state = copy_songs(self._state, rows)
        self._stream.read(self._state, np.tile(texts[common:], copies))

    def step(self) -> Iterator[Character]:
        """Choose the next character of each song, and yield those that are not the end mark."""
        params = self._stream.params
        if params is not self._params:  # changed since the last step
            guided = self._guided
            self._use(params)
            if guided != self._guided:
                self._read()
        frames = np.tile(self._last, 2) if self._guided else self._last
        logits = self._stepper.step(self._state, frames, self._match_weight).astype(np.float64)
        if self._guided:
            logits = apply_guidance(logits, params.guidance)
        rows = [next(song.noise) for song in self.songs]
        noise = rows[0] if len(rows) == 1 else np.concatenate(rows)
        alphabet, texts = self._stream.alphabet, [song.frames for song in self.songs]
        restricted = restrict(logits, texts, params, alphabet)
        self._last = choose(restricted + self._masked, params, noise)
        sums, count, ended = log_sum_exp(logits), self._stream.alternatives, False
        for row, (song, index) in enumerate(zip(self.songs, self._last.tolist(), strict=True)):
            bits = (sums[row] - logits.item(row, index)) / BIT
            song.bits += bits
            if index == END:
                song.reason, ended = "end", True
                continue
            song.frames.append(index)
            song.characters += 1
            if song.characters == self._stream.limit:
                song.reason, ended = "length", True
            others = most_probable(logits[row] - sums[row], count, alphabet) if count else []
            yield Character(alphabet[index], bits, others, song.number)
        if ended:
            self._drop_ended()

    def _drop_ended(self) -> None:
        rows = [row for row, song in enumerate(self.songs) if song.reason is None]
        unguided = [len(self.songs) + row for row in rows] if self._guided else []
        self._state = select_songs(self._state, rows + unguided)
        self.songs, self._last = [self.songs[row] for row in rows], self._last[rows]
