"""Measure speed and memory against references in the same run."""

import argparse
import importlib
import os

from tui.bench.measurement import Measurement
from tui.commands import output
from tui.commands.arguments import add_json

# Each name is a module of tui.bench with `measure(quick)`, an iterator of Measurements.
BENCHES: tuple[str, ...] = ("memory", "play", "prepare", "sample", "train", "watch")


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "what",
        choices=BENCHES,
        help="What to measure. memory: memory and time of training on long songs; play: lateness "
        "of notes in MIDI playback, latency of echoes and answers; prepare: preparing a large file "
        "of songs; sample: writing lyrics; train: training a network; watch: reading runs with "
        "long logs.",
    )
    parser.add_argument("--quick", action="store_true", help="Use small sizes, to try the command.")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print each measurement once it is made."""
    # One thread, to compare algorithms rather than numbers of cores; set before NumPy is imported.
    os.environ.update((f"{library}_NUM_THREADS", "1") for library in ("OMP", "OPENBLAS", "MKL"))
    bench = importlib.import_module(f"tui.bench.{arguments.what}")
    for measurement in bench.measure(arguments.quick):
        if arguments.json:
            output.echo_json(measurement.json())
        else:
            output.echo(_line(measurement))
    return 0


def _line(measurement: Measurement) -> str:
    text = f"{measurement.what:<44} {measurement.value:>12,.5g} {measurement.unit}"
    if measurement.reference is None:
        return text
    return f"{text:<72} reference {measurement.reference:,.5g}, ratio {measurement.ratio:.3g}"
