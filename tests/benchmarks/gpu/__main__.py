"""Check and time training on a GPU, and write the results to two files.

    python -m tests.benchmarks.gpu [--songs FILE --bits B] [--output NAME]

It needs a CUDA device, a PyTorch for that device and the other packages of constraints.txt. The
project must be the current folder; it need not be installed.

First it checks gradients in float64, that a resumed run is equal to the last bit, and training in
bfloat16. Then it measures the speed of training, and with --songs also the time to reach a
validation score, for example that of a network trained on a CPU. NAME.md and NAME.json contain
tables of the results, the machine's name, the date and the command. The exit status is 1 if a
check failed. `--device cpu --quick` tests the script itself.
"""

import argparse
import dataclasses
import json
import os
import platform
import shlex
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from engine import paths
from engine.config import TrainConfig
from engine.errors import InputError, WorkError
from engine.files import write_atomic
from engine.train.device import choose_device
from engine.train.distributed import SINGLE_PROCESS
from tests.benchmarks.gpu import checks, speed, time_to_score

Rows = list[dict[str, Any]]


def main(argv: list[str]) -> int:
    """Run the benchmark and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.gpu",
        description="Check and time training on a GPU; write the results to NAME.md and NAME.json.",
    )
    parser.add_argument(
        "--device",
        choices=("cuda", "cpu"),
        default="cuda",
        help="device to train on (default cuda)",
    )
    parser.add_argument("--quick", action="store_true", help="use small sizes, to test the script")
    parser.add_argument(
        "--songs", type=Path, metavar="FILE", help="songs to train on until a score is reached"
    )
    parser.add_argument(
        "--bits", type=float, metavar="B", help="that score, in validation bits per character"
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=4000,
        metavar="N",
        help="train each network for at most N steps (default 4000)",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=20.0,
        metavar="M",
        help="train each network for at most M minutes (default 20)",
    )
    parser.add_argument(
        "--output", default="gpu", metavar="NAME", help="write NAME.md and NAME.json (default gpu)"
    )
    arguments = parser.parse_args(argv)
    try:
        with tempfile.TemporaryDirectory() as home:
            os.environ[paths.HOME_VARIABLE] = home
            device = _choose_device(arguments)
            results = _measure(arguments, device)
        facts = {
            **_machine(device),
            "command": shlex.join(["python", "-m", "tests.benchmarks.gpu", *argv]),
        }
        text = json.dumps({**facts, **results}, indent=1, ensure_ascii=False)
        write_atomic(Path(f"{arguments.output}.json"), text + "\n")
        write_atomic(Path(f"{arguments.output}.md"), _markdown(facts, results))
    except (InputError, WorkError) as error:
        print(f"python -m tests.benchmarks.gpu: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    failed = [check["what"] for check in results["checks"] if not check["passed"]]
    print(f"{arguments.output}.md, {arguments.output}.json" + ": FAILED" * bool(failed))
    return int(bool(failed))


def _choose_device(arguments: argparse.Namespace) -> torch.device:
    """Return the device to measure.

    Raises InputError if there is no such device, and for invalid arguments.
    """
    if arguments.device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            f"There is no CUDA device that PyTorch {torch.__version__} can use: run this on a "
            "machine with one, or test the script with --device cpu --quick."
        )
    if (arguments.songs is None) != (arguments.bits is None):
        raise InputError("--songs and --bits belong together: use both or neither.")
    if not arguments.minutes > 0:
        raise InputError(f"--minutes {arguments.minutes:g} must be greater than 0.")
    return choose_device(TrainConfig(device=arguments.device), SINGLE_PROCESS)


def _measure(arguments: argparse.Namespace, device: torch.device) -> dict[str, Rows]:
    configs = []
    if arguments.songs:
        configs = time_to_score.prepare(
            device, arguments.songs.resolve(), arguments.steps, arguments.quick
        )
    results: dict[str, Rows] = {
        "checks": _rows(checks.run(device)),
        "speed": _rows(speed.measure(device, arguments.quick)),
    }
    if configs:
        results["goal"] = _rows(
            time_to_score.measure(configs, arguments.bits, 60 * arguments.minutes)
        )
    return results


def _rows(results: Iterable[Any]) -> Rows:
    """Return the fields of each result by name; print each result when it is measured."""
    rows = []
    for item in results:
        row = dataclasses.asdict(item)
        if isinstance(item, checks.Check):
            row["passed"] = item.passed
        print("  ".join(f"{name} {_format(value)}" for name, value in row.items()), flush=True)
        rows.append(row)
    return rows


def _machine(device: torch.device) -> dict[str, str]:
    """Return the machine's name, the date and the versions of the software."""
    cuda = device.type == "cuda"
    return {
        "machine": torch.cuda.get_device_name(device) if cuda else platform.processor() or "CPU",
        "date": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": str(torch.version.cuda) if cuda else "none",
        "cudnn": str(torch.backends.cudnn.version()) if cuda else "none",
    }


def _markdown(facts: dict[str, str], results: dict[str, Rows]) -> str:
    lines = [f"# Training on {facts['machine']}", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    for name, rows in results.items():
        lines += ["", f"## {name.capitalize()}", ""]
        lines.append(f"| {' | '.join(rows[0])} |")
        lines.append("|---" * len(rows[0]) + "|")
        lines += [f"| {' | '.join(map(_format, row.values()))} |" for row in rows]
    return "\n".join(lines) + "\n"


def _format(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return "–" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
