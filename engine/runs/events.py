"""What a run says about itself: one JSON object a line in `events.jsonl`.

The same lines are what `rnn-tui watch --json` and `rnn-tui train --json` print.
"""

import dataclasses
import json
import math
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """The common part: when it was said, in seconds since 1970."""

    time: float = field(default_factory=time.time, kw_only=True)


@dataclass(frozen=True)
class Started(Event):
    """The run has its data and its model and begins."""

    run: str
    kind: str  # "lyrics" or "music"
    model: str  # in words, as "lstm 2 × 256"
    parameters: int
    steps: int  # how many it will take
    frames_per_step: int
    train_frames: int  # in the corpus
    valid_frames: int
    corpus: str
    unit: str  # what a frame is: "character" or "frame"
    threads: int  # of each rank
    device: str
    ranks: int = 1  # processes that train it together


@dataclass(frozen=True)
class Step(Event):
    """Mean figures over the steps since the last such event."""

    step: int
    loss: float | None  # nats a frame; None: not a finite number
    bits: float | None  # the same in bits
    lr: float
    grad_norm: float | None  # before clipping
    frames_per_second: float  # of all ranks together
    memory_mb: float  # resident, of all ranks together
    elapsed: float  # seconds of training, also those before a resume
    remaining: float | None  # seconds, as far as can be told


@dataclass(frozen=True)
class Evaluated(Event):
    """A look at the validation songs."""

    step: int
    loss: float  # nats a frame
    bits: float
    frames: int
    best: bool  # the best so far


@dataclass(frozen=True)
class Sampled(Event):
    """Something the model wrote."""

    step: int
    prime: str
    condition: str | None  # the artist
    text: str  # without the prime; empty for music
    temperature: float
    notes: list[list[int]] | None = None  # music: first frame, frame after the last, MIDI pitch
    frame: float | None = None  # music: the length of a frame in seconds


@dataclass(frozen=True)
class Saved(Event):
    """A checkpoint is whole on the disk."""

    step: int
    checkpoint: str  # its folder's name under checkpoints/
    best: bool


@dataclass(frozen=True)
class Resumed(Event):
    """The run goes on from a checkpoint; what was said of later steps before no longer holds."""

    step: int


@dataclass(frozen=True)
class Finished(Event):
    """The run ended well."""

    step: int
    reason: str  # "completed" or "stopped"


@dataclass(frozen=True)
class Failed(Event):
    """The run ended badly."""

    step: int
    reason: str  # one sentence
    status: int = 1  # what the command ends with: 2 where the words or the input were wrong


@dataclass(frozen=True)
class Heartbeat(Event):
    """Nothing to report, but work goes on (as in a long evaluation)."""

    step: int
    doing: str


KINDS: dict[str, type[Event]] = {
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
_NAMES = {cls: name for name, cls in KINDS.items()}


def finite(value: float) -> float | None:
    """The value, or None where JSON has no word for it."""
    return value if math.isfinite(value) else None


def encode(event: Event) -> str:
    """One line of JSON, without its newline."""
    values = {"event": _NAMES[type(event)], **dataclasses.asdict(event)}
    return json.dumps(values, ensure_ascii=False, allow_nan=False)


def decode(line: str) -> Event | None:
    """The event of a line; None for a line this version does not know.

    Fields added later are ignored, so that an older watcher follows a newer run.
    """
    try:
        values: dict[str, Any] = json.loads(line)
        cls = KINDS[values.pop("event")]
        names = {item.name for item in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
