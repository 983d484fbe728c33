"""What a run has said so far, folded into the lists that tables and curves are drawn from."""

from dataclasses import dataclass, field
from typing import Any

from engine import events as kinds


@dataclass
class History:
    """The events of one run, without what a resume has made void."""

    started: kinds.Started | None = None
    steps: list[kinds.Step] = field(default_factory=list)
    evaluations: list[kinds.Evaluated] = field(default_factory=list)
    samples: list[kinds.Sampled] = field(default_factory=list)
    saved: list[kinds.Saved] = field(default_factory=list)
    last: kinds.Event | None = None  # of any kind

    @property
    def step(self) -> int:
        """How far the run has come."""
        return int(getattr(self.last, "step", 0)) if self.last is not None else 0

    @property
    def best(self) -> kinds.Evaluated | None:
        """The best evaluation so far."""
        return min(self.evaluations, key=lambda event: event.loss, default=None)

    def add(self, event: kinds.Event) -> None:
        """Take in the next event."""
        self.last = event
        match event:
            case kinds.Started():
                self.started = event
            case kinds.Step():
                self.steps.append(event)
            case kinds.Evaluated():
                self.evaluations.append(event)
            case kinds.Sampled():
                self.samples.append(event)
            case kinds.Saved():
                self.saved.append(event)
            case kinds.Resumed():
                self._drop_after(event.step)

    def _drop_after(self, step: int) -> None:
        lists: tuple[list[Any], ...] = (self.steps, self.evaluations, self.samples, self.saved)
        for events in lists:
            while events and events[-1].step > step:
                events.pop()
