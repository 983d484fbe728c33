"""What of a text is new: the stretches of it that stand in the songs to train on are marked."""

import dataclasses
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.data.codecs import MARKS, UNKNOWN, CharacterCodec
from engine.data.ngram_index import MIN_COPY, SPACING, WINDOW, NgramIndex, open_index, roll_hash
from engine.errors import InputError
from engine.frames import BEGIN
from engine.inference import models
from engine.inference.models import Model
from engine.sampling import lyrics
from engine.sampling.decoding import SamplingParams
from engine.sampling.lyrics import LyricsRequest

SAMPLE_COUNT, SAMPLE_LENGTH, SAMPLE_TEMPERATURE = (
    4,
    1_000,
    0.7,
)  # of a model's figure: songs, characters of each

_AROUND = np.arange(-SPACING, WINDOW)  # frames before a window, and the window


@dataclass(frozen=True)
class Novelty:
    """How much of a text is copied."""

    characters: int
    least: int  # a stretch counts as copied from so many characters on
    copied: float  # share of the characters that lie in copied stretches
    longest: int  # characters of the longest one; 0 without any
    source: str | None  # the song it is from, as "artist – title"

    @property
    def words(self) -> str:
        """In a sentence."""
        if not self.longest:
            return f"not one stretch of {self.least} characters is copied from the training songs"
        return (
            f"{self.copied:.1%} in stretches of {self.least} or more characters copied from the "
            f"training songs, the longest {self.longest} ({self.source})"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def combine(parts: Sequence[Novelty]) -> Novelty:
    """How much of several texts is copied, watched for stretches of the same length."""
    characters = sum(part.characters for part in parts)
    copied = sum(part.copied * part.characters for part in parts)
    longest = max(parts, key=lambda part: part.longest)
    return dataclasses.replace(longest, characters=characters, copied=copied / max(1, characters))


class CopyWatch:
    """Marks, as a text is written, what of it is copied; one for each text.

    A stretch is copied that stands, character by character, in one of the songs to train on.
    """

    def __init__(self, copies: NgramIndex, least: int = MIN_COPY) -> None:
        """Watch for stretches of `least` characters or more; raises InputError below 20."""
        if least < MIN_COPY:
            raise InputError(
                f"Copies of {least} characters were asked for: give {MIN_COPY} characters or more."
            )
        codec = copies.corpus.codec
        assert isinstance(codec, CharacterCodec)
        self._indices = {text: MARKS + place for place, text in enumerate(codec.characters)}
        self._copies, self._least = copies, least
        self._last = [BEGIN] * len(_AROUND)  # the last frames
        self._hash = 0
        # Where the text's end stands in the songs, and how many frames match up to there.
        self._ends = np.zeros(0, np.int64)
        self._lengths = np.zeros(0, np.int64)
        self._characters = self._copied = self._covered = 0
        self._longest = self._place = 0  # of the longest stretch, and where it ends in the songs
        self.length = 0  # of the copied stretch that the text now ends in; 0: in none

    def push(self, text: str) -> int:
        """Take in what comes next, and give the length of the copied stretch that it ends in."""
        for character in text:
            self._push(self._indices.get(character, UNKNOWN))
        return self.length

    @property
    def source(self) -> str | None:
        """The song that the stretch at the text's end is from, as "artist – title"."""
        if not self.length:
            return None
        return self._name(int(self._ends[self._lengths.argmax()]))

    def _name(self, place: int) -> str:
        artist, title = self._copies.song_at(place)
        return f"{artist} – {title}"

    @property
    def novelty(self) -> Novelty:
        """How much of the text so far is copied."""
        share = self._copied / max(1, self._characters)
        source = self._name(self._place) if self._longest else None
        return Novelty(self._characters, self._least, share, self._longest, source)

    def _push(self, frame: int) -> None:
        self._characters += 1
        if len(self._ends):
            ends = self._ends + 1
            going = self._copies.text[ends] == frame
            self._ends, self._lengths = ends[going], self._lengths[going] + 1
        self._hash = roll_hash(self._hash, frame, self._last[-WINDOW])
        self._last = [*self._last[1:], frame]
        if self._characters >= WINDOW:
            self._find()
        best = int(self._lengths.argmax()) if len(self._lengths) else -1
        longest = int(self._lengths[best]) if best >= 0 else 0
        self.length = longest if longest >= self._least else 0
        if self.length:
            self._copied += self._characters - max(self._covered, self._characters - self.length)
            self._covered = self._characters
            if self.length > self._longest:
                self._longest, self._place = self.length, int(self._ends[best])

    def _find(self) -> None:
        """Add the matches of the window that the text now ends in."""
        windows = self._copies.candidates(self._hash)
        if not len(windows):
            return
        same = self._copies.text[windows[:, None] + _AROUND] == self._last  # (n, 21)
        before = np.cumprod(same[:, SPACING - 1 :: -1], 1).sum(1)  # frames that match before it
        # One that matches as far as the window before it is known from there.
        new = same[:, SPACING:].all(1) & (before < SPACING)
        self._ends = np.concatenate([self._ends, windows[new] + WINDOW - 1])
        self._lengths = np.concatenate([self._lengths, before[new] + WINDOW])


def copy_watches(model: Model, least: int, count: int) -> list[CopyWatch]:
    """A watch for each of `count` songs by a model, for copies from the songs that it learned from.

    Raises InputError where those are gone, and for a model of music.
    """
    index = open_index(models.training_corpus(model))
    return [CopyWatch(index, least) for _ in range(count)]


def model_novelty(model: Model) -> Novelty:
    """How much a model copies: in `SAMPLES` songs that it writes from nothing, by fixed seeds.

    Each is in the manner of another of its artists, evenly spread over the list, since that is how
    it is asked for songs, and how it comes nearest to them. The same model has the same figure.
    Raises InputError as `watches` does.
    """
    copies = copy_watches(model, MIN_COPY, SAMPLE_COUNT)
    for seed, watch in enumerate(copies):
        artists = model.conditions
        artist = artists[seed * len(artists) // SAMPLE_COUNT] if artists else None
        rules = SamplingParams(temperature=SAMPLE_TEMPERATURE)
        song = LyricsRequest(artist=artist, params=rules, seed=seed, length=SAMPLE_LENGTH)
        for character in lyrics.stream(model, song):
            watch.push(character.text)
    return combine([watch.novelty for watch in copies])
