"""Requests to the sampler's and the player's processes, and their answers: one JSON object a line.

docs/architecture.md shows the lines, and `engine.schema` how each follows from its dataclass. A
request has its name under "do", an answer a key that only it has. The `id` of a request is any
number or text; the answers to it have the same. The decoding options follow from `engine.options`.
Plain Python: the app imports this before it draws its first page.
"""

import contextlib
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar, get_args

from engine.errors import InputError
from engine.options import (
    LYRICS_EXTRA_OPTIONS,
    LYRICS_OPTIONS,
    LYRICS_SAMPLING_OPTIONS,
    MUSIC_OPTIONS,
    MUSIC_SAMPLING_OPTIONS,
    Option,
)
from engine.schema import Check, Inline, Key, OptionTable, Range, Words, schema_of

Id = int | float | str | None
Precision = Literal["fast", "full"]
# Why a song ended: its end mark, the length requested, a stop.
EndReason = Literal["end", "length", "stopped"]
PortKind = Literal["port", "synth", "virtual", "silent"]

LADDER_CHARACTERS = 400  # of each step, unless a length is given


# ── values within requests and answers ───────────────────────────────────────────────────────────


class NoteRow(NamedTuple):
    """A note as an array."""

    start: float  # seconds
    end: float  # seconds, after the start
    pitch: int  # MIDI's, 0 … 127
    velocity: int  # 1 … 127


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


Model = Annotated[str, Words("its name or path")]
Notes = Annotated[
    tuple[NoteRow, ...], Words("a list of [start, end, pitch, velocity]"), Check(_read_notes)
]
Seconds = Annotated[float, Range(0, 1_000_000_000)]

_LYRICS, _MUSIC = OptionTable(LYRICS_SAMPLING_OPTIONS), OptionTable(MUSIC_SAMPLING_OPTIONS)
_TEMPERATURE = LYRICS_OPTIONS["temperature"]


def _default(option: Option) -> Any:
    return option.default


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of music in MIDI pitches."""

    keys: tuple[int, ...]  # those that sound
    onsets: tuple[int, ...] | None  # those struck; None where the model does not know


@dataclass(frozen=True)
class FrameLength:
    """The length of a frame of music."""

    seconds: float
    beats: float | None  # where frames are parts of a beat
    tempo: float  # beats a minute


@dataclass(frozen=True)
class Novelty:
    """How much of a song is copied from the training songs."""

    characters: int
    least: int  # characters from which a passage counts as copied
    copied: float  # share of the characters
    longest: int  # characters of the longest passage; 0 without any
    source: str | None  # the song it is from


@dataclass(frozen=True)
class MapPoint:
    """An artist or a song in the plane."""

    name: str
    songs: int | None = None  # of an artist
    song: int | None = None  # the number of a song
    x: float = field(kw_only=True)
    y: float = field(kw_only=True)


@dataclass(frozen=True)
class SimilarSong:
    """A song similar to another."""

    song: int  # its number
    artist: str
    title: str
    similarity: float  # −1 … 1


class UnitCorrelation(NamedTuple):
    """A unit with its correlation with a feature, as an array; layer and unit count from 1."""

    layer: int
    unit: int
    correlation: float


@dataclass(frozen=True)
class Feature:
    """Something that units may track."""

    name: str
    units: tuple[UnitCorrelation, ...]  # the most correlated first; none: it never changes


@dataclass(frozen=True)
class SongReading:
    """A song that a network has read."""

    model: str
    title: str
    song: int  # its index among the songs there are
    songs: int  # how many; 0: any number
    note: str  # a sentence where not all of it was read
    layers: int
    hidden: int  # units of a layer
    features: tuple[Feature, ...]
    text: str | None  # of lyrics
    frames: tuple[tuple[int, ...], ...] | None  # of music: the pitches that sound
    bar: float | None  # of music: frames of a bar

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
    correlations: dict[str, float]  # with the features that change in the song


@dataclass(frozen=True)
class Port:
    """A port to play on."""

    name: str
    api: str  # as mido names it, for example UNIX_JACK; of the synthesizer "miniaudio"
    kind: PortKind


# ── requests to the sampler ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Request:
    """The common part of requests."""

    DO: ClassVar[str]  # its name
    id: Id = field(default=None, kw_only=True)


@dataclass(frozen=True)
class LoadModel(Request):
    """Load a model; answered by Loaded."""

    DO = "load"
    model: Model | None = None  # None: the first one
    precision: Precision = "fast"


@dataclass(frozen=True)
class SampleLyrics(Request):
    """Write songs; answered by LyricsStarted, a Character for each, LyricsDone for each song."""

    DO = "sample"
    model: Model | None = None
    prime: str = ""
    artist: str | None = None
    mix: str | None = None  # artists with their weights, as "ABBA=0.7,Eminem=0.3"
    options: Annotated[Mapping[str, float], _LYRICS] = field(default_factory=dict)
    seed: Annotated[int, LYRICS_OPTIONS["seed"]] | None = None
    length: Annotated[int, LYRICS_OPTIONS["length"]] | None = None
    count: Annotated[int, LYRICS_OPTIONS["count"]] = 1
    best: Annotated[int, LYRICS_EXTRA_OPTIONS["best"]] | None = None
    bits: bool = False  # with the surprise of each character
    alternatives: Annotated[int, LYRICS_EXTRA_OPTIONS["alternatives"]] = 0
    novelty: Annotated[int, LYRICS_EXTRA_OPTIONS["novelty"]] | None = None
    precision: Precision = "fast"

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _LYRICS.fill(self.options))


@dataclass(frozen=True)
class ChangeSampling(Request):
    """Change options of the songs being written; answered by SamplingChanged."""

    DO = "change"
    options: Annotated[Mapping[str, float], OptionTable(LYRICS_SAMPLING_OPTIONS, complete=False)]


@dataclass(frozen=True)
class SampleMusic(Request):
    """Write music; answered by MusicStarted, a MusicFrame for each, MusicDone."""

    DO = "sample_music"
    model: Model | None = None
    prime: str | None = None  # the path of a MIDI file
    notes: Annotated[tuple[int, ...], Words("a list of pitches")] | None = None  # or a chord
    options: Annotated[Mapping[str, float], _MUSIC] = field(default_factory=dict)
    seed: Annotated[int, MUSIC_OPTIONS["seed"]] | None = None
    length: Annotated[int, MUSIC_OPTIONS["length"]] = _default(MUSIC_OPTIONS["length"])

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _MUSIC.fill(self.options))


@dataclass(frozen=True)
class SampleLadder(Request):
    """Continue a prompt with models from the simplest up; answered by LadderStep for each of them,
    LyricsStarted, a LadderCharacter for each character, LyricsDone.
    """

    DO = "ladder"
    model: Model | None = None  # the network, the last step
    prime: str = ""
    temperature: Annotated[float, _TEMPERATURE] = _default(_TEMPERATURE)
    seed: Annotated[int, LYRICS_OPTIONS["seed"]] | None = None
    length: Annotated[int, LYRICS_OPTIONS["length"]] = LADDER_CHARACTERS


@dataclass(frozen=True)
class MapSongs(Request):
    """Place the artists, or the songs of one, in a plane; answered by SongMap."""

    DO = "map"
    model: Model | None = None
    artist: str | None = None


@dataclass(frozen=True)
class FindSimilar(Request):
    """Find the songs most similar to one; answered by SimilarSongs."""

    DO = "similar"
    model: Model | None = None
    song: Annotated[int, Words("the song's number")] = field(kw_only=True)
    count: int = 10


@dataclass(frozen=True)
class ReadUnits(Request):
    """Have a network read a text, a MIDI file or a held-out song, and report its units.

    Answered by UnitsRead.
    """

    DO = "neurons"
    model: Model | None = None
    text: str | None = None
    path: str | None = None  # of a MIDI file
    artist: str | None = None
    song: int = 0  # held-out song, where there is neither a text nor a path
    precision: Precision = "fast"


@dataclass(frozen=True)
class ReadUnit(Request):
    """Get the activations of a unit along the song last read; answered by UnitRead."""

    DO = "unit"
    layer: Annotated[int, Words("its number, from 1")]
    unit: Annotated[int, Words("its number, from 1")]


@dataclass(frozen=True)
class Stop(Request):
    """End all work requested so far."""

    DO = "stop"


SamplerRequest = (
    LoadModel | SampleLyrics | ChangeSampling | SampleMusic | SampleLadder | MapSongs
    | FindSimilar | ReadUnits | ReadUnit | Stop
)  # fmt: skip


# ── answers of the sampler ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Answer:
    """The common part of answers."""

    FLAG: ClassVar[str | None] = None  # a key that is true
    id: Id = field(default=None, kw_only=True)  # of the request


@dataclass(frozen=True, slots=True)
class Failed(Answer):
    """The request could not be fulfilled."""

    error: str  # one sentence


@dataclass(frozen=True, slots=True)
class Loaded(Answer):
    """A model is ready."""

    FLAG = "loaded"
    model: str
    kind: str  # "lyrics" or "music"
    summary: Annotated[str, Key("words")]  # for example "lstm 2 × 256"
    conditions: tuple[str, ...]  # the artists of its training songs
    frame: Annotated[FrameLength, Inline()] | None = None  # of music


@dataclass(frozen=True, slots=True)
class LyricsStarted(Answer):
    """Songs begin to be written."""

    FLAG = "started"
    seed: int  # of the first
    prime: str


@dataclass(frozen=True, slots=True)
class Character(Answer):
    """A character of a song."""

    text: str
    song: int | None = None  # which of several
    bits: float | None = None  # its surprise
    alternatives: tuple[tuple[str, float], ...] = ()  # the most probable; "": the end mark
    copied: int = 0  # characters of the copied passage that ends here
    source: Annotated[str, Key("from")] = ""  # the song of that passage


@dataclass(frozen=True, slots=True, kw_only=True)
class LyricsDone(Answer):
    """A song has ended."""

    FLAG = "done"
    song: int | None = None  # which of several
    reason: EndReason
    characters: int
    seconds: float
    seed: int
    bits: float | None = None  # surprise of a character on average
    novelty: Novelty | None = None


@dataclass(frozen=True, slots=True)
class SamplingChanged(Answer):
    """The options are changed."""

    FLAG = "changed"


@dataclass(frozen=True, slots=True)
class MusicStarted(Answer):
    """Music begins to be written."""

    FLAG = "started"
    seed: int
    prime: tuple[Frame, ...]
    time_signature: Annotated[tuple[int, int], Key("metre")]
    frame: Annotated[FrameLength, Inline()]


@dataclass(frozen=True, slots=True)
class MusicFrame(Answer):
    """A frame of music."""

    frame: Annotated[Frame, Inline()]


@dataclass(frozen=True, slots=True, kw_only=True)
class MusicDone(Answer):
    """Music has ended."""

    FLAG = "done"
    reason: EndReason
    frames: int
    seconds: float | None = None
    seed: int


@dataclass(frozen=True, slots=True)
class Progress(Answer):
    """What is being done."""

    doing: str


@dataclass(frozen=True, slots=True)
class LadderStep(Answer):
    """A model of the ladder and its bits per character on held-out songs."""

    rung: int  # from 0
    name: str
    bits: float | None  # None: unknown


@dataclass(frozen=True, slots=True)
class LadderCharacter(Answer):
    """A character by a model of the ladder."""

    rung: int
    text: str


@dataclass(frozen=True, slots=True)
class ReadProgress(Answer):
    """How many songs have been read."""

    read: int
    songs: int


@dataclass(frozen=True, slots=True)
class SongMap(Answer):
    """Artists, or the songs of one, in a plane."""

    points: Annotated[tuple[MapPoint, ...], Key("map")]
    artist: str | None  # whose songs; None: the points are artists
    share: float  # of the variance, that lies in the plane


@dataclass(frozen=True, slots=True)
class SimilarSongs(Answer):
    """The songs most similar to one."""

    songs: Annotated[tuple[SimilarSong, ...], Key("near")]
    song: int  # to which


@dataclass(frozen=True, slots=True)
class UnitsRead(Answer):
    """A network has read a song."""

    reading: Annotated[SongReading, Key("neurons")] | None  # None: stopped before its end


@dataclass(frozen=True, slots=True)
class UnitRead(Answer):
    """A unit of the song last read."""

    unit: UnitActivations


SamplerAnswer = (
    Failed | Loaded | LyricsStarted | Character | LyricsDone | SamplingChanged | MusicStarted
    | MusicFrame | MusicDone | Progress | LadderStep | LadderCharacter | ReadProgress | SongMap
    | SimilarSongs | UnitsRead | UnitRead
)  # fmt: skip


# ── requests to the player ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class LoadNotes(Request):
    """Load a song, stopped at its beginning; its id names it in the answers."""

    DO = "load"
    notes: Notes
    until: Seconds | None = None  # every note that starts before is known; None: all are


@dataclass(frozen=True)
class AppendNotes(Request):
    """Add notes to the song."""

    DO = "notes"
    notes: Notes
    until: Seconds | None = None


@dataclass(frozen=True)
class Play(Request):
    """Play or resume; opens a port where none is open."""

    DO = "play"


@dataclass(frozen=True)
class Pause(Request):
    """Pause."""

    DO = "pause"


@dataclass(frozen=True)
class StopPlaying(Request):
    """Stop and return to the beginning."""

    DO = "stop"


@dataclass(frozen=True)
class Seek(Request):
    """Go to a position of the song as written."""

    DO = "seek"
    seconds: Seconds


@dataclass(frozen=True)
class Loop(Request):
    """Repeat a part of the song, or no longer; kept when another song is loaded."""

    DO = "loop"
    on: bool = True
    start: Seconds = 0.0
    end: Seconds | None = None  # None: the song's end


@dataclass(frozen=True)
class SetTempo(Request):
    """Set the speed factor."""

    DO = "tempo"
    factor: Annotated[float, Range(0.1, 10)]


@dataclass(frozen=True)
class SetVelocity(Request):
    """Set the velocity factor."""

    DO = "velocity"
    factor: Annotated[float, Range(0, 10)]


@dataclass(frozen=True)
class Transpose(Request):
    """Transpose."""

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
    name: Annotated[str, Words("a port's name")] | None = None  # None: the first one with sound


@dataclass(frozen=True)
class ListPorts(Request):
    """List the ports; answered by PortList."""

    DO = "ports"


@dataclass(frozen=True)
class Panic(Request):
    """Release every key, also one by one."""

    DO = "panic"


@dataclass(frozen=True)
class Quit(Request):
    """Release every key and end the process."""

    DO = "quit"


PlayerRequest = (
    LoadNotes | AppendNotes | Play | Pause | StopPlaying | Seek | Loop | SetTempo | SetVelocity
    | Transpose | SetProgram | OpenPort | ListPorts | Panic | Quit
)  # fmt: skip


# ── answers of the player ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class PlayerFailed:
    """Something could not be done."""

    error: str  # one sentence
    do: str | None  # the name of the request


@dataclass(frozen=True, slots=True)
class PlaybackStatus(Answer):
    """Where playing is in the song with this id."""

    position: float  # seconds of the song as written
    duration: float  # seconds
    playing: bool
    waiting: bool  # for notes


@dataclass(frozen=True, slots=True)
class PlaybackEnded(Answer):
    """The last note of the song has ended."""

    FLAG = "ended"


@dataclass(frozen=True, slots=True)
class PortOpened:
    """A port is open."""

    port: Port


@dataclass(frozen=True, slots=True)
class PortList:
    """The ports there are."""

    ports: tuple[Port, ...]


PlayerAnswer = PlayerFailed | PlaybackStatus | PlaybackEnded | PortOpened | PortList


# ── encoding and decoding ────────────────────────────────────────────────────────────────────────

M = TypeVar("M")


class MessageError(InputError):
    """An invalid request or answer.

    id: of the request, if it has one. kind: its class, if its name is known.
    """

    def __init__(self, sentence: str, id: Id = None, kind: Any = None) -> None:  # noqa: A002
        super().__init__(sentence)
        self.id, self.kind = id, kind


@dataclass(frozen=True)
class Messages(Generic[M]):
    """The classes of the messages that a process reads or writes.

    by_name: of requests, by their names. by_key: of answers, by a key that only they have; the
    first key counts for an answer that has several.
    """

    by_name: Mapping[str, type[M]] = field(default_factory=dict)
    by_key: Mapping[str, type[M]] = field(default_factory=dict)

    def find(self, values: dict[str, Any]) -> type[M]:
        """Return the class of a message; raises InputError for an unknown one."""
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
        "keys": MusicFrame, "metre": MusicStarted, "started": LyricsStarted, "frames": MusicDone,
        "done": LyricsDone, "loaded": Loaded, "changed": SamplingChanged, "doing": Progress,
        "read": ReadProgress, "map": SongMap, "near": SimilarSongs, "neurons": UnitsRead,
        "unit": UnitRead,
    }
)  # fmt: skip
PLAYER_ANSWERS = Messages[PlayerAnswer](
    by_key={
        "error": PlayerFailed, "position": PlaybackStatus, "ended": PlaybackEnded,
        "port": PortOpened, "ports": PortList,
    }
)  # fmt: skip


def encode(
    message: SamplerRequest | SamplerAnswer | PlayerRequest | PlayerAnswer,
    id: Id = None,  # noqa: A002
) -> str:
    """Return the line of a message, in ASCII, without its newline.

    id: replaces that of the message; None keeps it.
    """
    values = _to_json(message)
    if id is not None:
        values["id"] = id
    return json.dumps(values)


def encode_output(answer: SamplerAnswer, **more: object) -> str:
    """Return the line that a command prints for an answer: without the id, with more keys."""
    values = _to_json(answer)
    del values["id"]
    return json.dumps({**values, **more}, ensure_ascii=False)


def _to_json(message: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if isinstance(message, Request):
        values["do"] = message.DO
    elif isinstance(message, Answer):
        values["id"] = None  # it is always there
        if message.FLAG is not None:
            values[message.FLAG] = True
    schema_of(type(message)).write_to(values, message)
    return values


def decode(line: bytes, messages: Messages[M]) -> M:
    """Return the message of a line.

    Raises MessageError, one sentence that names the key, for an invalid line. Unknown keys are
    refused in a request and ignored in an answer.
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
    except RecursionError as error:  # where a value is shown in an error message
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
