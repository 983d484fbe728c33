"""A measured value beside that of a reference, and the cost of a command."""

import json
import math
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from engine import processes
from engine.errors import WorkError


@dataclass(frozen=True)
class Measurement:
    """A value with its unit, and a reference in the same unit measured in the same run."""

    what: str
    value: float
    unit: str
    reference: float | None = None  # None: there is no reference
    lower: bool = False  # whether lower values are better

    @property
    def ratio(self) -> float | None:
        """How many times better the value is than the reference: over 1 if it is better.

        None without a reference.
        """
        if self.reference is None:
            return None
        better, worse = (self.reference, self.value) if self.lower else (self.value, self.reference)
        return better / worse if worse else math.inf

    def json(self) -> str:
        """Return one JSON object: what, value, unit, reference, ratio."""
        values = asdict(self)
        del values["lower"]
        return json.dumps({**values, "ratio": self.ratio})


@dataclass(frozen=True)
class Cost:
    """The time and memory of one process."""

    seconds: float
    cpu_seconds: float
    megabytes: float  # peak memory


def measure_command(arguments: list[str], home: Path) -> Cost:
    """Run `rnn-tui` in a fresh process with a home folder of its own, and return its cost.

    Raises WorkError if it fails.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        [*processes.command("tui.cli"), *arguments],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "RNN_TUI_HOME": str(home)},
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise WorkError(
            f"'rnn-tui {' '.join(arguments)}' ended with status {process.returncode}: see its "
            "message above, or use --quick."
        )
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(
        time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6
    )
