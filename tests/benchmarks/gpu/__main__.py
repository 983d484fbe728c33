"""Checks and times training on a GPU, and writes down what it found.

    python -m tests.benchmarks.gpu [--songs FILE --bits B] [--output NAME]

It is for a bare machine with a CUDA device, Python, a PyTorch for it and what else constraints.txt
names; the project need not be installed, only be the folder it is started in. First what must hold
(gradients in float64, a resume to the last bit, bfloat16), then characters a second; with --songs
also the time to a score on the validation songs, such as a network reached on a CPU. NAME.md and
NAME.json get tables with the machine's name, the date and the command. Exit status 1: a check
failed. `--device cpu --quick` shows that the script itself works.
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
from engine.train import device as devices
from engine.train.distributed import SINGLE_PROCESS
from tests.benchmarks.gpu import checks, goal, speed

Rows = list[dict[str, Any]]


def main(words: list[str]) -> int:
    """Run the words of the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.gpu")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that it works")
    parser.add_argument("--songs", type=Path, help="a file of songs to reach a score on")
    parser.add_argument("--bits", type=float, help="the score: bits a character, validation")
    parser.add_argument("--steps", type=int, default=4000, help="to reach it in, at most")
    parser.add_argument("--minutes", type=float, default=20.0, help="for each network, at most")
    parser.add_argument("--output", default="gpu", help="the files' name without .md and .json")
    arguments = parser.parse_args(words)
    try:
        with tempfile.TemporaryDirectory() as home:
            os.environ[paths.HOME_VARIABLE] = home
            device = _device(arguments)
            found = _measured(arguments, device)
        facts = {
            **_machine(device),
            "command": shlex.join(["python", "-m", "tests.benchmarks.gpu", *words]),
        }
        text = json.dumps({**facts, **found}, indent=1, ensure_ascii=False)
        write_atomic(Path(f"{arguments.output}.json"), text + "\n")
        write_atomic(Path(f"{arguments.output}.md"), _markdown(facts, found))
    except (InputError, WorkError) as error:
        print(f"python -m tests.benchmarks.gpu: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    failed = [check["what"] for check in found["checks"] if not check["passed"]]
    print(f"{arguments.output}.md, {arguments.output}.json" + ": FAILED" * bool(failed))
    return int(bool(failed))


def _device(arguments: argparse.Namespace) -> torch.device:
    """The device to measure; InputError for words that will not do."""
    if arguments.device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            f"There is no CUDA device that PyTorch {torch.__version__} can use: run this on a "
            "machine with one, or see that it works by --device cpu --quick."
        )
    if (arguments.songs is None) != (arguments.bits is None):
        raise InputError("--songs and --bits go together: give both or neither.")
    if not arguments.minutes > 0:
        raise InputError(f"--minutes {arguments.minutes:g} is no time: give more than 0.")
    return devices.choose_device(TrainConfig(device=arguments.device), SINGLE_PROCESS)


def _measured(arguments: argparse.Namespace, device: torch.device) -> dict[str, Rows]:
    planned = []
    if arguments.songs:
        planned = goal.plan(device, arguments.songs.resolve(), arguments.steps, arguments.quick)
    found: dict[str, Rows] = {
        "checks": _rows(checks.run(device)),
        "speed": _rows(speed.measure(device, arguments.quick)),
    }
    if planned:
        found["goal"] = _rows(goal.measure(planned, arguments.bits, 60 * arguments.minutes))
    return found


def _rows(found: Iterable[Any]) -> Rows:
    """The fields of each thing found, printed as they come."""
    rows = []
    for item in found:
        row = dataclasses.asdict(item)
        if isinstance(item, checks.Check):
            row["passed"] = item.passed
        print("  ".join(f"{name} {_shown(value)}" for name, value in row.items()), flush=True)
        rows.append(row)
    return rows


def _machine(device: torch.device) -> dict[str, str]:
    """What was measured, and when."""
    cuda = device.type == "cuda"
    return {
        "machine": torch.cuda.get_device_name(device) if cuda else platform.processor() or "CPU",
        "date": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": str(torch.version.cuda) if cuda else "none",
        "cudnn": str(torch.backends.cudnn.version()) if cuda else "none",
    }


def _markdown(facts: dict[str, str], found: dict[str, Rows]) -> str:
    lines = [f"# Training on {facts['machine']}", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    for name, rows in found.items():
        lines += ["", f"## {name.capitalize()}", ""]
        lines.append(f"| {' | '.join(rows[0])} |")
        lines.append("|---" * len(rows[0]) + "|")
        lines += [f"| {' | '.join(map(_shown, row.values()))} |" for row in rows]
    return "\n".join(lines) + "\n"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return "–" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
