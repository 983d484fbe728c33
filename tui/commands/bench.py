"""Measure speed and memory against references, in turns and in one run."""

import argparse
import importlib
import os

from tui.bench.measurement import Measurement

# What can be measured, each in tui.bench.NAME by `measure(quick)`, an iterator of Measurements.
BENCHES: tuple[str, ...] = ("memory", "play", "prepare", "sample", "train")


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("what", choices=BENCHES, help=", ".join(BENCHES))
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that it works")
    parser.add_argument("--json", action="store_true", help="print one JSON object a measurement")


def run(arguments: argparse.Namespace) -> int:
    """Print each measurement as soon as it is made."""
    # One thread each, before NumPy is imported: what is compared is ways, not cores.
    os.environ.update((f"{library}_NUM_THREADS", "1") for library in ("OMP", "OPENBLAS", "MKL"))
    bench = importlib.import_module(f"tui.bench.{arguments.what}")
    for measurement in bench.measure(arguments.quick):
        print(measurement.json() if arguments.json else _line(measurement), flush=True)
    return 0


def _line(measurement: Measurement) -> str:
    words = f"{measurement.what:<44} {measurement.value:>12,.5g} {measurement.unit}"
    if measurement.reference is None:
        return words
    return f"{words:<72} reference {measurement.reference:,.5g}, ratio {measurement.ratio:.3g}"
