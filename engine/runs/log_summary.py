"""What is kept of a run's events: the first, the last, the best, and thinned curves.

Its size does not depend on the number of events. It is saved as `summary.json` beside
`events.jsonl`, so that a long log is not read from its beginning; a missing or damaged summary is
built again from the log.

summary.json    format    FORMAT
                offset    number of the log's bytes that it covers, which end with a newline
                check     CRC-32 of the last of these bytes, at most CHECK_BYTES
                history   `History.to_json`
"""

import json
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

from engine import files
from engine.errors import InputError
from engine.runs.events import (
    Evaluated,
    Event,
    Resumed,
    Sampled,
    Saved,
    Started,
    Step,
    decode,
    encode,
)

FORMAT = 1
FILE = "summary.json"
CHECK_BYTES = 1024
MAX_EVENTS = 4096  # of a curve; an even number
MAX_SAMPLES = 60  # the newest ones
_STEP = b'{"event": "step"'  # how `encode` begins the line of a Step

E = TypeVar("E", Step, Evaluated)


class Curve(Generic[E]):
    """Events of ascending steps, thinned to at most MAX_EVENTS: one of each `stride` events.

    rank: the lowest of these by this key is kept, otherwise the first.
    """

    def __init__(self, rank: Callable[[E], float] | None = None) -> None:
        self._rank: Callable[[E], float] | None = rank
        self.kept: list[E] = []
        self.last: E | None = None  # the last event added, kept or not
        self.stride = 1
        self._count = 0  # events added since the last kept one, itself included

    @property
    def is_due(self) -> bool:
        """Whether the next event is the first of `stride` events."""
        return not self.kept or self._count >= self.stride

    def add(self, event: E) -> None:
        """Add the next event."""
        self.last = event
        if self.is_due:
            if len(self.kept) >= MAX_EVENTS:
                self._halve()
            self.kept.append(event)
            self._count = 0
        elif self._rank and self._rank(event) < self._rank(self.kept[-1]):
            self.kept[-1] = event
        self._count += 1

    def skip(self) -> None:
        """Count an event that would not be kept; the caller sets `last` if it is the last one."""
        self._count += 1

    def _halve(self) -> None:
        pairs = zip(self.kept[::2], self.kept[1::2], strict=True)
        self.kept = [min(pair, key=self._rank) if self._rank else pair[0] for pair in pairs]
        self.stride *= 2

    def drop_after(self, step: int) -> None:
        """Remove the events of later steps."""
        while self.kept and self.kept[-1].step > step:
            self.kept.pop()
            self._count = self.stride
        if self.last is not None and self.last.step > step:
            self.last = self.kept[-1] if self.kept else None

    def to_json(self) -> dict[str, Any]:
        """Return the content as JSON values; `load` is the inverse."""
        return {
            "kept": [encode(event) for event in self.kept],
            "last": self.last and encode(self.last),
            "stride": self.stride,
            "count": self._count,
        }

    def load(self, values: dict[str, Any]) -> None:
        """Replace the content by that of `to_json`. Raises ValueError for damaged values."""
        self.kept = [_decoded(line) for line in values["kept"]]
        self.last = values["last"] and _decoded(values["last"])
        self.stride, self._count = int(values["stride"]), int(values["count"])


@dataclass
class History:
    """The events of one run by type, without those of steps that a resumed run repeats.

    Of more than MAX_EVENTS steps or evaluations some are left out, of the evaluations never the
    best; of samples and checkpoints the last MAX_SAMPLES are kept.
    """

    started: Started | None = None
    step_curve: Curve[Step] = field(default_factory=Curve)
    evaluation_curve: Curve[Evaluated] = field(default_factory=lambda: Curve(_loss))
    samples: list[Sampled] = field(default_factory=list)
    checkpoints: list[Saved] = field(default_factory=list)
    last_event: Event | None = None  # of any type

    @property
    def steps(self) -> list[Step]:
        """The kept steps, with the last one."""
        return _with_last(self.step_curve)

    @property
    def evaluations(self) -> list[Evaluated]:
        """The kept evaluations, with the last one."""
        return _with_last(self.evaluation_curve)

    @property
    def step(self) -> int:
        """The highest step of the events above; 0 without events."""
        last = (self.step_curve.last, self.evaluation_curve.last)
        ends = (*last, *self.samples[-1:], *self.checkpoints[-1:])
        return max((event.step for event in ends if event is not None), default=0)

    @property
    def best_evaluation(self) -> Evaluated | None:
        """The evaluation with the lowest loss; None before the first."""
        return min(self.evaluation_curve.kept, key=_loss, default=None)

    def add(self, event: Event) -> None:
        """Add the next event; a `Resumed` removes the events of later steps."""
        self.last_event = event
        match event:
            case Started():
                self.started = event
            case Step():
                self.step_curve.add(event)
            case Evaluated():
                self.evaluation_curve.add(event)
            case Sampled():
                self.samples.append(event)
                del self.samples[:-MAX_SAMPLES]
            case Saved():
                self.checkpoints.append(event)
                del self.checkpoints[:-MAX_SAMPLES]
            case Resumed():
                self._drop_after(event.step)

    def _drop_after(self, step: int) -> None:
        self.step_curve.drop_after(step)
        self.evaluation_curve.drop_after(step)
        for events in (self.samples, self.checkpoints):
            while events and events[-1].step > step:
                events.pop()

    def add_lines(self, lines: list[bytes]) -> None:
        """Add the events of complete lines of a log.

        Lines of steps that would not be kept are not parsed, since a long log consists of them.
        """
        skipped = None  # the last line that was not parsed
        for line in lines:
            if line.startswith(_STEP) and not self.step_curve.is_due:
                self.step_curve.skip()
                skipped = line
                continue
            self._set_last_step(skipped)
            skipped = None
            if (event := decode(line.decode(errors="replace"))) is not None:
                self.add(event)
        self._set_last_step(skipped)

    def _set_last_step(self, line: bytes | None) -> None:
        event = decode(line.decode(errors="replace")) if line else None
        if isinstance(event, Step):
            self.last_event = self.step_curve.last = event

    def to_json(self) -> dict[str, Any]:
        """Return the content as JSON values; `from_json` is the inverse."""
        return {
            "started": self.started and encode(self.started),
            "steps": self.step_curve.to_json(),
            "evaluations": self.evaluation_curve.to_json(),
            "samples": [encode(event) for event in self.samples],
            "checkpoints": [encode(event) for event in self.checkpoints],
            "last_event": self.last_event and encode(self.last_event),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "History":
        """Return the history that `to_json` returned. Raises ValueError for damaged values."""
        history = cls(
            started=values["started"] and _decoded(values["started"]),
            samples=[_decoded(line) for line in values["samples"]],
            checkpoints=[_decoded(line) for line in values["checkpoints"]],
            last_event=values["last_event"] and _decoded(values["last_event"]),
        )
        history.step_curve.load(values["steps"])
        history.evaluation_curve.load(values["evaluations"])
        return history


def _loss(event: Evaluated) -> float:
    return event.loss


def _with_last(curve: Curve[E]) -> list[E]:
    kept = list(curve.kept)
    if curve.last is not None and kept and curve.last.step > kept[-1].step:
        kept.append(curve.last)
    return kept


def _decoded(line: str) -> Any:
    event = decode(line)
    if event is None:
        raise ValueError(f"not an event: {line[:80]!r}")
    return event


def save(log: Path, history: History, offset: int) -> None:
    """Write the summary of the first `offset` bytes of a log, whose last byte is a newline.

    Without permission or space nothing is written: the log has everything.
    """
    try:
        with files.open_regular(log) as file:
            check = _check(file, offset)
        values = {"format": FORMAT, "offset": offset, "check": check, "history": history.to_json()}
        files.write_atomic(log.with_name(FILE), json.dumps(values), sync=False)
    except (OSError, InputError):
        return


def load(log: Path) -> tuple[History, int]:
    """Return the history in a log's summary, and the number of the log's bytes that it covers.

    A history without events, and 0, if there is no summary, it is damaged or of another log.
    """
    try:
        values = files.read_json(log.with_name(FILE))
        offset = int(values["offset"])
        with files.open_regular(log) as file:
            if values["format"] == FORMAT and values["check"] == _check(file, offset):
                return History.from_json(values["history"]), offset
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return History(), 0


def _check(log: BinaryIO, offset: int) -> int:
    """Return the CRC-32 of the bytes before `offset`; raises ValueError if the log is shorter."""
    if os.fstat(log.fileno()).st_size < offset:
        raise ValueError("the log is shorter than its summary")
    log.seek(max(0, offset - CHECK_BYTES))
    return zlib.crc32(log.read(min(offset, CHECK_BYTES)))
