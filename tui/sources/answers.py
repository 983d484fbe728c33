"""What the sampler's process answers, line by line, and what a page hears of it."""

import contextlib
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tui.sources import neurons, told
from tui.sources.neurons import Reading, Told
from tui.sources.told import Part

_Key = tuple[int, int | None]  # of a request, and of one of its songs


class Frame(NamedTuple):
    """A frame of music, in MIDI pitches."""

    keys: tuple[int, ...]  # those that sound
    onsets: tuple[int, ...] | None  # those struck; None where the model does not tell


@dataclass(frozen=True)
class Pace:
    """How long a frame of music is."""

    seconds: float
    beats: float | None  # where frames are parts of a beat
    tempo: float  # beats a minute


@dataclass(frozen=True)
class Loaded:
    """A model is ready."""

    words: str  # as "lstm 2 × 256"
    conditions: tuple[str, ...]  # the artists it knows
    pace: Pace | None = None  # of a model of music


@dataclass(frozen=True)
class Begun:
    """Music begins to be written."""

    prime: tuple[Frame, ...]
    metre: tuple[int, int]
    pace: Pace


@dataclass(frozen=True)
class Done:
    """A song is written."""

    reason: str  # "end", "length" or "stopped"
    count: int  # of characters, or of frames
    seconds: float
    novelty: str = ""  # of lyrics that were watched: how much is copied, in words
    bits: float | None = None  # of lyrics: the surprise of a character, on average


class Letter(NamedTuple):
    """What is told of one character."""

    text: str
    bits: float = 0.0  # its surprise
    alternatives: tuple[tuple[str, float], ...] = ()  # the likeliest, with their probabilities
    copied: int = 0  # the length of the copied stretch that ends with it
    source: str = ""  # the song that it is from


@dataclass(frozen=True)
class Heard:
    """What came in answer to one request since the last delivery, of one of its songs or of all."""

    id: int  # of the request
    letters: tuple[Letter, ...] = ()  # of lyrics
    frames: tuple[Frame, ...] = ()
    loaded: Loaded | None = None
    seed: int | None = None  # said when the song begins
    begun: Begun | None = None  # of music
    done: Done | None = None
    parts: tuple[Part, ...] = ()  # of what is no song
    reading: Reading | None = None  # of a song by a network whose units are looked at
    told: Told | None = None  # of one of its units
    error: str | None = None  # one sentence
    died: bool = False  # the process is gone, and every request with it
    song: int | None = None  # its number where songs are written together; None: all of them

    @property
    def text(self) -> str:
        """The letters as a text."""
        return "".join(letter.text for letter in self.letters)


def _pace(answer: dict[str, Any]) -> Pace | None:
    if "tempo" not in answer:
        return None
    beats = answer["beats"]
    return Pace(
        float(answer["seconds"]), None if beats is None else float(beats), float(answer["tempo"])
    )


def _frame(answer: dict[str, Any]) -> Frame:
    onsets = answer["onsets"]
    return Frame(tuple(answer["keys"]), None if onsets is None else tuple(onsets))


def _letter(answer: dict[str, Any]) -> Letter:
    alternatives = tuple(
        (str(text), float(share)) for text, share in answer.get("alternatives", ())
    )
    source = str(answer.get("from") or "")
    return Letter(
        str(answer["text"]),
        float(answer.get("bits", 0)),
        alternatives,
        int(answer.get("copied", 0)),
        source,
    )


def _novelty(answer: dict[str, Any]) -> str:
    """How much of a song is copied, in words; empty where it was not watched."""
    novelty = answer.get("novelty")
    if novelty is None:
        return ""
    if not novelty["longest"]:
        return "nothing copied"
    return (
        f"{100 * novelty['copied']:.0f} % copied, at most {novelty['longest']} characters in a row"
    )


def _fold(heard: Heard, answer: dict[str, Any]) -> Heard:
    """Add one answer, which is no character and no frame, to what was heard of its request."""
    if "error" in answer:
        return dataclasses.replace(heard, error=str(answer["error"]))
    if answer.get("neurons"):
        return dataclasses.replace(heard, reading=neurons.reading(answer["neurons"]))
    if answer.get("unit"):
        return dataclasses.replace(heard, told=neurons.told(answer["unit"]))
    if answer.get("loaded"):
        conditions = tuple(str(name) for name in answer.get("conditions") or ())
        loaded = Loaded(str(answer.get("words", "")), conditions, _pace(answer))
        return dataclasses.replace(heard, loaded=loaded)
    if answer.get("started"):
        begun = None
        if (pace := _pace(answer)) is not None:
            first, second = answer["metre"]
            prime = tuple(_frame(frame) for frame in answer["prime"])
            begun = Begun(prime, (int(first), int(second)), pace)
        return dataclasses.replace(heard, seed=answer.get("seed"), begun=begun)
    if answer.get("done"):
        count = int(answer["characters"] if "characters" in answer else answer["frames"])
        seconds = float(answer["seconds"])
        bits = None if answer.get("bits") is None else float(answer["bits"])
        done = Done(str(answer["reason"]), count, seconds, _novelty(answer), bits)
        return dataclasses.replace(heard, done=done)
    return heard


def gather(lines: Sequence[bytes]) -> list[Heard]:
    """Fold the lines of a delivery into one `Heard` a request and song, in the order they began.

    Lines that are no JSON objects with an id are passed over.
    """
    heard: dict[_Key, Heard] = {}
    letters: dict[_Key, list[Letter]] = {}
    frames: dict[_Key, list[Frame]] = {}
    parts: dict[_Key, list[Part]] = {}
    for line in lines:
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            answer = json.loads(line)
            number, part = int(answer["id"]), told.part(answer)
            song = None if part is not None else answer.get("song")
            key = number, None if song is None else int(song)
            so_far = heard.setdefault(key, Heard(number, song=key[1]))
            if part is not None:
                parts.setdefault(key, []).append(part)
            elif "text" in answer:
                letters.setdefault(key, []).append(_letter(answer))
            elif "keys" in answer:
                frames.setdefault(key, []).append(_frame(answer))
            else:
                heard[key] = _fold(so_far, answer)
    return [
        dataclasses.replace(
            item,
            letters=tuple(letters.get(key, ())),
            frames=tuple(frames.get(key, ())),
            parts=tuple(parts.get(key, ())),
        )
        for key, item in heard.items()
    ]
