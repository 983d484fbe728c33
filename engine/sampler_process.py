"""The sampler's process: `python -m engine.sampler_process`, requests on stdin, answers on stdout.

One JSON object a line, both ways; a model stays warm until its file changes or another is asked
for. A thread reads stdin, so that a stop, or stdin's end, is heard between two characters.
"""

import os

# Before NumPy comes in: a product of one row gains nothing by threads.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import contextlib
import dataclasses
import functools
import json
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from engine import sampler_requests
from engine.analysis import annotation, ladder, neurons, novelty, song_embeddings, song_map
from engine.analysis.neurons import UnitReading
from engine.analysis.song_embeddings import EmbeddedSongs
from engine.data.codecs import KeysCodec
from engine.errors import InputError
from engine.inference import models
from engine.inference.models import Model
from engine.sampler_requests import Answer
from engine.sampling import lyrics
from engine.sampling import music as rolls
from engine.sampling.lyrics import LyricsStream
from engine.sampling.music import MusicStream

_KINDS = {  # of the models that each request takes
    "sample": "lyrics",
    "sample_music": "music",
    "ladder": "lyrics",
    "map": "lyrics",
    "similar": "lyrics",
}


class Inbox:
    """Requests as they come in, read by a thread of their own."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self._queue: queue.SimpleQueue[tuple[int, Answer | InputError] | None] = queue.SimpleQueue()
        self._changes: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._stopped = 0  # requests up to this number are to be stopped
        self._closed = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for number, line in enumerate(self._lines, 1):
            if not line.strip():
                continue
            try:
                values = sampler_requests.parse(line)
            except InputError as error:
                self._queue.put((number, error))
                continue
            if values.get("do") == "stop":
                self._stopped = number
            if values.get("do") == "change":
                self._changes.put(values)
            self._queue.put((number, values))
        self._closed = True
        self._queue.put(None)

    def __iter__(self) -> "Inbox":
        """Give the requests with their numbers until stdin ends."""
        return self

    def __next__(self) -> tuple[int, Answer | InputError]:
        item = self._queue.get()
        if item is None or self._closed:
            raise StopIteration
        return item

    def changes(self) -> Iterator[Answer]:
        """The changes that have come and that nobody has taken yet."""
        while not self._changes.empty():
            yield self._changes.get()

    def stopped(self, number: int) -> bool:
        """Whether a stop, or the end, has come after the request of that number."""
        return self._closed or number < self._stopped


class Worker:
    """Answers requests, with the last model warm; `changes` gives those of a song under way."""

    def __init__(
        self, say: Callable[[Answer], None], changes: Callable[[], Iterable[Answer]]
    ) -> None:
        self._say = say
        self._changes = changes
        self._model: Model | None = None
        self._stamp: object = None
        self._reading: UnitReading | None = None  # the song last read

    def _load(self, values: Answer) -> Model:
        name, precision = values.get("model"), sampler_requests.precision(values)
        kind = _KINDS.get(values["do"])
        found, folder = models.locate(name, kind)
        stamp = found, models.file_version(folder), precision
        if self._model is None or self._stamp != stamp:
            self._model = self._reading = None  # two at once could be too many
            self._model = models.load(name, precision, kind)
            self._stamp = stamp
        return self._model

    def answer(self, values: Answer, stopped: Callable[[], bool]) -> None:
        """Do what a request asks; raises InputError where it cannot be done."""
        sampler_requests.check(values)
        if values["do"] == "load":
            self.load(values)
        if values["do"] == "sample":
            self.sample(values, stopped)
        if values["do"] == "change":
            self._turn(None)
        if values["do"] == "sample_music":
            self.sample_music(values, stopped)
        if values["do"] == "ladder":
            request = sampler_requests.ladder(values)
            self._tell(values, ladder.compare(self._load(values), request, stopped))
        if values["do"] == "map":
            artist = sampler_requests.map_of(values)
            self._tell(values, [song_map.map_points(self._songs(values, stopped), artist)])
        if values["do"] == "similar":
            song, count = sampler_requests.similar(values)
            self._tell(values, [song_map.neighbors(self._songs(values, stopped), song, count)])
        if values["do"] == "neurons":
            self.neurons(values, stopped)
        if values["do"] == "unit":
            self.unit(values)

    def _songs(self, values: Answer, stopped: Callable[[], bool]) -> EmbeddedSongs:
        """The songs of a model with their vectors; says how far they are read."""
        return song_embeddings.embed_songs(
            self._load(values),
            lambda read, songs: self._tell(values, [{"read": read, "songs": songs}]),
            stopped,
        )

    def _tell(self, values: Answer, answers: Iterable[Answer]) -> None:
        """Say answers to a request as they come."""
        for answer in answers:
            self._say({"id": values.get("id"), **answer})

    def load(self, values: Answer) -> None:
        """Make a model ready and say what it is."""
        model = self._load(values)
        length = _length(model.codec) if isinstance(model.codec, KeysCodec) else {}
        self._say(
            {
                "id": values.get("id"),
                "loaded": True,
                "model": model.name,
                "kind": model.meta["kind"],
                "words": model.config.words,
                "conditions": list(model.conditions),
                **length,
            }
        )

    def sample(self, values: Answer, stopped: Callable[[], bool]) -> None:
        """Write songs, character by character."""
        request, told = sampler_requests.song(values)
        model = self._load(values)
        song = lyrics.stream(model, request)

        def turned() -> bool:
            self._turn(song)
            return stopped()

        song.stopped = turned
        copies = (
            None
            if told.novelty is None
            else novelty.copy_watches(model, told.novelty, request.count)
        )
        self._say(self._started(values, song.songs[0].seed, prime=song.prime))
        self._tell(values, annotation.annotate(song, told.best, told.bits, copies))

    def _turn(self, song: LyricsStream | None) -> None:
        """Change the rules of the song under way as it was asked; refuse to where there is none."""
        for values in self._changes():
            try:
                sampler_requests.check(values)
                rules = sampler_requests.change(values)
                lyrics.change_params(song, rules)
                self._say({"id": values.get("id"), "changed": True})
            except InputError as error:
                self._say({"id": values.get("id"), "error": str(error)})

    def sample_music(self, values: Answer, stopped: Callable[[], bool]) -> None:
        """Write music, frame by frame."""
        request, file, notes = sampler_requests.music(values)
        model = self._load(values)
        codec = rolls.keys_codec(model)
        prime, metre = rolls.read_prompt(codec, file, notes)
        music = rolls.stream(model, dataclasses.replace(request, prime=prime), stopped)
        given = [rolls.frame_to_json(frame, codec.planes) for frame in music.prime]
        self._say(self._started(values, music.seed, prime=given, metre=metre, **_length(codec)))
        start = time.perf_counter()
        for frame in music:
            self._say({"id": values.get("id"), **rolls.frame_to_json(frame, codec.planes)})
        self._say(self._done(values, music, start, frames=music.frames))

    def neurons(self, values: Answer, stopped: Callable[[], bool]) -> None:
        """Read a song, and tell which units keep track of what."""
        asked = sampler_requests.neurons(values)
        model = self._load(values)
        self._reading = None
        self._reading = neurons.read_song(model, asked, stopped)
        told = self._reading.to_json() if self._reading else None
        self._say({"id": values.get("id"), "neurons": told})

    def unit(self, values: Answer) -> None:
        """Tell a unit of the song last read."""
        chosen = sampler_requests.unit(values)
        if self._reading is None:
            raise InputError("No song has been read yet: ask for neurons first.")
        self._say({"id": values.get("id"), "unit": self._reading.unit_to_json(*chosen)})

    @staticmethod
    def _started(values: Answer, seed: int, **more: Any) -> Answer:
        return {"id": values.get("id"), "started": True, "seed": seed, **more}

    @staticmethod
    def _done(values: Answer, song: MusicStream, start: float, **count: int) -> Answer:
        return {
            "id": values.get("id"),
            "done": True,
            "reason": song.reason,
            **count,
            "seconds": round(time.perf_counter() - start, 6),
            "seed": song.seed,
        }


def _length(codec: KeysCodec) -> Answer:
    """How long a frame of music is."""
    return {"seconds": codec.seconds, "beats": codec.beats, "tempo": codec.tempo}


def _print(answer: Answer) -> None:
    """Write a line at once; it is all ASCII, since a lone surrogate could not be written else."""
    os.write(1, json.dumps(answer).encode() + b"\n")


def main() -> None:
    """Answer until stdin ends, or nobody listens any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is meant for the parent, who decides
    # Not sys.stdin: the thread would hold it locked when the interpreter wants to close it.
    inbox = Inbox(os.fdopen(0, "rb", closefd=False))
    worker = Worker(_print, inbox.changes)
    with contextlib.suppress(BrokenPipeError):
        for number, values in inbox:
            try:
                if isinstance(values, InputError):
                    raise values
                worker.answer(values, functools.partial(inbox.stopped, number))
            except InputError as error:
                known = values.get("id") if isinstance(values, dict) else None
                _print({"id": known, "error": str(error)})


if __name__ == "__main__":
    main()
