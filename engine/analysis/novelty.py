"""Detect passages of a text that are copied from training songs, and measure how much is copied."""

import dataclasses
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.data.codecs import MARKS, UNKNOWN, CharacterCodec
from engine.data.ngram_index import MIN_COPY, SPACING, WINDOW, NgramIndex, open_index, roll_hash
from engine.errors import InputError
from engine.frame_spec import BEGIN
from engine.inference import models
from engine.inference.models import Model
from engine.sampling import lyrics
from engine.sampling.decoding import SamplingParams
from engine.sampling.lyrics import LyricsRequest

# A model's novelty is measured on this number of songs, of that many characters and temperature.
SAMPLE_COUNT, SAMPLE_LENGTH, SAMPLE_TEMPERATURE = 4, 1_000, 0.7

_OFFSETS = np.arange(-SPACING, WINDOW)  # the frames before a window, then its own


@dataclass(frozen=True)
class Novelty:
    """How much of a text is copied."""

    characters: int
    least: int  # characters of the shortest passage that counts as copied
    copied: float  # share of the characters in copied passages
    longest: int  # characters of the longest copied passage; 0 without any
    source: str | None  # the song of that passage, as "artist – title"; None without any

    @property
    def words(self) -> str:
        """A description in words, to be printed."""
        if not self.longest:
            return f"no passage of {self.least} or more characters is copied from training songs"
        return (
            f"{self.copied:.1%} of the text is in passages of {self.least} or more characters "
            f"copied from training songs, the longest {self.longest} ({self.source})"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def combine_novelty(parts: Sequence[Novelty]) -> Novelty:
    """Return the novelty of several texts together; `least` must be the same for all."""
    characters = sum(part.characters for part in parts)
    copied = sum(part.copied * part.characters for part in parts)
    longest = max(parts, key=lambda part: part.longest)
    return dataclasses.replace(longest, characters=characters, copied=copied / max(1, characters))


class CopyDetector:
    """Detects the copied passages of one text while it is written.

    A passage is copied if it occurs, character by character, in a training song. Only passages of
    `least` or more characters count.
    """

    def __init__(self, index: NgramIndex, least: int = MIN_COPY) -> None:
        """Start with an empty text; raises InputError if `least` is below `MIN_COPY`."""
        if least < MIN_COPY:
            raise InputError(
                f"The shortest copied passage must be {MIN_COPY} characters or more, not {least}."
            )
        codec = index.corpus.codec
        assert isinstance(codec, CharacterCodec)
        self._symbols = {text: MARKS + i for i, text in enumerate(codec.characters)}
        self._index, self._least = index, least
        self._last = [BEGIN] * len(_OFFSETS)  # the last frames (codec indices)
        self._hash = 0  # of the last WINDOW frames
        # Matches of the text's end: offsets of their last frames in the songs, and their lengths.
        self._ends = np.zeros(0, np.int64)
        self._lengths = np.zeros(0, np.int64)
        # Characters of the text; of copied passages; of the text up to the last copied passage.
        self._characters = self._copied = self._covered = 0
        self._longest = self._longest_end = 0  # the longest passage: length, offset of its end
        self.length = 0  # of the copied passage at the end of the text; 0: no such passage

    def push(self, text: str) -> int:
        """Append to the text; return `length`, that of the copied passage at its end (0: none)."""
        for character in text:
            self._push(self._symbols.get(character, UNKNOWN))
        return self.length

    @property
    def source(self) -> str | None:
        """The song of the copied passage at the end of the text, as "artist – title", or None."""
        if not self.length:
            return None
        return self._song_at(int(self._ends[self._lengths.argmax()]))

    def _song_at(self, offset: int) -> str:
        artist, title = self._index.song_at(offset)
        return f"{artist} – {title}"

    @property
    def novelty(self) -> Novelty:
        """The novelty of the text so far."""
        share = self._copied / max(1, self._characters)
        source = self._song_at(self._longest_end) if self._longest else None
        return Novelty(self._characters, self._least, share, self._longest, source)

    def _push(self, frame: int) -> None:
        self._characters += 1
        if len(self._ends):
            ends = self._ends + 1
            continued = self._index.text[ends] == frame
            self._ends, self._lengths = ends[continued], self._lengths[continued] + 1
        self._hash = roll_hash(self._hash, frame, self._last[-WINDOW])
        self._last = [*self._last[1:], frame]
        if self._characters >= WINDOW:
            self._add_matches()
        best = int(self._lengths.argmax()) if len(self._lengths) else -1
        longest = int(self._lengths[best]) if best >= 0 else 0
        self.length = longest if longest >= self._least else 0
        if self.length:
            self._copied += self._characters - max(self._covered, self._characters - self.length)
            self._covered = self._characters
            if self.length > self._longest:
                self._longest, self._longest_end = self.length, int(self._ends[best])

    def _add_matches(self) -> None:
        """Look up the last WINDOW frames in the index, and add the matches that are new."""
        starts = self._index.candidates(self._hash)
        if not len(starts):
            return
        same = self._index.text[starts[:, None] + _OFFSETS] == self._last  # (n, 21)
        before = np.cumprod(same[:, SPACING - 1 :: -1], 1).sum(1)  # matching frames before it
        # A match with SPACING or more frames before it includes the previous window of the index,
        # and was added at that window.
        new = same[:, SPACING:].all(1) & (before < SPACING)
        self._ends = np.concatenate([self._ends, starts[new] + WINDOW - 1])
        self._lengths = np.concatenate([self._lengths, before[new] + WINDOW])


def copy_detectors(model: Model, least: int, count: int) -> list[CopyDetector]:
    """Return `count` detectors of passages that are copied from a model's training songs.

    Raises InputError if the training songs no longer exist, and for a model of music.
    """
    index = open_index(models.training_corpus(model))
    return [CopyDetector(index, least) for _ in range(count)]


def model_novelty(model: Model) -> Novelty:
    """Write `SAMPLE_COUNT` songs without a prompt and return how much of them is copied.

    Each song is in the style of a different artist, evenly spread over the list of artists: songs
    are usually requested with an artist, and then copy most. Seeds are fixed, so that a model
    always has the same result. Raises InputError as `copy_detectors` does.
    """
    detectors = copy_detectors(model, MIN_COPY, SAMPLE_COUNT)
    for seed, detector in enumerate(detectors):
        artists = model.conditions
        artist = artists[seed * len(artists) // SAMPLE_COUNT] if artists else None
        params = SamplingParams(temperature=SAMPLE_TEMPERATURE, raw="on")
        song = LyricsRequest(artist=artist, params=params, seed=seed, length=SAMPLE_LENGTH)
        for character in lyrics.stream(model, song):
            detector.push(character.text)
    return combine_novelty([detector.novelty for detector in detectors])
