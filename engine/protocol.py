"""Requests to the sampler's and the player's processes, and their answers: one JSON object a line.

docs/architecture.md shows the lines. A request has its name under "do"; an answer is told by the
key that only it has. A field without a default is always there; one with a default may be left out,
and null means the default. `id` is any number or text: the answers to a request carry its id.

The decoding options of a request follow from `engine.options`. Plain Python: the app imports this
before it draws its first page.
"""

import contextlib
import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

from engine.errors import InputError
from engine.options import LYRICS_EXTRA_OPTIONS, LYRICS_OPTIONS, MUSIC_OPTIONS, Option, range_words

Id = int | float | str | None
Precision = Literal["fast", "full"]
EndReason = Literal[
    "end", "length", "stopped"
]  # why a song ended: its end mark, the length, a stop
PortKind = Literal["port", "synth", "virtual", "silent"]

LADDER_CHARACTERS = 400  # of each step, unless a length is given


# ── what stands in an annotation beside a type ───────────────────────────────────────────────────


class Range(NamedTuple):
    """The range of a number."""

    low: float
    high: float


class Words(NamedTuple):
    """What an error asks for in place of the type's words."""

    text: str


class Key(NamedTuple):
    """The key of a field whose name in Python is another."""

    name: str


class Inline(NamedTuple):
    """The fields of a dataclass stand in the same object."""


class Table(NamedTuple):
    """Options by name stand in the same object, as the rows of a table allow them.

    complete: those left out have their defaults.
    """

    options: Mapping[str, Option]
    complete: bool = True


class Check(NamedTuple):
    """A function that returns the value in its type, or raises InputError."""

    function: Callable[[Any], Any]


# ── values within requests and answers ───────────────────────────────────────────────────────────


class NoteRow(NamedTuple):
    """A note as an array."""

    start: float  # seconds
    end: float  # seconds, after the start
    pitch: int  # MIDI's, 0 … 127
    velocity: int  # 1 … 127


def _note_rows(value: Any) -> tuple[NoteRow, ...]:
    if not isinstance(value, list):
        raise InputError(f"notes is {value!r:.40}: give a list of [start, end, pitch, velocity].")
    rows = []
    for number, item in enumerate(value, 1):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            start, end, pitch, velocity = item
            row = NoteRow(float(start), float(end), int(pitch), int(velocity))
            if (
                0 <= row.start < row.end < math.inf
                and 0 <= row.pitch <= 127
                and 1 <= row.velocity <= 127
            ):
                rows.append(row)
                continue
        raise InputError(
            f"Note {number} is {item!r:.60}: give [start, end, pitch, velocity], seconds and "
            "MIDI's numbers."
        )
    return tuple(rows)


Model = Annotated[str, Words("its name or path")]
Notes = Annotated[tuple[NoteRow, ...], Words("a list of [start, end, pitch, velocity]"),
                  Check(_note_rows)]  # fmt: skip
Seconds = Annotated[float, Range(0, 1_000_000_000)]

SAMPLING_OPTIONS = {name: option for name, option in LYRICS_OPTIONS.items() if option.live}
MUSIC_SAMPLING_OPTIONS = {
    name: option for name, option in MUSIC_OPTIONS.items() if name not in {"length", "seed"}
}


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
    least: int  # characters from which a stretch counts as copied
    copied: float  # share of the characters
    longest: int  # characters of the longest stretch; 0 without any
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


def _options(table: Mapping[str, Option], given: Mapping[str, float]) -> dict[str, float]:
    defaults: dict[str, Any] = {name: option.default for name, option in table.items()}
    return {**defaults, **given}


@dataclass(frozen=True)
class LoadModel(Request):
    """Load a model; answered by Loaded."""

    DO = "load"
    model: Model | None = None  # None: the first model there is
    precision: Precision = "fast"


@dataclass(frozen=True)
class SampleLyrics(Request):
    """Write songs: LyricsStarted, a Character for each, LyricsDone for each song."""

    DO = "sample"
    model: Model | None = None
    prime: str = ""
    artist: str | None = None
    mix: str | None = None  # artists with their weights, as "ABBA=0.7,Eminem=0.3"
    options: Annotated[Mapping[str, float], Table(SAMPLING_OPTIONS)] = field(default_factory=dict)
    seed: Annotated[int, LYRICS_OPTIONS["seed"]] | None = None
    length: Annotated[int, LYRICS_OPTIONS["length"]] | None = None
    count: Annotated[int, LYRICS_OPTIONS["count"]] = 1
    best: Annotated[int, LYRICS_EXTRA_OPTIONS["best"]] | None = None
    bits: bool = False  # with the surprise of each character
    alternatives: Annotated[int, LYRICS_EXTRA_OPTIONS["alternatives"]] = 0
    novelty: Annotated[int, LYRICS_EXTRA_OPTIONS["novelty"]] | None = None
    precision: Precision = "fast"

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _options(SAMPLING_OPTIONS, self.options))


@dataclass(frozen=True)
class ChangeSampling(Request):
    """Change options of the songs being written; answered by SamplingChanged."""

    DO = "change"
    options: Annotated[Mapping[str, float], Table(SAMPLING_OPTIONS, complete=False)]


@dataclass(frozen=True)
class SampleMusic(Request):
    """Write music: MusicStarted, a MusicFrame for each, MusicDone."""

    DO = "sample_music"
    model: Model | None = None
    prime: str | None = None  # the path of a MIDI file
    notes: Annotated[tuple[int, ...], Words("a list of pitches")] | None = None  # or a first frame
    options: Annotated[Mapping[str, float], Table(MUSIC_SAMPLING_OPTIONS)] = field(
        default_factory=dict
    )
    seed: Annotated[int, MUSIC_OPTIONS["seed"]] | None = None
    length: Annotated[int, MUSIC_OPTIONS["length"]] = MUSIC_OPTIONS["length"].default  # type: ignore[assignment]

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _options(MUSIC_SAMPLING_OPTIONS, self.options))


@dataclass(frozen=True)
class SampleLadder(Request):
    """Continue a text by models of all kinds: LadderStep and LadderCharacter in between."""

    DO = "ladder"
    model: Model | None = None  # the network, the last step
    prime: str = ""
    temperature: Annotated[float, LYRICS_OPTIONS["temperature"]] = LYRICS_OPTIONS[
        "temperature"
    ].default  # type: ignore[assignment]
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
    """Have a network read a text, a MIDI file or a held-out song; answered by UnitsRead."""

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
    words: str  # for example "lstm 2 × 256"
    conditions: tuple[str, ...]  # the artists it knows
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
    copied: int = 0  # characters of the copied stretch that it ends
    source: Annotated[str, Key("from")] = ""  # the song of that stretch


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
    name: Annotated[str, Words("a port's name")] | None = None  # None: the first that can be heard


@dataclass(frozen=True)
class ListPorts(Request):
    """List the ports; answered by PortList."""

    DO = "ports"


@dataclass(frozen=True)
class Panic(Request):
    """Release every key, one by one too."""

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

    FLAG: ClassVar[str | None] = None
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

    FLAG: ClassVar[str | None] = None
    port: Port


@dataclass(frozen=True, slots=True)
class PortList:
    """The ports there are."""

    FLAG: ClassVar[str | None] = None
    ports: tuple[Port, ...]


PlayerAnswer = PlayerFailed | PlaybackStatus | PlaybackEnded | PortOpened | PortList


# ── encoding and decoding ────────────────────────────────────────────────────────────────────────

Message = SamplerRequest | SamplerAnswer | PlayerRequest | PlayerAnswer
M = TypeVar("M")


class MessageError(InputError):
    """A line that is no request or answer."""

    def __init__(self, sentence: str, id: Id = None, kind: type | None = None) -> None:  # noqa: A002
        super().__init__(sentence)
        self.id = id  # of the request
        self.kind = kind  # the request's class, if its name is known


@dataclass(frozen=True)
class Kinds(Generic[M]):
    """The classes that a line may be of, by the name of a request or the key of an answer.

    The key that comes first decides where an answer has several.
    """

    classes: Mapping[str, type[M]]
    requests: bool = True

    def find(self, values: dict[str, Any]) -> type[M]:
        """Return the class of an object; raises InputError where there is none."""
        if self.requests:
            do = values.get("do")
            if isinstance(do, str) and do in self.classes:
                return self.classes[do]
            raise InputError(f"The request asks to do {do!r:.60}: it can be {self._names}.")
        for key, cls in self.classes.items():
            if key in values:
                return cls
        raise InputError(f"An answer has none of the keys {self._names}.")

    @property
    def _names(self) -> str:
        return ", ".join(self.classes)


def _requests(union: Any) -> dict[str, Any]:
    return {cls.DO: cls for cls in typing.get_args(union)}


SAMPLER_REQUESTS = Kinds[SamplerRequest](_requests(SamplerRequest))
PLAYER_REQUESTS = Kinds[PlayerRequest](_requests(PlayerRequest))
SAMPLER_ANSWERS = Kinds[SamplerAnswer](
    {
        "error": Failed, "name": LadderStep, "rung": LadderCharacter, "text": Character,
        "keys": MusicFrame, "metre": MusicStarted, "started": LyricsStarted, "frames": MusicDone,
        "done": LyricsDone, "loaded": Loaded, "changed": SamplingChanged, "doing": Progress,
        "read": ReadProgress, "map": SongMap, "near": SimilarSongs, "neurons": UnitsRead,
        "unit": UnitRead,
    },
    requests=False,
)  # fmt: skip
PLAYER_ANSWERS = Kinds[PlayerAnswer](
    {
        "error": PlayerFailed, "position": PlaybackStatus, "ended": PlaybackEnded,
        "port": PortOpened, "ports": PortList,
    },
    requests=False,
)  # fmt: skip


def name(kind: type | None) -> str | None:
    """Return the name of a class of requests; None for none."""
    do: str | None = getattr(kind, "DO", None)
    return do


def encode(message: Message) -> str:
    """Return the line of a request or an answer, in ASCII, without its newline."""
    return json.dumps(_to_json(message))


def encode_output(answer: SamplerAnswer, **more: object) -> str:
    """Return the line that a command prints for an answer: without the id, with more keys."""
    values = _to_json(answer)
    del values["id"]
    return json.dumps({**values, **more}, ensure_ascii=False)


def decode(line: bytes | str, kinds: Kinds[M]) -> M:
    """Return the request or the answer of a line.

    Raises MessageError, an InputError, for what is none: one sentence that names the key. Unknown
    keys are refused in a request and ignored in an answer.
    """
    id_, cls = None, None
    try:
        values = _parse(line, "A request" if kinds.requests else "An answer")
        id_ = _read_id(values)
        cls = kinds.find(values)
        shape = _shape(cls)
        if kinds.requests:
            shape.refuse_unknown(values)
        message: M = shape.read(values)
    except InputError as error:
        raise MessageError(str(error), id_, cls) from error
    return message


def _parse(line: bytes | str, what: str) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} is not JSON ({error}): send one object a line.") from error
    if not isinstance(values, dict):
        raise InputError(f"{what} is not a JSON object: send one object a line.")
    return values


def _read_id(values: dict[str, Any]) -> Id:
    found: Id = _shape(Stop).fields[0].read(values)
    return found


# ── the shape of a class, from its type hints ────────────────────────────────────────────────────


class _Type(NamedTuple):
    """How values of a type are read and written."""

    words: str  # what an error asks for
    read: Callable[[Any], Any]  # raises TypeError or OverflowError for another type
    write: Callable[[Any], Any] | None = None  # None: JSON has the value as it is


@dataclass(frozen=True)
class _Field:
    """A field of a class, and where it stands in an object."""

    name: str
    keys: tuple[str, ...]
    read: Callable[[dict[str, Any]], Any]
    write: Callable[[Any, dict[str, Any]], None]
    default: Any  # what is not written; MISSING: everything is


@dataclass(frozen=True)
class _Shape:
    """All fields of a class."""

    cls: type
    head: dict[str, Any]
    fields: tuple[_Field, ...]
    keys: frozenset[str]

    def read(self, values: dict[str, Any]) -> Any:
        return self.cls(**{item.name: item.read(values) for item in self.fields})

    def refuse_unknown(self, values: dict[str, Any]) -> None:
        for key in values:
            if key not in self.keys:
                raise InputError(
                    f"A request to {self.head['do']} has no key {key!r:.60}: leave it out."
                )

    def write(self, message: object) -> dict[str, Any]:
        result = dict(self.head)
        for item in self.fields:
            value = getattr(message, item.name)
            if value != item.default:
                item.write(value, result)
        return result


_SHAPES: dict[type, _Shape] = {}


def _to_json(message: object) -> dict[str, Any]:
    return _shape(type(message)).write(message)


def _shape(cls: Any) -> _Shape:
    if cls not in _SHAPES:
        _SHAPES[cls] = _compile(cls)
    return _SHAPES[cls]


def _compile(cls: Any) -> _Shape:
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = tuple(_field(cls, item, hints[item.name]) for item in dataclasses.fields(cls))
    head: dict[str, Any] = {}
    if issubclass(cls, Request):
        head["do"] = cls.DO
    if issubclass(cls, Answer):
        head["id"] = None  # it stands first
    if flag := getattr(cls, "FLAG", None):
        head[flag] = True
    keys = {key for item in fields for key in item.keys}
    return _Shape(cls, head, fields, frozenset({"do", *keys}))


def _field(cls: type, item: "dataclasses.Field[Any]", hint: Any) -> _Field:
    hint, optional = _without_none(hint)
    notes = hint.__metadata__ if typing.get_origin(hint) is Annotated else ()
    default = item.default
    for note in notes:
        if isinstance(note, Table):
            return _table(item.name, note)
        if isinstance(note, Inline):
            return _inline(item.name, _shape(hint.__origin__), default)
    key = next((note.name for note in notes if isinstance(note, Key)), item.name)
    type_ = _type(hint)
    instead = default if default is not dataclasses.MISSING else None
    required = not optional and default is dataclasses.MISSING

    def read(values: dict[str, Any]) -> Any:
        value = values.get(key)
        if value is None:
            if required:
                who = f"A request to {cls.DO}" if issubclass(cls, Request) else "An answer"
                raise InputError(f"{who} needs {key}: give {type_.words}.")
            return instead
        try:
            return type_.read(value)
        except (TypeError, OverflowError) as error:
            raise InputError(f"{key} is {value!r:.60}: give {type_.words}.") from error

    def write(value: Any, result: dict[str, Any]) -> None:
        result[key] = value if type_.write is None or value is None else type_.write(value)

    return _Field(item.name, (key,), read, write, default)


def _table(name: str, table: Table) -> _Field:
    """Options that stand in the same object."""
    types_ = {key: _option(option) for key, option in table.options.items()}

    def read(values: dict[str, Any]) -> dict[str, float]:
        given = {
            key: type_.read(values[key])
            for key, type_ in types_.items()
            if values.get(key) is not None
        }
        return _options(table.options, given) if table.complete else given

    def write(value: Mapping[str, float], result: dict[str, Any]) -> None:
        result.update({key: _finite(number) for key, number in value.items()})

    return _Field(name, tuple(types_), read, write, dataclasses.MISSING)


def _inline(name: str, shape: _Shape, default: Any) -> _Field:
    """A dataclass whose fields stand in the same object; without any of them the default."""

    def read(values: dict[str, Any]) -> Any:
        if default is not dataclasses.MISSING and not shape.keys & values.keys():
            return default
        return shape.read(values)

    def write(value: Any, result: dict[str, Any]) -> None:
        result.update(shape.write(value))

    return _Field(name, tuple(shape.keys), read, write, default)


def _without_none(hint: Any) -> tuple[Any, bool]:
    """Return the hint X of `X | None`, and whether it was one."""
    if typing.get_origin(hint) not in {types.UnionType, typing.Union}:
        return hint, False
    rest = tuple(arg for arg in typing.get_args(hint) if arg is not types.NoneType)
    return (rest[0] if len(rest) == 1 else typing.Union[rest]), True  # noqa: UP007


def _type(hint: Any) -> _Type:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _annotated(hint.__origin__, hint.__metadata__)
    if origin is Literal:
        return _Type(" or ".join(arguments), functools.partial(_one_of, arguments))
    if origin is typing.Union:
        return _Type("a number or a text", functools.partial(_of_types, arguments))
    if origin is tuple and arguments[1:] == (...,):
        return _list(_type(arguments[0]))
    if origin is tuple:
        return _array(tuple, arguments)
    if origin is dict:
        return _Type("an object of numbers", _read_numbers)
    if issubclass(hint, tuple):
        return _array(hint._make, tuple(typing.get_type_hints(hint).values()))
    if dataclasses.is_dataclass(hint):
        shape = _shape(hint)
        return _Type("an object", functools.partial(_read_object, shape), shape.write)
    return _PLAIN[hint]


def _annotated(base: Any, notes: tuple[Any, ...]) -> _Type:
    type_ = _type(base)
    for note in notes:
        match note:
            case Option():
                type_ = _option(note)
            case Range(low, high):
                words = range_words(base, low, high)
                type_ = _Type(words, functools.partial(_in_range, type_.read, low, high))
            case Words(words):
                type_ = type_._replace(words=words)
            case Check(function):
                type_ = type_._replace(read=function)
    return type_


def _option(option: Option) -> _Type:
    """The values of an option, with its own sentence for a wrong one; infinity is "inf"."""
    endless = option.type is float and option.high == math.inf

    def read(value: Any) -> Any:
        if endless and value == "inf":
            return math.inf
        if option.type is int and isinstance(value, float) and value.is_integer():
            value = int(value)
        return option.check(value)

    return _Type(f"a value of {option.label}", read, _finite if endless else None)


def _list(type_: _Type) -> _Type:
    read, write = type_.read, type_.write

    def read_all(value: Any) -> tuple[Any, ...]:
        return tuple([read(item) for item in _checked(list, value)])

    def write_all(value: tuple[Any, ...]) -> list[Any]:
        assert write is not None
        return [write(item) for item in value]

    return _Type(f"a list, each {type_.words}", read_all, None if write is None else write_all)


def _array(make: Callable[[Any], Any], hints: tuple[Any, ...]) -> _Type:
    """A tuple of a fixed length, of values that JSON has as they are."""
    reads = [_type(hint).read for hint in hints]

    def read(value: Any) -> Any:
        if len(_checked(list, value)) != len(reads):
            raise TypeError
        return make([read(item) for read, item in zip(reads, value, strict=True)])

    return _Type(f"a list of {len(reads)} values", read)


def _checked(cls: type, value: Any) -> Any:
    if type(value) is not cls:
        raise TypeError
    return value


def _read_int(value: Any) -> int:
    if type(value) is float and value.is_integer():
        return int(value)
    return int(_checked(int, value))


def _read_float(value: Any) -> float:
    return float(value if type(value) is int else _checked(float, value))


def _read_numbers(value: Any) -> dict[str, float]:
    return {name: _read_float(number) for name, number in _checked(dict, value).items()}


def _read_object(shape: _Shape, value: Any) -> Any:
    return shape.read(_checked(dict, value))


def _one_of(values: tuple[str, ...], value: Any) -> Any:
    if type(value) is not str or value not in values:
        raise TypeError
    return value


def _of_types(types_: tuple[type, ...], value: Any) -> Any:
    if type(value) not in types_:
        raise TypeError
    return value


def _in_range(read: Callable[[Any], Any], low: float, high: float, value: Any) -> Any:
    number = read(value)
    if not low <= number <= high:
        raise TypeError
    return number


def _finite(value: float) -> float | str:
    """Return a number as JSON can hold it."""
    return "inf" if value == math.inf else value


_PLAIN: dict[Any, _Type] = {
    str: _Type("a text", functools.partial(_checked, str)),
    bool: _Type("true or false", functools.partial(_checked, bool)),
    int: _Type("a whole number", _read_int),
    float: _Type("a number", _read_float),
}
