"""The events of a run: the lines of `events.jsonl`, one JSON object each.

`rnn-tui watch --json` and `rnn-tui train --json` print the same lines. The fields of a class are
the keys of its JSON object, in which the key `event` has the class's name in EVENT_TYPES. A frame
is a character of lyrics or a time step of music.
"""

import dataclasses
import json
import math
import time
import typing
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """The base class of all events."""

    time: float = field(default_factory=time.time, kw_only=True)  # seconds since 1970


@dataclass(frozen=True)
class Started(Event):
    """The corpus is prepared and the model is built: training begins."""

    run: str  # the run's name
    kind: str  # "lyrics" or "music"
    model: str  # its description, for example "lstm 2 × 256"
    parameters: int  # number of weights; 0 for an n-gram model
    steps: int  # optimizer steps in total, including those before a resume
    frames_per_step: int  # of all ranks together
    train_frames: int  # number of frames in the training songs
    valid_frames: int  # number of frames in the validation songs
    corpus: str  # the data set's name
    unit: str  # the word for a frame: "character" (lyrics) or "frame" (music)
    threads: int  # CPU threads of each rank
    device: str  # "cpu" or "cuda (NVIDIA H200)"
    ranks: int = 1  # processes that train the run together
    initial: str = ""  # the model that it starts from, and what of it is new; "": random weights


@dataclass(frozen=True)
class Step(Event):
    """Means over the optimizer steps since the last Step event."""

    step: int  # the last of these steps
    loss: float | None  # nats per frame of the training songs; None: infinite or NaN
    bits: float | None  # the same loss in bits per frame
    lr: float  # the learning rate of the last of these steps
    grad_norm: float | None  # before clipping; None: infinite or NaN
    frames_per_second: float  # of all ranks together
    memory_mb: float  # resident memory of all ranks together
    elapsed: float  # seconds of training, including those before a resume
    remaining: float | None  # estimated seconds of training until the last step


@dataclass(frozen=True)
class Evaluated(Event):
    """The model was scored on the validation songs."""

    step: int
    loss: float  # nats per frame
    bits: float  # bits per frame
    frames: int  # number of frames scored
    best: bool  # whether the loss is the lowest so far


@dataclass(frozen=True)
class Sampled(Event):
    """The model wrote a sample."""

    step: int
    prime: str  # the prompt, which the model continued; empty for music
    condition: str | None  # the artist; None: no artist
    text: str  # the continuation, without the prompt; empty for music
    temperature: float
    # Music: of each note [first frame, frame after the last, MIDI pitch].
    notes: list[list[int]] | None = None
    frame: float | None = None  # music: seconds per frame


@dataclass(frozen=True)
class Saved(Event):
    """A checkpoint is complete on disk."""

    step: int
    checkpoint: str  # its folder's name under checkpoints/
    best: bool  # whether the link `best` was set to it


@dataclass(frozen=True)
class Resumed(Event):
    """Training continues from a checkpoint.

    Events before this one with a later step are void: these steps are repeated.
    """

    step: int  # of the checkpoint


@dataclass(frozen=True)
class Finished(Event):
    """Training ended without an error."""

    step: int
    reason: str  # "completed" or "stopped"


@dataclass(frozen=True)
class Failed(Event):
    """Training ended with an error."""

    step: int
    reason: str  # the error, one sentence
    status: int = 1  # exit status of the command: 2 for wrong usage or input, else 1


@dataclass(frozen=True)
class Heartbeat(Event):
    """A sign of life during long work without other events, such as an evaluation."""

    step: int
    doing: str  # "evaluating" or "counting"


EVENT_TYPES: dict[str, type[Event]] = {
    "started": Started,
    "step": Step,
    "evaluated": Evaluated,
    "sampled": Sampled,
    "saved": Saved,
    "resumed": Resumed,
    "finished": Finished,
    "failed": Failed,
    "heartbeat": Heartbeat,
}


def _json_types(cls: type[Event]) -> dict[str, tuple[type, ...]]:
    """Return the types of JSON values of each field of an event."""
    found: dict[str, tuple[type, ...]] = {}
    for name, hint in typing.get_type_hints(cls).items():
        types = [typing.get_origin(part) or part for part in typing.get_args(hint) or (hint,)]
        found[name] = (*types, int) if float in types else tuple(types)
    return found


_NAMES = {cls: name for name, cls in EVENT_TYPES.items()}
_TYPES = {cls: _json_types(cls) for cls in _NAMES}  # types of the values of each field


def finite_or_none(value: float) -> float | None:
    """Return the value; None for infinity and NaN, which JSON does not have."""
    return value if math.isfinite(value) else None


def encode(event: Event) -> str:
    """Return the event as one line of JSON, without the newline."""
    values = {"event": _NAMES[type(event)], **dataclasses.asdict(event)}
    return json.dumps(values, ensure_ascii=False, allow_nan=False)


def decode(line: str) -> Event | None:
    """Parse a line; returns None for a line that is not an event of this version.

    Unknown fields are ignored, so that an older version can watch the run of a newer one.
    """
    try:
        values: dict[str, Any] = json.loads(line)
        cls = EVENT_TYPES[values.pop("event")]
        types = _TYPES[cls]
        if values.keys() - types:
            values = {name: value for name, value in values.items() if name in types}
        if not all(isinstance(value, types[name]) for name, value in values.items()):
            return None
        return cls(**values)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
