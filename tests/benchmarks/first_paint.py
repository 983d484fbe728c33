"""Time the app's first page and page changes, with `import torch` for comparison.

`python tests/benchmarks/first_paint.py [--busy]` alternates between `import torch` in a fresh
process and the app in a pseudo-terminal, which is timed from its start to its first page, and from
a key to the page that the key opens. With --busy another process trains a network meanwhile.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pexpect

COMMAND = [sys.executable, "-m", "tui.cli"]


def import_torch() -> float:
    """Return the seconds to import torch in a fresh process."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.perf_counter() - began


def app() -> tuple[float, float, float]:
    """Return the seconds to the first page, to a new page, and to a page that was open already."""
    began = time.perf_counter()
    terminal = pexpect.spawn(COMMAND[0], COMMAND[1:], dimensions=(36, 120), timeout=60)
    terminal.expect("rnn-tui")
    painted = time.perf_counter()
    terminal.expect("Quit")
    time.sleep(1)

    def key(name: str, expected: str) -> float:
        pressed = time.perf_counter()
        terminal.send(name)
        terminal.expect(expected)
        return time.perf_counter() - pressed

    opened = key("2", "Begins")
    time.sleep(1)
    key("4", "Overlay")
    time.sleep(1)
    again = key("2", "Begins")
    terminal.send("q")
    terminal.expect(pexpect.EOF)
    return painted - began, opened, again


def print_row(label: str, seconds: list[float]) -> None:
    """Print one line of the table."""
    values = [1000 * value for value in seconds]
    median = statistics.median(values)
    print(f"{label:34} {median:7.0f} ms   ({min(values):.0f} to {max(values):.0f})")


def main() -> None:
    """Alternate between the measurements and print the table."""
    parser = argparse.ArgumentParser(
        description="Time the app's first page and page changes, with import torch for comparison."
    )
    parser.add_argument(
        "--turns", type=int, default=5, metavar="N", help="repeat N times (default 5)"
    )
    parser.add_argument("--busy", action="store_true", help="train a network at the same time")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["RNN_TUI_HOME"] = str(Path(home))
        trainer = None
        if arguments.busy:
            command = ["train", "lyrics", "--data", "originals", "--run", "busy", "--quiet"]
            trainer = subprocess.Popen([*COMMAND, *command, "--set", "train.steps=100000"])
            time.sleep(15)
        try:
            turns = [(import_torch(), *app()) for _ in range(arguments.turns)]
        finally:
            if trainer is not None:
                trainer.terminate()
                trainer.wait()
    torch, painted, opened, again = (list(column) for column in zip(*turns, strict=True))
    print_row("import torch", torch)
    print_row("start to the first page", painted)
    print_row("key to a page not yet open", opened)
    print_row("key to a page already open", again)
    ratio = statistics.median(torch) / statistics.median(painted)
    print(f"{'first page before import torch':34} {ratio:7.1f} ×")


if __name__ == "__main__":
    main()
