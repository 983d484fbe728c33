"""How much of a text is copied: its passages that occur in the training songs are detected."""

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

# The songs from which a model's novelty is measured: how many, their characters and temperature.
SAMPLE_COUNT, SAMPLE_LENGTH, SAMPLE_TEMPERATURE = 4, 1_000, 0.7

_OFFSETS = np.arange(-SPACING, WINDOW)  # of the frames before a window, and of the window


@dataclass(frozen=True)
class Novelty:
    """How much of a text is copied."""

    characters: int
    least: int  # characters from which a passage counts as copied
    copied: float  # share of the characters in copied passages
    longest: int  # characters of the longest copied passage; 0 without any
    source: str | None  # the song that it is from, as "artist – title"

    @property
    def words(self) -> str:
        """A description in words."""
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
    """Detects, while a text is written, which passages of it are copied; one for each text.

    A passage is copied if it occurs, character by character, in a training song.
    """

    def __init__(self, index: NgramIndex, least: int = MIN_COPY) -> None:
        """Detect passages of `least` or more characters; raises InputError below 20."""
        if least < MIN_COPY:
            raise InputError(
                f"The shortest copy must be {MIN_COPY} characters or more, not {least}."
            )
        codec = index.corpus.codec
        assert isinstance(codec, CharacterCodec)
        self._symbols = {text: MARKS + i for i, text in enumerate(codec.characters)}
        self._index, self._least = index, least
        self._last = [BEGIN] * len(_OFFSETS)  # the last frames
        self._hash = 0
        # Offsets in the songs where the end of the text occurs, and how many frames match there.
        self._ends = np.zeros(0, np.int64)
        self._lengths = np.zeros(0, np.int64)
        self._characters = self._copied = self._covered = 0
        self._longest = self._longest_end = 0  # length of the longest passage, and its offset
        self.length = 0  # of the copied passage that the text now ends in; 0: none

    def push(self, text: str) -> int:
        """Append to the text; return the length of the copied passage that it now ends in."""
        for character in text:
            self._push(self._symbols.get(character, UNKNOWN))
        return self.length

    @property
    def source(self) -> str | None:
        """The song of the passage that the text now ends in, as "artist – title"."""
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
        """Add the matches of the window that the text now ends in."""
        starts = self._index.candidates(self._hash)
        if not len(starts):
            return
        same = self._index.text[starts[:, None] + _OFFSETS] == self._last  # (n, 21)
        before = np.cumprod(same[:, SPACING - 1 :: -1], 1).sum(1)  # frames that match before it
        # A match that reaches back to the window before was found there.
        new = same[:, SPACING:].all(1) & (before < SPACING)
        self._ends = np.concatenate([self._ends, starts[new] + WINDOW - 1])
        self._lengths = np.concatenate([self._lengths, before[new] + WINDOW])


def copy_detectors(model: Model, least: int, count: int) -> list[CopyDetector]:
    """Return a detector for each of `count` songs by a model, for copies of its training songs.

    Raises InputError if those no longer exist, and for a model of music.
    """
    index = open_index(models.training_corpus(model))
    return [CopyDetector(index, least) for _ in range(count)]


def model_novelty(model: Model) -> Novelty:
    """Return how much a model copies: in `SAMPLE_COUNT` songs without prompt, with fixed seeds.

    Each is in the style of another artist, spread evenly over the list, because that is how songs
    are usually requested and where they come closest to the training songs. The same model always
    has the same result. Raises InputError as `copy_detectors` does.
    """
    detectors = copy_detectors(model, MIN_COPY, SAMPLE_COUNT)
    for seed, detector in enumerate(detectors):
        artists = model.conditions
        artist = artists[seed * len(artists) // SAMPLE_COUNT] if artists else None
        params = SamplingParams(temperature=SAMPLE_TEMPERATURE)
        song = LyricsRequest(artist=artist, params=params, seed=seed, length=SAMPLE_LENGTH)
        for character in lyrics.stream(model, song):
            detector.push(character.text)
    return combine_novelty([detector.novelty for detector in detectors])
