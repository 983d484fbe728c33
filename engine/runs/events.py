"""The events of a run: what `events.jsonl` holds, one JSON object a line.

`rnn-tui watch --json` and `rnn-tui train --json` print the same lines. The fields of a class
are the keys of its objects; the key `event` holds its name in EVENT_TYPES.
"""

import dataclasses
import json
import math
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """The base of all events."""

    time: float = field(default_factory=time.time, kw_only=True)  # seconds since 1970


@dataclass(frozen=True)
class Started(Event):
    """The corpus is prepared, the model is built, and training begins."""

    run: str  # the run's name
    kind: str  # "lyrics" or "music"
    model: str  # its description, as "lstm 2 × 256"
    parameters: int  # number of weights; 0 for an n-gram model
    steps: int  # optimizer steps in total, those before a resume included
    frames_per_step: int
    train_frames: int  # frames of the training songs
    valid_frames: int  # frames of the validation songs
    corpus: str  # the data set's name
    unit: str  # what a frame is: "character" or "frame"
    threads: int  # CPU threads of each rank
    device: str  # "cpu" or "cuda (NVIDIA H200)"
    ranks: int = 1  # processes that train the run together


@dataclass(frozen=True)
class Step(Event):
    """Means over the optimizer steps since the last such event."""

    step: int
    loss: float | None  # nats a frame; None: infinite or NaN
    bits: float | None  # bits a frame
    lr: float  # the learning rate of the last of the steps
    grad_norm: float | None  # before clipping; None: infinite or NaN
    frames_per_second: float  # of all ranks together
    memory_mb: float  # resident memory of all ranks together
    elapsed: float  # seconds of training, those before a resume included
    remaining: float | None  # seconds of training to the last step, estimated


@dataclass(frozen=True)
class Evaluated(Event):
    """The model was scored on the validation songs."""

    step: int
    loss: float  # nats a frame
    bits: float  # bits a frame
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
    notes: list[list[int]] | None = None  # music: first frame, frame after the last, MIDI pitch
    frame: float | None = None  # music: seconds a frame


@dataclass(frozen=True)
class Saved(Event):
    """A checkpoint is complete on disk."""

    step: int
    checkpoint: str  # its folder's name under checkpoints/
    best: bool  # whether `best` points to it


@dataclass(frozen=True)
class Resumed(Event):
    """Training continues from a checkpoint; earlier events of later steps no longer hold."""

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
    """A sign of life during long work without other events, as an evaluation."""

    step: int
    doing: str  # "evaluating", "counting"


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
_NAMES = {cls: name for name, cls in EVENT_TYPES.items()}


def finite_or_none(value: float) -> float | None:
    """Return a value, or None for infinity and NaN, which JSON does not have."""
    return value if math.isfinite(value) else None


def encode(event: Event) -> str:
    """Return the event as one line of JSON, without the newline."""
    values = {"event": _NAMES[type(event)], **dataclasses.asdict(event)}
    return json.dumps(values, ensure_ascii=False, allow_nan=False)


def decode(line: str) -> Event | None:
    """Parse a line; None for a line that is not an event of this version.

    Unknown fields are ignored, so that an older version can watch the run of a newer one.
    """
    try:
        values: dict[str, Any] = json.loads(line)
        cls = EVENT_TYPES[values.pop("event")]
        names = {item.name for item in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
