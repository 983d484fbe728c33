"""Measure how the time and memory of reading a run depend on the length of its log.

A log of N events is generated in a home folder of its own; then the commands `runs`, `watch` and
`export` run on it in fresh processes: with the run's summary, and `runs` also without it, when the
summary is built again. The references are the same commands on the shortest log. All files are
deleted afterwards.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from engine import paths
from engine.config import RunConfig, to_mapping
from engine.files import explain_write_errors
from engine.runs import log_summary, run_dir
from engine.runs.events import Evaluated, Finished, Started, Step, encode
from tui.bench.measurement import Cost, Measurement, measure_command

LENGTHS, QUICK_LENGTHS = (10_000, 1_000_000, 10_000_000), (200, 20_000)
EVALUATE_EVERY = 200  # events


def measure(quick: bool) -> Iterator[Measurement]:
    """Yield time and memory of each command by the number of events."""
    home = paths.home()
    home.mkdir(parents=True, exist_ok=True)
    shortest: dict[str, Cost] = {}
    for count in QUICK_LENGTHS if quick else LENGTHS:
        with tempfile.TemporaryDirectory(dir=home) as folder:
            run = Path(folder) / "runs" / "20260101-000000-long"
            run.mkdir(parents=True)
            with explain_write_errors(run):
                write(run, count)
            csv = str(Path(folder) / "metrics.csv")
            for label, arguments in {
                "runs, without a summary": ["runs"],
                "runs": ["runs"],
                "watch --plain": ["watch", "long", "--plain"],
                "export --csv": ["export", "long", "--csv", csv],
            }.items():
                if "without" in label:
                    (run / log_summary.FILE).unlink(missing_ok=True)
                cost = measure_command(arguments, Path(folder))
                base = shortest.setdefault(label, cost)
                name = f"{label}, {count:,} events"
                yield Measurement(f"time, {name}", cost.seconds, "s", base.seconds, lower=True)
                yield Measurement(
                    f"memory, {name}", cost.megabytes, "MB", base.megabytes, lower=True
                )


def write(run: Path, count: int) -> None:
    """Write the folder of a finished run with a log of `count` events."""
    content = {"format": run_dir.FORMAT, "config": to_mapping(RunConfig())}
    (run / "config.json").write_text(json.dumps(content))
    started = Started("long", "lyrics", "lstm", 1, count, 1, 1, 1, "songs", "character", 1, "cpu")
    number = 123_456_789  # of steps, in the templates of lines
    step = Step(number, 1.0, 1.5, 0.001, 0.5, 20_000.0, 400.0, 1.0, 1.0, time=0.0)
    evaluated = Evaluated(number, 1.0, 1.5, 1000, best=False, time=0.0)
    ordinary, rare = (encode(event).split(str(number)) for event in (step, evaluated))
    with (run / "events.jsonl").open("w") as log:
        log.write(encode(started) + "\n")
        for event in range(1, count - 1):
            before, after = ordinary if event % EVALUATE_EVERY else rare
            log.write(f"{before}{event}{after}\n")
        log.write(encode(Finished(count - 2, "completed")) + "\n")
