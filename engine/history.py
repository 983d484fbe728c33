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
        return max((events[-1].step for events in self._lists() if events), default=0)

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

    def _lists(self) -> tuple[list[Any], ...]:
        return self.steps, self.evaluations, self.samples, self.saved

    def _drop_after(self, step: int) -> None:
        for events in self._lists():
            while events and events[-1].step > step:
                events.pop()
