"""What the Runs page shows of each run, as plain values."""

from dataclasses import dataclass

from engine.rundir import RunDir

COLUMNS = ("", "run", "state", "step", "best valid", "model", "corpus", "kind", "begun")


@dataclass(frozen=True)
class RunRow:
    """One run in the table."""

    run: RunDir
    state: str  # one of tui.model.run.STATES
    kind: str
    model: str  # in words
    corpus: str
    step: int
    steps: int
    best: float | None  # bits a frame
    begun: str
    evaluations: tuple[tuple[float, float], ...]  # step and bits of each

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return self.run.path.name


def begun(folder: str) -> str:
    """The time in front of a run's folder name, as 2025-03-01 12:00; empty where there is none."""
    day, _, rest = folder.partition("-")
    clock = rest[:6]
    if len(day) != 8 or not (day + clock).isdecimal() or len(clock) != 6:
        return ""
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {clock[:2]}:{clock[2:4]}"
