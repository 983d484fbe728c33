"""The sampler's process: `python -m engine.sampler_process`; its messages: `engine.protocol`.

It reads requests from stdin and writes answers to stdout. A model stays loaded until its file
changes or another model is requested. A separate thread reads stdin, so that a stop, or the end of
stdin, takes effect between two characters.
"""

import os

# Set before NumPy is imported: threads do not speed up a matrix product with one row.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import contextlib
import dataclasses
import functools
import queue
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from engine import processes, protocol
from engine.analysis import annotation, ladder, neurons, novelty, song_embeddings, song_map
from engine.analysis.neurons import UnitReading
from engine.analysis.song_embeddings import EmbeddedSongs
from engine.analysis.song_input import SongRequest
from engine.data.codecs import KeysCodec
from engine.errors import InputError
from engine.inference import models
from engine.inference.models import Model
from engine.options import FRAME_OPTIONS
from engine.protocol import (
    AccompanyFrame,
    ChangeSampling,
    Failed,
    FindSimilar,
    FrameLength,
    Id,
    Loaded,
    LoadModel,
    LyricsStarted,
    MapSongs,
    MessageError,
    MusicDone,
    MusicFrame,
    MusicStarted,
    NoteRow,
    ReadProgress,
    ReadUnit,
    ReadUnits,
    SampleLadder,
    SampleLyrics,
    SampleMusic,
    SamplerAnswer,
    SamplerRequest,
    SamplingChanged,
    Stop,
    UnitRead,
    UnitsRead,
)
from engine.sampling import harmonize, lyrics, music
from engine.sampling.accompany import Accompanist
from engine.sampling.conditioning import parse_mix
from engine.sampling.decoding import SamplingParams
from engine.sampling.harmonize import HarmonyRequest, HarmonyStream
from engine.sampling.lyrics import LyricsRequest, LyricsStream
from engine.sampling.music import MusicRequest, MusicStream

Reply = Callable[[SamplerAnswer], None]
Stopped = Callable[[], bool]


class Inbox:
    """The requests on stdin, read in a separate thread; iterates over (number, request).

    Requests are numbered from 1 in the order in which they were read.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[int, SamplerRequest | MessageError] | None] = (
            queue.SimpleQueue()
        )
        self._changes: queue.SimpleQueue[ChangeSampling | MessageError] = queue.SimpleQueue()
        self._read = 0  # number of requests read
        self._stopped = 0  # number of the last stop, which ends all requests before it
        self._closed = False
        processes.read_lines(self._receive, self._end)

    def _receive(self, line: bytes) -> None:
        self._read += 1
        request: SamplerRequest | MessageError
        try:
            request = protocol.decode(line, protocol.SAMPLER_REQUESTS)
        except MessageError as error:
            request = error
            if error.kind is ChangeSampling:  # it is answered in order with other changes
                self._changes.put(error)
                request = ChangeSampling(options={})
        else:
            if isinstance(request, Stop):
                self._stopped = self._read
            if isinstance(request, ChangeSampling):
                self._changes.put(request)
        self._queue.put((self._read, request))

    def _end(self) -> None:
        self._closed = True
        self._queue.put(None)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[int, SamplerRequest | MessageError]:
        item = self._queue.get()
        if item is None or self._closed:
            raise StopIteration
        return item

    def changes(self) -> Iterator[ChangeSampling | MessageError]:
        """Yield the requests to change sampling options that were read since the last call."""
        while not self._changes.empty():
            yield self._changes.get()

    def stopped(self, number: int) -> bool:
        """Return whether a stop, or the end of stdin, came after the request with this number."""
        return self._closed or number < self._stopped


class Worker:
    """Answers the requests of an inbox, one after another; keeps the last model loaded."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._model: Model | None = None
        self._version: object = None  # of the model's file
        self._accompanist: Accompanist | None = None  # None: no frame was accompanied yet
        self._reading: UnitReading | None = None  # of the song last read; None: none was read
        self._handlers: dict[type, Callable[[Any, Reply, Stopped], None]] = {
            LoadModel: self._load_model,
            SampleLyrics: self._sample_lyrics,
            ChangeSampling: lambda *_: self._change_sampling(None),
            SampleMusic: self._sample_music,
            AccompanyFrame: self._accompany,
            SampleLadder: self._sample_ladder,
            MapSongs: self._map_songs,
            FindSimilar: self._find_similar,
            ReadUnits: self._read_units,
            ReadUnit: self._read_unit,
            Stop: lambda *_: None,
        }

    def run(self) -> None:
        """Answer until stdin ends."""
        for number, request in self._inbox:
            stopped = functools.partial(self._inbox.stopped, number)
            reply = functools.partial(_send, request.id)
            try:
                if isinstance(request, MessageError):
                    raise request
                self._handlers[type(request)](request, reply, stopped)
            except InputError as error:
                reply(Failed(str(error)))

    def _load(self, name: str | None, kind: str | None = None, precision: str = "fast") -> Model:
        """Return a model, loaded again only if another or its file's version differs.

        kind: "lyrics" or "music"; raises InputError for a model of the other kind. None: either.
        """
        found, folder = models.locate(name, kind)
        version = found, models.file_version(folder), precision
        if self._model is None or self._version != version:
            self._model = self._reading = self._accompanist = (
                None  # two models at once could exceed the memory
            )
            self._model = models.load(name, precision, kind)
            self._version = version
        return self._model

    def _load_model(self, request: LoadModel, reply: Reply, stopped: Stopped) -> None:  # noqa: ARG002
        model = self._load(request.model, precision=request.precision)
        frame, metre = None, None
        if isinstance(model.codec, KeysCodec):
            frame, metre = _frame_length(model.codec), model.codec.metre
        kind, words = model.kind, model.config.words
        reply(Loaded(model.name, kind, words, tuple(model.conditions), frame, metre))

    def _sample_lyrics(self, request: SampleLyrics, reply: Reply, stopped: Stopped) -> None:
        keep_best = request.best is not None and request.best > 1
        if keep_best and request.count > 1:
            raise InputError("Both count and best were given: give one of them.")
        wanted = LyricsRequest(
            prime=request.prime,
            artist=request.artist,
            mix=None if request.mix is None else parse_mix(request.mix),
            params=SamplingParams(**request.options),  # type: ignore[arg-type]
            seed=request.seed,
            length=request.length,
            count=request.best or 1 if keep_best else request.count,
            alternatives=request.alternatives,
        )
        model = self._load(request.model, "lyrics", request.precision)
        songs = lyrics.stream(model, wanted)

        def poll() -> bool:
            self._change_sampling(songs)
            return stopped()

        songs.stopped = poll
        copies = None
        if request.novelty is not None:
            copies = novelty.copy_detectors(model, request.novelty, wanted.count)
        reply(LyricsStarted(songs.songs[0].seed, songs.prime))
        for each in annotation.annotate(songs, keep_best, request.bits, copies):
            reply(each)

    def _change_sampling(self, songs: LyricsStream | None) -> None:
        """Apply and answer the changes requested for the songs being written; None: no songs."""
        for change in self._inbox.changes():
            try:
                if isinstance(change, MessageError):
                    raise change
                lyrics.change_params(songs, change.options)
                _send(change.id, SamplingChanged())
            except InputError as error:
                _send(change.id, Failed(str(error)))

    def _sample_music(self, request: SampleMusic, reply: Reply, stopped: Stopped) -> None:
        if request.best is not None and request.count > 1:
            raise InputError("Both count and best were given: give one of them.")
        model = self._load(request.model, "music")
        if request.melody is not None:
            self._harmonize(model, request, reply, stopped)
            return
        file = None if request.prime is None else Path(request.prime)
        prompt = music.read_prompt(music.keys_codec(model), file, request.notes, request.frames)
        codec = prompt.codec
        wanted = MusicRequest(
            prime=prompt.roll,
            seed=request.seed,
            length=_frames(request, prompt),
            **request.options,  # type: ignore[arg-type]
        )
        pieces = music.streams(model, wanted, request.best or request.count, stopped)
        start = time.perf_counter()
        written = music.with_frames(pieces, request.best is not None)
        first, _ = written[0]
        prime = tuple(music.frame_pitches(frame, codec.planes) for frame in first.prime)
        reply(MusicStarted(first.seed, prime, prompt.time_signature, _frame_length(codec)))
        for number, (stream, frames) in enumerate(written):
            song = number if request.count > 1 else None
            for frame in frames:
                reply(MusicFrame(music.frame_pitches(frame, codec.planes), song))
            done = _music_done(stream, start)
            if song is not None:
                done = dataclasses.replace(done, song=song, nats=round(-stream.likelihood, 4))
            reply(done)
            start = time.perf_counter()

    def _accompany(self, request: AccompanyFrame, reply: Reply, stopped: Stopped) -> None:  # noqa: ARG002
        model = self._load(request.model, "music")
        if request.restart or self._accompanist is None:
            self._accompanist = Accompanist(model, **request.options, seed=request.seed)
        reply(MusicFrame(self._accompanist.add(request.keys, request.onsets)))

    def _harmonize(
        self, model: Model, request: SampleMusic, reply: Reply, stopped: Stopped
    ) -> None:
        assert request.melody is not None
        if request.prime is not None or request.notes is not None:
            raise InputError("A prompt and a melody exclude each other: give only one of them.")
        if request.count > 1 or request.best is not None:
            raise InputError("A melody is harmonized once: leave out count and best.")
        melody = harmonize.read_melody(music.keys_codec(model), request.melody).at_steady_tempo()
        options = {name: request.options[name] for name in FRAME_OPTIONS}
        wanted = HarmonyRequest(melody=melody, seed=request.seed, **options)  # type: ignore[arg-type]
        stream = harmonize.stream(model, wanted, stopped)
        notes = tuple(NoteRow(*dataclasses.astuple(note)) for note in melody.notes)
        frame = _frame_length(stream.codec)
        reply(MusicStarted(stream.seed, (), melody.time_signature, frame, notes))
        start = time.perf_counter()
        for added in stream:
            reply(MusicFrame(added))
        reply(_music_done(stream, start))

    def _sample_ladder(self, request: SampleLadder, reply: Reply, stopped: Stopped) -> None:
        wanted = LyricsRequest(
            prime=request.prime,
            params=SamplingParams(temperature=request.temperature, raw="on"),
            seed=request.seed,
            length=request.length,
        )
        for each in ladder.compare(self._load(request.model, "lyrics"), wanted, stopped):
            reply(each)

    def _map_songs(self, request: MapSongs, reply: Reply, stopped: Stopped) -> None:
        reply(song_map.map_points(self._embed(request, reply, stopped), request.artist))

    def _find_similar(self, request: FindSimilar, reply: Reply, stopped: Stopped) -> None:
        songs = self._embed(request, reply, stopped)
        reply(song_map.similar_songs(songs, request.song, request.count))

    def _embed(
        self, request: MapSongs | FindSimilar, reply: Reply, stopped: Stopped
    ) -> EmbeddedSongs:
        """Return the songs of a model's training corpus with their vectors."""
        return song_embeddings.embed_songs(
            self._load(request.model, "lyrics"),
            lambda read, songs: reply(ReadProgress(read, songs)),
            stopped,
        )

    def _read_units(self, request: ReadUnits, reply: Reply, stopped: Stopped) -> None:
        file = None if request.path is None else Path(request.path)
        song = SongRequest(request.text, file, request.artist, request.song)
        model = self._load(request.model, precision=request.precision)
        self._reading = None
        self._reading = neurons.read_song(model, song, stopped)
        reply(UnitsRead(self._reading.summary() if self._reading else None))

    def _read_unit(self, request: ReadUnit, reply: Reply, stopped: Stopped) -> None:  # noqa: ARG002
        if self._reading is None:
            raise InputError("No song has been read yet: ask for neurons first.")
        reply(UnitRead(self._reading.unit(request.layer, request.unit)))


def _frames(request: SampleMusic, prompt: music.Prompt) -> int | None:
    """Return the number of frames to write; None: no limit. Raises InputError for two lengths."""
    lengths = request.length, request.bars, request.seconds
    if sum(length is not None for length in lengths) > 1:
        raise InputError("Length, bars and seconds exclude each other: give only one of them.")
    if request.bars is None and request.seconds is None:
        return request.length
    return music.count_frames(
        prompt.codec, prompt.time_signature, bars=request.bars, seconds=request.seconds
    )


def _music_done(stream: MusicStream | HarmonyStream, start: float) -> MusicDone:
    """Return the answer that a stream, begun at the moment `start`, has ended."""
    assert stream.reason is not None
    seconds = round(time.perf_counter() - start, 6)
    return MusicDone(reason=stream.reason, frames=stream.frames, seconds=seconds, seed=stream.seed)


def _frame_length(codec: KeysCodec) -> FrameLength:
    return FrameLength(codec.seconds, codec.beats, codec.tempo)


def _send(id: Id, answer: SamplerAnswer) -> None:  # noqa: A002
    """Write an answer; blocks while the pipe is full, so that sampling waits for the reader."""
    processes.write_line(protocol.encode(answer, id))


def main() -> None:
    """Answer requests until stdin ends or stdout has no reader."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is meant for the parent
    with contextlib.suppress(BrokenPipeError):
        Worker(Inbox()).run()


if __name__ == "__main__":
    main()
