"""A fake sampler for the tests of the pages: it speaks the protocol, without a model.

    python fake_worker.py PAGE [WORD…]

PAGE is lyrics, music, ladder (of the Ladder and Map pages) or neurons. What the worker does out of
the ordinary is requested by the prompt: `die` ends the process, `wrong` is refused, and so on.
"""

import itertools
import math
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from engine import processes, protocol
from engine.protocol import (
    AccompanyFrame,
    ChangeSampling,
    Character,
    EndReason,
    Failed,
    Feature,
    FindSimilar,
    Frame,
    FrameLength,
    LadderCharacter,
    LadderStep,
    Loaded,
    LoadModel,
    LyricsDone,
    LyricsStarted,
    MapPoint,
    MapSongs,
    MusicDone,
    MusicFrame,
    MusicStarted,
    Novelty,
    Progress,
    ReadProgress,
    ReadUnit,
    ReadUnits,
    SampleLadder,
    SampleLyrics,
    SampleMusic,
    SamplerAnswer,
    SamplerRequest,
    SamplingChanged,
    SimilarSong,
    SimilarSongs,
    SongMap,
    SongReading,
    Stop,
    UnitActivations,
    UnitCorrelation,
    UnitRead,
    UnitsRead,
)

DYING_WORDS = {
    "lyrics": "the bellows burst",
    "music": "a string broke",
    "ladder": "the ladder fell",
    "neurons": "the bellows burst",
}

UNKNOWN_CHARACTER = (
    "The {} has characters that first was not trained on ('w'): remove or replace them."
)

Answers = Iterator[SamplerAnswer]
Handler = Callable[[Any, threading.Event], Answers]


def reason(stopped: threading.Event, otherwise: EndReason = "length") -> EndReason:
    return "stopped" if stopped.is_set() else otherwise


# ── lyrics: every song is the same verse, begun at a character that the seed chooses ─────────────

VERSE = "the kettle hums to the window pane\nand the window hums to the snow\n"
ARTISTS = ["The Paper Lanterns", "Ada Moor", "Moor & Daughters", "Quiet Harbour"]


def song(seed: int, length: int | None) -> str:
    """The song of a seed: `length` characters, or two verses and a bit."""
    start = seed % len(VERSE)
    whole = (VERSE * (2 + (length or 0) // len(VERSE)))[start:]
    return whole[:length]


def bits(number: int) -> float:
    """A character's surprise on average in one of several songs: the third is most probable."""
    return 2.0 + abs(number - 2) / 4


def character(request: SampleLyrics, text: str, number: int, index: int) -> Character:
    """A character with what was requested; the first 25 characters are copied."""
    copied = request.novelty is not None and 19 <= index < 25
    return Character(
        text,
        number if request.count > 1 else None,
        float(index % 9) if request.bits else None,
        (("e", 0.5), ("", 0.25)) if request.bits else (),
        index + 1 if copied else 0,
        "Ada Moor – Kettle" if copied else "",
    )


def load_lyrics(request: LoadModel, stopped: threading.Event) -> Answers:
    artists = [f"Singer {number:05}" for number in range(int("".join(sys.argv[2:]) or 0))]
    conditions = (artists or ARTISTS) if request.model == "first" else []
    yield Loaded(request.model or "", "lyrics", "", tuple(conditions))


def sample_lyrics(request: SampleLyrics, stopped: threading.Event) -> Answers:
    if request.prime == "wrong":
        yield Failed(UNKNOWN_CHARACTER.format("prompt"))
        return
    seed = 7 if request.seed is None else request.seed
    yield LyricsStarted(seed, request.prime)
    if request.prime == "wait":
        stopped.wait()
    texts = [song(seed + number, request.length) for number in range(request.count)]
    if request.prime == "odd":
        texts = ["a\x07b\x1b[31mc [bold]d[/]"]
    written = 0
    for characters in itertools.zip_longest(*texts):
        if stopped.is_set():
            break
        for number, text in enumerate(characters):
            if text is not None:
                yield character(request, text, number, written)
        written += 1
    for number in range(request.count):
        yield LyricsDone(
            song=number if request.count > 1 else None,
            reason=reason(stopped, "length" if request.length else "end"),
            characters=written,
            seconds=0.25,
            seed=seed,
            bits=bits(number),
            novelty=None if request.novelty is None else Novelty(written, 20, 0.5, 25, "x"),
        )


# ── music: every piece is the same tune over a bass, begun at a frame that the seed chooses ──────

TUNE = (67, 67, 69, 71, 72, 72, 71, 69, 67, 64, 64, 62, 60, 60, 60, 62)
BASS = (48, 43, 45, 41)  # four frames each
FRAME = 0.25  # seconds
PIECE_FRAMES = 200  # until a piece ends


def frame(index: int) -> Frame:
    """A frame of the tune: repeated notes over held ones."""
    high, low = TUNE[index % len(TUNE)], BASS[index // 4 % len(BASS)]
    return Frame((low, high), (high,) if index % 4 else (low, high))


def frame_length(model: str | None) -> FrameLength:
    """Frames of seconds, or for the second model of half a beat."""
    return FrameLength(FRAME, 0.5 if model == "chorals" else None, 120.0)


def load_music(request: LoadModel, stopped: threading.Event) -> Answers:
    yield Loaded(request.model or "", "music", "", (), frame_length(request.model))


def sample_music(request: SampleMusic, stopped: threading.Event) -> Answers:
    prime = request.prime or ""
    if prime.endswith("wrong.mid"):
        yield Failed(
            f"{prime} is not a usable MIDI file (it is cut off): export it again or use another."
        )
        return
    seed = 7 if request.seed is None else request.seed
    chord = (Frame(request.notes, request.notes),) * 2 if request.notes else ()
    if request.best:  # the last one is the best
        seed += request.best - 1
    yield MusicStarted(seed, chord, (4, 4), frame_length(request.model))
    length = request.length or round(8 * (request.bars or 0)) or PIECE_FRAMES
    for number in range(request.count):
        written = 0
        song, nats = (number, bits(number)) if request.count > 1 else (None, None)
        for index in range(length):
            if index == 8 and prime.endswith("wait.mid"):  # then nothing until stopped
                stopped.wait()
            if stopped.is_set():
                break
            yield MusicFrame(frame(seed + number + index), song)
            written += 1
        why = reason(stopped, "length" if request.length or request.bars else "end")
        yield MusicDone(
            reason=why, frames=written, seconds=0.25, seed=seed + number, song=song, nats=nats
        )


def accompany(request: AccompanyFrame, stopped: threading.Event) -> Answers:
    yield MusicFrame(Frame((48, 52), None))


# ── the ladder and the map; the songs of the model `mine` are gone ───────────────────────────────

LADDER_NAMES = ["uniform", "frequencies", *(f"markov {order}" for order in range(1, 9))]
LADDER_BITS = [6.19, 4.537, 3.4, 2.74, 2.344, 2.208, 2.171, 2.174, 2.181, 2.183, 1.787]
LADDER_VERSE = " the kettle hums to the window pane\n\nand the window hums to the snow"
MAP_ARTISTS = {
    "Ada Moor": (0.07, 0.3), "Quiet Harbour": (-0.29, -0.04), "Moor & Daughters": (-0.09, -0.12),
    "The Paper Lanterns": (0.1, -0.16), "Bo": (0.104, -0.161), "Tin Whistle": (0.38, -0.02),
}  # fmt: skip
MAP_SONGS = {"Kettle": (0.1, 0.2), "Window": (-0.2, 0.1), "Snow": (0.0, -0.3), "Lamp": (0.4, -0.1)}


def sample_ladder(request: SampleLadder, stopped: threading.Event) -> Answers:
    if request.prime == "wrong":
        yield Failed(UNKNOWN_CHARACTER.format("prompt"))
        return
    if request.model == "mine":
        yield Failed("There is no file songs.csv: check the path.")
        return
    seed = 7 if request.seed is None else request.seed
    yield Progress("counting 2,803,671 characters of songs")
    names = [*LADDER_NAMES, request.model or ""]
    for number, (name, figure) in enumerate(zip(names, LADDER_BITS, strict=True)):
        yield LadderStep(number, name, figure)
    yield LyricsStarted(seed, request.prime)
    text = LADDER_VERSE * 3
    for count, letter in enumerate(text):
        if request.prime == "wait" and count == len(text) // 2:
            stopped.wait()
        if stopped.is_set():
            break
        for number in range(len(LADDER_BITS)):
            yield LadderCharacter(number, letter if number else str((count + seed) % 10))
    yield LyricsDone(reason=reason(stopped), characters=len(text), seconds=0.25, seed=seed)


def map_songs(request: MapSongs, stopped: threading.Event) -> Answers:
    if request.model == "mine":
        yield Failed("mine is markov 5 and has no hidden state to compare songs by: use a network.")
    elif "slow" in sys.argv:  # 120 of 240 songs, and nothing more until stopped
        yield ReadProgress(120, 240)
        stopped.wait()
        yield Failed("Reading was stopped after 120 of 240 songs: start it again to read all.")
    elif request.artist is None:
        points = (MapPoint(name, 3, x=x, y=y) for name, (x, y) in MAP_ARTISTS.items())
        yield SongMap(tuple(points), None, 0.8318)
    else:
        places = enumerate(MAP_SONGS.items(), 10)
        points = (MapPoint(name, song=number, x=x, y=y) for number, (name, (x, y)) in places)
        yield SongMap(tuple(points), request.artist, 0.3)


def find_similar(request: FindSimilar, stopped: threading.Event) -> Answers:
    found = [
        SimilarSong(number, artist, f"Song {number}", 0.9 - number / 10)
        for number, artist in enumerate([*MAP_ARTISTS] * 2)
        if number != request.song
    ]
    yield SimilarSongs(tuple(found[:10]), request.song)


# ── units: a unit's activations are a wave, the slower the higher its number ─────────────────────

READ_SONGS = [
    'The kettle hums to the pane,\nand the window hums "to the snow".\n\nThe kettle hums.\n' * 6,
    "Over the hill (and over)\nand over again.\n",
]
LAYERS, HIDDEN = 2, 8
FEATURES = {
    "place in line": ((2, 5, 0.8123), (1, 3, -0.61), (2, 8, 0.5)),
    "in quotes": ((1, 7, -0.47),),
    "in parentheses": (),
    "word's end": ((2, 2, 0.33), (1, 1, 0.2)),
}
_size = 0  # of the song last read


def activations(layer: int, unit: int, size: int) -> list[float]:
    return [round(math.sin((index + layer) / unit) * 0.9, 3) for index in range(size)]


def load_any(request: LoadModel, stopped: threading.Event) -> Answers:
    yield Loaded(request.model or "", "lyrics", "", ())


def read_units(request: ReadUnits, stopped: threading.Event) -> Answers:
    global _size  # noqa: PLW0603
    if request.text == "wrong":
        yield Failed(UNKNOWN_CHARACTER.format("text"))
        return
    if request.model == "mine":
        yield Failed("mine is an n-gram model and has no units: use a network (rnn, gru, lstm).")
        return
    music, given = request.model == "folk", request.text or request.path
    number = request.song % len(READ_SONGS)
    keys = [(60 + index % 5, 48, *((67,) if index % 8 < 2 else ())) for index in range(120)]
    keys[3] = ()
    features = (
        Feature(
            name, tuple(UnitCorrelation(1 if music else layer, unit, r) for layer, unit, r in best)
        )
        for name, best in FEATURES.items()
    )
    reading = SongReading(
        model=request.model or "",
        title="the text given" if given else f"Ada Moor – Song {number + 1}",
        song=0 if given else number,
        songs=1 if given else len(READ_SONGS),
        note=(
            "The song has 9,999 characters: only the first 4 were read." if given == "long" else ""
        ),
        layers=1 if music else LAYERS,
        hidden=HIDDEN,
        features=tuple(features),
        text=None if music else request.text or READ_SONGS[number],
        frames=tuple(keys) if music else None,
        bar=20 / 3 if music else None,
    )
    _size = reading.size
    yield UnitsRead(reading)


def read_unit(request: ReadUnit, stopped: threading.Event) -> Answers:
    correlations = {name: best[0][2] for name, best in FEATURES.items() if best}
    held = activations(request.layer, request.unit, _size)
    yield UnitRead(UnitActivations(request.layer, request.unit, tuple(held), correlations))


# ── the process ─────────────────────────────────────────────────────────────────────────────────

HANDLERS: dict[str, dict[type[SamplerRequest], Handler]] = {
    "lyrics": {LoadModel: load_lyrics, SampleLyrics: sample_lyrics},
    "music": {
        LoadModel: load_music,
        SampleMusic: sample_music,
        AccompanyFrame: accompany,
    },
    "ladder": {
        LoadModel: load_any,
        SampleLadder: sample_ladder,
        MapSongs: map_songs,
        FindSimilar: find_similar,
    },
    "neurons": {LoadModel: load_any, ReadUnits: read_units, ReadUnit: read_unit},
}


def answer(request: SamplerRequest, message: SamplerAnswer) -> None:
    processes.write_line(protocol.encode(message, request.id))


def worker(page: str) -> None:
    stopped = threading.Event()
    requests: queue.SimpleQueue[SamplerRequest | None] = queue.SimpleQueue()

    def receive(line: bytes) -> None:
        request = protocol.decode(line, protocol.SAMPLER_REQUESTS)
        match request:
            case Stop():
                stopped.set()
            case ChangeSampling():
                answer(request, SamplingChanged())
            case _:
                requests.put(request)

    def ended() -> None:
        stopped.set()
        requests.put(None)

    processes.read_lines(receive, ended)
    while (request := requests.get()) is not None:
        prompts = (getattr(request, name, None) or "" for name in ("prime", "text"))
        if any(prompt.rpartition("/")[2] in {"die", "die.mid"} for prompt in prompts):
            sys.exit(DYING_WORDS[page])
        for message in HANDLERS[page][type(request)](request, stopped):
            answer(request, message)
        stopped.clear()


if __name__ == "__main__":
    worker(sys.argv[1])
