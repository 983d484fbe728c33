"""The messages between the app and the sampler's and player's processes: one JSON object a line.

docs/architecture.md shows the lines; `engine.schema` converts between them and the dataclasses
below. The key "do" of a request holds its name; each kind of answer has a key that no other kind
has. The `id` of a request is any number or text, and is repeated in the answers to it. Sampling
options are those of `engine.options`. Plain Python: the app imports this before it draws its first
page.
"""

import contextlib
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar, get_args

from engine.errors import InputError
from engine.options import (
    FRAME_OPTIONS,
    LYRICS_EXTRA_OPTIONS,
    LYRICS_OPTIONS,
    LYRICS_SAMPLING_OPTIONS,
    MUSIC_EXTRA_OPTIONS,
    MUSIC_OPTIONS,
    MUSIC_SAMPLING_OPTIONS,
    AnyOption,
    OptionValue,
)
from engine.schema import Check, Inline, Key, OptionTable, Range, Words, schema_of

Id = int | float | str | None
Precision = Literal["fast", "full"]
# Why a song ended: its end mark, the length requested, a stop.
EndReason = Literal["end", "length", "stopped"]
PortKind = Literal["port", "synth", "virtual", "silent", "input", "virtual input"]

MIN_BEAT = 0.001  # seconds from one click of the metronome to the next
LADDER_CHARACTERS = 400  # characters that each model of a ladder writes, unless a length is given


# ── values within requests and answers ───────────────────────────────────────────────────────────


class NoteRow(NamedTuple):
    """A note, sent as an array of four numbers."""

    start: float  # seconds
    end: float  # seconds, after the start
    pitch: int  # MIDI pitch, 0 … 127
    velocity: int  # MIDI velocity, 1 … 127


class TimedKey(NamedTuple):
    """The strike or release of a key at a moment, sent as an array of three numbers."""

    at: float  # seconds of the system's clock, time.perf_counter
    pitch: int  # MIDI pitch, 0 … 127
    velocity: int  # MIDI velocity, 1 … 127; 0: the key is released


def _read_timed_keys(value: Any) -> tuple[TimedKey, ...]:
    if type(value) is not list:
        raise TypeError
    return tuple(_read_timed_key(number, row) for number, row in enumerate(value, 1))


def _read_timed_key(number: int, value: Any) -> TimedKey:
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        at, pitch, velocity = value
        key = TimedKey(float(at), int(pitch), int(velocity))
        if -math.inf < key.at < math.inf and 0 <= pitch <= 127 and 0 <= velocity <= 127:
            return key
    raise InputError(
        f"Event {number} is {value!r:.60}: give [seconds, pitch, velocity], MIDI's numbers."
    )


def _read_notes(value: Any) -> tuple[NoteRow, ...]:
    if type(value) is not list:
        raise TypeError
    return tuple(_read_note(number, row) for number, row in enumerate(value, 1))


def _read_note(number: int, value: Any) -> NoteRow:
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        start, end, pitch, velocity = value
        note = NoteRow(float(start), float(end), int(pitch), int(velocity))
        if 0 <= start < end < math.inf and 0 <= pitch <= 127 and 1 <= velocity <= 127:
            return note
    raise InputError(
        f"Note {number} is {value!r:.60}: give [start, end, pitch, velocity], seconds and MIDI's "
        "numbers."
    )


class BeatRow(NamedTuple):
    """A tempo from a moment on, sent as an array of two numbers."""

    start: float  # seconds, ascending from 0
    length: float  # seconds of a beat


def _read_beats(value: Any) -> tuple[BeatRow, ...]:
    if type(value) is not list:
        raise TypeError
    rows: list[BeatRow] = []
    for number, row in enumerate(value, 1):
        try:
            start, length = map(float, row)
        except (TypeError, ValueError, OverflowError):
            start = length = math.nan
        first = rows[-1].start if rows else 0.0
        in_order = first <= start < math.inf and (rows or start == 0)
        if not (in_order and MIN_BEAT <= length < math.inf):
            raise InputError(
                f"Beat {number} is {row!r:.60}: give [seconds, seconds per beat], the first from "
                f"0 and the others in order, of at least {MIN_BEAT} s."
            )
        rows.append(BeatRow(start, length))
    return tuple(rows)


Model = Annotated[str, Words("its name or path")]
Notes = Annotated[
    tuple[NoteRow, ...], Words("a list of [start, end, pitch, velocity]"), Check(_read_notes)
]
Seconds = Annotated[float, Range(0, 1_000_000_000)]
TimedKeys = Annotated[
    tuple[TimedKey, ...], Words("a list of [seconds, pitch, velocity]"), Check(_read_timed_keys)
]
Pitches = Annotated[tuple[int, ...], Words("a list of pitches")]

_LYRICS, _MUSIC = OptionTable(LYRICS_SAMPLING_OPTIONS), OptionTable(MUSIC_SAMPLING_OPTIONS)
_FRAME = OptionTable(FRAME_OPTIONS)
_TEMPERATURE = LYRICS_OPTIONS["temperature"]


def _default(option: AnyOption) -> Any:
    return option.default


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of music in MIDI pitches."""

    keys: tuple[int, ...]  # pitches of the keys that sound
    onsets: tuple[int, ...] | None  # of the keys that are struck; None: the model has no onsets


@dataclass(frozen=True)
class FrameLength:
    """The length of a frame of music."""

    seconds: float
    beats: float | None  # None: the model's frames have a length in seconds, not in beats
    tempo: float  # beats per minute


@dataclass(frozen=True)
class Novelty:
    """How much of a song is copied from the training songs."""

    characters: int  # length of the song
    least: int  # minimum length of a copied passage in characters
    copied: float  # share of the characters in copied passages, 0 … 1
    longest: int  # length of the longest copied passage in characters; 0: none
    source: str | None  # the training song that this passage is from; None: none


@dataclass(frozen=True)
class MapPoint:
    """An artist or a song as a point of the map, a plane in which similar ones are close."""

    name: str
    songs: int | None = None  # the number of an artist's songs; None: the point is a song
    song: int | None = None  # the song's number; None: the point is an artist
    x: float = field(kw_only=True)
    y: float = field(kw_only=True)


@dataclass(frozen=True)
class SimilarSong:
    """A song of the training corpus, and its similarity to the song requested."""

    song: int  # its number
    artist: str
    title: str
    similarity: float  # −1 … 1


class UnitCorrelation(NamedTuple):
    """A hidden unit and its correlation with a feature, sent as an array.

    Layers and units are numbered from 1.
    """

    layer: int
    unit: int
    correlation: float


@dataclass(frozen=True)
class Feature:
    """A property of the characters or frames, and the units that track it."""

    name: str
    units: tuple[UnitCorrelation, ...]  # the most correlated first; (): it is constant in the song


@dataclass(frozen=True)
class SongReading:
    """A song that a network has read, and the units that track the song's features."""

    model: str
    title: str
    song: int  # its number among the held-out songs, or the seed that wrote it
    songs: int  # how many can be chosen; 1: only this one; 0: unlimited (by seed)
    note: str  # a sentence on what was left out; "": all of the song was read
    layers: int
    hidden: int  # number of units in a layer
    features: tuple[Feature, ...]
    text: str | None  # the characters read; None: music
    frames: tuple[tuple[int, ...], ...] | None  # the pitches that sound in each; None: lyrics
    bar: float | None  # frames in a bar; None: lyrics

    @property
    def size(self) -> int:
        """The number of characters or frames."""
        return len(self.text or self.frames or ())


@dataclass(frozen=True)
class UnitActivations:
    """The activations of a unit along the song last read."""

    layer: int  # from 1
    unit: int  # from 1
    activations: tuple[float, ...]  # −1 … 1, after each character or frame
    correlations: dict[str, float]  # by feature; features that are constant in the song are absent


@dataclass(frozen=True)
class Port:
    """An output that the player can play on: a MIDI port, the built-in synthesizer, or silence."""

    name: str
    api: str  # mido's name, for example UNIX_JACK; "miniaudio" for the built-in synthesizer
    kind: PortKind


# ── requests to the sampler ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Request:
    """The base class of requests."""

    DO: ClassVar[str]  # the request's name, its value of "do"
    id: Id = field(default=None, kw_only=True)


@dataclass(frozen=True)
class LoadModel(Request):
    """Load a model; answered by Loaded."""

    DO = "load"
    model: Model | None = None  # None: the first included model, or else the newest run
    precision: Precision = "fast"


@dataclass(frozen=True)
class SampleLyrics(Request):
    """Write songs.

    Answered by one LyricsStarted, a Character for each character and a LyricsDone for each song.
    """

    DO = "sample"
    model: Model | None = None
    prime: str = ""
    artist: str | None = None
    mix: str | None = None  # artists with weights, for example "ABBA=0.7,Eminem=0.3"
    options: Annotated[Mapping[str, OptionValue], _LYRICS] = field(default_factory=dict)
    seed: Annotated[int, LYRICS_OPTIONS["seed"]] | None = None
    length: Annotated[int, LYRICS_OPTIONS["length"]] | None = None
    count: Annotated[int, LYRICS_OPTIONS["count"]] = 1
    best: Annotated[int, LYRICS_EXTRA_OPTIONS["best"]] | None = None
    bits: bool = False  # whether to send the surprise of each character
    alternatives: Annotated[int, LYRICS_EXTRA_OPTIONS["alternatives"]] = 0
    novelty: Annotated[int, LYRICS_EXTRA_OPTIONS["novelty"]] | None = None
    precision: Precision = "fast"

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _LYRICS.fill(self.options))


@dataclass(frozen=True)
class ChangeSampling(Request):
    """Change sampling options of the songs being written; answered by SamplingChanged."""

    DO = "change"
    options: Annotated[
        Mapping[str, OptionValue], OptionTable(LYRICS_SAMPLING_OPTIONS, complete=False)
    ]


@dataclass(frozen=True)
class SampleMusic(Request):
    """Write music; answered by MusicStarted, a MusicFrame for each frame, and MusicDone.

    Of several pieces there is one MusicStarted, with the seed of the first.
    """

    DO = "sample_music"
    model: Model | None = None
    prime: str | None = None  # the path of a MIDI or MusicXML file to continue
    notes: Pitches | None = None  # or a chord's
    frames: tuple[Frame, ...] | None = None  # or frames
    # A melody to harmonize, as notes or the path of a MIDI file; it sets the length.
    melody: str | None = None
    options: Annotated[Mapping[str, OptionValue], _MUSIC] = field(default_factory=dict)
    seed: Annotated[int, MUSIC_OPTIONS["seed"]] | None = None
    length: Annotated[int, MUSIC_OPTIONS["length"]] | None = None  # in frames, or one of these
    bars: float | None = None
    seconds: float | None = None
    count: Annotated[int, MUSIC_EXTRA_OPTIONS["count"]] = 1
    best: Annotated[int, MUSIC_EXTRA_OPTIONS["best"]] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _MUSIC.fill(self.options))


@dataclass(frozen=True)
class AccompanyFrame(Request):
    """Add keys beneath those that a person plays, frame after frame; answered by a MusicFrame."""

    DO = "accompany"
    model: Model | None = None
    keys: Pitches = ()  # that a person holds in this frame
    onsets: Pitches = ()  # those of them that are struck in it
    restart: bool = False  # whether this is the first frame, with the options below
    options: Annotated[Mapping[str, OptionValue], _FRAME] = field(default_factory=dict)
    seed: Annotated[int, MUSIC_OPTIONS["seed"]] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _FRAME.fill(self.options))


@dataclass(frozen=True)
class SampleLadder(Request):
    """Continue a prompt with each model of a ladder, from uniform probabilities to the network.

    Answered by Progress, a LadderStep for each model, one LyricsStarted, a LadderCharacter for each
    character of each model, and LyricsDone when all have ended.
    """

    DO = "ladder"
    model: Model | None = None  # the network, which is the last model of the ladder
    prime: str = ""
    temperature: Annotated[float, _TEMPERATURE] = _default(_TEMPERATURE)
    seed: Annotated[int, LYRICS_OPTIONS["seed"]] | None = None
    length: Annotated[int, LYRICS_OPTIONS["length"]] = LADDER_CHARACTERS


@dataclass(frozen=True)
class MapSongs(Request):
    """Place all artists, or the songs of one artist, on a map; answered by SongMap.

    ReadProgress is sent while the network reads the songs.
    """

    DO = "map"
    model: Model | None = None
    artist: str | None = None


@dataclass(frozen=True)
class FindSimilar(Request):
    """Find the songs of the training corpus most similar to one; answered by SimilarSongs.

    ReadProgress is sent while the network reads the songs.
    """

    DO = "similar"
    model: Model | None = None
    song: Annotated[int, Words("the song's number")] = field(kw_only=True)
    count: int = 10


@dataclass(frozen=True)
class ReadUnits(Request):
    """Have a network read a text, file or held-out song, and report what its units track.

    Answered by UnitsRead.
    """

    DO = "neurons"
    model: Model | None = None
    text: str | None = None
    path: str | None = None  # of a MIDI or MusicXML file
    artist: str | None = None
    song: int = 0  # index of the held-out song to read if neither a text nor a path is given
    precision: Precision = "fast"


@dataclass(frozen=True)
class ReadUnit(Request):
    """Get the activations of one unit along the song last read; answered by UnitRead."""

    DO = "unit"
    layer: Annotated[int, Words("its number, from 1")]
    unit: Annotated[int, Words("its number, from 1")]


@dataclass(frozen=True)
class Stop(Request):
    """Stop everything requested before; not answered itself."""

    DO = "stop"


SamplerRequest = (
    LoadModel | SampleLyrics | ChangeSampling | SampleMusic | AccompanyFrame | SampleLadder
    | MapSongs | FindSimilar | ReadUnits | ReadUnit | Stop
)  # fmt: skip


# ── answers of the sampler ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Answer:
    """The base class of answers."""

    FLAG: ClassVar[str | None] = None  # a key that is added with the value true; None: no such key
    id: Id = field(default=None, kw_only=True)  # of the request


@dataclass(frozen=True, slots=True)
class Failed(Answer):
    """The request could not be fulfilled."""

    error: str  # one sentence


@dataclass(frozen=True, slots=True)
class Loaded(Answer):
    """The model is loaded."""

    FLAG = "loaded"
    model: str
    kind: str  # "lyrics" or "music"
    summary: Annotated[str, Key("words")]  # for example "lstm 2 × 256"
    conditions: tuple[str, ...]  # the artists of its training songs
    frame: Annotated[FrameLength, Inline()] | None = None  # of music
    # Of music: the most common one of its training songs.
    time_signature: Annotated[tuple[int, int], Key("metre")] | None = None


@dataclass(frozen=True, slots=True)
class LyricsStarted(Answer):
    """Writing of the songs begins."""

    FLAG = "started"
    seed: int  # of the first song
    prime: str  # the prompt


@dataclass(frozen=True, slots=True)
class Character(Answer):
    """A character of a song."""

    text: str
    song: int | None = None  # index of the song; None: only one is written
    bits: float | None = None  # its surprise, −log2 of its probability; None: not requested
    alternatives: tuple[tuple[str, float], ...] = ()  # texts ("": end mark) and probabilities
    copied: int = 0  # length of the copied passage that ends here, in characters
    source: Annotated[str, Key("from")] = ""  # the training song that this passage is from


@dataclass(frozen=True, slots=True, kw_only=True)
class LyricsDone(Answer):
    """A song has ended."""

    FLAG = "done"
    song: int | None = None  # index of the song; None: only one is written
    reason: EndReason
    characters: int
    seconds: float
    seed: int
    bits: float | None = None  # mean surprise of a character; None: not requested
    novelty: Novelty | None = None  # None: not requested


@dataclass(frozen=True, slots=True)
class SamplingChanged(Answer):
    """The sampling options were changed."""

    FLAG = "changed"


@dataclass(frozen=True, slots=True)
class MusicStarted(Answer):
    """Writing of the music begins."""

    FLAG = "started"
    seed: int
    prime: tuple[Frame, ...]
    time_signature: Annotated[tuple[int, int], Key("metre")]
    frame: Annotated[FrameLength, Inline()]
    melody: Notes | None = None  # that is harmonized: the frames have the added keys only


@dataclass(frozen=True, slots=True)
class MusicFrame(Answer):
    """The next frame of the music."""

    frame: Annotated[Frame, Inline()]
    song: int | None = None  # index of the piece; None: only one is written


@dataclass(frozen=True, slots=True, kw_only=True)
class MusicDone(Answer):
    """The music has ended."""

    FLAG = "done"
    song: int | None = None  # index of the piece; None: only one is written
    reason: EndReason
    frames: int
    seconds: float | None = None
    seed: int
    nats: float | None = None  # mean surprise of a frame, of one of several pieces


@dataclass(frozen=True, slots=True)
class Progress(Answer):
    """What the sampler is doing before it writes, for example counting characters."""

    doing: str


@dataclass(frozen=True, slots=True)
class LadderStep(Answer):
    """A model of the ladder and its bits per character on held-out songs."""

    rung: int  # index of the model in the ladder; 0: the simplest
    name: str
    bits: float | None  # None: unknown


@dataclass(frozen=True, slots=True)
class LadderCharacter(Answer):
    """A character that a model of the ladder wrote."""

    rung: int  # index of the model in the ladder
    text: str


@dataclass(frozen=True, slots=True)
class ReadProgress(Answer):
    """How many songs the network has read so far, for a map or for similar songs."""

    read: int
    songs: int  # their total number


@dataclass(frozen=True, slots=True)
class SongMap(Answer):
    """The map of all artists, or of the songs of one artist."""

    points: Annotated[tuple[MapPoint, ...], Key("map")]
    artist: str | None  # the artist whose songs are the points; None: the points are artists
    share: float  # of the variance that the map's two axes show, 0 … 1


@dataclass(frozen=True, slots=True)
class SimilarSongs(Answer):
    """The songs of the training corpus most similar to the song requested."""

    songs: Annotated[tuple[SimilarSong, ...], Key("near")]
    song: int  # number of the song requested


@dataclass(frozen=True, slots=True)
class UnitsRead(Answer):
    """The network has read the song."""

    reading: Annotated[SongReading, Key("neurons")] | None  # None: stopped before the song's end


@dataclass(frozen=True, slots=True)
class UnitRead(Answer):
    """The activations of the unit requested."""

    unit: UnitActivations


SamplerAnswer = (
    Failed | Loaded | LyricsStarted | Character | LyricsDone | SamplingChanged | MusicStarted
    | MusicFrame | MusicDone | Progress | LadderStep | LadderCharacter | ReadProgress | SongMap
    | SimilarSongs | UnitsRead | UnitRead
)  # fmt: skip


# ── requests to the player ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class LoadNotes(Request):
    """Load a song, stopped at its beginning; answers about the song have this request's id."""

    DO = "load"
    notes: Notes
    until: Seconds | None = None  # notes are complete up to here, more follow; None: no more follow


@dataclass(frozen=True)
class AppendNotes(Request):
    """Add notes to the song."""

    DO = "notes"
    notes: Notes
    until: Seconds | None = None  # as in LoadNotes


@dataclass(frozen=True)
class Play(Request):
    """Play or resume; opens a port where none is open."""

    DO = "play"


@dataclass(frozen=True)
class Pause(Request):
    """Pause at the current position."""

    DO = "pause"


@dataclass(frozen=True)
class StopPlaying(Request):
    """Stop and return to the beginning."""

    DO = "stop"


@dataclass(frozen=True)
class Seek(Request):
    """Go to a position in seconds of the song as written (at speed factor 1)."""

    DO = "seek"
    seconds: Seconds


@dataclass(frozen=True)
class Loop(Request):
    """Repeat a part of the song, or end the loop; it stays set when another song is loaded."""

    DO = "loop"
    on: bool = True  # False: no loop
    start: Seconds = 0.0
    end: Seconds | None = None  # None: the song's end


@dataclass(frozen=True)
class SetTempo(Request):
    """Set the speed factor."""

    DO = "tempo"
    factor: Annotated[float, Range(0.1, 10)]


@dataclass(frozen=True)
class SetMetronome(Request):
    """Click on the beats, accented where a bar begins, or stop doing so; it is not transposed."""

    DO = "metronome"
    on: bool = True
    # When each tempo begins, in seconds of the song as written, and the seconds from one click to
    # the next; (): no clicks.
    beats: Annotated[
        tuple[BeatRow, ...], Words("a list of [seconds, seconds per beat]"), Check(_read_beats)
    ] = ()
    bar: Annotated[int, Range(1, 255)] = 4  # clicks in a bar


@dataclass(frozen=True)
class SetVelocity(Request):
    """Set the velocity factor."""

    DO = "velocity"
    factor: Annotated[float, Range(0, 10)]


@dataclass(frozen=True)
class Transpose(Request):
    """Transpose all notes by a number of semitones."""

    DO = "transpose"
    semitones: Annotated[int, Range(-127, 127)]


@dataclass(frozen=True)
class SetProgram(Request):
    """Choose the General MIDI instrument."""

    DO = "program"
    number: Annotated[int, Range(0, 127)]  # 0 is a piano


@dataclass(frozen=True)
class OpenPort(Request):
    """Open a port; answered by PortOpened."""

    DO = "port"
    name: Annotated[str, Words("a port's name")] | None = None  # None: automatic


@dataclass(frozen=True)
class ListPorts(Request):
    """List the ports; answered by PortList."""

    DO = "ports"


@dataclass(frozen=True)
class Listen(Request):
    """Open an input port, for what a person plays; answered by Listening, then by KeyPlayed."""

    DO = "listen"
    name: Annotated[str, Words("a port's name")] | None = None  # None: the first one
    echo: bool = True  # whether the output port plays these keys too


@dataclass(frozen=True)
class StopListening(Request):
    """Close the input port."""

    DO = "unlisten"


@dataclass(frozen=True)
class Perform(Request):
    """Strike and release keys at given moments, late ones at once, beside the person."""

    DO = "perform"
    events: TimedKeys


@dataclass(frozen=True)
class Hush(Request):
    """Drop what is still to be performed, and release what was."""

    DO = "hush"


@dataclass(frozen=True)
class Panic(Request):
    """Silence the port: all notes off, then a note-off for each key."""

    DO = "panic"


@dataclass(frozen=True)
class Quit(Request):
    """Silence the port and end the process."""

    DO = "quit"


PlayerRequest = (
    LoadNotes | AppendNotes | Play | Pause | StopPlaying | Seek | Loop | SetTempo | SetMetronome
    | SetVelocity | Transpose | SetProgram | OpenPort | ListPorts | Listen | StopListening
    | Perform | Hush | Panic | Quit
)  # fmt: skip


# ── answers of the player ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class PlayerFailed:
    """A request or playback failed."""

    error: str  # one sentence
    do: str | None  # the name of the request; None: the request could not be read


@dataclass(frozen=True, slots=True)
class PlaybackStatus(Answer):
    """The state of playback; id: that of the request that loaded the song."""

    position: float  # seconds of the song as written
    duration: float  # seconds
    playing: bool
    waiting: bool  # whether playback waits for notes that are not added yet


@dataclass(frozen=True, slots=True)
class PlaybackEnded(Answer):
    """Playback has reached the end of the song."""

    FLAG = "ended"


@dataclass(frozen=True, slots=True)
class PortOpened:
    """A port was opened."""

    port: Port


@dataclass(frozen=True, slots=True)
class PortList:
    """The available ports."""

    ports: tuple[Port, ...]


@dataclass(frozen=True, slots=True)
class Listening:
    """An input port was opened."""

    port: Annotated[Port, Key("listening")]


@dataclass(frozen=True, slots=True)
class KeyPlayed:
    """A person struck or released a key."""

    pitch: Annotated[int, Key("played")]
    velocity: int  # 0: the key was released
    at: float  # seconds of the system's clock, time.perf_counter


PlayerAnswer = (
    PlayerFailed | PlaybackStatus | PlaybackEnded | PortOpened | PortList | Listening | KeyPlayed
)


# ── encoding and decoding ────────────────────────────────────────────────────────────────────────

M = TypeVar("M")


class MessageError(InputError):
    """An invalid request or answer.

    id: the message's id; None: it has none. kind: the message's class; None: it is not known.
    """

    def __init__(self, sentence: str, id: Id = None, kind: Any = None) -> None:  # noqa: A002
        super().__init__(sentence)
        self.id, self.kind = id, kind


@dataclass(frozen=True)
class Messages(Generic[M]):
    """The classes of the messages that a process reads (requests) or writes (answers).

    by_name: classes of requests by the request's name. by_key: classes of answers by a key that
    identifies them; if an answer has several of the keys, the first in this order decides.
    """

    by_name: Mapping[str, type[M]] = field(default_factory=dict)
    by_key: Mapping[str, type[M]] = field(default_factory=dict)

    def find(self, values: dict[str, Any]) -> type[M]:
        """Return the class of a message; raises InputError if it is unknown."""
        for key, cls in self.by_key.items():
            if key in values:
                return cls
        if self.by_key:
            raise InputError(f"An answer needs one of the keys {', '.join(self.by_key)}.")
        do = values.get("do")
        if isinstance(do, str) and do in self.by_name:
            return self.by_name[do]
        raise InputError(f"The request asks to do {do!r:.60}: it can be {', '.join(self.by_name)}.")


SAMPLER_REQUESTS = Messages[SamplerRequest]({cls.DO: cls for cls in get_args(SamplerRequest)})
PLAYER_REQUESTS = Messages[PlayerRequest]({cls.DO: cls for cls in get_args(PlayerRequest)})
SAMPLER_ANSWERS = Messages[SamplerAnswer](
    by_key={
        "error": Failed, "name": LadderStep, "rung": LadderCharacter, "text": Character,
        "keys": MusicFrame, "loaded": Loaded, "metre": MusicStarted, "started": LyricsStarted,
        "frames": MusicDone, "done": LyricsDone, "changed": SamplingChanged, "doing": Progress,
        "read": ReadProgress, "map": SongMap, "near": SimilarSongs, "neurons": UnitsRead,
        "unit": UnitRead,
    }
)  # fmt: skip
PLAYER_ANSWERS = Messages[PlayerAnswer](
    by_key={
        "error": PlayerFailed, "position": PlaybackStatus, "ended": PlaybackEnded,
        "port": PortOpened, "ports": PortList, "listening": Listening, "played": KeyPlayed,
    }
)  # fmt: skip


def encode(
    message: SamplerRequest | SamplerAnswer | PlayerRequest | PlayerAnswer,
    id: Id = None,  # noqa: A002
) -> str:
    """Encode a message as a line of ASCII without a newline.

    id: replaces the message's own id; None keeps it.
    """
    values = _to_json(message)
    if id is not None:
        values["id"] = id
    return json.dumps(values)


def encode_output(answer: SamplerAnswer, **more: object) -> str:
    """Encode an answer as a command prints it: without the id, and with the keys in `more`."""
    values = _to_json(answer)
    del values["id"]
    return json.dumps({**values, **more}, ensure_ascii=False)


def _to_json(message: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if isinstance(message, Request):
        values["do"] = message.DO
    elif isinstance(message, Answer):
        values["id"] = None  # answers always have this key
        if message.FLAG is not None:
            values[message.FLAG] = True
    schema_of(type(message)).write_to(values, message)
    return values


def decode(line: bytes, messages: Messages[M]) -> M:
    """Decode a line as one of `messages`.

    Raises MessageError, with a sentence that names the key, for an invalid line. An unknown key is
    an error in a request, and ignored in an answer.
    """
    id_, cls = None, None
    try:
        values = _parse(line, "An answer" if messages.by_key else "A request")
        id_ = _read_id(values)
        cls = messages.find(values)
        schema = schema_of(cls)
        if messages.by_name:
            _refuse_unknown_keys(values, schema.keys)
        message: M = schema.read(values)
    except InputError as error:
        raise MessageError(str(error), id_, cls) from error
    except RecursionError as error:  # from repr of the value for an error message
        raise MessageError("A value is nested too deep.", id_, cls) from error
    return message


def _parse(line: bytes, what: str) -> dict[str, Any]:
    try:
        values = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} is not JSON ({error}): send one object a line.") from error
    if not isinstance(values, dict):
        raise InputError(f"{what} is not a JSON object: send one object a line.")
    return values


def _read_id(values: dict[str, Any]) -> Id:
    value = values.get("id")
    if value is None or type(value) in {int, float, str}:
        return value
    raise InputError(f"id is {value!r:.60}: give a number or a text.")


def _refuse_unknown_keys(values: dict[str, Any], known: Collection[str]) -> None:
    for key in values:
        if key != "do" and key not in known:
            raise InputError(f"A request to {values['do']} has no key {key!r:.60}: leave it out.")
